from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from courier import child_process
from courier.child_process import ChildProcess
from courier.errors import Reason, Rejected
from courier.memory_budget import MemoryBudget
from courier.sandbox import Limits, Sandbox, SandboxFault
from tests.support.place import ROOT, wait_for
from tests.support.slowed import can_be_slowed, slowed

MISCHIEF = "tests.workers.mischief"
SETTINGS = {"seconds_setting": "SOME_SECONDS", "memory_setting": "SOME_MEGABYTES"}
PATIENT = Limits(seconds=30, memory_megabytes=400, **SETTINGS)
IMPATIENT = Limits(seconds=0.5, memory_megabytes=400, **SETTINGS)


@pytest.fixture
def limits() -> Limits:
    return PATIENT


@pytest.fixture
def sandbox(limits: Limits) -> Iterator[Sandbox]:
    made = Sandbox(MISCHIEF, limits)
    yield made
    for process in made._idle:
        process.end()


def run(sandbox: Sandbox, name: str, content: bytes = b"", **order: object) -> tuple[dict[str, Any], bytes]:
    with sandbox.cell() as process:
        process.source.write(content)
        report = process.run({"name": name, "operations": "grayscale", "megapixels": 1, "frames": 1, **order})
        with process.result() as result:
            return report, result.read()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_sees_nothing_of_the_image_before(sandbox: Sandbox) -> None:
    tiny = Image.new("L", (8, 8), 200)
    files = []
    for image_format in ("BMP", "PNG"):
        file = io.BytesIO()
        tiny.save(file, image_format)
        files.append(file.getvalue())

    with pytest.raises(Rejected, match="not an image"):
        run(sandbox, "none.png", b"PK" + bytes(300))
    made = [run(sandbox, "tiny.png", content)[1] for content in files]

    assert [Image.open(io.BytesIO(content)).getpixel((4, 4)) for content in made] == [200, 200]
    assert len(sandbox._idle) == 1


@pytest.mark.parametrize(
    ("limits", "name", "reason", "facts"),
    [
        (IMPATIENT, "hang", Reason.TIMEOUT, ["more than 0.5 s", "SOME_SECONDS"]),
        (IMPATIENT, "spin", Reason.TIMEOUT, ["more than 0.5 s", "SOME_SECONDS"]),
        (PATIENT, "crash", Reason.CRASHED, ["crashed"]),
        (PATIENT, "eat", Reason.OUT_OF_MEMORY, ["more than 400 MB", "SOME_MEGABYTES"]),
    ],
)
def test_every_failure_of_a_process_is_a_reason_and_the_next_call_works(
    sandbox: Sandbox, name: str, reason: Reason, facts: list[str]
) -> None:
    with pytest.raises(Rejected) as raised:
        run(sandbox, f"{name}.png")

    assert all(fact in raised.value.sentence for fact in facts), raised.value.sentence
    assert raised.value.reason == reason
    assert run(sandbox, "echo.png", b"next")[1] == b"next"


def test_a_process_that_only_closes_its_socket_has_not_run_out_of_memory(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "ENDING_SECONDS", 0.1)

    with pytest.raises(Rejected) as raised:
        run(sandbox, "close.png")

    assert raised.value.reason == Reason.CRASHED


def test_a_rejection_of_the_program_comes_through_with_its_hint(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected) as raised:
        run(sandbox, "cat.png", b"not an image")

    assert "not an image" in raised.value.message
    assert raised.value.hint.startswith("The formats are JPEG")
    assert raised.value.reason == Reason.UNSUPPORTED_FORMAT


def test_a_fault_of_our_own_is_reported_with_its_traceback(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFault, match="ZeroDivisionError"):
        run(sandbox, "fault.png")

    assert run(sandbox, "echo.png", b"next")[1] == b"next"


@pytest.mark.parametrize("limits", [Limits(seconds=30, memory_megabytes=2000)])
def test_a_result_that_is_too_large_is_no_full_disk(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected, match="result has more than 1,000,000 bytes"):
        run(sandbox, "flood.png")


def test_a_processs_start_is_no_part_of_an_images_time(monkeypatch: pytest.MonkeyPatch) -> None:
    late = Sandbox("tests.workers.latecomer", IMPATIENT)

    with late.cell() as process:
        report = process.run({"name": "echo.png", "operations": "", "megapixels": 1, "frames": 1})
        process.end()
    assert report["name"].startswith("echo-")

    monkeypatch.setattr(child_process, "START_SECONDS", 0.1)
    with pytest.raises(SandboxFault, match="did not start"):
        run(late, "echo.png")


def test_a_process_serves_many_and_leaves_nothing_for_the_next(sandbox: Sandbox) -> None:
    first, content = run(sandbox, "echo.png", b"a long secret")
    second, other = run(sandbox, "echo.png", b"short")

    assert first["name"] == second["name"]  # it has the process's id in it
    assert (content, other) == (b"a long secret", b"short")


def test_an_idle_process_that_died_is_replaced(sandbox: Sandbox) -> None:
    assert run(sandbox, "echo.png", b"first")[1] == b"first"
    (idle,) = sandbox._idle
    idle._child._process.kill()
    idle._child._process.wait()

    assert run(sandbox, "echo.png", b"next")[1] == b"next"


def test_a_process_is_replaced_after_many_orders(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.sandbox.ORDERS_PER_CELL", 2)

    names = [run(sandbox, "echo.png")[0]["name"] for _ in range(3)]

    assert names[0] == names[1] != names[2]
    assert not is_running(int(names[0].removeprefix("echo-")))


@pytest.mark.parametrize("name", ["hang", "echo"])
def test_a_process_does_not_outlive_a_parent_that_was_killed(name: str) -> None:
    program = f"""
from courier.child_process import ChildProcess
from courier.memory_budget import MemoryBudget
from courier.sandbox import Limits, Sandbox
with Sandbox("{MISCHIEF}", Limits(seconds=60, memory_megabytes=400)).cell() as process:
    print(process._child.pid, flush=True)
    process.run({{"name": "{name}.png", "operations": "", "megapixels": 1, "frames": 1}})
    input()
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)

        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()

    wait_for(lambda: not is_running(pid))


# Memory


def test_what_was_killed_is_tried_once_more_with_its_source(sandbox: Sandbox, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    report, _ = run(sandbox, "kill-once.png", str(mark).encode())

    assert report["name"] == "survived"
    assert run(sandbox, "echo.png", b"next")[1] == b"next"


def test_what_ran_alone_and_was_killed_is_not_tried_a_third_time(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    start = ChildProcess.__init__

    def counted(self: ChildProcess, *arguments: Any) -> None:
        start(self, *arguments)
        started.append(self.pid)

    monkeypatch.setattr(ChildProcess, "__init__", counted)

    with pytest.raises(Rejected, match="machine ran out of memory") as raised:
        run(sandbox, "killed.png")

    assert raised.value.reason == Reason.OUT_OF_MEMORY
    assert len(started) == 2
    assert not any(map(is_running, started))
    assert run(sandbox, "echo.png", b"next")[1] == b"next"


class Machine:
    """A budget on a machine with these amounts of memory, one after another; the last one stays."""

    def __init__(self, sandbox: Sandbox, *megabytes: int) -> None:
        self.megabytes = list(megabytes)
        sandbox._budget = MemoryBudget(sandbox._end_idle, self.available, swap=float)

    def available(self) -> float:
        return (self.megabytes.pop(0) if len(self.megabytes) > 1 else self.megabytes[0]) * 1_000_000


@pytest.mark.parametrize("name", ["eat", "damaged"])
def test_what_has_too_little_memory_says_whose_limit_that_was(sandbox: Sandbox, name: str) -> None:
    Machine(sandbox, 200)

    with pytest.raises(Rejected, match="worker's machine ran out of memory") as raised:
        run(sandbox, f"{name}.png", needs=500)

    assert raised.value.reason == Reason.OUT_OF_MEMORY
    assert run(sandbox, "echo.png", b"next")[1] == b"next"


def test_what_has_enough_memory_is_damaged_indeed(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected, match="damaged"):
        run(sandbox, "damaged.png", needs=150)


def test_what_had_too_little_is_tried_again_with_what_there_is_then(sandbox: Sandbox) -> None:
    machine = Machine(sandbox, 100, 2_000)

    with pytest.raises(Rejected, match="more than 400 MB"):
        run(sandbox, "eat.png", needs=10)

    assert machine.megabytes == [2_000]


def test_a_crash_of_what_needs_more_than_there_is_is_one_of_memory(sandbox: Sandbox) -> None:
    Machine(sandbox, 100)

    with pytest.raises(Rejected) as raised:
        run(sandbox, "crash.png", needs=300)

    assert raised.value.reason == Reason.OUT_OF_MEMORY


def test_what_waits_for_memory_holds_none(sandbox: Sandbox) -> None:
    Machine(sandbox, 300)
    order = {"name": "echo.png", "operations": "", "megapixels": 1, "frames": 1, "needs": 250}
    waiting: list[str] = []

    def wait() -> None:
        with sandbox.cell() as process:
            waiting.append(str(process._child.pid))
            waiting.append(process.run(order)["name"])

    with sandbox._budget.turn(200):
        thread = threading.Thread(target=wait)
        thread.start()
        wait_for(lambda: waiting and not is_running(int(waiting[0])))
    thread.join()

    assert waiting[1].startswith("echo-")
    assert waiting[1] != f"echo-{waiting[0]}"


# Processor time


needs_quota = pytest.mark.skipif(not can_be_slowed(), reason="needs root, and control groups of the first version")


@needs_quota
def test_work_on_a_starved_machine_has_the_time_that_it_would_have_elsewhere(sandbox: Sandbox) -> None:
    sandbox._limits = replace(IMPATIENT, seconds=0.8)
    with sandbox.cell() as process, slowed(process._child.pid, share=0.25):
        started = time.monotonic()
        report = process.run({"name": "half-work.png", "operations": "", "megapixels": 1, "frames": 1})

        assert report["name"] == "worked"
        assert time.monotonic() - started > 0.8


# What a process may do


def test_a_process_is_what_the_kernel_ends_first_and_has_no_privileges(sandbox: Sandbox) -> None:
    score, capabilities, user = run(sandbox, "standing.png")[0]["name"].split()

    assert score == "1000"
    assert int(user) == os.getuid()
    assert sandbox.has_network() or int(capabilities, 16) == 0


def test_a_process_reaches_no_network_where_the_system_allows_that(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = run(sandbox, "connect.png", f"127.0.0.1 {port}".encode())[0]["name"]

    assert (said == "connected") is sandbox.has_network()
    if is_allowed(["true"]):
        assert "unreachable" in said


def is_allowed(command: Sequence[str], before: str = "") -> bool:
    """Run a command in a user namespace of its own; return whether that succeeded."""
    if not shutil.which("unshare"):
        return False
    shell = ["sh", "-c", f'{before} exec "$@"', "sh"]
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--net", *shell, *command], check=False)
    return done.returncode == 0


@pytest.mark.skipif(not is_allowed(["true"]), reason="this system allows no user namespaces")
def test_where_no_network_can_be_left_processes_work_with_one() -> None:
    program = f"""
from courier.child_process import ChildProcess
from courier.memory_budget import MemoryBudget
from courier.sandbox import Limits, Sandbox
sandbox = Sandbox("{MISCHIEF}", Limits(seconds=60, memory_megabytes=400))
assert sandbox.has_network()
with sandbox.cell() as process:
    order = {{"name": "echo.png", "operations": "", "megapixels": 1, "frames": 1}}
    assert process.run(order)["name"].startswith("echo")
"""
    forbid = "echo 0 >/proc/sys/user/max_user_namespaces && echo 0 >/proc/sys/user/max_net_namespaces &&"

    assert is_allowed([sys.executable, "-c", program], forbid)


def test_temporary_files_are_where_the_environment_says(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)

    with sandbox.cell() as process:
        place = Path(f"/proc/self/fd/{process.source.fileno()}").readlink()
    names = run(sandbox, "secrets.png")[0]["name"].split()

    assert place.is_relative_to(tmp_path)
    assert "TMPDIR" in names
