"""Programs in a terminal of their own, as pexpect starts them, and as forks where that is possible."""

from __future__ import annotations

import os
import pty
import subprocess
import termios
from collections.abc import Sequence
from typing import Any

import pexpect
from ptyprocess import PtyProcess  # type: ignore[import-untyped]

from tests.support import quickprograms

#: As long as tests wait for anything.
ANSWER_SECONDS = 120
DIMENSIONS = (50, 120)


def spawn(command: Sequence[str], *, cwd: str, env: dict[str, str]) -> pexpect.spawn[str]:
    """Start a program in a terminal."""
    options: dict[str, Any] = {"cwd": cwd, "env": env, "encoding": "utf-8", "timeout": ANSWER_SECONDS}
    if quickprograms.can_fork(command, env):
        return _ForkedSpawn(command, **options)
    return pexpect.spawn(command[0], list(command[1:]), dimensions=DIMENSIONS, **options)


class _ForkedSpawn(pexpect.spawn):  # type: ignore[type-arg]  # it is generic in its stubs only
    """What pexpect starts, but for who starts it."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        super().__init__(None, **options)  # type: ignore[arg-type]  # for subclasses
        leader, follower = pty.openpty()
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), follower)
        try:
            termios.tcsetwinsize(follower, DIMENSIONS)
            process = quickprograms.popen(command, **streams, cwd=self.cwd, env=options["env"], start_new_session=True)
        finally:
            os.close(follower)
        self.name, self.args = f"<{command[1]}>", list(command)
        self.ptyproc = _Terminal(process, leader)
        self.pid, self.child_fd = self.ptyproc.pid, leader
        self.terminated = self.closed = False


class _Terminal(PtyProcess):  # type: ignore[misc]  # it has no types
    """A terminal whose process is not this process's child, and cannot be waited for as one."""

    def __init__(self, process: subprocess.Popen[Any], leader: int) -> None:
        super().__init__(process.pid, leader)
        self.exitstatus: int | None
        self.signalstatus: int | None
        self._process = process

    def isalive(self) -> bool:
        """Whether the process runs; once it has closed its terminal, its end is waited for."""
        if self.flag_eof:
            self._process.wait()
        status = self._process.poll()
        if status is not None:
            self.terminated = True
            self.exitstatus, self.signalstatus = (status, None) if status >= 0 else (None, -status)
        return status is None

    def wait(self) -> int | None:
        """Wait for its end; return the exit status, or None if a signal ended it."""
        self._process.wait()
        self.isalive()
        return self.exitstatus
