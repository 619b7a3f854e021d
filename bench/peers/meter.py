"""What one contestant costs: its calls, counted on their way, and the processor time and memory of its processes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.gate import Fault, Gate

TICKS = os.sysconf("SC_CLK_TCK")


class Meter(Gate):
    """A gate that notes when the first receive came and the last call that ends a request."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.pid = 0
        self.began = self.ended = 0.0
        self.spent_before = 0.0

    def fault_for(self, operation: str, body: bytes = b"") -> Fault | None:
        """Note the moment; return what a gate does."""
        now = time.perf_counter()
        if operation == "ReceiveMessage" and not self.began:
            self.began, self.spent_before = now, processor_seconds(self.pid)
        if operation.startswith(("Send", "Delete")):
            self.ended = now
        return super().fault_for(operation, body)


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all that it has started."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))
    except OSError:
        return


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process and of all that it has started."""
    return sum(own_seconds(one, with_ended=one == pid) for one in tree(pid))


def own_seconds(pid: int, *, with_ended: bool = False) -> float:
    """Return the processor time of a process alone, or with that of what it has started and has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11 : 15 if with_ended else 13])) / TICKS


def peak_megabytes(pid: int) -> float:
    """Return the most memory that a process and those that it has started have had, each for itself, added up."""
    total = 0
    for one in tree(pid):
        try:
            total += int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{one}/status").read_text())[0])
        except (OSError, IndexError):
            continue
    return total * 1024 / 1e6
