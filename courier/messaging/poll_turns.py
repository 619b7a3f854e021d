"""Turns of a worker's processes at the long poll: while there is nothing to do, one of them polls for all.

An idle process polls only while it has the turn, so idle processes make no more calls to SQS than one. A process with
messages in flight polls without it, and another one gets the turn. The turn is a lock on a file that the processes
have inherited: it ends with its holder, however that ends. The file has the time at which the turn was taken, by which
the others notice a holder that is frozen.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import sys
import threading
import time
from collections.abc import Iterator

if sys.platform == "win32":
    raise ImportError("The workers need Linux or macOS.")

#: The interval at which a process tries to get the turn, in seconds.
CHECK_SECONDS = 0.1
#: A holder is frozen if it has had the turn for this much longer than a poll lasts, in seconds.
FROZEN_SECONDS = 5.0

_TIME = struct.Struct("d")


class PollTurns:
    """The turns of the processes that share a file; `file` is its descriptor, None: this process is the only one."""

    def __init__(self, file: int | None = None) -> None:
        self._file = file

    @contextlib.contextmanager
    def turn(self, stopping: threading.Event, longest_seconds: float, *, is_idle: bool) -> Iterator[bool]:
        """Wait for the turn if this process is idle, and hold it during the body: a poll of at most `longest_seconds`.

        Yields whether to poll: not if another process has polled for all for that long.

        It is not held once `stopping` is set, or if another process seems frozen in its turn.
        """
        if self._file is None or not is_idle:
            yield True
            return
        is_held = self._wait(self._file, stopping, longest_seconds)
        try:
            yield is_held is not None
        finally:
            if is_held:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _wait(self, file: int, stopping: threading.Event, longest_seconds: float) -> bool | None:
        """Return True with the turn; False if it is no use to wait; None if another process has had it that long."""
        until = time.monotonic() + longest_seconds
        while not _is_taken(file):
            if stopping.wait(CHECK_SECONDS) or time.monotonic() - _taken_at(file) > longest_seconds + FROZEN_SECONDS:
                return False
            if time.monotonic() >= until:
                return None
        os.pwrite(file, _TIME.pack(time.monotonic()), 0)
        return True


def _is_taken(file: int) -> bool:
    """Try to take the turn; return whether that succeeded."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _taken_at(file: int) -> float:
    """Return when the turn was last taken, as far as its holder has said so; now, if none ever has."""
    text = os.pread(file, _TIME.size, 0)
    return float(_TIME.unpack(text)[0]) if len(text) == _TIME.size else time.monotonic()
