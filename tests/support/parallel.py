"""Tests in several processes, which are forks of the one that has collected them: imports are paid for once.

    python -m pytest            in as many processes as pyproject.toml says
    python -m pytest -n 0       in this process alone, as with --pdb

The process that collects hands out the tests, in their order, and reports what comes back; it runs none. Those of a
file that `TOGETHER` names go to one process, as long as the others have work. A process asks for its next test when the
present one has run, so nothing waits behind a slow test. One that is killed fails the test it ran, and is replaced.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest
from coverage import Coverage, process_startup

#: Whether a test goes to the process that runs the others of its file; a conftest.py says so.
TOGETHER = pytest.StashKey[Callable[[pytest.Item], bool]]()
_RUN = pytest.StashKey[Path]()
#: What a user asks for who looks on, or wants no test to run.
ALONE = ("collectonly", "setuponly", "setupshow", "trace", "usepdb")
#: How long tests that were interrupted may clean up.
END_SECONDS = 60
FOLLOWING = {"setup": "call", "call": "teardown", "teardown": "teardown"}


def add_option(parser: pytest.Parser) -> None:
    group = parser.getgroup("parallel")
    group._addoption(  # where pytest lets a plugin have a lowercase letter, as pytest-xdist does
        "-n", "--processes", type=int, default=0, metavar="N", help="run tests in N forks of this process; 0: in it"
    )


def run_folder(config: pytest.Config) -> Path:
    """Return the folder for temporary files that all processes of this run know."""
    return config.stash.get(_RUN, None) or _temporary(config).getbasetemp()


def _temporary(config: pytest.Config) -> Any:
    return config._tmp_path_factory  # type: ignore[attr-defined]  # there is no public one before a test


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the tests in forks, or leave them to pytest."""
    option = session.config.option
    has_failed = session.testsfailed and not option.continue_on_collection_errors
    if not option.processes or not session.items or has_failed or any(getattr(option, name) for name in ALONE):
        return None
    if measured := Coverage.current():
        measured.stop()  # each process measures its own tests
    _Parent(session).run()
    return True


@dataclass
class _Process:
    """A fork as its parent sees it."""

    pid: int
    connection: Connection
    #: The test that it runs, and the one it will run next, once it has requested that.
    tests: deque[int] = field(default_factory=deque)
    #: What is left of the file it is at.
    own: deque[int] = field(default_factory=deque)
    #: Which phase of the present test runs.
    phase: str = "setup"


# The parent


class _Parent:
    """Hands out the tests, and reports what the processes say."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._hook = session.config.hook
        self._groups = deque(_groups(session))
        self._processes: list[_Process] = []
        self._started = 0

    def run(self) -> None:
        """Run all tests. Raises: what the session ends with, if it ends early."""
        _temporary(self._session.config).getbasetemp()  # of which each process takes a part
        if reporter := self._session.config.pluginmanager.get_plugin("terminalreporter"):
            reporter.showfspath = False  # results of several files come in turn
        try:
            for _ in range(min(self._session.config.option.processes, len(self._session.items))):
                self._start()
            while self._processes:
                for ready in wait([process.connection for process in self._processes]):
                    self._hear(next(one for one in self._processes if one.connection is ready))
        finally:
            self._end()
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)
        if self._session.shouldstop:
            raise self._session.Interrupted(self._session.shouldstop)
        if self._groups:
            raise RuntimeError("tests are left, and all processes have ended")

    def _start(self) -> None:
        ours, theirs = Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._started += 1
        if not (pid := os.fork()):
            for inherited in (ours, *(one.connection for one in self._processes)):
                inherited.close()
            _become(self._session, theirs, self._started)
        theirs.close()
        self._processes.append(_Process(pid, ours))

    def _hear(self, process: _Process) -> None:
        try:
            kind, said = process.connection.recv()
        except (EOFError, OSError):
            self._replace(process)
            return
        if kind == "next":
            self._hand_out(process)
        elif kind == "report":
            self._report(process, said)
        elif kind == "warning":
            self._hook.pytest_warning_recorded.call_historic(kwargs=_warning(**said))
        elif kind == "over":
            process.tests.popleft()
            process.phase = "setup"
            self._hook.pytest_runtest_logfinish(**said)
        elif kind == "stop":
            process.tests.clear()
            self._session.shouldstop = self._session.shouldstop or said
        else:
            raise RuntimeError(said)

    def _hand_out(self, process: _Process) -> None:
        index = self._next(process)
        if index is not None:
            process.tests.append(index)
        with contextlib.suppress(OSError):  # it was killed, which is heard next
            process.connection.send(index)

    def _next(self, process: _Process) -> int | None:
        """Return the next of its file, the first of the next file, or the last of the file of which most is left."""
        if self._session.shouldfail or self._session.shouldstop:
            return None
        if not process.own and self._groups:
            process.own = self._groups.popleft()
        if process.own:
            return process.own.popleft()
        longest = max((one.own for one in self._processes), key=len)
        return longest.pop() if longest else None

    def _report(self, process: _Process, data: dict[str, Any]) -> None:
        report = self._hook.pytest_report_from_serializable(config=self._session.config, data=data)
        if isinstance(report, pytest.TestReport):
            process.phase = FOLLOWING[report.when or "teardown"]
        self._hook.pytest_runtest_logreport(report=report)

    def _replace(self, process: _Process) -> None:
        """Fail the test that it ran, if any, and have another process go on."""
        self._processes.remove(process)
        process.connection.close()
        _, status = os.waitpid(process.pid, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it has started
        self._groups.extendleft(group for group in (process.own, deque([*process.tests][1:])) if group)
        if process.tests:
            self._fail(self._session.items[process.tests[0]], process.phase, _ended(os.waitstatus_to_exitcode(status)))
        if process.tests and self._groups:
            self._start()

    def _fail(self, item: pytest.Item, phase: str, reason: str) -> None:
        """Report a test whose process is gone."""
        said = f"The process of this test {reason} in its {phase}."
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", said, cast("Any", phase))
        self._hook.pytest_runtest_logreport(report=report)
        self._hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _end(self) -> None:
        """Interrupt the processes that are left, once each, and end those that do not heed it."""
        for process in self._processes:
            process.connection.close()
            os.kill(process.pid, signal.SIGINT)
        deadline = time.monotonic() + END_SECONDS
        try:
            while self._processes and time.monotonic() < deadline:
                time.sleep(0.02)
                self._processes = [one for one in self._processes if not os.waitpid(one.pid, os.WNOHANG)[0]]
        finally:
            for process in self._processes:
                with contextlib.suppress(ProcessLookupError, ChildProcessError):
                    os.killpg(process.pid, signal.SIGKILL)
                    os.waitpid(process.pid, 0)


def _groups(session: pytest.Session) -> Iterator[deque[int]]:
    """Yield what is handed out together: tests of one file that stand side by side, or a test by itself."""
    is_together = session.config.stash.get(TOGETHER, lambda _: False)

    def group(index: int) -> object:
        item = session.items[index]
        return item.path if is_together(item) else index

    for _, indexes in groupby(range(len(session.items)), group):
        yield deque(indexes)


def _ended(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _warning(text: str, category: str, where: tuple[str, int], **others: Any) -> dict[str, Any]:
    made = warnings.WarningMessage(text, type(category, (Warning,), {}), *where)
    return {"warning_message": made, **others}


# A child


def _become(session: pytest.Session, connection: Connection, number: int) -> NoReturn:
    """Be a process that runs tests, and end."""
    status = 1
    try:
        os.setsid()  # Ctrl-C is for the parent, which interrupts each of its processes once
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        child = _Child(session, connection, _have_own(session.config, number))
        session.config.pluginmanager.register(child, "child")
        child.run()
        status = 0
    except (KeyboardInterrupt, EOFError, BrokenPipeError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        session._setupstate.teardown_exact(None)
        status = 128 + signal.SIGINT
    except pytest.exit.Exception as error:
        session._setupstate.teardown_exact(None)
        connection.send(("stop", str(error)))
        status = 0
    except BaseException:  # noqa: BLE001  the parent says it
        connection.send(("error", traceback.format_exc()))
    finally:
        os._exit(status)


def _have_own(config: pytest.Config, number: int) -> io.StringIO:
    """Get what processes cannot share: a folder, captured output, coverage. Return what stands for the terminal."""
    factory = _temporary(config)
    config.stash[_RUN] = factory.getbasetemp()
    factory._basetemp = factory.getbasetemp() / f"process-{number}"
    factory._basetemp.mkdir(mode=0o700)
    plugins = config.pluginmanager
    if capture := plugins.get_plugin("capturemanager"):
        capture.stop_global_capturing()
        capture.start_global_capturing()
        capture.suspend_global_capture()
    terminal = io.StringIO()
    for name in ("terminalprogress", "terminalreporter"):
        if plugin := plugins.get_plugin(name):
            plugins.unregister(plugin)
    plugins.register(SimpleNamespace(_tw=pytest.TerminalReporter(config, terminal)._tw), "terminalreporter")
    process_startup(force=True)
    return terminal


class _Following:
    """Stands for the test after the present one, which is requested when the present one has run."""

    def __init__(self, items: Sequence[pytest.Item], ask: Callable[[], int | None]) -> None:
        self._items = items
        self._ask = ask

    @cached_property
    def index(self) -> int | None:
        return self._ask()

    def listchain(self) -> Sequence[object]:
        """Return what pytest does not tear down yet."""
        return [] if self.index is None else self._items[self.index].listchain()


class _Child:
    """Runs the tests that the parent hands out, and tells it what comes of them."""

    def __init__(self, session: pytest.Session, connection: Connection, terminal: io.StringIO) -> None:
        self._session = session
        self._connection = connection
        self._terminal = terminal
        self._runs = False

    def run(self) -> None:
        self._runs = True
        index = self._ask()
        while index is not None:
            item, following = self._session.items[index], _Following(self._session.items, self._ask)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=cast("pytest.Item", following))
            if reason := self._session.shouldfail or self._session.shouldstop:
                self._connection.send(("stop", reason))
                return
            index = following.index

    def _ask(self) -> int | None:
        self._connection.send(("next", None))
        answer: int | None = self._connection.recv()
        return answer

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if written := self._terminal.getvalue():
            report.sections.append(("Written to the terminal", written))
            self._terminal.seek(0)
            self._terminal.truncate()
        data = self._session.config.hook.pytest_report_to_serializable(config=self._session.config, report=report)
        self._connection.send(("report", data))

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._connection.send(("over", {"nodeid": nodeid, "location": location}))

    def pytest_warning_recorded(
        self,
        warning_message: warnings.WarningMessage,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        if self._runs:  # earlier ones, which pytest repeats to every new plugin, are the parent's
            said = {
                "text": str(warning_message.message),
                "category": warning_message.category.__name__,
                "where": (warning_message.filename, warning_message.lineno),
            }
            self._connection.send(("warning", {**said, "when": when, "nodeid": nodeid, "location": location}))
