"""What the machine gives to processes: memory, and processor time. Read from Linux's /proc and control groups.

Other systems do not say; there, memory counts as unlimited and no process as starved.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")
#: The most times its time limit that work may take on the clock, while the machine is starved of processor time.
MOST_TIMES_LONGER = 20

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class _Groups(NamedTuple):
    """A version of control groups: where they are mounted, and the files of a group."""

    mount: str
    controller: str
    limit: str
    used: str
    #: The files of its swap: of the first version, limit and use are those of memory and swap together.
    swap_limit: str
    swap_used: str
    #: How its page cache is called in memory.stat.
    inactive: str
    active: str


_VERSIONS = (
    _Groups(
        mount="sys/fs/cgroup",
        controller="",
        limit="memory.max",
        used="memory.current",
        swap_limit="memory.swap.max",
        swap_used="memory.swap.current",
        inactive="inactive_file",
        active="active_file",
    ),
    _Groups(
        mount="sys/fs/cgroup/memory",
        controller="memory",
        limit="memory.limit_in_bytes",
        used="memory.usage_in_bytes",
        swap_limit="memory.memsw.limit_in_bytes",
        swap_used="memory.memsw.usage_in_bytes",
        inactive="total_inactive_file",
        active="total_active_file",
    ),
)


# Memory


def available_bytes(root: Path = ROOT) -> float:
    """Return the memory that this process and its children can still take, swap apart; infinite if unknown."""
    left = (_left(group, version) for group, version in _groups(root))
    return min(_of_machine(root, "MemAvailable", math.inf), *left, math.inf)


def free_swap_bytes(root: Path = ROOT) -> float:
    """Return how much of the memory of this process and its children can still be swapped out."""
    left = (_left_to_swap(group, version) for group, version in _groups(root))
    return min(_of_machine(root, "SwapFree", 0), *left, math.inf)


def size_bytes(process: int) -> tuple[int, int]:
    """Return the address space and the resident memory of a process; 0 and 0 if unknown."""
    try:
        size, resident, *_ = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return 0, 0
    return int(size) * _PAGE_BYTES, int(resident) * _PAGE_BYTES


def peak_bytes() -> int:
    """Return the largest address space that this process has had; 0 if unknown."""
    for line in _text(Path("/proc/self/status")).splitlines():
        if line.startswith("VmPeak:"):
            return int(line.split()[1]) * 1024
    return 0


def _of_machine(root: Path, wanted: str, unknown: float) -> float:
    for line in _text(root / "proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        if name == wanted:
            return int(value.split()[0]) * 1024
    return unknown


def _groups(root: Path) -> Iterator[tuple[Path, _Groups]]:
    """Yield this process's control groups, of either version, and those above them."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for version in _VERSIONS:
            if version.controller in controllers.split(","):
                mount = root / version.mount
                group = mount / path.strip("/")
                # Inside a container, the path may be one of the machine outside.
                groups = [group, *group.parents] if group.is_dir() and ".." not in path else [mount]
                yield from ((one, version) for one in groups if one.is_relative_to(mount))


def _left(group: Path, version: _Groups) -> float:
    unused = _unused(group, version.limit, version.used)
    if unused == math.inf:
        return unused
    stat = dict(line.split() for line in _text(group / "memory.stat").splitlines())
    inactive, active = (int(stat.get(name, 0)) for name in (version.inactive, version.active))
    # Part of the page cache is needed, as the kernel assumes for MemAvailable.
    return unused + inactive + active // 2


def _left_to_swap(group: Path, version: _Groups) -> float:
    unused = _unused(group, version.swap_limit, version.swap_used)
    return (
        max(0, unused - _unused(group, version.limit, version.used))
        if version.controller and unused < math.inf
        else unused
    )


def _unused(group: Path, limit: str, used: str) -> float:
    most, now = _text(group / limit).strip(), _text(group / used).strip()
    return int(most) - int(now) if most.isdigit() and now.isdigit() else math.inf


# Processor time


class TimeHad:
    """How much of the time since now a process has had: what it waited for a processor does not count."""

    def __init__(self, process: int, root: Path = ROOT) -> None:
        self._root = root
        self._process = process
        self._started = time.monotonic()
        self._delays = self._delays_now()
        self._stolen = self._stolen_now()

    def left(self, seconds: float) -> float:
        """Return how much of `seconds` is left, at least; 0 or less: it has had them.

        Work that sleeps has time, too. On the clock, all ends after `MOST_TIMES_LONGER` times `seconds`.
        """
        passed = time.monotonic() - self._started
        if passed < seconds:
            return seconds - passed
        if passed >= seconds * MOST_TIMES_LONGER:
            return 0
        before = self._delays
        waited = max((now - before.get(name, 0) for name, now in self._delays_now().items()), default=0)
        return seconds - max(0.0, passed - waited - (self._stolen_now() - self._stolen))

    def _delays_now(self) -> dict[str, float]:
        """Return how long each thread was ready to run and did not run, in seconds (also under a quota)."""
        found = {}
        for file in self._root.glob(f"proc/{self._process}/task/*/schedstat"):
            fields = _text(file).split()
            if len(fields) > 1:
                found[file.parent.name] = int(fields[1]) / 1e9
        return found

    def _stolen_now(self) -> float:
        """Return how long processors of this virtual machine were ready to run and did not, in seconds.

        A t3 instance without credits shows its throttling so.
        """
        fields = _text(self._root / "proc/stat").partition("\n")[0].split()
        return int(fields[8]) / _TICKS_A_SECOND if len(fields) > 8 else 0.0  # noqa: PLR2004  /proc/stat's order


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
