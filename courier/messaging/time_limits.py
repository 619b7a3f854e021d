"""Time limits: find the work that has exceeded its limit, once each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from courier.aws.sqs import ReceivedMessage

#: How often the time limits are looked at, in seconds.
LOOK_SECONDS = 0.5


class TimeLimits:
    """The work that was begun and is not finished. Whoever takes a piece of it out decides its outcome."""

    def __init__(self, time_limit_seconds: float) -> None:
        self._time_limit_seconds = time_limit_seconds
        self._lock = threading.Lock()
        self._begun: dict[str, tuple[float, ReceivedMessage]] = {}

    def begin(self, delivery: ReceivedMessage) -> None:
        """Note that work on `delivery` begins."""
        with self._lock:
            self._begun[delivery.receipt_handle] = (time.monotonic(), delivery)

    def end(self, delivery: ReceivedMessage) -> bool:
        """Take `delivery` out; return whether it was still in, and its outcome is the caller's to decide."""
        with self._lock:
            return self._begun.pop(delivery.receipt_handle, None) is not None

    def look(self, stopped: threading.Event, give_up: Callable[[ReceivedMessage], None]) -> None:
        """Take out what has passed its limit and hand it to `give_up`, until `stopped` (a thread's work)."""
        while not stopped.wait(LOOK_SECONDS):
            for delivery in self._late():
                if self.end(delivery):
                    give_up(delivery)

    def _late(self) -> list[ReceivedMessage]:
        limit = time.monotonic() - self._time_limit_seconds
        with self._lock:
            return [delivery for begun_at, delivery in self._begun.values() if begun_at < limit]
