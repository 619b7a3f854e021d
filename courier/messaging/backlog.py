"""Hold replies that their queue does not accept, per queue, so that no queue delays another."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from courier.aws.retry import Retrier
from courier.errors import ServiceError
from courier.messaging.outbox import Finished


@dataclass(kw_only=True)
class _Stalled:
    """A stalled reply queue: its waiting replies, and when to try it again."""

    retrier: Retrier
    waiting: list[Finished] = field(default_factory=list)
    not_before: float = 0.0
    #: Whether a thread is trying it.
    is_tried: bool = False


class Backlog:
    """The stalled reply queues of a worker. Thread-safe; each queue is tried by one thread at a time."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._changed = threading.Condition()
        self._queues: dict[str, _Stalled] = {}

    def join(self, name: str, replies: Sequence[Finished]) -> bool:
        """Append `replies` to those of the queue `name`, if it is stalled; return whether it is."""
        with self._changed:
            stalled = self._queues.get(name)
            if stalled:
                stalled.waiting += replies
            return stalled is not None

    def stall(self, name: str, doing: str, replies: Sequence[Finished], error: ServiceError) -> None:
        """Mark the queue `name` as stalled, and append `replies` to those that wait for it."""
        with self._changed:
            stalled = self._queues.get(name)
            if stalled is None:
                stalled = self._queues[name] = _Stalled(retrier=Retrier(doing, self._stopped))
                stalled.not_before = time.monotonic() + stalled.retrier.record(error)
            stalled.waiting += replies
            self._changed.notify_all()

    def postpone(self, name: str, replies: Sequence[Finished], error: ServiceError) -> None:
        """Put back, in front, the replies of `take_due`; the wait grows each time that the queue fails."""
        with self._changed:
            stalled = self._queues[name]
            stalled.waiting[:0] = replies
            stalled.not_before = time.monotonic() + stalled.retrier.record(error)
            stalled.is_tried = False
            self._changed.notify_all()

    def take_due(self, timeout_seconds: float) -> tuple[str, list[Finished]] | None:
        """Return a queue that is due, with its replies; None if none is due in time.

        The caller must then call `postpone` or `clear`; until then no other thread gets this queue.
        """
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while (now := time.monotonic()) < deadline and not self._stopped.is_set():
                resting = {name: one for name, one in self._queues.items() if not one.is_tried}
                name = min(resting, key=lambda name: resting[name].not_before, default=None)
                if name is not None and resting[name].not_before <= now:
                    resting[name].is_tried = True
                    waiting, resting[name].waiting = resting[name].waiting, []
                    return name, waiting
                self._changed.wait(min(deadline, resting[name].not_before if name else deadline) - now)
        return None

    def clear(self, name: str, *, is_well: bool) -> list[Finished]:
        """Forget the queue `name`, which accepts replies again or no longer exists; return its waiting replies."""
        with self._changed:
            stalled = self._queues.pop(name)
        if is_well:
            stalled.retrier.succeeded()
        return stalled.waiting
