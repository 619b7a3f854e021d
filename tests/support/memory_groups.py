"""Control groups with little memory, in which programs run as on a small machine. Linux, as root."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
MEGABYTE = 1_000_000


class MemoryGroup:
    """A control group with a limit, of either version."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._folder = folder
        self._is_first = (folder / "memory.limit_in_bytes").exists()
        limit = "memory.limit_in_bytes" if self._is_first else "memory.max"
        (folder / limit).write_text(str(megabytes * MEGABYTE))
        if not self._is_first:
            (folder / "memory.swap.max").write_text("0")

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return a command that runs another in this group."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._folder / "cgroup.procs"), *arguments]

    @property
    def kills(self) -> int:
        """How many processes the kernel has ended here for want of memory."""
        name = "memory.oom_control" if self._is_first else "memory.events"
        lines = (self._folder / name).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    @property
    def resident_megabytes(self) -> int:
        """How much memory its processes have, page cache apart."""
        name = "total_rss " if self._is_first else "anon "
        lines = (self._folder / "memory.stat").read_text().splitlines()
        return next(int(line.split()[1]) // MEGABYTE for line in lines if line.startswith(name))

    @property
    def processes(self) -> list[int]:
        """The processes in it."""
        return [int(line) for line in (self._folder / "cgroup.procs").read_text().split()]


def _parent() -> Path | None:
    """Return where groups with a memory limit can be made, if anywhere."""
    if (MOUNT / "memory/memory.limit_in_bytes").exists():
        return MOUNT / "memory"
    controllers = MOUNT / "cgroup.subtree_control"
    return MOUNT if controllers.exists() and "memory" in controllers.read_text().split() else None


def can_be_made() -> bool:
    """Whether this process can make such groups."""
    parent = _parent()
    if parent is None or os.geteuid() != 0:
        return False
    try:
        with memory_group(100) as group:
            subprocess.run(group.command(["true"]), check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@contextlib.contextmanager
def memory_group(megabytes: int) -> Iterator[MemoryGroup]:
    """Yield a group with `megabytes` of memory; removed afterwards, once its processes have ended."""
    parent = _parent()
    assert parent
    folder = parent / f"courier-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        yield MemoryGroup(folder, megabytes)
    finally:
        for _ in range(100):
            with contextlib.suppress(OSError):
                folder.rmdir()
                break
            time.sleep(0.05)
