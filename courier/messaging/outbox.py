"""Gather finished replies into batches, without making a lone one wait."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from courier.aws.message import Message
from courier.aws.sqs import MAX_BATCH, ReceivedMessage
from courier.messaging.protocol import Request

#: How long a finished answer may wait for others that are being worked on, in seconds.
LINGER_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A request that was worked on: the reply to send, where, and what the log will say of it.

    An empty `reply_queue` means that nobody waits for an answer any more.
    """

    delivery: ReceivedMessage
    reply_queue: str
    message: Message
    request_id: str
    kind: str
    outcome: str
    #: When nobody waits for the reply any more, in seconds since the epoch by AWS's clock; None: always somebody.
    deadline: float | None = None
    #: What the worker's hooks are told; None: nothing.
    request: Request | None = None

    def instead(self, message: Message) -> Finished:
        """Return the same with another reply."""
        return replace(self, message=message, outcome="failed")


class Outbox:
    """Replies waiting to be sent. How many requests are `unfinished` tells whether more will come soon."""

    def __init__(self, unfinished: Callable[[], int]) -> None:
        self._unfinished = unfinished
        self._changed = threading.Condition()
        self._collecting = threading.Lock()
        self._finished: deque[tuple[float, Finished]] = deque()
        self._closed = False

    def put(self, *finished: Finished) -> None:
        """Add replies."""
        with self._changed:
            for one in finished:
                self._finished.append((time.monotonic(), one))
                if len(self._finished) in (1, MAX_BATCH) or self._unfinished() == 0:
                    self._changed.notify_all()

    def take(self) -> list[Finished]:
        """Return up to ten replies, at once if nothing is unfinished, else after at most `LINGER_SECONDS`.

        Waits for the first. An empty list means that the outbox is closed and empty.
        """
        with self._collecting, self._changed:
            self._changed.wait_for(lambda: self._finished or self._closed)
            if self._finished:
                left = self._finished[0][0] + LINGER_SECONDS - time.monotonic()
                self._changed.wait_for(self._is_ripe, max(0.0, left))
            return [self._finished.popleft()[1] for _ in range(min(MAX_BATCH, len(self._finished)))]

    def close(self) -> None:
        """Let those that wait for answers end once there are none."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_ripe(self) -> bool:
        return len(self._finished) >= MAX_BATCH or self._unfinished() == 0 or self._closed
