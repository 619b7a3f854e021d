"""Queues in memory and their messages, and SQS's checks of a call."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from courier.testing.service import client_error

#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
NAME = re.compile(r"[A-Za-z0-9_-]{1,80}(\.fifo)?")
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MAX_BATCH = 10
MAX_BYTES = 1_048_576
PURGE_SECONDS = 60
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/"
ARN = "arn:aws:sqs:us-east-1:123456789012:"
DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": str(MAX_BYTES),
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
}


@dataclass(kw_only=True)
class Message:
    """A message in a queue; times are by the fake's clock."""

    body: str
    attributes: Mapping[str, Any]
    group: str
    due_at: float
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    visible_at: float = 0.0
    receive_count: int = 0
    handle: str = ""
    #: By this machine's clock.
    sent_at: float = field(default_factory=time.time)

    @property
    def error_code(self) -> str | None:
        """The code with which SQS rejects the body; None if it does not."""
        if not self.body:
            return "MissingParameter"
        return "InvalidMessageContents" if FORBIDDEN.search(self.body) else None

    @property
    def size(self) -> int:
        named = sum(
            len(name) + len(value["DataType"]) + len(value["StringValue"].encode())
            for name, value in self.attributes.items()
        )
        return len(self.body.encode()) + named


@dataclass(kw_only=True)
class Queue:
    """A queue and its messages."""

    name: str
    attributes: dict[str, str]
    created: float
    messages: list[Message] = field(default_factory=list)
    purged_at: float | None = None


def chosen(found: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the attributes that a call names."""
    return {name: value for name, value in found.items() if "All" in names or name in names}


def demand(is_right: bool, message: str) -> None:  # noqa: FBT001  reads as a sentence
    """Reject a call unless it is right. Raises: ClientError."""
    if not is_right:
        raise client_error("InvalidParameterValue", message)


def demand_batch(entries: list[Mapping[str, Any]]) -> None:
    """Reject a batch that SQS would reject. Raises: ClientError."""
    if not entries:
        raise client_error("AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry.")
    if len(entries) > MAX_BATCH:
        raise client_error("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "At most 10 entries.")
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise client_error("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Ids must be distinct.")
