"""What a machine does with its user data, done here: stand-ins are for systemd, and for what installs packages."""

from __future__ import annotations

import base64
import json
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.setup.test_whole_setup import Account
from tests.support.engines import Engine
from tests.support.place import ROOT, WAIT_SECONDS, Place, wait_for

WORKERS = ("numbers_worker.py", "images_worker.py")
SESSIONS = ("server-lab3", "server2-lab3")
#: The first try to install packages fails, as it does where the network is not up yet.
DNF = """#!/bin/sh
echo "$*" >>"$MACHINE_HOME/../dnf"
[ "$(wc -l <"$MACHINE_HOME/../dnf")" -gt 1 ]
"""
#: What systemd does when the service is enabled.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$MACHINE_HOME/../systemctl"
case $* in enable*) exec "$MACHINE_HOME/current/setup/on_machine/sessions.sh" start ;; esac
"""

#: Makes an environment without pip, which takes seconds, and puts a stand-in there.
PYTHON = """#!/bin/sh
for last; do :; done
{python} "$@" --without-pip && cp "$(dirname "$0")/pip.py" "$last"/lib/python*/site-packages/
"""
#: What pip would install: links to those of our packages that the requirements ask for, and what these need.
PIP = """import sys
from pathlib import Path
own, others = Path(__file__).parent, Path({packages!r})
sys.path.append(str(others))
from importlib.metadata import distribution
from packaging.requirements import Requirement
lines = Path(sys.argv[-1]).read_text().splitlines()
wanted = [Requirement(line) for line in lines if line and line[0] != "#"]
for one in wanted:
    found = distribution(one.name)
    assert found.version in one.specifier, one
    for top in {{file.parts[0] for file in found.files}} - {{"..", "__pycache__"}}:
        if not (own / top).exists():
            (own / top).symlink_to(others / top)
    needed = map(Requirement, found.requires or [])
    wanted += [more for more in needed if not more.marker or more.marker.evaluate({{"extra": ""}})]
"""


class Machine:
    """A folder that is a machine, and the tmux server on it."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.home = folder / "opt"
        self.home.mkdir()
        self.account = account
        self._socket = f"courier-{secrets.token_hex(4)}"
        (folder / "stand-ins").mkdir()
        python = PYTHON.format(python=sys.executable)
        pip = PIP.format(packages=sysconfig.get_path("purelib"))
        for name, text in (("dnf", DNF), ("systemctl", SYSTEMCTL), ("python", python), ("pip.py", pip)):
            program = folder / "stand-ins" / name
            program.write_text(text)
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        (folder / "units").mkdir()
        kept = {name: value for name, value in account.env.items() if not name.startswith("COURIER_")}
        self.env = {
            **kept,
            "HOME": os.environ["HOME"],
            "PATH": f"{folder / 'stand-ins'}:{account.env['PATH']}",
            "MACHINE_HOME": str(self.home),
            "MACHINE_USER": pwd.getpwuid(os.getuid()).pw_name,
            "MACHINE_PYTHON": str(folder / "stand-ins" / "python"),
            "MACHINE_UNITS": str(folder / "units"),
            "MACHINE_TMUX": self._socket,
            "MACHINE_RETRY_SECONDS": "0",
        }

    def boot(self) -> subprocess.CompletedProcess[str]:
        """Run the user data that the instance was made with."""
        (instance,) = self.account.instances
        found = self.account.client("ec2").describe_instance_attribute(
            InstanceId=instance["InstanceId"], Attribute="userData"
        )
        return self.run("bash", "-c", base64.b64decode(found["UserData"]["Value"]).decode())

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * WAIT_SECONDS,
            check=False,
        )

    def script(self, name: str, verb: str) -> str:
        done = self.run(str(self.home / "current" / "setup" / "on_machine" / name), verb)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tmux(self, *arguments: str) -> str:
        return self.run("tmux", "-L", self._socket, *arguments).stdout

    @property
    def sessions(self) -> list[str]:
        return sorted(self.tmux("list-sessions", "-F", "#{session_name}").split())

    def log(self, program: str) -> str:
        return (self.home / "logs" / f"{program}.log").read_text()

    def pid(self, program: str) -> int:
        """Wait until a worker listens, and return its process."""
        wait_for(lambda: self.workers(program), what=f"{program} to run")
        return self.workers(program)[0]

    def workers(self, program: str) -> list[int]:
        found = []
        for place in Path("/proc").iterdir():
            if place.name.isdigit():
                try:
                    words = (place / "cmdline").read_bytes().split(b"\0")
                    is_ours = (place / "cwd").readlink().is_relative_to(self.home)
                except OSError:
                    continue
                if is_ours and words[:2] == [b".venv/bin/python", program.encode()]:
                    found.append(int(place.name))
        return found

    def listens(self, program: str, times: int) -> None:
        wait_for(lambda: self.log(program).count("listens on") >= times, what=f"{program} to listen")

    def asked(self) -> int:
        with ExitStack() as stack:
            place = Place(env=self.account.env, folder=self.account.folder, stack=stack)
            done = place.run("numbers_client.py", "send", "1,5,22", "--json", "--timeout", "30")
        assert done.returncode == 0, done.stderr
        return int(json.loads(done.stdout)["sum"])


@pytest.fixture
def machine(moto: Engine, tmp_path: Path, _forks: None) -> Iterator[Machine]:
    account = Account(moto, tmp_path)
    account.done("up", SETUP_PROOF="0", COURIER_POLL_SECONDS="1")
    made = Machine(account, tmp_path)
    yield made
    made.tmux("kill-server")
    for program in WORKERS:
        for pid in made.workers(program):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.long
@pytest.mark.timeout(900)  # it boots, builds an environment and takes new code: minutes on a busy machine
def test_a_machine_boots_works_heals_takes_new_code_and_stops(machine: Machine, tmp_path: Path) -> None:
    booted = machine.boot()
    assert booted.returncode == 0, booted.stdout + booted.stderr
    assert "instance is ready" in booted.stdout
    assert (tmp_path / "dnf").read_text().splitlines() == ["install -y --quiet python3.13 python3.13-pip tmux"] * 2
    assert "enable --now courier-workers.service courier-update.timer" in (tmp_path / "systemctl").read_text()
    assert sorted(unit.name for unit in (tmp_path / "units").iterdir()) == [
        "courier-update.service",
        "courier-update.timer",
        "courier-workers.service",
    ]
    text = (machine.home / "environment").read_text()
    assert "COURIER_POLL_SECONDS=1\n" in text
    assert "ACCESS_KEY" not in text
    assert machine.sessions == sorted(SESSIONS)
    assert machine.asked() == 28

    a_killed_worker_comes_back(machine)
    a_lost_session_comes_back(machine)
    new_code_is_taken(machine, tmp_path)
    spoiled_code_is_left_alone(machine)
    ctrl_c_ends_a_session_gracefully(machine)
    machine.script("sessions.sh", "start")
    first = machine.pid(WORKERS[0])
    machine.script("sessions.sh", "stop")
    assert machine.sessions == []
    assert first not in machine.workers(WORKERS[0])
    assert machine.log(WORKERS[0]).rstrip().endswith("numbers_worker.py has stopped")


def a_killed_worker_comes_back(machine: Machine) -> None:
    first = machine.pid(WORKERS[0])
    machine.listens(WORKERS[0], 1)

    os.kill(first, signal.SIGKILL)

    machine.listens(WORKERS[0], 2)
    assert "numbers_worker.py ended with status 137" in machine.log(WORKERS[0])
    assert machine.pid(WORKERS[0]) != first
    assert machine.asked() == 28


def a_lost_session_comes_back(machine: Machine) -> None:
    machine.listens(WORKERS[1], 1)
    machine.tmux("kill-session", "-t", "=server2-lab3")
    wait_for(lambda: "stopped" in machine.log(WORKERS[1]), what="the worker to leave gracefully")
    assert machine.sessions == ["server-lab3"]

    machine.script("machine.sh", "update")

    assert machine.sessions == sorted(SESSIONS)


def new_code_is_taken(machine: Machine, folder: Path) -> None:
    before, listened = machine.pid(WORKERS[0]), machine.log(WORKERS[0]).count("listens on")
    release = (machine.home / "current").readlink()
    copy = folder / "newer"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "tests", "docs", "bench", "__pycache__"))
    with (copy / "numbers_worker.py").open("a") as file:
        file.write("# newer\n")
    with (copy / "setup" / "on_machine" / "courier-update.timer").open("a") as file:
        file.write("# newer\n")
    account = machine.account
    subprocess.run(
        [str(copy / "aws_setup.sh"), "deploy", "--name", account.name], env=account.env, capture_output=True, check=True
    )

    said = machine.script("machine.sh", "update")

    assert "is active" in said
    assert (machine.home / "current").readlink() != release
    machine.listens(WORKERS[0], listened + 1)
    assert before not in machine.workers(WORKERS[0])
    assert (machine.home / "current" / "numbers_worker.py").read_text().endswith("# newer\n")
    assert (folder / "units" / "courier-update.timer").read_text().endswith("# newer\n")
    assert len(list((machine.home / "venvs").iterdir())) == 1  # the same requirements need no other
    assert machine.asked() == 28


def spoiled_code_is_left_alone(machine: Machine) -> None:
    release, s3 = (machine.home / "current").readlink(), machine.account.client("s3")
    for key, body in (
        ("deploy/courier-x.tar.gz", b"not that"),
        ("deploy/current", b"0" * 64 + b"  deploy/courier-x.tar.gz\n"),
    ):
        s3.put_object(Bucket=machine.account.bucket, Key=key, Body=body)

    said = machine.script("machine.sh", "update")

    assert "does not match deploy/current" in said
    assert (machine.home / "current").readlink() == release


def ctrl_c_ends_a_session_gracefully(machine: Machine) -> None:
    stopped = machine.log(WORKERS[0]).count("stopping: SIGTERM")
    machine.tmux("send-keys", "-t", "=server-lab3:", "C-c")

    wait_for(lambda: "server-lab3" not in machine.sessions, what="the session to end")

    assert machine.log(WORKERS[0]).count("stopping: SIGTERM") == stopped + 1
    assert machine.workers(WORKERS[0]) == []
