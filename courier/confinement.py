"""Confine this process: the kernel ends it before others when memory is short, and it has no network."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

#: The score of what the kernel ends first (proc(5)).
FIRST_TO_END = 1000
# From <linux/sched.h>, <linux/capability.h> and <linux/prctl.h>.
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_CAPABILITY_VERSION = 0x20080522
_NO_NEW_PRIVILEGES = 38


def end_first() -> None:
    """Have the kernel end this process, and what it starts, before others when memory is short."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(FIRST_TO_END), encoding="ascii")


def leave_network() -> bool:
    """Move this process to a network of its own that has nothing; return whether the system allows it.

    It keeps its user and group, and loses every capability: those of its new user namespace, too.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_NEW_USER | _NEW_NETWORK) == 0:
        _keep_ids(user, group)
        _drop_capabilities(libc)
        return True
    return bool(libc.unshare(_NEW_NETWORK) == 0)


def _keep_ids(user: int, group: int) -> None:
    maps = {"uid_map": f"{user} {user} 1", "setgroups": "deny", "gid_map": f"{group} {group} 1"}
    for name, text in maps.items():
        # Without them it would be nobody, which can do the work as well.
        with contextlib.suppress(OSError):
            Path("/proc/self", name).write_text(text, encoding="ascii")


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    libc.capset(header, none)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
