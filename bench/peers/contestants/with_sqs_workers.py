"""sqs-workers: a raw queue whose processor has the messages by tens, long polls."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from bench.peers.contestants import work


def answer(messages: list[Any]) -> None:
    """Do the work of some requests."""
    requests = (message.body.split(" ", 1) for message in messages)
    responses = {request_id: work.answer(numbers) for request_id, numbers in requests}
    if responses:
        work.respond_to_all(responses)


@cache
def queue() -> Any:
    """Return the queue."""
    from sqs_workers import RawQueue, SQSEnv  # type: ignore[import-not-found,unused-ignore]
    from sqs_workers.batching import BatchMessages  # type: ignore[import-not-found,unused-ignore]

    made = SQSEnv().queue(work.REQUESTS, RawQueue, batching_policy=BatchMessages(10))
    made.connect_raw_processor(answer)
    return made


def sender() -> Callable[[str, str], None]:
    """Return what sends one request."""
    return lambda request_id, numbers: queue().add_raw_job(f"{request_id} {numbers}")


def serve() -> None:
    """Serve until a signal."""
    queue().process_queue(wait_second=work.WAIT_SECONDS)
