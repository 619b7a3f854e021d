"""session.sh, keep_running.sh and tmux.sh: a tmux server for each worker, found by the session's name."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import write_program
from tests.support.place import ROOT, WAIT_SECONDS, wait_for

ON_INSTANCE = ROOT / "setup" / "on_instance"
SESSIONS = {"numbers": "server-lab3", "images": "server2-lab3"}
#: Stands in for Python with a worker: it notes that it began, and ends at SIGTERM.
WORKER = """#!/bin/bash
trap 'echo "$1 ended" >>notes; exit 0' TERM
echo "$1 began with TMPDIR=$TMPDIR" >>notes
while true; do sleep 0.05; done
"""


class Sessions:
    def __init__(self, folder: Path, run: Path) -> None:
        self.home = folder / "courier"
        self.current = self.home / "current"
        self.run_folder = run
        self.logs = folder / "logs"
        self.logs.mkdir()
        write_program(self.current / ".venv/bin/python", WORKER)
        self.env = {
            **os.environ,
            "LOGS_DIRECTORY": str(self.logs),
            "MACHINE_HOME": str(self.home),
            "MACHINE_RUN": str(run),
            "MACHINE_TMUX": shutil.which("tmux") or "",
            "MACHINE_USER": pwd.getpwuid(os.getuid()).pw_name,
            "RUNTIME_DIRECTORY": str(run),
            "TMUX_TMPDIR": str(run),
            "TMPDIR": str(folder),
        }

    def call(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ON_INSTANCE / script), *arguments],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )

    def session(self, verb: str, application: str) -> None:
        done = self.call("session.sh", verb, application)
        assert done.returncode == 0, done.stderr

    @property
    def notes(self) -> list[str]:
        notes = self.current / "notes"
        return notes.read_text().splitlines() if notes.exists() else []

    def until_noted(self, program: str, event: str, times: int = 1) -> None:
        wait_for(lambda: sum(f"{program} {event}" in note for note in self.notes) >= times, what=f"{program} {event}")

    def server(self, application: str) -> int:
        """Return the process that systemd takes for the service's main one."""
        return int((self.run_folder / f"{application}.pid").read_text())


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    # A socket's path may have about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="courier-") as run:
        made = Sessions(tmp_path, Path(run))
        yield made
        for name in SESSIONS.values():
            subprocess.run(["tmux", "-S", f"{run}/{name}", "kill-server"], capture_output=True, check=False)


def test_each_worker_has_a_server_of_its_own_and_one_that_crashes_leaves_the_other(sessions: Sessions) -> None:
    for application in SESSIONS:
        sessions.session("start", application)
        sessions.until_noted(f"{application}_worker.py", f"began with TMPDIR={sessions.home.parent}")
    listed = sessions.call("tmux.sh", "ls").stdout
    assert [line.split(":")[0] for line in listed.splitlines()] == list(SESSIONS.values())

    os.kill(sessions.server("numbers"), signal.SIGSEGV)

    # keep_running.sh gets SIGHUP with its terminal, and has the worker finish.
    sessions.until_noted("numbers_worker.py", "ended")
    assert sessions.call("tmux.sh", "has-session", "-t", "server-lab3").returncode != 0
    assert sessions.call("tmux.sh", "has-session", "-t", "=server2-lab3").returncode == 0
    assert "images_worker.py ended" not in sessions.notes
    sessions.session("start", "numbers")
    sessions.until_noted("numbers_worker.py", "began", times=2)


def test_renewed_it_restarts_in_its_session_and_stopped_it_ends_gracefully(sessions: Sessions) -> None:
    sessions.session("start", "images")
    sessions.until_noted("images_worker.py", "began")
    server = sessions.server("images")

    sessions.session("renew", "images")
    sessions.until_noted("images_worker.py", "began", times=2)
    assert sessions.server("images") == server
    sessions.session("stop", "images")

    assert [note.split()[1] for note in sessions.notes] == ["began", "ended", "began", "ended"]
    assert sessions.call("tmux.sh", "has-session", "-t", "server2-lab3").returncode != 0
    assert "images_worker.py has stopped" in (sessions.logs / "images_worker.py.log").read_text()


def test_other_calls_of_tmux_go_to_tmux(sessions: Sessions) -> None:
    done = sessions.call("tmux.sh", "-V")

    assert done.stdout.startswith("tmux ")
    assert sessions.call("tmux.sh", "has-session", "-t", "mine").returncode != 0


@pytest.mark.parametrize("arguments", [[], ["start"], ["start", "cats"], ["frob", "images"]])
def test_wrong_usage_is_said(sessions: Sessions, arguments: list[str]) -> None:
    done = sessions.call("session.sh", *arguments)

    assert done.returncode == 2
    assert "usage: session.sh" in done.stderr
