"""What an instance does with its user data, done here: stand-ins are for systemd, and for what installs packages."""

from __future__ import annotations

import base64
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.setup.test_whole_setup import Account
from tests.support.checkout import write_program
from tests.support.engines import Engine
from tests.support.place import ROOT, WAIT_SECONDS, Place, wait_for

WORKERS = ("numbers_worker.py", "images_worker.py")
SESSIONS = ("server-lab3", "server2-lab3")
#: The first try to install packages fails, as it does where the network is not up yet.
DNF = """#!/bin/sh
echo "$*" >>"$MACHINE_ROOT/dnf"
[ "$(wc -l <"$MACHINE_ROOT/dnf")" -gt 1 ]
"""
#: What systemd does: it runs the first boot until it succeeds, and the workers' commands as their unit says.
SYSTEMCTL = """#!/bin/bash
echo "$*" >>"$MACHINE_ROOT/systemctl"
each() { for one in numbers images; do "$MACHINE_HOME/current/setup/on_instance/session.sh" "$1" "$one"; done; }
case $* in
  enable*first-boot*) until "$MACHINE_HOME/bootstrap.sh" first-boot; do :; done ;;
  enable*worker*) each start ;;
  reload*) each renew ;;
  restart*) each stop; each start ;;
esac
"""
#: No test makes swap space of the machine that it runs on.
SWAP = "#!/bin/sh\n"

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
wanted = [Requirement(line.removesuffix(" \\\\")) for line in lines if line[0] not in "# "]
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
        self.root = folder / "root"
        self.home = self.root / "opt" / "courier"
        (self.root / "etc").mkdir(parents=True)
        self.account = account
        # A socket's path may have about a hundred characters.
        self.sockets = Path(tempfile.mkdtemp(prefix="courier-"))
        self.logs = self.root / "var" / "log" / "courier"
        self.logs.mkdir(parents=True)
        (folder / "stand-ins").mkdir()
        python = PYTHON.format(python=sys.executable)
        pip = PIP.format(packages=sysconfig.get_path("purelib"))
        tools = {"dnf": DNF, "systemctl": SYSTEMCTL, "python": python, "pip.py": pip, "swapon": SWAP, "mkswap": SWAP}
        for name, text in tools.items():
            write_program(folder / "stand-ins" / name, text)
        kept = {name: value for name, value in account.env.items() if not name.startswith("COURIER_")}
        self.env = {
            **kept,
            "HOME": os.environ["HOME"],
            "PATH": f"{folder / 'stand-ins'}:{account.env['PATH']}",
            "MACHINE_HOME": str(self.home),
            "MACHINE_USER": pwd.getpwuid(os.getuid()).pw_name,
            "MACHINE_PYTHON": str(folder / "stand-ins" / "python"),
            "MACHINE_ROOT": str(self.root),
            "MACHINE_SWAP_MEGABYTES": "1",
            "LOGS_DIRECTORY": str(self.logs),
            "RUNTIME_DIRECTORY": str(self.sockets),
        }

    def boot(self) -> subprocess.CompletedProcess[str]:
        """Run the user data that the instance was made with."""
        (instance,) = self.account.instances
        found = self.account.client("ec2").describe_instance_attribute(
            InstanceId=instance["InstanceId"], Attribute="userData"
        )
        user_data = write_program(self.root / "part-001", base64.b64decode(found["UserData"]["Value"]).decode())
        return self.run(str(user_data))

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

    def script(self, name: str, *arguments: str) -> str:
        done = self.run(str(self.home / "current" / "setup" / "on_instance" / name), *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tmux(self, session: str, *arguments: str) -> str:
        """Call the tmux server of a session."""
        return self.run("tmux", "-S", str(self.sockets / session), *arguments).stdout

    @property
    def sessions(self) -> list[str]:
        return [name for session in SESSIONS for name in self.tmux(session, "ls", "-F", "#{session_name}").split()]

    def log(self, program: str) -> str:
        return (self.logs / f"{program}.log").read_text()

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
    for session in SESSIONS:
        made.tmux(session, "kill-server")
    for program in WORKERS:
        for pid in made.workers(program):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(made.sockets)


@pytest.mark.long
@pytest.mark.timeout(900)  # it boots, builds an environment and takes new code: minutes on a busy machine
def test_a_machine_boots_works_heals_takes_new_code_and_stops(machine: Machine, tmp_path: Path) -> None:
    booted = machine.boot()
    assert booted.returncode == 0, booted.stdout + booted.stderr
    assert "is ready" in booted.stdout
    assert (machine.root / "dnf").read_text().splitlines() == ["install -y --quiet python3.13 python3.13-pip tmux"] * 2
    text = (machine.home / "environment").read_text()
    assert "COURIER_POLL_SECONDS=1\n" in text
    assert "ACCESS_KEY" not in text
    assert machine.sessions == list(SESSIONS)
    assert machine.asked() == 28

    a_killed_worker_comes_back(machine)
    known_code_is_left_as_it_is(machine)
    new_code_is_taken(machine, tmp_path)
    ctrl_c_ends_a_session_gracefully(machine)
    machine.script("session.sh", "start", "numbers")
    first = machine.pid(WORKERS[0])
    machine.script("session.sh", "stop", "numbers")
    assert machine.sessions == ["server2-lab3"]
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


def known_code_is_left_as_it_is(machine: Machine) -> None:
    calls = len(machine.account.calls)

    said = machine.script("bootstrap.sh", "update")

    assert said == ""
    assert len(machine.account.calls) == calls


def new_code_is_taken(machine: Machine, folder: Path) -> None:
    before, listened = machine.pid(WORKERS[0]), machine.log(WORKERS[0]).count("listens on")
    release = (machine.home / "current").readlink()
    copy = folder / "newer"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "tests", "docs", "bench", "__pycache__"))
    with (copy / "numbers_worker.py").open("a") as file:
        file.write("# newer\n")
    with (copy / "setup" / "on_instance" / "courier-update.timer").open("a") as file:
        file.write("# newer\n")
    account = machine.account
    subprocess.run(
        [str(copy / "aws_setup.sh"), "deploy", "--name", account.name], env=account.env, capture_output=True, check=True
    )

    said = machine.script("bootstrap.sh", "update")

    assert "is active" in said
    assert (machine.home / "current").readlink() != release
    machine.listens(WORKERS[0], listened + 1)
    assert before not in machine.workers(WORKERS[0])
    assert (machine.home / "current" / "numbers_worker.py").read_text().endswith("# newer\n")
    timer = machine.root / "etc/systemd/system/courier-update.timer"
    assert timer.read_text().endswith("# newer\n")
    assert len(list((machine.home / "venvs").iterdir())) == 1  # the same requirements need no other
    assert machine.asked() == 28


def ctrl_c_ends_a_session_gracefully(machine: Machine) -> None:
    stopped = machine.log(WORKERS[0]).count("stopping: SIGTERM")
    machine.tmux("server-lab3", "send-keys", "-t", "=server-lab3:", "C-c")

    wait_for(lambda: "server-lab3" not in machine.sessions, what="the session to end")

    # Each of the worker's processes, and what supervises them, says so once.
    cores = len(os.sched_getaffinity(0))
    assert machine.log(WORKERS[0]).count("stopping: SIGTERM") == stopped + (cores + 1 if cores > 1 else 1)
    assert machine.workers(WORKERS[0]) == []
