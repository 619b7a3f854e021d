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

from courier import sandbox
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
def cells(limits: Limits) -> Iterator[Sandbox]:
    made = Sandbox(MISCHIEF, limits)
    yield made
    for cell in made._idle:
        cell.end()


def run(cells: Sandbox, name: str, content: bytes = b"") -> tuple[dict[str, Any], bytes]:
    with cells.cell() as cell:
        cell.source.write(content)
        report = cell.run({"name": name, "operations": "grayscale", "megapixels": 1, "frames": 1})
        with cell.result() as result:
            return report, result.read()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_cell_sees_nothing_of_the_image_before(cells: Sandbox) -> None:
    tiny = Image.new("L", (8, 8), 200)
    files = []
    for picture_format in ("BMP", "PNG"):
        file = io.BytesIO()
        tiny.save(file, picture_format)
        files.append(file.getvalue())

    with pytest.raises(Rejected, match="not an image"):
        run(cells, "none.png", b"PK" + bytes(300))
    made = [run(cells, "tiny.png", content)[1] for content in files]

    assert [Image.open(io.BytesIO(content)).getpixel((4, 4)) for content in made] == [200, 200]
    assert len(cells._idle) == 1


@pytest.mark.parametrize(
    ("limits", "name", "reason", "facts"),
    [
        (IMPATIENT, "hang", Reason.TIMEOUT, ["more than 2 s", "SOME_SECONDS"]),
        (IMPATIENT, "spin", Reason.TIMEOUT, ["more than 2 s", "SOME_SECONDS"]),
        (PATIENT, "crash", Reason.CRASHED, ["crashed"]),
        (PATIENT, "eat", Reason.OUT_OF_MEMORY, ["more than 400 MB", "SOME_MEGABYTES"]),
    ],
)
def test_whatever_becomes_of_a_cell_its_caller_gets_a_reason_and_the_next_an_answer(
    cells: Sandbox, name: str, reason: Reason, facts: list[str]
) -> None:
    with pytest.raises(Rejected) as raised:
        run(cells, f"{name}.png")

    assert all(fact in raised.value.sentence for fact in facts), raised.value.sentence
    assert raised.value.reason == reason
    assert run(cells, "echo.png", b"next")[1] == b"next"


def test_a_refusal_of_the_program_comes_through_with_its_hint(cells: Sandbox) -> None:
    with pytest.raises(Rejected) as raised:
        run(cells, "cat.png", b"not an image")

    assert "not an image" in raised.value.message
    assert raised.value.hint.startswith("The formats are JPEG")
    assert raised.value.reason == Reason.UNSUPPORTED_FORMAT


def test_a_fault_of_our_own_is_told_with_its_traceback(cells: Sandbox) -> None:
    with pytest.raises(SandboxFault, match="ZeroDivisionError"):
        run(cells, "fault.png")

    assert run(cells, "echo.png", b"next")[1] == b"next"


@pytest.mark.parametrize("limits", [Limits(seconds=30, memory_megabytes=2000)])
def test_a_result_that_is_too_large_is_no_full_disk(cells: Sandbox) -> None:
    with pytest.raises(Rejected, match="result has more than 1,000,000 bytes"):
        run(cells, "flood.png")


def test_a_cells_start_is_no_part_of_a_images_time(monkeypatch: pytest.MonkeyPatch) -> None:
    late = Sandbox("tests.workers.latecomer", IMPATIENT)

    with late.cell() as cell:
        report = cell.run({"name": "echo.png", "operations": "", "megapixels": 1, "frames": 1})
        cell.end()
    assert report["name"].startswith("echo-")

    monkeypatch.setattr(sandbox, "START_SECONDS", 0.1)
    with pytest.raises(SandboxFault, match="did not start"):
        run(late, "echo.png")


def test_a_cell_serves_many_and_nothing_of_one_is_left_for_the_next(cells: Sandbox) -> None:
    first, content = run(cells, "echo.png", b"a long secret")
    second, other = run(cells, "echo.png", b"short")

    assert first["name"] == second["name"]  # it has the process's id in it
    assert (content, other) == (b"a long secret", b"short")


def test_a_cell_that_died_while_it_waited_costs_nobody_anything(cells: Sandbox) -> None:
    assert run(cells, "echo.png", b"first")[1] == b"first"
    (idle,) = cells._idle
    idle._process.kill()
    idle._process.wait()

    assert run(cells, "echo.png", b"next")[1] == b"next"


def test_a_cell_is_replaced_after_many_orders(cells: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "ORDERS_PER_CELL", 2)

    names = [run(cells, "echo.png")[0]["name"] for _ in range(3)]

    assert names[0] == names[1] != names[2]
    assert not is_running(int(names[0].removeprefix("echo-")))


def test_what_a_cell_has_started_ends_with_it(cells: Sandbox) -> None:
    with cells.cell() as cell:
        pid = int(cell.run({"name": "breed.png", "operations": "", "megapixels": 1, "frames": 1})["name"])
        assert is_running(pid)

        cell.end()

    wait_for(lambda: not is_running(pid))


def test_no_key_reaches_a_cell(cells: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("COURIER_BUCKET", "mine")

    names = run(cells, "secrets.png")[0]["name"]

    assert "AWS" not in names
    assert "COURIER" not in names
    assert "PATH" in names


@pytest.mark.parametrize("name", ["hang", "echo"])
def test_a_cell_does_not_outlive_a_parent_that_was_killed(name: str) -> None:
    program = f"""
from courier.sandbox import Limits, Sandbox
with Sandbox("{MISCHIEF}", Limits(seconds=0.5, memory_megabytes=400)).cell() as cell:
    print(cell._process.pid, flush=True)
    cell._limits = Limits(seconds=60, memory_megabytes=400)
    cell._until_ready()
    cell._exchange({{"name": "{name}.png", "operations": "", "megapixels": 1, "frames": 1, "seconds": 1}})
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
