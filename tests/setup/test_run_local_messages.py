"""What run_local.sh says when something is in its way; every program but itself is a stand-in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.checkout import processes_in
from tests.support.place import WAIT_SECONDS, wait_for
from tests.support.stand_ins import Folder, without_tmux


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path / "it's courier", without_tmux(tmp_path / "tools"))
    yield made
    made.run("down")
    made.until_nothing_runs()


@contextmanager
def another_run(folder: Folder) -> Iterator[None]:
    """Hold the lock as a run_local.sh that works."""
    with subprocess.Popen(["bash", "-c", "exec -a run_local.sh sleep 600"]) as other:
        lock = folder.path / ".local/lock"
        lock.mkdir(parents=True)
        (lock / "pid").write_text(f"{other.pid}\n")
        try:
            yield
        finally:
            other.kill()


@contextmanager
def frozen(folder: Folder) -> Iterator[int]:
    """Freeze the local AWS of a folder in which everything runs; yields its process."""
    assert folder.run("up").returncode == 0
    engine = folder.holder("engine")
    os.kill(engine, signal.SIGSTOP)
    folder.env["SETUP_ANSWER_SECONDS"] = "1"
    yield engine


@pytest.mark.parametrize("arguments", [["up"], ["numbers", "sample"], ["run", "numbers_client.py"], ["watch"]])
def test_a_frozen_local_aws_is_said_and_how_to_start_it_again(folder: Folder, arguments: list[str]) -> None:
    with frozen(folder) as engine:
        done = folder.run(*arguments)

        assert done.returncode == 1
        assert f"process {engine}" in done.stderr
        assert "does not respond" in done.stderr
        assert "./run_local.sh down" in done.stderr
        assert folder.run("down").returncode == 0
        assert not folder.runs("engine")


@pytest.mark.parametrize(
    "settings", [{"LOCAL_AWS_PORT": "x"}, {"PYTHON": "/usr/bin/false"}, {"PYTHON": "/nowhere/python3"}]
)
def test_settings_are_checked_before_another_run_is_waited_for(folder: Folder, settings: dict[str, str]) -> None:
    folder.env.update(settings)
    with another_run(folder):
        done = folder.run("up")

    assert done.returncode == 2
    assert done.stderr.startswith(f"run_local.sh: {next(iter(settings))} is '")
    assert done.stderr.count("\n") == 1


def test_another_run_is_waited_for_and_that_is_said_once(folder: Folder) -> None:
    with another_run(folder):
        line = ["bash", str(folder.path / "run_local.sh"), "setup"]
        with subprocess.Popen(line, env=folder.env, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.stderr is not None
            assert "aiting for another" in waiting.stderr.readline()
            (folder.path / ".local/lock/pid").unlink()
            (folder.path / ".local/lock").rmdir()
            assert waiting.stderr.read() == ""
            assert waiting.wait(WAIT_SECONDS) == 0


@pytest.mark.parametrize("verb", ["up", "status", "doctor", "watch", "env", "numbers", "images"])
def test_a_wrong_port_is_rejected_by_each_verb_that_uses_it(folder: Folder, verb: str) -> None:
    done = folder.run(verb, LOCAL_AWS_PORT="abc")

    assert done.returncode == 2
    assert "LOCAL_AWS_PORT is 'abc'" in done.stderr


@pytest.mark.parametrize("name", ["nope.py", "", "a folder.py"])
def test_a_file_that_does_not_exist_is_named(folder: Folder, name: str) -> None:
    (folder.path / "a folder.py").mkdir()
    done = folder.run("run", *([name] if name else []))

    assert done.returncode == 2
    assert (name or "takes a Python file") in done.stderr
    assert ("usage" in done.stderr or "run FILE.py" in done.stderr) == (not name)


def test_a_menu_that_fails_before_it_has_started_anything_stops_nothing(folder: Folder) -> None:
    with socket.create_server(("127.0.0.1", int(folder.env["LOCAL_AWS_PORT"]))):
        menu = folder.menu()
        menu.expect_exact("is used by another program")
        said = menu.read()
        menu.close()

    assert menu.exitstatus == 1
    assert "topp" not in said
    folder.until_nothing_runs()


def test_a_menu_that_fails_stops_what_it_has_started(folder: Folder) -> None:
    folder.env["COURIER_STAND_IN"] = "ends"
    menu = folder.menu()
    menu.expect_exact("ended at once")
    menu.expect_exact("Stopped.")
    menu.read()
    menu.close()

    assert menu.exitstatus == 1
    folder.until_nothing_runs()


def test_the_menu_escapes_what_cannot_be_shown(folder: Folder) -> None:
    menu = folder.menu()
    menu.expect_exact("Your choice: ")
    menu.send("\f3\r")
    menu.expect_exact(r"no choice '\x0c3'")
    menu.expect_exact("Your choice: ")
    menu.sendline("0")
    menu.expect_exact("Stopped.")
    menu.close()


def test_the_settings_can_be_evaluated_again_and_again(folder: Folder) -> None:
    text = 'for i in 1 2 3; do eval "$(./run_local.sh env)"; done; printf "%s\\n" "$NO_PROXY" "$no_proxy" "$PATH"'
    env = {**folder.env, "NO_PROXY": "example.com"}
    done = subprocess.run(["bash", "-c", text], cwd=folder.path, env=env, capture_output=True, text=True, check=True)

    proxy, lower, path = done.stdout.splitlines()
    assert (proxy, lower) == ("127.0.0.1,example.com", "127.0.0.1")
    assert path.count(f"{folder.path}/.venv/bin") == 1


@pytest.mark.parametrize("verb", ["--help", "status", "doctor", "env", "up", "setup", "logs", "logs -f", "down"])
def test_an_output_that_cannot_be_written_is_said_in_one_sentence(folder: Folder, verb: str) -> None:
    arguments = verb.split()
    if arguments[0] in ("logs", "down"):
        assert folder.run("up").returncode == 0
        wait_for((folder.path / ".local/numbers_worker.py.log").read_text)
    if verb == "setup":
        (folder.path / ".venv/.stamp").unlink()
    with Path("/dev/full").open("w") as full:
        done = folder.run(*arguments, stdout=full)

    assert done.returncode == 2
    assert done.stderr.startswith("run_local.sh: ")
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1
    if verb == "down":
        folder.until_nothing_runs()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_the_logs_are_followed_until_a_signal(folder: Folder, number: int, status: int) -> None:
    assert folder.run("up").returncode == 0
    log = folder.path / ".local/numbers_worker.py.log"
    line = ["bash", str(folder.path / "run_local.sh"), "logs", "-f"]
    with subprocess.Popen(line, env=folder.env, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        while "worker begins" not in following.stdout.readline():
            pass
        with log.open("a") as opened:
            opened.write("something new\n")
        while "something new" not in following.stdout.readline():
            pass
        following.send_signal(number)

        assert following.wait(WAIT_SECONDS) == status
        assert not [args for args in processes_in(folder.path).values() if args.startswith("tail")]
