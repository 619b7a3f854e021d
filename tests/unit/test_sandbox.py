from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from courier.errors import Reason, Rejected
from courier.sandbox import Limits, Sandbox, SandboxFault
from tests.support.place import ROOT, wait_for

MISCHIEF = "tests.workers.mischief"
SETTINGS = {"seconds_setting": "SOME_SECONDS", "memory_setting": "SOME_MEGABYTES"}
PATIENT = Limits(seconds=30, memory_megabytes=400, **SETTINGS)
IMPATIENT = Limits(seconds=2, memory_megabytes=400, **SETTINGS)


@pytest.fixture
def limits() -> Limits:
    return PATIENT


@pytest.fixture
def sandbox(limits: Limits) -> Iterator[Sandbox]:
    made = Sandbox(MISCHIEF, limits)
    yield made
    for process in made._idle:
        process.end()


def run(sandbox: Sandbox, name: str, content: bytes = b"") -> tuple[dict[str, Any], bytes]:
    with sandbox.cell() as process:
        process.source.write(content)
        report = process.run({"name": name, "operations": "grayscale", "megapixels": 1, "frames": 1})
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
        (IMPATIENT, "hang", Reason.TIMEOUT, ["more than 2 s", "SOME_SECONDS"]),
        (IMPATIENT, "spin", Reason.TIMEOUT, ["more than 2 s", "SOME_SECONDS"]),
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

    monkeypatch.setattr("courier.sandbox.START_SECONDS", 0.1)
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
    idle._process.kill()
    idle._process.wait()

    assert run(sandbox, "echo.png", b"next")[1] == b"next"


def test_a_process_is_replaced_after_many_orders(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.sandbox.ORDERS_PER_CELL", 2)

    names = [run(sandbox, "echo.png")[0]["name"] for _ in range(3)]

    assert names[0] == names[1] != names[2]
    assert not is_running(int(names[0].removeprefix("echo-")))


def test_what_a_process_has_started_ends_with_it(sandbox: Sandbox) -> None:
    with sandbox.cell() as process:
        pid = int(process.run({"name": "breed.png", "operations": "", "megapixels": 1, "frames": 1})["name"])
        assert is_running(pid)

        process.end()

    wait_for(lambda: not is_running(pid))


def test_no_key_reaches_a_process(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("COURIER_BUCKET", "mine")

    names = run(sandbox, "secrets.png")[0]["name"]

    assert "AWS" not in names
    assert "COURIER" not in names
    assert "PATH" in names


@pytest.mark.parametrize("name", ["hang", "echo"])
def test_a_process_does_not_outlive_a_parent_that_was_killed(name: str) -> None:
    program = f"""
from courier.sandbox import Limits, Sandbox
with Sandbox("{MISCHIEF}", Limits(seconds=0.5, memory_megabytes=400)).cell() as process:
    print(process._process.pid, flush=True)
    process._limits = Limits(seconds=60, memory_megabytes=400)
    process._until_ready()
    process._exchange({{"name": "{name}.png", "operations": "", "megapixels": 1, "frames": 1, "seconds": 1}})
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
