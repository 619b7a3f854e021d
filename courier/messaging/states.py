"""The states of messages in flight."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from courier.aws.sqs import ReceivedMessage


class State(Enum):
    """The state of a message between its receipt and its deletion."""

    #: It waits for a handler.
    RECEIVED = "received"
    WORKING = "working"
    #: Its time limit does not count: its work waits for AWS or for disk space, or has a limit of its own.
    PAUSED = "paused"
    #: Its handler had a transient error: it waits for its next attempt, without a thread. Does not count towards the
    #: capacity, up to `in_flight.MAX_PARKED`.
    PARKED = "parked"
    #: Its reply is being sent; then it is deleted.
    REPLIED = "replied"
    #: Its reply waits for a stalled queue. It does not count towards the capacity.
    STALLED = "stalled"


@dataclass(frozen=True, kw_only=True)
class Held:
    """A message in flight, and since when it has its state: monotonic seconds."""

    received: ReceivedMessage
    state: State
    since: float


class NoLongerHeld(Exception):
    """The handler no longer holds this request: it was rejected at its time limit, or released to stop."""
