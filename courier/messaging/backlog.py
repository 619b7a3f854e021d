"""Replies that their queue does not accept at the moment, queue by queue, so that no queue delays another."""

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
    """One reply queue: what waits for it, and when it is tried again."""

    retrier: Retrier
    waiting: list[Finished] = field(default_factory=list)
    not_before: float = 0.0
    #: Whether somebody tries it at the moment.
    is_tried: bool = False


class Backlog:
    """The stalled reply queues of a worker. Each is tried by one thread at a time; safe for any number of them."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._changed = threading.Condition()
        self._queues: dict[str, _Stalled] = {}

    def join(self, name: str, replies: Sequence[Finished]) -> bool:
        """Have `replies` wait behind others for the queue `name`, if it is stalled; return whether it is."""
        with self._changed:
            stalled = self._queues.get(name)
            if stalled:
                stalled.waiting += replies
            return stalled is not None

    def stall(self, name: str, doing: str, replies: Sequence[Finished], error: ServiceError) -> None:
        """Have `replies` wait until the queue `name` is due again; if it is stalled already, behind the others."""
        with self._changed:
            stalled = self._queues.get(name)
            if stalled is None:
                stalled = self._queues[name] = _Stalled(retrier=Retrier(doing, self._stopped))
                stalled.not_before = time.monotonic() + stalled.retrier.note(error)
            stalled.waiting += replies
            self._changed.notify_all()

    def postpone(self, name: str, replies: Sequence[Finished], error: ServiceError) -> None:
        """Have what `take_due` returned wait again, before others: longer each time that the queue fails."""
        with self._changed:
            stalled = self._queues[name]
            stalled.waiting[:0] = replies
            stalled.not_before = time.monotonic() + stalled.retrier.note(error)
            stalled.is_tried = False
            self._changed.notify_all()

    def take_due(self, timeout_seconds: float) -> tuple[str, list[Finished]] | None:
        """Return a queue that may be tried again and all that waits for it; None if there is none in time.

        The caller then calls `postpone` or `clear`: until then nobody else is given this queue.
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
        """Note that the queue `name` takes replies again, or is there no more; return what waits for it."""
        with self._changed:
            stalled = self._queues.pop(name)
        if is_well:
            stalled.retrier.over()
        return stalled.waiting
