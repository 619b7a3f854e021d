"""Collect finished replies into batches, without delaying a single reply."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from courier.aws.message import Message
from courier.aws.sqs import MAX_BATCH, ReceivedMessage
from courier.messaging.protocol import Request

#: How long a finished reply may wait for others that are being processed, in seconds.
LINGER_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A processed request: its reply, the reply queue, and fields for the log.

    An empty `reply_queue`: the client no longer waits.
    """

    received: ReceivedMessage
    reply_queue: str
    message: Message
    request_id: str
    kind: str
    outcome: str
    #: The client's name, if it gave one.
    client: str | None = None
    #: When the client stops waiting, in seconds since the epoch by AWS's clock; None: never.
    deadline: float | None = None
    #: The request for the worker's hooks; None: no hooks.
    request: Request | None = None

    def instead(self, message: Message) -> Finished:
        """Return the same with another reply."""
        return replace(self, message=message, outcome="failed")


class Outbox:
    """Replies to send. `unfinished` returns the number of requests whose replies may come soon."""

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
        """Wait for a reply, and return up to ten: at once if nothing is unfinished, else after `LINGER_SECONDS`.

        An empty list means that the outbox is closed and empty.
        """
        with self._collecting, self._changed:
            self._changed.wait_for(lambda: self._finished or self._closed)
            if self._finished:
                left = self._finished[0][0] + LINGER_SECONDS - time.monotonic()
                self._changed.wait_for(self._is_due, max(0.0, left))
            return [self._finished.popleft()[1] for _ in range(min(MAX_BATCH, len(self._finished)))]

    def close(self) -> None:
        """Let `take` return an empty list once all replies are taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_due(self) -> bool:
        return len(self._finished) >= MAX_BATCH or self._unfinished() == 0 or self._closed
