"""Runs of small suites in two forks: whatever becomes of a test is reported, and nothing is left of a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest

from tests.support import parallel
from tests.support.engines import unmeasured
from tests.support.place import ROOT, WAIT_SECONDS, wait_for

CONFTEST = """
import signal
from tests.support import parallel

def pytest_addoption(parser):
    parallel.add_option(parser)

def pytest_configure(config):
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    config.pluginmanager.register(parallel, "parallel")
"""
OUTCOMES = """
import os, resource, signal, threading, time, warnings
import pytest

@pytest.fixture
def torn():
    yield
    os._exit(4)

def test_passes(tmp_path):
    assert list(tmp_path.iterdir()) == []

def test_fails():
    print("printed")
    assert 1 == 2

def test_exits():
    os._exit(3)

def test_is_killed():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGSEGV)

def test_is_torn_down(torn):
    pass

def test_is_skipped():
    pytest.skip("not here")

def test_warns():
    warnings.warn("beware")

@pytest.mark.timeout(0.2)
def test_hangs():
    threading.Thread(target=time.sleep, args=(9,), daemon=True, name="other").start()
    time.sleep(9)

def test_goes_on():
    assert "PYTEST_CURRENT_TEST" in os.environ
"""
WAITING = """
import os, time
from pathlib import Path
import pytest

@pytest.fixture(scope="session")
def held():
    yield
    time.sleep(0.1)
    Path(f"torn down {os.getpid()}").touch()

@pytest.mark.parametrize("number", range(3))
def test_waits(held, number):
    Path(f"begun {os.getpid()}").touch()
    time.sleep(60)
"""
APART = """
import time
import pytest

@pytest.mark.parametrize("number", range(2))
def test_slow(number):
    time.sleep(0.3)
"""


class Suite:
    """A folder with tests, and runs of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "pytest.ini").touch()

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"test_{name}.py").write_text(text)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:xdist", "--junitxml=out.xml", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**unmeasured(), "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": "", "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Return the exit status, and what was printed."""
        with self.start(*arguments) as process:
            out, _ = process.communicate(timeout=WAIT_SECONDS)
        return process.returncode, out

    def cases(self) -> Iterator[ET.Element]:
        yield from ET.parse(self.folder / "out.xml").getroot().iter("testcase")


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def test_whatever_becomes_of_a_test_is_reported(suite: Suite) -> None:
    suite.write(outcomes=OUTCOMES)

    status, out = suite.run()

    said = {case.get("name"): "".join(part.get("message", "") for part in case) for case in suite.cases()}
    assert status == pytest.ExitCode.TESTS_FAILED
    assert {name for name, text in said.items() if not text} == {"test_passes", "test_warns", "test_goes_on"}
    facts = {"fails": "1 == 2", "exits": "status 3 in its call", "is_killed": "SIGSEGV in its call", "hangs": "Timeout"}
    facts |= {"is_torn_down": "status 4 in its teardown", "is_skipped": "not here"}
    assert [name for name, fact in facts.items() if fact not in said[f"test_{name}"]] == []
    assert "4 failed, 4 passed, 1 skipped, 1 warning, 1 error" in out
    assert "beware" in out
    assert "printed" in out
    assert "Stack of other" in out

    _, again = suite.run("--last-failed", "--deselect=test_outcomes.py::test_hangs", "-q")
    assert "3 failed, 1 passed, 1 deselected, 1 error" in again
    status, out = suite.run("-n", "0", "-k", "passes or fails", "-q")
    assert (status, "1 failed, 1 passed, 7 deselected" in out) == (1, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_cleans_up_and_leaves_no_process(suite: Suite, number: int) -> None:
    suite.write(waiting=WAITING)
    with suite.start() as process:
        wait_for(lambda: len([*suite.folder.glob("begun *")]) == 2 or process.poll() is not None)

        process.send_signal(number)
        out, _ = process.communicate(timeout=WAIT_SECONDS)

    begun, torn = (
        {int(path.name.split()[-1]) for path in suite.folder.glob(f"{kind} *")} for kind in ("begun", "torn")
    )
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in out
    assert begun == torn
    assert [pid for pid in begun if _is_there(pid)] == []


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_tests_of_a_file_stay_together_until_a_process_has_nothing_else() -> None:
    names = ["slow", "slow", "one", "one", "one", "one", "two"]
    config = SimpleNamespace(stash={parallel.TOGETHER: lambda item: item.path != "slow"}, hook=None)
    items = [SimpleNamespace(path=name) for name in names]
    session: Any = SimpleNamespace(items=items, config=config, shouldfail=False, shouldstop=False)
    parent = parallel._Parent(session)
    first, second = parent._processes = [parallel._Process(0, cast("Any", None)) for _ in range(2)]

    assert [parent._next(one) for one in (first, second, second, first)] == [0, 1, 2, 6]
    assert [parent._next(one) for one in (first, second, first, second)] == [5, 3, 4, None]
    session.shouldfail = "stopping"
    parent._groups.append(deque([0]))
    assert parent._next(first) is None


def test_a_test_that_ends_the_run_ends_it(suite: Suite) -> None:
    suite.write(outcomes='import pytest\n\ndef test_ends(): pytest.exit("enough")\n', waiting=APART)

    status, out = suite.run()

    assert (status, "enough" in out) == (pytest.ExitCode.INTERRUPTED, True)


def test_after_the_first_failure_no_test_begins(suite: Suite) -> None:
    suite.write(outcomes="def test_fails(): assert False\n", waiting=APART)

    status, out = suite.run("--exitfirst")

    assert status == pytest.ExitCode.TESTS_FAILED
    assert "stopping after 1 failures" in out
    assert "1 failed, 1 passed" in out
