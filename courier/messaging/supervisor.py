"""Run a worker in several processes: start them, restart those that die, and end them together.

Each process is this program once more, from its beginning, so nothing is shared by accident. The supervisor makes no
calls to AWS. A process notices its end by a pipe, and then stops gracefully.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO

from courier.aws import backoff
from courier.errors import WrongUsage
from courier.messaging.foreground import Runnable, Signals
from courier.messaging.supervised import READY, Supervised

if sys.platform == "win32":
    raise ImportError("The workers need Linux or macOS.")

log = logging.getLogger(__name__)

#: The longest first delay, and the longest of all, before a process that has died is restarted, in seconds.
FIRST_SECONDS, LONGEST_SECONDS = 2.0, 60.0
#: How much longer than its grace period a process may take to end, in seconds; then it is killed.
ENDING_SECONDS = 20.0
#: The interval between checks while stopping, in seconds.
CHECK_SECONDS = 0.1


def this_program() -> list[str]:
    """Return the command that starts this program again. Raises: WrongUsage if there is none."""
    given = sys.orig_argv[1:]
    if not given or (getattr(sys.modules["__main__"], "__file__", None) is None and "-c" not in given):
        raise WrongUsage("Only a program in a file can have several processes, not a session or a notebook.")
    return [sys.executable, *given]


class Supervisor(Runnable):
    """Processes that work side by side: each is started by `command`, this program by default."""

    def __init__(
        self, processes: int, *, grace_seconds: float, stop_when_empty: bool = False, command: Sequence[str] = ()
    ) -> None:
        self._processes = processes
        self._grace_seconds = grace_seconds
        self._stop_when_empty = stop_when_empty
        self._command = command or this_program()
        self._changed = threading.Condition()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        #: How many processes are kept running; which have begun, or failed to; and whether one has ever listened.
        self._kept = 0
        self._begun: set[int] = set()
        self._has_listened = False
        self._stopping = threading.Event()
        self._ready: Callable[[], object] = _nothing
        self._life: tuple[int, ...] = ()
        self._turns: IO[bytes] | None = None

    def start(self) -> None:
        """Start the processes: the others once the first one listens."""
        self._life = os.pipe()
        self._turns = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the processes run
        self._keep(0)

    def wait(self) -> None:
        """Wait until all processes have ended by themselves, or the first one could not begin."""
        with self._changed:
            self._changed.wait_for(lambda: self._kept == 0)

    def stop(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Have all processes stop gracefully; at once when `give_up` returns True. Return whether none was killed."""
        with self._changed:
            self._stopping.set()
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + self._grace_seconds + ENDING_SECONDS
        is_given_up = was_killed = False
        while not self._wait_for_end(CHECK_SECONDS):
            if not is_given_up and give_up():
                is_given_up, deadline = True, time.monotonic() + ENDING_SECONDS
                self._signal(signal.SIGTERM)
            if time.monotonic() >= deadline:
                was_killed = True
                self._signal(signal.SIGKILL)
        for descriptor in self._life:
            os.close(descriptor)
        if self._turns:
            self._turns.close()
        return not (is_given_up or was_killed)

    def _serve(self, signals: Signals, ready: Callable[[], object]) -> bool:
        self._ready = ready
        return super()._serve(signals, lambda: None)

    def _wait_for_end(self, timeout_seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._kept == 0, timeout_seconds)

    def _signal(self, number: int) -> None:
        with self._changed:
            for process in self._running.values():
                with suppress(ProcessLookupError):
                    process.send_signal(number)

    def _keep(self, number: int) -> None:
        """Keep a process running, in a thread."""
        with self._changed:
            self._kept += 1
        threading.Thread(target=self._run, args=(number,), name=f"process-{number}", daemon=True).start()

    def _run(self, number: int) -> None:
        """Run a process, and restart it until it has ended for good."""
        try:
            failures = 0
            while (ended := self._run_once(number)) and not self._is_final(ended[0]):
                status, seconds = ended
                failures = 1 if status == 0 or seconds >= LONGEST_SECONDS else failures + 1
                delay = backoff.delay(failures, first_seconds=FIRST_SECONDS, cap_seconds=LONGEST_SECONDS)
                log.warning("worker process %d %s; restarting in %.1f s", number + 1, _how(status), delay)
                self._stopping.wait(delay)
            if ended and not self._has_listened:
                self._note_end(ended[0])
        finally:
            with self._changed:
                self._kept -= 1
                self._changed.notify_all()

    def _run_once(self, number: int) -> tuple[int, float] | None:
        """Run a process to its end; return its status and how long it ran in seconds, or None when stopping."""
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb", buffering=0) as reports, os.fdopen(writer, "wb", buffering=0) as reporting:
            process, started = self._spawn(number, reporting.fileno()), time.monotonic()
            reporting.close()
            self._note_begun(number, is_ready=reports.read(1) == READY)
        status = process.wait() if process else 1
        with self._changed:
            self._running.pop(number, None)
        return None if self._stopping.is_set() else (status, time.monotonic() - started)

    def _spawn(self, number: int, reporting: int) -> subprocess.Popen[bytes] | None:
        """Start a process; return None when stopping, or if the system cannot start any."""
        with self._changed:
            if self._stopping.is_set() or self._turns is None:
                return None
            given = Supervised(number=number, life=self._life[0], ready=reporting, turns=self._turns.fileno())
            try:
                # In a session of its own, so that Ctrl-C reaches it only through this process.
                process = self._running[number] = subprocess.Popen(  # noqa: S603  this program again
                    list(self._command),
                    env=given.environment(os.environ),
                    stdin=subprocess.DEVNULL,
                    pass_fds=given.descriptors,
                    start_new_session=True,
                )
            except OSError as error:
                log.warning("worker process %d cannot be started: %s", number + 1, error.strerror)
                return None
        return process

    def _note_begun(self, number: int, *, is_ready: bool) -> None:
        """Note that a process listens, or has failed to; start the others after the first."""
        with self._changed:
            is_first = is_ready and not self._has_listened
            self._has_listened |= is_ready
            if self._has_listened:
                self._begun.add(number)
            is_last = len(self._begun) == self._processes and not self._stopping.is_set()
            ready, self._ready = self._ready, self._ready if not is_last else _nothing
        for other in range(1, self._processes if is_first else 0):
            self._keep(other)
        if is_last:
            ready()

    def _is_final(self, status: int) -> bool:
        """Whether a process that has ended is not restarted: its queue is empty, or the program cannot begin.

        One that a signal has ended, as the kernel does for want of memory, could have begun.
        """
        return (status >= 0 and not self._has_listened) or (status == 0 and self._stop_when_empty)

    def _note_end(self, status: int) -> None:
        """Note the end of the first process before it listened, which ends this one: never with status 0."""
        self.exit_status = status or 1
        self.own_reason = f"the first worker process {_how(status)} before it listened"


def _nothing() -> None:
    """Do nothing."""


def _how(status: int) -> str:
    """Return how a process has ended, in words."""
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
