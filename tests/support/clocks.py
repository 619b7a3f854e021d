"""Time that passes only when a test or a wait lets it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


class FakeTime:
    """Stands for the module `time` where a test puts it; formats as that does."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def __getattr__(self, name: str) -> Any:
        """Return what a test does not stand in for."""
        return getattr(time, name)


class Ticks(threading.Event):
    """An event whose waits take no time: each is noted, moves the clock, and the last of them finds it set."""

    def __init__(
        self, rounds: int, clock: FakeTime | None = None, each: Callable[[int], object] = lambda _number: None
    ) -> None:
        super().__init__()
        self.waits: list[float | None] = []
        self._rounds = rounds
        self._clock = clock
        self._each = each

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        if self._clock is not None:
            self._clock.now += timeout or 0.0
        if len(self.waits) > self._rounds:
            self.set()
        elif not self.is_set():
            self._each(len(self.waits))
        return self.is_set()
