"""One order of the program in a cell; with its limits and its parent it is in test_sandbox."""

from __future__ import annotations

import errno
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
from typing import IO, Any

import pytest
from PIL import Image

from courier import sandbox_child
from courier.errors import NotAnImage, Reason
from courier.images import sandbox_child as images_child

ORDER = {"name": "cat.png", "operations": "flip", "megapixels": 1.0, "frames": 10}


def work(order: dict[str, Any], source: IO[bytes], result: IO[bytes]) -> dict[str, Any]:
    return sandbox_child.attempt(images_child.work, order, source, result)


def image_file() -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (8, 4)).save(file, "PNG")
    return file


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> dict[str, Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("courier.images.sandbox_child.processor.process", fail)
    return work(ORDER, image_file(), io.BytesIO())


def test_an_order_that_is_done_says_what_it_made() -> None:
    source, result = image_file(), io.BytesIO()
    source.seek(5)

    report = work(ORDER, source, result)

    details = {"width": 8, "height": 4, "frames": 1, "notes": []}
    assert report == {"status": "done", "name": "cat-flip.png", "media_type": "image/png", "details": details}
    assert Image.open(result).size == (8, 4)


def test_the_bounds_are_the_orders() -> None:
    report = work({**ORDER, "megapixels": 0.00001}, image_file(), io.BytesIO())

    assert (report["status"], report["reason"]) == ("rejected", "too_large")


def test_what_is_rejected_is_reported_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    report = failing(monkeypatch, NotAnImage("No.", hint="Yes.", reason=Reason.CORRUPT))

    assert report == {"status": "rejected", "message": "No.", "hint": "Yes.", "reason": "corrupt"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MemoryError(), "memory"),
        (OSError(errno.ENOSPC, "full"), "full"),
        (OSError(errno.EDQUOT, "full"), "full"),
        (OSError(errno.EIO, "broken"), "failed"),
        (ZeroDivisionError("ours"), "failed"),
    ],
)
def test_whatever_else_ends_an_order_has_a_status(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: str
) -> None:
    report = failing(monkeypatch, error)

    assert report["status"] == status
    assert (type(error).__name__ in report.get("traceback", "")) is (status == "failed")


def test_too_large_a_result_is_rejected_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    report = failing(monkeypatch, OSError(errno.EFBIG, "too large"))

    assert (report["status"], report["reason"]) == ("rejected", "too_large")
    assert f"{sandbox_child.MAX_RESULT_BYTES:,}" in report["message"]


def test_the_program_says_that_it_is_ready_and_does_order_after_order() -> None:
    def given(file: IO[bytes]) -> int:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003  its only argument
        return file.fileno()

    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as result, ours:
        source.write(image_file().getvalue())
        source.flush()
        numbers = (given(source), given(result))
        program = subprocess.Popen(
            [sys.executable, "-m", "courier.images.sandbox_child", *map(str, numbers), "1000"],
            stdin=theirs.fileno(),
            pass_fds=numbers,
        )
        theirs.close()
        with ours.makefile("rw") as line:
            assert json.loads(line.readline())["status"] == "ready"
            for operation, name in (("flip", "cat-flip.png"), ("flop", "cat-flop.png"), ("none", None)):
                line.write(json.dumps({**ORDER, "operations": operation, "seconds": 60}) + "\n")
                line.flush()
                assert 0 <= json.loads(line.readline())["megabytes"] < 1
                line.write(json.dumps({"megabytes": 1000, "seconds": 60}) + "\n")
                line.flush()
                assert json.loads(line.readline()).get("name") == name
        ours.shutdown(socket.SHUT_RDWR)
        assert program.wait(30) == 0
