"""A share of a core, for a process: as on a machine without CPU credits. Linux's first version of groups, as root."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup/cpu")
PERIOD_MICROSECONDS = 100_000


def can_be_slowed() -> bool:
    """Whether this process can make groups with a quota."""
    return os.geteuid() == 0 and (GROUPS / "cpu.cfs_quota_us").exists() and os.access(GROUPS, os.W_OK)


@contextlib.contextmanager
def slowed(process: int, share: float) -> Iterator[None]:
    """Give a process `share` of a core within this block."""
    folder = GROUPS / f"courier-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        (folder / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
        (folder / "cpu.cfs_quota_us").write_text(str(round(share * PERIOD_MICROSECONDS)))
        (folder / "cgroup.procs").write_text(str(process))
        yield
    finally:
        with contextlib.suppress(OSError):
            (GROUPS / "cgroup.procs").write_text(str(process))
        for _ in range(100):
            with contextlib.suppress(OSError):
                folder.rmdir()
                break
            time.sleep(0.05)
