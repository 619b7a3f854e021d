"""What the images client shows and asks, with a bucket in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from courier.aws.s3 import StoredObject
from courier.cli.failures import Failures
from courier.cli.images_commands import ImageCommands
from courier.errors import CourierError, Rejected, ResponseTimeout, Unreachable, WrongUsage
from courier.images.pipeline import parse
from courier.images.preview import sample
from courier.images.transfer import ImageTransfer, Result, Uploaded
from courier.messaging.pending import Asked, Question
from tests.support.screens import Screen

HEADER = SimpleNamespace(format="PNG", width=640, height=480, frames=1, is_moving=False)


class MemoryGallery:
    """A bucket and workers that do nothing to a picture but rename it; what is in `errors` fails."""

    def __init__(self, errors: dict[str, CourierError] | None = None) -> None:
        self.there: set[str] = set()
        self.asked: list[Asked] = []
        self._errors = errors or {}

    def read(self, path: str) -> tuple[str, bytes, Any]:
        name = Path(path).name
        if isinstance(self._errors.get(name), WrongUsage):
            raise self._errors[name]
        return name, b"", HEADER

    def upload(self, path: str, *, may_replace: Callable[[str], bool], **_told: object) -> Uploaded:
        name, _, header = self.read(path or "sample.png")
        if name in self.there:
            may_replace(name)
        self.there.add(name)
        return Uploaded(name=name, etag=f"etag of {name}", header=header, size_bytes=1_234, was_there=False)

    def results(self, asked: Sequence[Asked], sources: Sequence[str]) -> Iterator[Result | CourierError]:
        stream = iter(asked)
        for source in sources:
            question = next(stream)
            while question is None:
                question = next(stream)
            self.asked.append(question)
            name = Path(source).name
            error = question if isinstance(question, CourierError) else self._errors.get(name)
            yield error or Result(source=name, name=f"new-{name}", seconds=0.25, told={"width": 8, "height": 6})

    def download(self, name: str, target: Path, **_told: object) -> None:
        target.write_bytes(name.encode())

    def names(self, _folder: str) -> list[StoredObject]:
        return [StoredObject(name="a\x1b.png", etag="", size_bytes=12_345, modified=datetime(2026, 11, 25, tzinfo=UTC))]


def desk_for(
    transfer: MemoryGallery, *typed: str, as_json: bool = False, is_terminal: bool = False
) -> tuple[ImageCommands, Screen]:
    screen = Screen(*typed, is_terminal=is_terminal)
    failures = Failures(screen.terminal.complain, as_json=as_json)
    return ImageCommands(cast("ImageTransfer", transfer), screen.terminal, failures, as_json=as_json), screen


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in "abcd":
        (tmp_path / f"{name}.png").write_bytes(sample())
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_picture_is_told_step_by_step(folder: Path) -> None:
    commands, screen = desk_for(MemoryGallery())

    commands.run(["a.png"], parse("grayscale"), "out", replace=False)

    uploaded, processed, downloaded = screen.shown.splitlines()
    assert uploaded.startswith("uploaded a.png  PNG 640 x 480, 1,234 bytes")
    assert processed.startswith("processed a.png into new-a.png: 8 x 6")
    assert downloaded == "downloaded out/new-a.png"
    assert (folder / "out/new-a.png").read_bytes() == b"new-a.png"
    assert commands.latest == "a.png"
    assert commands.latest_result == "new-a.png"


@pytest.mark.usefixtures("folder")
def test_many_pictures_are_told_in_order_with_a_summary_on_standard_error() -> None:
    transfer = MemoryGallery({"b.png": Rejected("b.png is damaged.", reason="corrupt")})
    commands, screen = desk_for(transfer)

    commands.run(["a.png", "b.png", "c.png", "d.png"], parse("grayscale"), "out", replace=True)

    assert [line.split()[0] for line in screen.shown.splitlines()] == ["a.png", "c.png", "d.png"]
    refused, said = screen.errors.splitlines()
    assert "b.png" in refused
    assert said.startswith("3 of 4 images, 0 kB, ")
    assert said.endswith(" s, in out/")
    assert commands.failures.worst == 1


@pytest.mark.usefixtures("folder")
def test_many_pictures_as_json_are_rows_in_order_with_the_same_summary(capsys: pytest.CaptureFixture[str]) -> None:
    commands, screen = desk_for(MemoryGallery({"c.png": ResponseTimeout("None came.")}), as_json=True)

    commands.run(["a.png", "b.png", "c.png", "d.png"], parse("grayscale"), "out", replace=True)

    assert [json.loads(line)["name"] for line in screen.shown.splitlines()] == ["a.png", "b.png", "d.png"]
    assert json.loads(capsys.readouterr().out)["name"] == "c.png"
    assert screen.errors.splitlines()[-1].startswith("3 of 4 images, 0 kB, ")


@pytest.mark.usefixtures("folder")
def test_trouble_with_aws_ends_a_batch_after_what_was_done() -> None:
    commands, screen = desk_for(MemoryGallery({"b.png": Unreachable("No AWS.")}))

    with pytest.raises(Unreachable):
        commands.run(["a.png", "b.png", "c.png"], parse("grayscale"), "out", replace=True)

    assert [line.split()[0] for line in screen.shown.splitlines()] == ["a.png", "c.png"]
    assert screen.errors.startswith("2 of 3 images")


@pytest.mark.parametrize(
    ("files", "to", "said"), [(["a.png", ""], "out", "file is empty"), (["a.png", "b.png"], "nowhere", "nowhere")]
)
@pytest.mark.usefixtures("folder")
def test_a_run_that_makes_no_sense_is_refused(files: list[str], to: str, said: str) -> None:
    commands, _ = desk_for(MemoryGallery())

    with pytest.raises(WrongUsage, match=said):
        commands.run(files, parse("grayscale"), to, replace=False)


def test_a_name_pins_what_this_session_uploaded() -> None:
    transfer = MemoryGallery()
    commands, _ = desk_for(transfer)

    commands.upload("", replace=False)
    commands.process(["sample.png", "other.png"], parse("sepia"))

    mine, others = (question for question in transfer.asked if isinstance(question, Question))
    assert mine.options == {"operations": "sepia", "etag": "etag of sample.png"}
    assert others.options == {"operations": "sepia"}


def test_a_picture_that_is_there_is_asked_about_or_refused() -> None:
    transfer = MemoryGallery()
    transfer.there = {"sample.png"}
    alone, _ = desk_for(transfer)
    asked, screen = desk_for(transfer, "y", is_terminal=True)

    with pytest.raises(WrongUsage, match="already in the bucket"):
        alone.upload("", replace=False)
    assert asked.upload("", replace=False) == "sample.png"
    assert "Replace it?" in " ".join(screen.keyboard.prompts)
    assert alone.upload("", replace=True) == "sample.png"


def test_what_is_there_is_listed_without_escapes() -> None:
    person, screen = desk_for(MemoryGallery())
    program, rows = desk_for(MemoryGallery(), as_json=True)

    person.list("processed")
    program.list("processed")

    assert r"a\x1b.png" in screen.shown
    assert "12,345" in screen.shown
    assert json.loads(rows.shown) == {"name": "a\x1b.png", "bytes": 12_345, "modified": "2026-11-25T00:00:00+00:00"}


def test_operations_are_rows_for_programs() -> None:
    commands, screen = desk_for(MemoryGallery(), as_json=True)

    commands.operations()

    assert {"sepia", "web"} <= {json.loads(line)["operation"] for line in screen.shown.splitlines()}
