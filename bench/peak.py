"""The most memory that a process has had, as Linux counts it."""

from __future__ import annotations

import re
from pathlib import Path


def peak_megabytes(pid: int | str = "self") -> float:
    """Return the most memory that a process has had resident, in megabytes; 0 if it has ended.

    What `getrusage` returns includes the parent's at the fork.
    """
    found = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[0]) * 1024 / 1e6 if found else 0.0
