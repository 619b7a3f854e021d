"""Our own worker, as it comes."""

from __future__ import annotations

from collections.abc import Callable

from bench.peers.contestants import work
from bench.throughput import request_attributes
from courier.cli import workers


def sender() -> Callable[[str, str], None]:
    """Return what sends one request."""

    def send(request_id: str, numbers: str) -> None:
        attributes = request_attributes(request_id)
        work.sqs().send_message(
            QueueUrl=work.url(work.REQUESTS), MessageBody=numbers, DelaySeconds=0, MessageAttributes=attributes
        )

    return send


def serve() -> None:
    """Serve until a signal."""
    workers.numbers([])
