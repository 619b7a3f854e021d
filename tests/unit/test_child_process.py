"""A child process answers line by line, and whatever ends it is an error of the question. With limits: test_sandbox."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from courier import child_process
from courier.child_process import ChildProcess
from tests.support.fakes import until

PARROT = "tests.workers.parrot"
LONG = 30.0


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    made = ChildProcess(PARROT, (), 7)
    yield made
    made.end()


def asked(child: ChildProcess, do: str, seconds: float = LONG, **order: Any) -> dict[str, Any]:
    child.has_network()
    return child.ask({"do": do, **order}, seconds)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_each_question_has_its_answer_whatever_its_length_and_pieces(child: ChildProcess) -> None:
    values = ["a", "ä\n{", "x" * 1_000_000, None]

    assert [asked(child, "echo", value=value)["value"] for value in values] == values
    assert asked(child, "stammer") == {"value": "ä"}


def test_it_has_its_files_its_limit_and_a_session_of_its_own() -> None:
    with tempfile.TemporaryFile() as file:
        child = ChildProcess(PARROT, (file.fileno(),), 7)
        asked(child, "write", value="written there")
        report = asked(child, "tell")
        child.end()
        file.seek(0)

        assert file.read() == b"written there"
        assert report["arguments"] == [str(file.fileno()), "7"]
    assert report["session"] == child.pid


def test_no_key_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "COURIER_BUCKET", "PYTHONPATH", "LANG", "TMPDIR"):
        monkeypatch.setenv(name, "x")
    child = ChildProcess(PARROT, (), 7)

    names = asked(child, "tell")["environment"]

    child.end()
    assert not {"AWS_SECRET_ACCESS_KEY", "COURIER_BUCKET", "PYTHONPATH"} & {*names}
    assert {"LANG", "TMPDIR", "PATH", "MALLOC_ARENA_MAX"} <= {*names}


def test_what_takes_too_long_is_a_timeout(child: ChildProcess) -> None:
    with pytest.raises(TimeoutError):
        asked(child, "hang", seconds=0.01)

    assert child.is_running


@pytest.mark.parametrize(("do", "number"), [("exit", 0), ("kill", signal.SIGSEGV)])
def test_what_ends_is_an_error_with_the_signal_that_has_ended_it(child: ChildProcess, do: str, number: int) -> None:
    with pytest.raises(ConnectionError):
        asked(child, do)

    assert child.ended_by() == number
    assert not child.is_running
    with pytest.raises(ConnectionError):
        asked(child, "echo", value=1)


def test_one_that_only_closes_its_socket_was_ended_by_no_signal(
    child: ChildProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "ENDING_SECONDS", 0.01)

    with pytest.raises(ConnectionResetError):
        asked(child, "close")

    assert child.ended_by() == 0
    assert child.is_running


def test_what_is_no_answer_is_a_value_error(child: ChildProcess) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        asked(child, "lie")


def test_one_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ChildProcess("tests.workers.none", (), 7)
    with pytest.raises(ConnectionError):
        missing.has_network()
    missing.end()

    monkeypatch.setattr(child_process, "START_SECONDS", 0)
    late = ChildProcess(PARROT, (), 7)
    with pytest.raises(TimeoutError):
        late.has_network()
    late.end()


def test_its_start_is_waited_for_once(child: ChildProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    assert child.has_network()
    monkeypatch.setattr(child_process, "START_SECONDS", 0)

    assert child.has_network()
    assert asked(child, "echo", value=1) == {"value": 1}


def test_its_end_is_that_of_all_that_it_has_started_and_comes_once(child: ChildProcess) -> None:
    pid = asked(child, "breed")["pid"]
    assert is_running(pid)
    assert not child.is_ended

    child.end()
    child.end()

    assert child.is_ended
    assert not is_running(child.pid)
    until(lambda: not is_running(pid), "the end of what it has started")
