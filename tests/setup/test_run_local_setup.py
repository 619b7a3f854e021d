"""run_local.sh makes .venv: what it installs, what it says, and what an interruption leaves; pip is a stand-in."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from tests.support.checkout import PYTHON, bare_copy, write_program
from tests.support.place import WAIT_SECONDS, wait_for

TESTS = "requirements-dev.txt"
LOCAL = ["requirements.lock", "requirements-local.txt"]


class Folder:
    """A folder without .venv, and interpreters whose pip is a stand-in."""

    def __init__(self, path: Path) -> None:
        self.path = bare_copy(path)
        self.calls = path.parent / "calls"
        self.calls.touch()
        self.env = {**os.environ, "PYTHON": self.python("3.12.1")}

    def python(self, version: str, *, pip: str = "exit 0", lacks_venv: int = 0, is_old: int = 0) -> str:
        text = PYTHON.format(
            version=version, lacks_venv=lacks_venv, is_old=is_old, calls=self.calls, pip=pip, real=sys.executable
        )
        return str(write_program(self.calls.parent / f"python{version}", text))

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["./run_local.sh", *arguments],
            cwd=self.path,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )

    def installed(self) -> list[str]:
        """Return which requirements were installed since the last call."""
        names = self.calls.read_text().split()
        self.calls.write_text("")
        return names

    @property
    def is_whole(self) -> bool:
        return (self.path / ".venv/.stamp").exists()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "it's courier")


def test_each_part_is_installed_once_and_the_tools_of_the_tests_for_the_tests_only(folder: Folder) -> None:
    first = folder.run("setup")
    assert first.returncode == 0, first.stderr
    assert folder.installed() == LOCAL
    assert "Creating .venv with Python 3.12.1" in first.stdout
    assert "70 MB" in first.stdout

    for arguments, expected in ((["setup", "--tests"], [TESTS]), (["setup"], []), (["setup", "--tests"], [])):
        assert folder.run(*arguments).returncode == 0
        assert folder.installed() == expected


def test_new_requirements_are_installed_in_the_part_that_they_are_of(folder: Folder) -> None:
    folder.run("setup", "--tests")
    folder.installed()

    (folder.path / TESTS).write_text("more\n")
    assert folder.run("setup").returncode == 0
    assert folder.installed() == []
    assert folder.run("setup", "--tests").returncode == 0
    assert folder.installed() == [TESTS]

    for name in ("requirements.txt", "requirements.lock"):
        (folder.path / name).write_text("more\n")
        assert folder.run("setup", "--tests").returncode == 0
        assert folder.installed() == [*LOCAL, TESTS]


def test_a_folder_that_was_moved_makes_its_own(folder: Folder) -> None:
    folder.run("setup")
    folder.installed()

    folder.path = folder.path.rename(folder.path.with_name("moved"))
    assert folder.run("setup").returncode == 0

    assert folder.installed() == LOCAL


@pytest.mark.parametrize("part", [[], ["--tests"]])
def test_a_set_up_that_fails_is_said_and_never_taken_for_whole(folder: Folder, part: list[str]) -> None:
    if part:
        folder.run("setup")
        folder.installed()
        (folder.path / ".venv/bin/python").write_text(Path(folder.python("3.12.1", pip="exit 1")).read_text())
    failing = folder.run("setup", *part, PYTHON=folder.python("3.12.1", pip="exit 1"))

    assert failing.returncode == 1
    assert "could not be installed" in failing.stderr
    assert ".local/pip.log" in failing.stderr
    assert "Downloading one-1.0" in (folder.path / ".local/pip.log").read_text()
    assert not folder.is_whole

    folder.installed()
    assert folder.run("setup", *part, PYTHON=folder.python("3.12.1")).returncode == 0
    assert folder.installed() == [*LOCAL, *([TESTS] if part else [])]


@pytest.mark.parametrize("pip", ["exec sleep 60", "trap 'exit 1' INT; while true; do sleep 0.1; done"])
def test_ctrl_c_ends_a_set_up_at_once_and_leaves_nothing_whole(folder: Folder, pip: str) -> None:
    env = {**folder.env, "TERM": "xterm", "PYTHON": folder.python("3.12.1", pip=pip)}
    terminal = pexpect.spawn(
        "./run_local.sh", ["setup"], cwd=str(folder.path), env=env, encoding="utf-8", timeout=WAIT_SECONDS
    )
    terminal.expect_exact("2 packages, 17 MB")
    terminal.sendcontrol("c")
    terminal.expect(pexpect.EOF)
    terminal.close()

    assert terminal.exitstatus == 130
    assert "network" not in (terminal.before or "")
    assert not folder.is_whole
    assert not (folder.path / ".local/lock").exists()


def test_a_killed_set_up_is_made_again(folder: Folder) -> None:
    slow = folder.python("3.12.1", pip="sleep 60")
    with subprocess.Popen(
        ["./run_local.sh", "setup"],
        cwd=folder.path,
        env={**folder.env, "PYTHON": slow},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        wait_for(folder.installed, what="the start of pip")
        os.killpg(process.pid, signal.SIGKILL)

    assert not folder.is_whole
    assert folder.run("setup", PYTHON=folder.python("3.12.1")).returncode == 0
    assert folder.installed() == LOCAL


def test_without_a_terminal_there_are_plain_lines(folder: Folder) -> None:
    done = folder.run("setup", TERM="xterm")

    assert "\r" not in done.stdout
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 3


def test_another_interpreter_makes_the_environment_again_and_says_so(folder: Folder) -> None:
    folder.run("setup")
    folder.installed()

    same = folder.run("setup")
    unset = folder.run("setup", PYTHON="")
    other = folder.run("setup", PYTHON=folder.python("3.13.2"))

    assert same.stdout == unset.stdout == ""
    assert "again with Python 3.13.2" in other.stdout
    assert "Python 3.12.1" in other.stdout
    assert folder.installed() == LOCAL


@pytest.mark.parametrize("verb", [["setup"], ["up"], ["numbers", "sample"], ["images", "--help"]])
@pytest.mark.parametrize("has_venv", [True, False])
def test_an_interpreter_that_is_not_there_is_rejected_and_nothing_lost(
    folder: Folder, verb: list[str], *, has_venv: bool
) -> None:
    if has_venv:
        folder.run("setup")

    done = folder.run(*verb, PYTHON="/nowhere/python")

    assert done.returncode == 2
    assert "PYTHON is '/nowhere/python'" in done.stderr
    assert folder.is_whole == has_venv


def test_an_interpreter_that_is_too_old_or_lacks_venv_is_rejected_and_nothing_lost(folder: Folder) -> None:
    folder.run("setup")

    old = folder.run("setup", PYTHON=folder.python("3.9.2", is_old=1))
    bare = folder.run("setup", PYTHON=folder.python("3.13.2", lacks_venv=1))

    assert (old.returncode, bare.returncode) == (2, 1)
    assert "3.11 or newer" in old.stderr
    assert "Python 3.9.2" in old.stderr
    assert "apt install python3-venv" in bare.stderr
    assert folder.is_whole


def test_the_environment_of_what_runs_is_not_made_again(folder: Folder) -> None:
    folder.run("setup")
    hold = [sys.executable, "-IS", "courier/cli/lock_file.py", ".local", "hold", "engine", "sleep", "600"]
    with subprocess.Popen(hold, cwd=folder.path) as process:
        wait_for((folder.path / ".local/engine.lock").exists)
        wait_for((folder.path / ".local/engine.lock").read_text)

        done = folder.run("setup", PYTHON=folder.python("3.13.2"))
        process.kill()

    assert done.returncode == 1
    assert "./run_local.sh down" in done.stderr
    assert folder.is_whole


def test_an_environment_that_is_a_link_is_left_alone(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (folder.path / ".venv").symlink_to(tmp_path / "other")

    done = folder.run("setup")

    assert done.returncode == 1
    assert "symbolic link" in done.stderr
    assert (tmp_path / "other").exists()


def test_no_python_that_is_new_enough_is_said(folder: Folder, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("awk", "bash", "cat", "cksum", "cut", "dirname", "env", "mkdir", "rm", "sed", "sleep", "tr"):
        (tools / tool).symlink_to(shutil.which(tool) or "")

    done = folder.run("setup", PYTHON="", PATH=str(tools))

    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
