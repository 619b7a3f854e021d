"""Run untrusted work in child processes with resource limits. Every failure becomes a rejection.

A child runs in its own session, with limits on memory, CPU time and file size, and shares two unnamed temporary files
with its parent: the source and the result. Orders and reports are lines of JSON on a socket; the child's first line is
that it is ready. It responds to an order with the memory that it needs, and works once that is granted. A child that
exceeded a limit, crashed or was killed is ended with its process group and replaced; others process many orders before
they are replaced. An order that ran out of memory is tried once more, with nothing else running.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from courier.child_process import ChildProcess
from courier.errors import NoRoom, Reason, Rejected
from courier.memory_budget import MemoryBudget
from courier.time_limit import paused

if sys.platform == "win32":
    raise ImportError("The workers need Linux or macOS.")

#: A child is replaced after this many orders, which limits leaks.
ORDERS_PER_CELL = 200
#: A failure may be one of memory if the work needs more than this share of its limit, by its estimate.
MUCH = 0.9
#: The OS errors of a temporary file that cannot grow.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SandboxFault(Exception):
    """The program in the child process had an internal error."""


class _OutOfMemory(Exception):
    """An order ran out of memory, or may have: with more it may succeed."""

    def __init__(self, rejection: Rejected, *, megabytes: float = 0.0) -> None:
        super().__init__()
        self.rejection = rejection
        #: The limit that it had; 0 if it was not the limit that ended it.
        self.megabytes = megabytes


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of an order, beyond which it is rejected."""

    #: The time that it may have: what it waits for a processor does not count.
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

    def __init__(self, module: str, limits: Limits, budget: MemoryBudget | None = None) -> None:
        self._module = module
        self._limits = limits
        self._budget = budget or MemoryBudget()
        self._orders = 0
        self.is_alive = True
        with room_needed():
            #: The input of the next order.
            self.source: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the cell is
            self._result: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  the same
        self._child = self._started()

    @property
    def is_fresh_enough(self) -> bool:
        """Whether it may take a further order."""
        return self.is_alive and self._orders < ORDERS_PER_CELL

    @property
    def is_running(self) -> bool:
        """Whether the child process is running."""
        return self.is_alive and self._child.is_running

    def has_network(self) -> bool:
        """Wait until the child process has started; return whether it has a network. Raises: SandboxFault."""
        try:
            return self._child.has_network()
        except (OSError, ValueError) as error:
            self.end()
            raise SandboxFault("The child process did not start.") from error

    def run(self, order: Mapping[str, object]) -> dict[str, Any]:
        """Have the child process `source`; return its report.

        Raises: Rejected, by the child, or if it exceeded a limit or died; NoRoom; SandboxFault with the child's
        traceback, or if it did not start.
        """
        self._orders += 1
        with room_needed():
            self.source.flush()
        # Waiting for memory, and for a processor, counts towards no time limit.
        with paused():
            try:
                report = self._report(order)
            except _OutOfMemory as error:
                report = self._report_alone(order, error)
        match report.pop("status"):
            case "done":
                return report
            case "rejected":
                raise Rejected(report["message"], hint=report["hint"], reason=report["reason"])
            case "full":
                raise NoRoom(hint=f"Free some in {tempfile.gettempdir()}.")
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
        self._child.end()
        for held in (self.source, self._result):
            with contextlib.suppress(OSError):
                held.close()

    def _started(self) -> ChildProcess:
        files = (self.source.fileno(), self._result.fileno())
        return ChildProcess(self._module, files, self._limits.memory_megabytes)

    def _report_alone(self, order: Mapping[str, object], first: _OutOfMemory) -> dict[str, Any]:
        """Try an order once more, with the machine's memory for itself. Raises: as `run`."""
        if first.megabytes < self._limits.memory_megabytes:
            self._child.end()
            self._child = self._started()
            try:
                return self._report(order, after=first)
            except _OutOfMemory as second:
                first = second
        self.end()
        raise first.rejection

    def _report(self, order: Mapping[str, object], after: _OutOfMemory | None = None) -> dict[str, Any]:
        """Return the child's report. Raises: Rejected, _OutOfMemory, SandboxFault."""
        seconds, megabytes, needs = self._limits.seconds, self._limits.memory_megabytes, 0.0
        try:
            needs = self._needs(order)
            # While it waits, its memory is another's.
            turn = self._budget.turn(needs, is_alone=after is not None, before_waiting=self._child.end)
            with turn as granted:
                if self._child.is_ended:
                    self._child = self._started()
                    self._needs(order)
                megabytes = int(min(granted.grant(self._child.pid), megabytes))
                if after and 0 < megabytes <= after.megabytes:
                    raise after
                report = self._child.ask({"megabytes": megabytes, "seconds": seconds}, seconds)
        except TimeoutError as error:
            self.end()
            raise self._too_slow() from error
        except (OSError, ValueError) as error:
            raise self._death(needs, megabytes) from error
        if report["status"] == "memory":
            raise _OutOfMemory(self._too_large(megabytes), megabytes=megabytes)
        return report

    def _needs(self, order: Mapping[str, object]) -> float:
        """Give the child an order; return how many megabytes it needs. Raises: as `ChildProcess.ask`; SandboxFault."""
        self.has_network()
        report = self._child.ask({**order, "seconds": self._limits.seconds}, self._limits.seconds)
        try:
            return float(report["megabytes"])
        except (KeyError, TypeError) as error:
            raise ValueError from error  # an image may have taken it over

    def _death(self, needs: float, megabytes: int) -> Exception:
        """Return why the child has died."""
        number = self._child.ended_by()
        if number == signal.SIGKILL:
            # The kernel does that; what this process kills it does not ask.
            return _OutOfMemory(self._no_memory())
        is_late = number in (signal.SIGXCPU, signal.SIGALRM)
        if not is_late and needs > megabytes * MUCH:
            # Libraries may crash where they get no memory.
            return _OutOfMemory(self._too_large(megabytes), megabytes=megabytes)
        self.end()
        if is_late:
            return self._too_slow()
        message = "The process that worked on it crashed."
        return Rejected(message, hint="No other request is affected.", reason=Reason.CRASHED)

    def _too_slow(self) -> Rejected:
        return Rejected(
            f"Processing took more than {self._limits.seconds:g} s and was stopped.",
            hint=f"To allow more time, set {self._limits.seconds_setting} on the worker.",
            reason=Reason.TIMEOUT,
        )

    def _too_large(self, megabytes: int) -> Rejected:
        if megabytes < self._limits.memory_megabytes:
            return self._no_memory()
        return Rejected(
            f"Processing needs more than {self._limits.memory_megabytes} MB of memory.",
            hint=f"To allow more memory, set {self._limits.memory_setting} on the worker.",
            reason=Reason.OUT_OF_MEMORY,
        )

    def _no_memory(self) -> Rejected:
        hint = "It takes a worker on a machine with more memory."
        return Rejected("The worker's machine ran out of memory.", hint=hint, reason=Reason.OUT_OF_MEMORY)


class Sandbox:
    """A pool of child processes. Thread-safe."""

    def __init__(self, module: str, limits: Limits) -> None:
        self._module = module
        self._limits = limits
        self._lock = threading.Lock()
        self._idle: list[SandboxProcess] = []
        self._budget = MemoryBudget(self._end_idle)

    def has_network(self) -> bool:
        """Start a child process, unless one is idle; return whether it has a network. Raises: NoRoom, SandboxFault."""
        with self.cell() as cell:
            return cell.has_network()

    def resident_bytes(self) -> int:
        """Return the resident memory of the processes that work."""
        return self._budget.resident_bytes()

    @contextlib.contextmanager
    def cell(self) -> Iterator[SandboxProcess]:
        """Yield a child process with empty files. Raises: NoRoom, also if the body cannot write to them."""
        cell = self._waiting() or SandboxProcess(self._module, self._limits, self._budget)
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

    def _end_idle(self) -> None:
        """End idle child processes: each holds some memory."""
        with self._lock:
            while self._idle:
                self._idle.pop().end()
