"""A child process of the sandbox, and lines of JSON to and from it on a socket."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from courier.machine import TimeHad

if sys.platform == "win32":
    raise ImportError("The workers need Linux or macOS.")

#: The time limit of a child's start, which does not count towards its first order.
START_SECONDS = 60
#: How long a child that has closed its socket may take to end.
ENDING_SECONDS = 10
#: The environment variables of a child: none with credentials. TMPDIR is where temporary files are, if not in /tmp.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")


class ChildProcess:
    """A child process that runs `module`, with open files."""

    def __init__(self, module: str, files: tuple[int, ...], megabytes: int) -> None:
        self._is_ready = False
        self._has_network = True
        #: Whether it was ended from here.
        self.is_ended = False
        self._line, childs_end = socket.socketpair()
        with childs_end:
            self._process = subprocess.Popen(  # noqa: S603  this program's own module
                [sys.executable, "-m", module, *map(str, files), str(megabytes)],
                cwd=Path(__file__).parents[1],
                env=_environment(),
                stdin=childs_end.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=files,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def has_network(self) -> bool:
        """Wait until it takes orders; return whether it has a network.

        Raises: OSError, also TimeoutError, or ValueError if it does not start.
        """
        if not self._is_ready:
            self._has_network = bool(self._receive(START_SECONDS).get("has_network"))
            self._is_ready = True
        return self._has_network

    def ask(self, question: Mapping[str, object], seconds: float) -> dict[str, Any]:
        """Send a line and return the child's next.

        Raises: TimeoutError once it has had `seconds`; another OSError, or ValueError, if it has ended.
        """
        self._line.settimeout(seconds)
        self._line.sendall(json.dumps(question).encode() + b"\n")
        return self._receive(seconds)

    def ended_by(self) -> int:
        """Return the signal that has ended it; 0 if none has: it ended by itself, or has only closed its socket."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return max(0, -self._process.wait(ENDING_SECONDS))
        return 0

    def end(self) -> None:
        """Kill it and its descendants. Does nothing the second time."""
        if self.is_ended:
            return
        self.is_ended = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._line.close()

    def _receive(self, seconds: float) -> dict[str, Any]:
        had = TimeHad(self._process.pid)
        received = b""
        while not received.endswith(b"\n"):
            left = had.left(seconds)
            if left <= 0:
                raise TimeoutError
            self._line.settimeout(max(0.001, left))
            with contextlib.suppress(TimeoutError):
                chunk = self._line.recv(65536)
                if not chunk:
                    raise ConnectionResetError
                received += chunk
        return dict(json.loads(received))


def _environment() -> dict[str, str]:
    passed_on = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("COVERAGE_")
    }
    # Few malloc arenas: a child has few threads, and each arena keeps its memory.
    return {**passed_on, "MALLOC_ARENA_MAX": "2"}
