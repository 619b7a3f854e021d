"""Share the machine's memory among processes: small work runs side by side, large work alone."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from courier.machine import available_bytes, free_swap_bytes, size_bytes

MEGABYTE = 1_000_000
#: What stays free for the rest of the machine, in megabytes.
RESERVE_MEGABYTES = 40
#: A process that runs alone may try to take more than is available: the kernel frees caches and what others do not
#: use, and else ends this process first.
ALONE_TIMES = 1.15
#: What a process may take in any case, in megabytes: the kernel ends it if even that is not there.
LEAST_MEGABYTES = 64


def processes_that_fit(each_megabytes: int, available: Callable[[], float] = available_bytes) -> float:
    """Return how many times a size fits into the memory there is, at least once; infinite if it is unknown."""
    return max(1.0, (available() / MEGABYTE - RESERVE_MEGABYTES) / each_megabytes)


class Turn:
    """The turn of a process to work."""

    def __init__(self, budget: MemoryBudget, megabytes: float, *, is_alone: bool) -> None:
        self._budget = budget
        self._megabytes = megabytes
        self.is_alone = is_alone
        self._process = 0
        self._resident_bytes = 0

    def grant(self, process: int) -> float:
        """Return how large the address space of the process that works may become, in megabytes."""
        size, self._resident_bytes = size_bytes(process)
        self._process = process
        return size / MEGABYTE + self._budget.left_for(self)

    @property
    def resident_bytes(self) -> int:
        """The resident memory of the process now."""
        return size_bytes(self._process)[1] if self._process else 0

    @property
    def outstanding_megabytes(self) -> float:
        """What the process will still take, by its estimate."""
        taken = self.resident_bytes - self._resident_bytes if self._process else 0
        return max(0.0, self._megabytes - taken / MEGABYTE)


class MemoryBudget:
    """Which processes may work beside each other, by the memory that is available. Thread-safe; in order of arrival.

    `make_room` is called before work that may not fit even alone.
    """

    def __init__(
        self,
        make_room: Callable[[], object] = bool,
        available: Callable[[], float] = available_bytes,
        swap: Callable[[], float] = free_swap_bytes,
    ) -> None:
        self._make_room = make_room
        self._available = available
        self._swap = swap
        self._changed = threading.Condition()
        self._waiting: list[Turn] = []
        self._running: list[Turn] = []

    @contextlib.contextmanager
    def turn(
        self, megabytes: float, *, is_alone: bool = False, before_waiting: Callable[[], object] = bool
    ) -> Iterator[Turn]:
        """Wait until that much memory is available, or nothing else runs; yield a turn.

        `before_waiting` is called if it does not begin at once.
        """
        turn = Turn(self, megabytes, is_alone=is_alone)
        with self._changed:
            self._waiting.append(turn)
            try:
                if not self._is_next(turn):
                    before_waiting()
                self._changed.wait_for(lambda: self._is_next(turn))
                if not self._running and (is_alone or megabytes > self._left()):
                    self._make_room()
                self._running.append(turn)
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
        try:
            yield turn
        finally:
            with self._changed:
                self._running.remove(turn)
                self._changed.notify_all()

    def left_for(self, turn: Turn) -> float:
        """Return how much more memory a process may take, in megabytes: with swap, if nothing else runs."""
        with self._changed:
            if self._running == [turn]:
                left = (self._available() * ALONE_TIMES + self._swap()) / MEGABYTE
            else:
                left = self._left(turn)
        return max(LEAST_MEGABYTES, left)

    def resident_bytes(self) -> int:
        """Return the resident memory of the processes that work."""
        with self._changed:
            return sum(turn.resident_bytes for turn in self._running)

    def _is_next(self, turn: Turn) -> bool:
        if self._waiting[0] is not turn:
            return False
        if not self._running:
            return True
        if turn.is_alone or any(other.is_alone for other in self._running):
            return False
        return turn.outstanding_megabytes <= max(0.0, self._left())

    def _left(self, turn: Turn | None = None) -> float:
        """Return what neither others nor the reserve will take, in megabytes."""
        outstanding = sum(other.outstanding_megabytes for other in self._running if other is not turn)
        return self._available() / MEGABYTE - RESERVE_MEGABYTES - outstanding
