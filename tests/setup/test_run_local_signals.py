"""run_local.sh, its processes and its signals; every program but itself is a stand-in that starts at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pexpect
import pytest

from tests.support.checkout import processes_in
from tests.support.place import WAIT_SECONDS, wait_for
from tests.support.stand_ins import Folder, Menu, without_tmux

CHOICE = "Your choice: "
NEEDS_TMUX = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not here")


@pytest.fixture
def has_tmux() -> bool:
    """Whether the workers run in tmux, which a test is given by a parameter."""
    return False


WITH_TMUX = pytest.mark.parametrize("has_tmux", [pytest.param(True, marks=NEEDS_TMUX)])


@pytest.fixture
def folder(has_tmux: bool, tmp_path: Path) -> Iterator[Folder]:  # noqa: FBT001  a fixture's value
    made = Folder(tmp_path / "it's courier", os.environ["PATH"] if has_tmux else without_tmux(tmp_path / "tools"))
    yield made
    made.run("down")
    made.until_nothing_runs()


def send(menu: Menu, number: int) -> None:
    """Send a signal to run_local.sh alone."""
    assert menu.pid
    os.kill(menu.pid, number)


def in_menu(menu: Menu) -> None:
    menu.expect_exact("Stop it all and leave")
    menu.expect_exact(CHOICE)


def in_client(menu: Menu) -> None:
    in_menu(menu)
    menu.sendline("1")
    menu.expect(r"client \d+ runs")
    menu.expect_exact("client> ")


def starting(menu: Menu) -> None:
    menu.expect_exact("Starting the local AWS")


def close_terminal(menu: Menu) -> None:
    """As a terminal's window does, which then may kill what still runs in it."""
    menu.close(force=True)


def terminate(menu: Menu) -> None:
    send(menu, signal.SIGTERM)
    menu.expect_exact("Stopped.")
    menu.expect(pexpect.EOF)
    menu.close()
    assert menu.exitstatus == 143


def hang_up(menu: Menu) -> None:
    send(menu, signal.SIGHUP)
    menu.expect(pexpect.EOF)
    menu.close()
    assert menu.exitstatus == 129


def kill(menu: Menu) -> None:
    send(menu, signal.SIGKILL)
    menu.close(force=True)


@pytest.mark.parametrize(
    ("where", "ends", "has_tmux"),
    [
        (in_menu, close_terminal, False),
        (in_client, close_terminal, False),
        pytest.param(in_client, close_terminal, True, marks=NEEDS_TMUX),
        (starting, close_terminal, False),
        (in_menu, terminate, False),
        (in_client, terminate, False),
        (in_client, hang_up, False),
        (in_client, kill, False),
    ],
)
def test_however_the_menu_ends_nothing_is_left(
    folder: Folder, where: Callable[[Menu], None], ends: Callable[[Menu], None]
) -> None:
    menu = folder.menu()
    where(menu)

    ends(menu)

    folder.until_nothing_runs()
    assert not (folder.path / ".local/lock").exists()


def test_ctrl_c_in_a_client_is_the_clients_and_its_end_leads_back_to_the_menu(folder: Folder) -> None:
    menu = folder.menu()
    in_client(menu)
    menu.sendcontrol("c")
    menu.expect_exact("client interrupted")
    menu.sendline("hello")
    menu.expect_exact("typed hello")
    menu.sendcontrol("d")
    in_menu(menu)
    menu.sendline("3")
    menu.expect_exact("It keeps running.")
    menu.expect(pexpect.EOF)
    menu.close()

    assert menu.exitstatus == 0
    assert folder.runs("numbers_worker.py")
    menu.close()


@WITH_TMUX
def test_after_ctrl_z_and_fg_the_menu_asks_again(folder: Folder) -> None:
    env = {**folder.env, "TERM": "dumb", "PS1": "$ "}
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "-i"], cwd=str(folder.path), env=env, encoding="utf-8", timeout=WAIT_SECONDS
    )
    shell.expect_exact("$ ")
    shell.sendline("./run_local.sh")
    in_menu(shell)

    shell.sendcontrol("z")
    shell.expect_exact("Stopped")
    shell.expect_exact("$ ")
    shell.sendline("fg")
    shell.expect_exact(CHOICE)
    shell.sendline("0")

    shell.expect_exact("Stopped.")
    shell.close(force=True)


@WITH_TMUX
def test_down_leaves_no_socket_of_tmux(folder: Folder) -> None:
    with TemporaryDirectory() as sockets:  # a path of a socket has 107 characters at most
        folder.env["TMUX_TMPDIR"] = sockets
        folder.run("up")
        there = [path.name for path in Path(sockets).rglob("courier-*")]
        folder.run("down")

        assert len(there) == 1
        assert list(Path(sockets).rglob("courier-*")) == []


def test_a_killed_worker_or_engine_is_seen_and_started_again(folder: Folder) -> None:
    assert folder.run("up").returncode == 0
    before = {name: folder.holder(name) for name in ("engine", "numbers_worker.py", "images_worker.py")}

    os.kill(before["numbers_worker.py"], signal.SIGKILL)
    wait_for(lambda: not folder.runs("numbers_worker.py"))
    assert folder.runs("images_worker.py")
    assert folder.run("up").returncode == 0
    assert folder.holder("numbers_worker.py") != before["numbers_worker.py"]
    assert folder.holder("images_worker.py") == before["images_worker.py"]

    os.kill(before["engine"], signal.SIGKILL)
    wait_for(lambda: "local AWS is not running" in folder.run("status").stdout)
    assert folder.run("up").returncode == 0
    assert folder.holder("engine") != before["engine"]


def test_a_stale_file_with_the_number_of_another_process_is_nobodys(folder: Folder) -> None:
    with subprocess.Popen(["sleep", "600"]) as innocent:
        (folder.path / ".local").mkdir()
        for name in ("engine", "numbers_worker.py", "images_worker.py"):
            (folder.path / f".local/{name}.lock").write_text(f"{innocent.pid}\nready\n")
        (folder.path / ".local/lock").mkdir()
        (folder.path / ".local/lock/pid").write_text(f"{innocent.pid}\n")

        assert "local AWS is not running" in folder.run("status").stdout
        assert folder.run("down").returncode == 0
        assert folder.run("up").returncode == 0
        assert folder.holder("engine") != innocent.pid
        assert folder.run("down").returncode == 0

        assert innocent.poll() is None
        innocent.kill()


def test_two_starts_at_once_start_everything_once(folder: Folder) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: folder.run("up"), range(2))

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert (first.stdout + second.stdout).count("Starting the local AWS") == 1
    workers = [args for args in processes_in(folder.path).values() if "--ready-file" in args and "tee" not in args]
    assert len([args for args in workers if not args.startswith(("bash", "tmux"))]) == 2


def test_a_worker_that_ends_at_once_is_reported_with_its_last_message(folder: Folder) -> None:
    done = folder.run("up", COURIER_STAND_IN="ends")

    assert done.returncode == 1
    assert "numbers_worker.py ended at once: the reason" in done.stderr
    assert "begins" not in done.stderr


def test_all_workers_that_end_at_once_are_reported_and_not_those_that_run(folder: Folder) -> None:
    assert folder.run("up").returncode == 0
    (folder.path / "images_worker.py").write_text("import sys\nsys.exit('a fault in the code')\n")
    os.kill(folder.holder("images_worker.py"), signal.SIGKILL)
    wait_for(lambda: not folder.runs("images_worker.py"))

    done = folder.run("up")

    assert done.returncode == 1
    assert done.stderr == "run_local.sh: images_worker.py ended at once: a fault in the code\n"


@WITH_TMUX
def test_a_start_that_was_killed_is_stopped_by_down(folder: Folder) -> None:
    line = ["bash", str(folder.path / "run_local.sh"), "up"]
    with subprocess.Popen(line, env=folder.env, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        assert "Starting" in up.stdout.readline()
        up.kill()

    assert folder.run("down").returncode == 0
    folder.until_nothing_runs()


def test_processes_without_their_virtual_environment_are_found_and_stopped(folder: Folder) -> None:
    assert folder.run("up").returncode == 0
    shutil.rmtree(folder.path / ".venv")

    assert folder.run("down").returncode == 0
    folder.until_nothing_runs()
