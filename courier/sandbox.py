"""Run untrusted work in child processes with resource limits. Every failure becomes a rejection.

A child runs in its own session, with limits on memory, CPU time and file size, and shares two unnamed temporary files
with its parent: the source and the result. Orders and reports are lines of JSON on a socket; the child's first line is
that it is ready. A child that exceeded a limit, crashed or was killed is ended with its process group and replaced;
others process many orders before they are replaced.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from courier.errors import NoRoom, Reason, Rejected

if sys.platform == "win32":
    raise ImportError("The workers need Linux or macOS.")

#: A child is replaced after this many orders, which limits leaks.
ORDERS_PER_CELL = 200
#: The time limit of a child's start, which does not count towards its first order.
START_SECONDS = 60
#: A child whose parent has died ends this long after its time limit.
ORPHAN_SECONDS = 2
#: The OS errors of a temporary file that cannot grow.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: The environment variables of a child: none with credentials.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")


class SandboxFault(Exception):
    """The program in the child process had an internal error."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of an order, beyond which it is rejected."""

    seconds: float
    memory_megabytes: int
    #: The names of their settings, for hints.
    seconds_setting: str = "its time limit"
    memory_setting: str = "its memory limit"


@contextlib.contextmanager
def room_needed() -> Iterator[None]:
    """Turn a full disk into NoRoom. Raises: NoRoom."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise NoRoom(hint=f"Free some in {tempfile.gettempdir()}.") from error


class SandboxProcess:
    """A child process and its two files. For one thread at a time."""

    def __init__(self, module: str, limits: Limits) -> None:
        self._limits = limits
        self._orders = 0
        self.is_alive = True
        with room_needed():
            #: The input of the next order.
            self.source: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the cell is
            self._result: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  the same
        self._line, childs_end = socket.socketpair()
        files = (self.source.fileno(), self._result.fileno())
        with childs_end:
            self._process = subprocess.Popen(  # noqa: S603  this program's own module
                [sys.executable, "-m", module, *map(str, files), str(limits.memory_megabytes)],
                cwd=Path(__file__).parents[1],
                env=_environment(),
                stdin=childs_end.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=files,
                start_new_session=True,
            )

    @property
    def is_fresh_enough(self) -> bool:
        """Whether it may take a further order."""
        return self.is_alive and self._orders < ORDERS_PER_CELL

    @property
    def is_running(self) -> bool:
        """Whether the child process is running."""
        return self.is_alive and self._process.poll() is None

    def run(self, order: Mapping[str, object]) -> dict[str, Any]:
        """Have the child process `source`; return its report.

        Raises: Rejected, by the child, or if it exceeded a limit or died; NoRoom; SandboxFault with the child's
        traceback, or if it did not start.
        """
        if not self._orders:
            self._until_ready()
        self._orders += 1
        with room_needed():
            self.source.flush()
        report = self._exchange({**order, "seconds": self._limits.seconds + ORPHAN_SECONDS})
        match report.pop("status"):
            case "done":
                return report
            case "rejected":
                raise Rejected(report["message"], hint=report["hint"], reason=report["reason"])
            case "full":
                raise NoRoom(hint=f"Free some in {tempfile.gettempdir()}.")
            case "memory":
                self.end()
                raise self._too_large()
        self.end()
        raise SandboxFault(report.get("traceback"))

    def result(self) -> IO[bytes]:
        """Return the result, at its beginning; the caller must close it (boto3 closes uploaded files)."""
        self._result.seek(0)
        return os.fdopen(os.dup(self._result.fileno()), "rb")

    def empty(self) -> None:
        """Empty both files."""
        for file in (self.source, self._result):
            file.seek(0)
            file.truncate()

    def end(self) -> None:
        """Kill the child and its descendants."""
        if not self.is_alive:
            return
        self.is_alive = False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for held in (self._line, self.source, self._result):
            with contextlib.suppress(OSError):
                held.close()

    def _until_ready(self) -> None:
        try:
            self._next_line(START_SECONDS)
        except OSError as error:
            self.end()
            raise SandboxFault("The child process did not start.") from error

    def _exchange(self, order: Mapping[str, object]) -> dict[str, Any]:
        try:
            self._line.settimeout(self._limits.seconds)
            self._line.sendall(json.dumps(order).encode() + b"\n")
            return dict(json.loads(self._next_line(self._limits.seconds)))
        except TimeoutError as error:
            self.end()
            raise self._too_slow() from error
        except (OSError, ValueError) as error:
            self.end()
            raise self._death() from error

    def _next_line(self, seconds: float) -> bytes:
        """Return the child's next line. Raises: TimeoutError; OSError if the child has ended."""
        deadline = time.monotonic() + seconds
        received = b""
        while not received.endswith(b"\n"):
            self._line.settimeout(max(0.001, deadline - time.monotonic()))
            chunk = self._line.recv(65536)
            if not chunk:
                raise ConnectionResetError
            received += chunk
        return received

    def _death(self) -> Rejected:
        """Return why the child has died."""
        number = -(self._process.returncode or 0)
        if number in (signal.SIGXCPU, signal.SIGALRM):
            return self._too_slow()
        message = "The process that worked on it crashed."
        return Rejected(message, hint="No other request is affected.", reason=Reason.CRASHED)

    def _too_slow(self) -> Rejected:
        return Rejected(
            f"Processing took more than {self._limits.seconds:g} s and was stopped.",
            hint=f"To allow more time, set {self._limits.seconds_setting} on the worker.",
            reason=Reason.TIMEOUT,
        )

    def _too_large(self) -> Rejected:
        return Rejected(
            f"Processing needs more than {self._limits.memory_megabytes} MB of memory.",
            hint=f"To allow more memory, set {self._limits.memory_setting} on the worker.",
            reason=Reason.OUT_OF_MEMORY,
        )


class Sandbox:
    """A pool of child processes. Thread-safe."""

    def __init__(self, module: str, limits: Limits) -> None:
        self._module = module
        self._limits = limits
        self._lock = threading.Lock()
        self._idle: list[SandboxProcess] = []

    @contextlib.contextmanager
    def cell(self) -> Iterator[SandboxProcess]:
        """Yield a child process with empty files. Raises: NoRoom, also if the body cannot write to them."""
        cell = self._waiting() or SandboxProcess(self._module, self._limits)
        try:
            with room_needed():
                yield cell
        finally:
            self._take_back(cell)

    def _waiting(self) -> SandboxProcess | None:
        """Return an idle child that is still running, if any."""
        with self._lock:
            while self._idle:
                cell = self._idle.pop()
                if cell.is_running:
                    return cell
                cell.end()
        return None

    def _take_back(self, cell: SandboxProcess) -> None:
        try:
            cell.empty()
        except (OSError, ValueError):
            cell.end()
        if not cell.is_fresh_enough:
            cell.end()
            return
        with self._lock:
            self._idle.append(cell)


def _environment() -> dict[str, str]:
    passed_on = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("COVERAGE_")
    }
    # Few malloc arenas: a child has few threads, and each arena keeps its memory.
    return {**passed_on, "MALLOC_ARENA_MAX": "2"}
