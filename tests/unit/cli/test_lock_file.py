from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stdout
from pathlib import Path

import pytest

from courier.cli import lock_file
from tests.support.place import wait_for

SCRIPT = [sys.executable, "-IS", lock_file.__file__]
SLEEP = ("sleep", "600")
#: Lets SIGTERM pass unheard.
STUBBORN = ("sh", "-c", "trap '' TERM; echo deaf; while true; do sleep 0.1; done")

Hold = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Start a process that holds the lock of a name."""
    with ExitStack() as stack:

        def start(name: str, command: tuple[str, ...] = SLEEP) -> subprocess.Popen[str]:
            line = [*SCRIPT, str(tmp_path), "hold", name, *command]
            process = stack.enter_context(subprocess.Popen(line, stdout=subprocess.PIPE, text=True))
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def lock(tmp_path: Path) -> str:
    return str(tmp_path / "engine.lock")


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Return the exit status and the output of a command."""
    with redirect_stdout(io.StringIO()) as output:
        status = lock_file.main([str(folder), *arguments])
    return status, output.getvalue()


def until_held(path: str, process: subprocess.Popen[str]) -> None:
    assert lock_file.wait(path, "held", 30, process.pid) == 0


def test_who_holds_a_lock_is_known_from_its_start_to_its_end(hold: Hold, lock: str, tmp_path: Path) -> None:
    assert run(tmp_path, "holders", "engine") == (1, "-\n")
    process = hold("engine")
    until_held(lock, process)

    held = run(tmp_path, "holders", "engine")
    some = run(tmp_path, "holders", "engine", "other")
    process.kill()
    process.wait()

    assert held == (0, f"{process.pid}\n")
    assert some == (1, f"{process.pid}\n-\n")
    assert lock_file.holder(lock) is None


def test_what_a_file_says_without_a_lock_is_nobody(lock: str) -> None:
    with subprocess.Popen(SLEEP) as innocent:
        Path(lock).write_text(f"{innocent.pid}\nready\n")

        assert lock_file.holder(lock) is None
        assert not lock_file.is_ready(lock)
        assert lock_file.stop(0.1, [lock]) == []

        assert innocent.poll() is None
        innocent.kill()


def test_of_two_that_start_at_once_one_holds_the_lock(hold: Hold, tmp_path: Path) -> None:
    both = [hold("engine"), hold("engine")]
    loser = next(process for process in (both * 600) if _ended(process))

    assert loser.returncode == 1
    (winner,) = [process for process in both if process is not loser]
    assert run(tmp_path, "holders", "engine") == (0, f"{winner.pid}\n")


def _ended(process: subprocess.Popen[str]) -> bool:
    try:
        process.wait(0.1)
    except subprocess.TimeoutExpired:
        return False
    return True


def test_a_command_that_is_not_there_is_said(tmp_path: Path) -> None:
    line = [*SCRIPT, str(tmp_path), "hold", "engine", "/nowhere/program"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("lock_file.py: ")
    assert "Traceback" not in done.stderr


def test_ready_is_what_the_holder_wrote_and_not_one_before_it(hold: Hold, lock: str, tmp_path: Path) -> None:
    Path(lock).write_text("1\nready\n")
    process = hold("engine")
    until_held(lock, process)
    assert not lock_file.is_ready(lock)
    assert lock_file.wait(lock, "ready", 0.1, process.pid) == 2

    with Path(lock).open("a") as file:
        file.write("ready\n")

    assert run(tmp_path, "wait", "ready", "30", str(process.pid), "engine") == (0, "")


def test_the_wait_for_a_process_that_has_ended_ends(lock: str) -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()

    assert lock_file.wait(lock, "held", 30, process.pid) == 1


def test_stop_ends_several_and_forces_those_that_do_not_listen(hold: Hold, tmp_path: Path) -> None:
    polite, stubborn = hold("polite"), hold("stubborn", STUBBORN)
    assert stubborn.stdout is not None
    assert stubborn.stdout.readline() == "deaf\n"
    until_held(str(tmp_path / "polite.lock"), polite)

    done = run(tmp_path, "stop", "0.3", "polite", "stubborn", "nobody")

    assert done == (0, "")
    assert polite.wait(30) == -signal.SIGTERM
    assert stubborn.wait(30) == -signal.SIGKILL


def test_what_not_even_force_ends_is_named_and_waited_for_no_longer(
    hold: Hold, lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = hold("engine")
    until_held(lock, process)
    sent: list[int] = []
    monkeypatch.setattr(lock_file, "_send", lambda _process, number: sent.append(number))
    monkeypatch.setattr(lock_file, "KILLED_SECONDS", 0.1)

    assert run(Path(lock).parent, "stop", "0.1", "engine") == (1, f"{process.pid}\n")
    assert sent == [signal.SIGTERM, signal.SIGKILL]


def test_a_process_that_has_just_been_started_is_stopped_as_well(lock: str, tmp_path: Path) -> None:
    late = ["sh", "-c", 'sleep 0.3; exec "$0" "$@"', *SCRIPT, str(tmp_path), "hold", "engine", *SLEEP]
    with subprocess.Popen(late) as process:
        Path(lock + lock_file.STARTED).write_text(f"{process.pid}\n")

        assert lock_file.stop(30, [lock]) == []

        assert process.wait(30) == -signal.SIGTERM


@pytest.mark.parametrize("started", ["", "no number", "ended"])
def test_a_start_that_came_to_nothing_is_waited_for_no_longer(
    lock: str, started: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_file, "STARTING_SECONDS", 600)
    with subprocess.Popen(["true"]) as process:
        process.wait()
    Path(lock + lock_file.STARTED).write_text(started.replace("ended", str(process.pid)))

    assert lock_file.stop(30, [lock]) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_successor_begins_when_its_parent_has_ended_however_that_was(tmp_path: Path, number: int) -> None:
    begun = tmp_path / "begun"
    follow = 'parent=$$; "$@" after $parent touch "$BEGUN" & echo started; while true; do sleep 0.1; done'
    line = ["bash", "-c", follow, "bash", *SCRIPT, str(tmp_path)]
    env = {**os.environ, "BEGUN": str(begun)}
    with subprocess.Popen(line, env=env, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        assert not begun.exists()
        parent.send_signal(number)

    wait_for(begun.exists)


def test_a_process_of_another_user_is_alive(monkeypatch: pytest.MonkeyPatch, lock: str) -> None:
    def forbidden(_process: int, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)

    assert lock_file.wait(lock, "held", 0.1, 1) == 2
