"""run_local.sh, as a newcomer types it, in a copy of the folder; only the virtual environment is borrowed."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pexpect
import pytest

from tests.support.checkout import stamp
from tests.support.place import ROOT, WAIT_SECONDS
from tests.support.rows import rows

#: Where tools live that the script needs; tmux is there too, unless it is left out.
TOOLS = (
    *("awk", "bash", "cat", "cksum", "comm", "cut", "dirname", "env", "grep", "head", "kill", "mkdir", "mktemp"),
    *("ps", "rm", "sed", "sh", "sleep", "sort", "tail", "tr", "touch", "uname", "wc", "which"),
)


def copy_of_the_folder(target: Path) -> Path:
    """Copy what git tracks, or would track, and borrow the virtual environment that runs these tests."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    borrow_environment(target)
    return target


def borrow_environment(target: Path) -> None:
    """Make a .venv of links to the one that runs these tests, with the stamp that the script looks for."""
    (target / ".venv").mkdir()
    for path in Path(sys.executable).parents[1].iterdir():
        (target / ".venv" / path.name).symlink_to(path)
    (target / ".venv" / ".stamp").unlink(missing_ok=True)
    (target / ".venv" / "bin").unlink()
    (target / ".venv" / "bin").mkdir()
    for path in (Path(sys.executable).parent).iterdir():
        (target / ".venv" / "bin" / path.name).symlink_to((shutil.which("aws") or path) if path.name == "aws" else path)
    (target / ".venv" / ".stamp").write_text(stamp(target))


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COURIER_", "LOCAL_"))}
    return {**kept, "HOME": str(home), "AWS_PROFILE": "nobody"}


class Checkout:
    """A copy of the folder, and what is run in it."""

    def __init__(self, folder: Path) -> None:
        (folder / "home").mkdir(parents=True)
        self.env = environment(folder / "home")
        self.folder = copy_of_the_folder(folder / "it's courier")

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["./run_local.sh", *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path)
    yield made
    made.run("down")


def without_tmux(folder: Path) -> str:
    """Return a PATH that has everything but tmux."""
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        if found:
            (folder / tool).symlink_to(found)
    return f"{folder}:{Path(sys.executable).parent}"


@pytest.mark.long
def test_two_checkouts_side_by_side_two_starts_at_once_and_data_that_survives(
    checkout: Checkout, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: checkout.run("up"), range(2))
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert (first.stdout + second.stdout).count("Starting the local AWS") == 1
    answered = checkout.run("numbers", "send", "1,5,22", "--json")
    assert json.loads(answered.stdout)["median"] == 5
    made = checkout.run("images", "run", "--json")
    assert made.returncode == 0, made.stderr

    assert checkout.run("run", "examples/nothing.py").returncode == 2
    counted = checkout.run("run", "examples/word_count.py", "words", "LICENSE")
    assert "words in LICENSE" in counted.stdout, counted.stderr

    other = Checkout(tmp_path / "other")
    try:
        assert other.run("numbers", "send", "1,2", "--json").stdout.startswith('{"count": 2')
        assert (
            json.loads(checkout.run("images", "list", "processed", "--json").stdout)["name"] == "sample-grayscale.png"
        )
        assert other.run("images", "list", "processed", "--json").stdout == ""
    finally:
        assert other.run("down").returncode == 0

    what_runs_is_shown(checkout)
    assert checkout.run("down").returncode == 0
    what_was_stopped_is_kept(checkout)


def what_runs_is_shown(checkout: Checkout) -> None:
    status = checkout.run("status")
    assert re.search(r"numbers_worker.py +is running", status.stdout)
    assert re.search(r"images_worker.py +is running", status.stdout)
    assert re.search(r"queue +requestQueue +0 waiting, 0 in flight", status.stdout)
    doctor = checkout.run("doctor", "--json")
    found = rows(doctor.stdout, "aws-setup-status")
    assert [row["seconds"] > 0 for row in found if row["kind"] == "worker"] == [True, True]
    assert ([row for row in found if row["verdict"] != "ok"], doctor.returncode) == ([], 0)
    (seen,) = rows(checkout.run("watch", "--once", "--json").stdout, "watch")
    assert [one["application"] for one in seen["workers"]] == ["numbers", "images"]
    assert [one["outcome"] for one in seen["requests"]] == ["ok", "ok"]
    logs = checkout.run("logs")
    assert logs.stdout.count("worker listens on") == 2


def what_was_stopped_is_kept(checkout: Checkout) -> None:
    stopped = checkout.run("status", "--json")
    assert stopped.returncode == 1
    assert [row["state"] for row in rows(stopped.stdout, "aws-setup-status")] == ["missing"]
    kept = checkout.run("images", "list", "processed", "--json")
    assert json.loads(kept.stdout)["name"] == "sample-grayscale.png"
    env = checkout.run("env")
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:" in env.stdout
    assert "unset AWS_PROFILE" in env.stdout
    own = checkout.run("env", VIRTUAL_ENV="/somewhere/else").stdout
    assert re.search(r'^export PATH="\$PATH":.+/\.venv/bin$', own, re.MULTILINE)


def test_the_menu_opens_both_clients_and_leaving_stops_everything(checkout: Checkout) -> None:
    menu = pexpect.spawn(
        "./run_local.sh",
        cwd=str(checkout.folder),
        env={**checkout.env, "TERM": "dumb", "NO_COLOR": "1"},
        encoding="utf-8",
        timeout=WAIT_SECONDS,
    )
    menu.expect_exact("Stop it all and leave")
    menu.expect_exact("Your choice: ")
    if shutil.which("tmux"):
        menu.sendline("x")
        menu.expect_exact("no choice 'x'. Type 0, 1, 2 or 3")
        menu.expect_exact("Your choice: ")
        menu.sendline("")
        menu.expect(r"[^']\bType 0, 1, 2 or 3")
        menu.expect_exact("Your choice: ")
    menu.sendline("1")
    menu.expect_exact("Courier: numbers")
    menu.expect_exact("Your choice: ")
    menu.sendline("1")
    menu.expect(r"answered in \d")
    menu.expect_exact("Your choice: ")
    menu.sendcontrol("c")  # leaves the client, not the menu behind it
    menu.expect_exact("Stop it all and leave")
    menu.expect_exact("Your choice: ")
    menu.sendline("2")
    menu.expect_exact("Courier: images")
    menu.expect_exact("Your choice: ")
    menu.sendline("0")
    menu.expect_exact("Stop it all and leave")
    menu.expect_exact("Your choice: ")
    menu.sendline("0")
    menu.expect_exact("Stopped.")
    menu.expect(pexpect.EOF)
    menu.close()

    assert menu.exitstatus == 0
    assert "is not running" in checkout.run("status").stdout


def test_without_tmux_the_workers_run_in_the_background_and_one_that_ends_at_once_is_said(
    checkout: Checkout, tmp_path: Path
) -> None:
    path = without_tmux(tmp_path / "tools")

    up = checkout.run("up", PATH=path)
    answered = checkout.run("numbers", "send", "1,2", "--json", PATH=path)
    down = checkout.run("down", PATH=path)

    assert up.returncode == 0, up.stdout + up.stderr
    assert "in the background" in up.stdout
    assert json.loads(answered.stdout)["sum"] == 3, answered.stderr
    assert down.returncode == 0
    assert "stopping: SIGTERM" in (checkout.folder / ".local/numbers_worker.py.log").read_text()

    ended = checkout.run("up", PATH=path, COURIER_CONCURRENCY="many")
    assert ended.returncode == 1
    assert "worker.py ended at once: " in ended.stderr
    assert "COURIER_CONCURRENCY is 'many'" in ended.stderr


def test_a_taken_port_is_said(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = checkout.run("up", LOCAL_AWS_PORT=str(port))

    assert done.returncode == 1
    assert f"Port {port} is used by another program" in done.stderr
    assert "LOCAL_AWS_PORT=" in done.stderr


def test_a_wrong_port_is_rejected_and_not_remembered(checkout: Checkout) -> None:
    done = checkout.run("up", LOCAL_AWS_PORT="99999")

    assert done.returncode == 2
    assert "LOCAL_AWS_PORT is '99999'" in done.stderr
    assert "from 1 to 65535" in done.stderr
    assert not (checkout.folder / ".local/port").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frob"], "no verb frob. Use up, down"),
        (["up", "x"], "up takes no arguments"),
        (["setup", "--test"], "--tests"),
        (["logs", "-x"], "-f"),
    ],
)
def test_wrong_usage(checkout: Checkout, arguments: list[str], said: str) -> None:
    done = checkout.run(*arguments)

    assert done.returncode == 2
    assert said in done.stderr


def test_help_and_nothing_to_stop(checkout: Checkout) -> None:
    helped = checkout.run("--help")

    assert helped.returncode == 0
    assert "usage: ./run_local.sh" in helped.stdout
    assert checkout.run("down").stdout == "Nothing is running.\n"
    assert not (checkout.folder / ".local").exists()
    assert "is not running. Start it with: ./run_local.sh" in checkout.run("status").stdout
