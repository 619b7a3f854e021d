"""What all contestants have in common: the work, and the response as a message."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3

from courier.messaging.protocol import Request
from courier.numbers import handler

REQUESTS = "requestQueue"
RESPONSES = "responseQueue"
#: For all of them: long enough for the work, and short enough to see what comes back after a kill.
VISIBILITY_SECONDS = 30
WAIT_SECONDS = 20


def answer(numbers: str) -> str:
    """Do the work of one request."""
    return handler.answer(Request(body=numbers))


@cache
def sqs() -> Any:
    """Return the client of this process."""
    return boto3.client("sqs")


@cache
def url(queue: str) -> str:
    """Return a queue's URL."""
    found: str = sqs().get_queue_url(QueueName=queue)["QueueUrl"]
    return found


def attributes(request_id: str) -> dict[str, dict[str, str]]:
    """Return what tells which request a message belongs to."""
    return {"request-id": {"DataType": "String", "StringValue": request_id}}


def respond(request_id: str, text: str) -> None:
    """Send one response."""
    sqs().send_message(QueueUrl=url(RESPONSES), **_message(request_id, text))


def respond_to_all(responses: dict[str, str]) -> None:
    """Send up to ten responses with one call."""
    entries = [
        {"Id": str(index), **_message(request_id, text)} for index, (request_id, text) in enumerate(responses.items())
    ]
    sqs().send_message_batch(QueueUrl=url(RESPONSES), Entries=entries)


def _message(request_id: str, text: str) -> dict[str, Any]:
    return {"MessageBody": text, "DelaySeconds": 0, "MessageAttributes": attributes(request_id)}


def send_plainly(request_id: str, numbers: str) -> None:
    """Send one request as its text and its id."""
    sqs().send_message(
        QueueUrl=url(REQUESTS), MessageBody=numbers, DelaySeconds=0, MessageAttributes=attributes(request_id)
    )
