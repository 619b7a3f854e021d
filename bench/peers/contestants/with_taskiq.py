"""taskiq with taskiq-aio-sqs: receives by tens with long polls, responds through aiobotocore."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from aiobotocore.session import get_session  # type: ignore[import-not-found,unused-ignore]
from taskiq import TaskiqEvents  # type: ignore[import-not-found,unused-ignore]
from taskiq_aio_sqs import SQSBroker  # type: ignore[import-not-found,unused-ignore]

from bench.peers.contestants import work

broker = SQSBroker(
    work.REQUESTS,
    endpoint_url=os.environ.get("AWS_ENDPOINT_URL"),
    wait_time_seconds=work.WAIT_SECONDS,
    max_number_of_messages=10,
    visibility_timeout=work.VISIBILITY_SECONDS,
)


async def connect(state: Any) -> None:
    """Make the client that responds."""
    state.sqs = await get_session().create_client("sqs").__aenter__()
    state.url = (await state.sqs.get_queue_url(QueueName=work.RESPONSES))["QueueUrl"]


async def answer(request_id: str, numbers: str) -> None:
    """Do the work of one request."""
    await broker.state.sqs.send_message(
        QueueUrl=broker.state.url,
        MessageBody=work.answer(numbers),
        DelaySeconds=0,
        MessageAttributes=work.attributes(request_id),
    )


broker.add_event_handler(TaskiqEvents.WORKER_STARTUP, connect)
task = broker.register_task(answer, "answer")


def sender() -> Callable[[str, str], None]:
    """Return what sends one request."""
    runner = asyncio.Runner()
    runner.run(broker.startup())
    return lambda request_id, numbers: runner.run(task.kiq(request_id, numbers))


def serve() -> None:
    """Serve until a signal."""
    from taskiq.cli.worker.args import WorkerArgs  # type: ignore[import-not-found,unused-ignore]
    from taskiq.cli.worker.run import run_worker  # type: ignore[import-not-found,unused-ignore]

    options = ["--workers", "1", "--max-async-tasks", "20", "--log-level", "ERROR"]
    run_worker(WorkerArgs.from_cli([f"{__name__}:broker", *options]))
