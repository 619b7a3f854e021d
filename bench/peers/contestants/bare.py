"""A plain boto3 loop that receives, sends and deletes by tens, in one thread: what the others are measured by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.peers.contestants import work


def sender() -> Callable[[str, str], None]:
    """Return what sends one request."""
    return work.send_plainly


def serve() -> None:
    """Serve until a signal."""
    while True:
        messages = receive(10, work.WAIT_SECONDS)
        if messages:
            work.respond_to_all({_id(message): work.answer(message["Body"]) for message in messages})
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]} for index, message in enumerate(messages)
            ]
            work.sqs().delete_message_batch(QueueUrl=work.url(work.REQUESTS), Entries=entries)


def receive(count: int, wait_seconds: int) -> list[dict[str, Any]]:
    """Return up to `count` requests."""
    found: dict[str, list[dict[str, Any]]] = work.sqs().receive_message(
        QueueUrl=work.url(work.REQUESTS),
        MaxNumberOfMessages=count,
        WaitTimeSeconds=wait_seconds,
        VisibilityTimeout=work.VISIBILITY_SECONDS,
        MessageAttributeNames=["All"],
    )
    return found.get("Messages", [])


def _id(message: dict[str, Any]) -> str:
    found: str = message["MessageAttributes"]["request-id"]["StringValue"]
    return found
