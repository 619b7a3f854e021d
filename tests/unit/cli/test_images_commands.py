"""What the images client shows and asks, with a bucket in memory."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from courier import Request
from courier.aws.s3 import StoredObject, etag_of
from courier.cancellation import Canceled
from courier.cli import graphics, images, images_arguments
from courier.errors import Rejected, ResponseTimeout, Unreachable, WrongUsage
from courier.images.pipeline import parse
from courier.images.preview import sample
from tests.support.fakes import until
from tests.support.image_commands import commands_for, made_transfer
from tests.support.rows import rows
from tests.support.transfers import LocalTransfer, made_of


class Listing(LocalTransfer):
    """A bucket with one strange name."""

    def names(self, folder: str, *, in_folder: object = None) -> list[StoredObject]:  # noqa: ARG002
        return [StoredObject(name="a\x1b.png", etag="", size_bytes=12_345, modified=datetime(2026, 11, 25, tzinfo=UTC))]


def test_one_image_is_reported_in_a_line(folder: Path) -> None:
    commands, screen = commands_for(made_transfer())

    commands.run(["a.png"], [parse("grayscale")], "out", replace=False, recursive=False)
    commands.run(["a.png"], [parse("grayscale")], "out", replace=False, recursive=False)

    assert screen.shown.splitlines() == [
        "a.png -> out/a-grayscale.png: 8 x 4",
        "a.png -> out/a-grayscale.png: already done",
    ]
    assert screen.errors == ""
    assert (folder / "out/a-grayscale.png").read_bytes() == made_of(sample(), "grayscale")


def test_the_sample_is_run_under_its_name(folder: Path) -> None:
    commands, screen = commands_for(made_transfer(), as_json=True)
    rejected, messages = commands_for(made_transfer(sample=Rejected("None.")))

    commands.run([], [parse("grayscale")], "out", replace=False, recursive=False)
    rejected.run([], [parse("flip")], "out", replace=False, recursive=False)

    assert [row["name"] for row in rows(screen.shown, "images")] == ["sample.png"]
    assert messages.errors == "sample.png: None.\n"
    assert (folder / "out/sample-grayscale.png").exists()


@pytest.mark.usefixtures("folder")
def test_many_images_are_reported_in_order_with_a_summary_on_standard_error() -> None:
    commands, screen = commands_for(made_transfer(b=Rejected("b.png is damaged.", reason="corrupt")))

    commands.run(["a.png", "b.png", "c.png", "d.png"], [parse("grayscale")], "out", replace=True, recursive=False)

    assert [line.split()[0] for line in screen.shown.splitlines()] == ["a.png", "c.png", "d.png"]
    rejected, said, failed = screen.errors.splitlines()
    assert "b.png" in rejected
    assert failed == "1 failed: b.png"
    assert said.startswith("3 of 4 images, 0 kB, ")
    assert said.endswith(" s, in out/")
    assert commands.failures.worst == 1


def test_rows_for_programs_have_one_shape(folder: Path) -> None:
    (folder / "e.jxl").write_bytes(b"")
    (folder / "bad.png").write_bytes(b"")
    transfer = made_transfer(c=ResponseTimeout("None came."), d=Rejected("Bad.", reason="corrupt"))
    commands, screen = commands_for(transfer, as_json=True)

    commands.run(["."], [parse("grayscale")], "out", replace=False, recursive=False)
    commands.run(["a.png"], [parse("grayscale")], "out", replace=False, recursive=False)
    commands.upload("a.png", replace=False)
    commands.process(["a.png", "c.png"], parse("grayscale"))
    commands.download("a-grayscale.png", ".", replace=False)

    found = rows(screen.shown, "images")
    assert len({tuple(row) for row in found}) == 1
    assert [(row["step"], row["name"], row["result"], row["reason"]) for row in found] == [
        ("skip", "e.jxl", None, None),
        ("run", "a.png", "a-grayscale.png", None),
        ("run", "b.png", "b-grayscale.png", None),
        ("run", "bad.png", None, "empty"),
        ("run", "c.png", None, None),
        ("run", "d.png", None, "corrupt"),
        ("run", "a.png", "a-grayscale.png", None),
        ("upload", "a.png", None, None),
        ("process", "a.png", "a-grayscale.png", None),
        ("process", "c.png", None, None),
        ("download", None, "a-grayscale.png", None),
    ]
    assert [row["was_there"] for row in found if row["step"] in {"run", "upload"}] == [False] * 5 + [True] * 2
    assert found[1]["path"] == "out/a-grayscale.png"
    assert screen.errors.splitlines()[0].startswith("1 file skipped: e.jxl (JPEG XL")


@pytest.mark.usefixtures("folder")
def test_a_batch_that_is_canceled_says_how_many_are_done() -> None:
    transfer = made_transfer()
    commands, screen = commands_for(transfer)

    def cancel(name: str) -> None:
        if name == "c.png":
            until(lambda: screen.shown.count("\n") == 2)
            raise Canceled

    transfer.before_work = cancel

    with pytest.raises(Canceled):
        commands.run(["."], [parse("grayscale")], "out", replace=False, recursive=False)

    assert "2 of 4 images" in screen.errors
    assert len(screen.shown.splitlines()) == 2


@pytest.mark.usefixtures("folder")
def test_a_batch_that_is_canceled_between_two_calls_ends_there() -> None:
    transfer = made_transfer()
    commands, screen = commands_for(transfer)
    transfer.before_work = lambda _: transfer._requester.cancellation.cancel()

    with pytest.raises(Canceled):
        commands.run(["."], [parse("grayscale")], "out", replace=False, recursive=False)

    assert "0 of 4 images" in screen.errors


@pytest.mark.usefixtures("folder")
def test_an_aws_error_ends_a_batch_after_what_was_done() -> None:
    commands, screen = commands_for(made_transfer(b=Unreachable("No AWS.")))

    with pytest.raises(Unreachable):
        commands.run(["a.png", "b.png", "c.png"], [parse("grayscale")], "out", replace=True, recursive=False)

    assert [line.split()[0] for line in screen.shown.splitlines()] == ["a.png", "c.png"]
    assert screen.errors.startswith("2 of 3 images")


@pytest.mark.parametrize(
    ("files", "to", "said"),
    [(["a.png", ""], "out", "file is empty"), (["a.png", "b.png"], "a.png", "a.png is not a folder")],
)
@pytest.mark.usefixtures("folder")
def test_a_run_that_makes_no_sense_is_rejected(files: list[str], to: str, said: str) -> None:
    commands, _ = commands_for(made_transfer())

    with pytest.raises(WrongUsage, match=said):
        commands.run(files, [parse("grayscale")], to, replace=False, recursive=False)


def test_a_name_pins_what_this_session_uploaded() -> None:
    transfer = made_transfer()
    commands, _ = commands_for(transfer)

    commands.upload("", replace=False)
    transfer.errors = {"other.png": Rejected("None.")}
    commands.process(["sample.png", "other.png"], parse("sepia"))

    mine, others = (question for question in transfer.asked if isinstance(question, Request))
    assert mine.options == {"operations": "sepia", "etag": f'"{etag_of(sample())}"'}
    assert others.options == {"operations": "sepia"}


def test_an_image_that_is_there_is_asked_about_or_rejected() -> None:
    transfer = made_transfer()
    transfer.bucket("unprocessed").store("sample.png", io.BytesIO(b"theirs"), media_type="image/png")
    alone, _ = commands_for(transfer)
    asked, screen = commands_for(transfer, "y", is_terminal=True)

    with pytest.raises(WrongUsage, match="already in the bucket"):
        alone.upload("", replace=False)
    assert asked.upload("", replace=False) == "sample.png"
    assert "Replace it?" in screen.shown + " ".join(screen.keyboard.prompts)
    assert alone.upload("", replace=True) == "sample.png"


def test_who_replaces_nothing_gets_a_hint_of_another_name() -> None:
    transfer = made_transfer()
    transfer.bucket("unprocessed").store("sample.png", io.BytesIO(b"theirs"), media_type="image/png")
    asked, screen = commands_for(transfer, "n", is_terminal=True)

    with pytest.raises(WrongUsage) as raised:
        asked.upload("", replace=False)

    assert "another person" in screen.shown + " ".join(screen.keyboard.prompts)
    assert "another name" in raised.value.hint


def test_what_failed_is_named_at_the_end(folder: Path) -> None:
    (folder / "d.png").write_bytes(b"")
    commands, screen = commands_for(made_transfer(b=Rejected("No.")))

    commands.run(["a.png", "b.png", "d.png"], [parse("flip")], "out", replace=False, recursive=False)

    assert screen.errors.splitlines()[-1] == "2 failed: b.png, d.png"
    assert "d.png: The file is empty." in screen.errors.splitlines()


def test_what_is_there_is_listed_without_escapes() -> None:
    person, screen = commands_for(made_transfer(Listing))
    program, rows = commands_for(made_transfer(Listing), as_json=True)

    person.list("processed")
    program.list("processed")

    assert r"a\x1b.png" in screen.shown
    assert "12,345" in screen.shown
    assert json.loads(rows.shown) == {"name": "a\x1b.png", "bytes": 12_345, "modified": "2026-11-25T00:00:00+00:00"}


def test_operations_are_rows_for_programs() -> None:
    commands, screen = commands_for(made_transfer(), as_json=True)

    commands.operations()

    assert {"sepia", "web"} <= {json.loads(line)["operation"] for line in screen.shown.splitlines()}


def test_a_download_overwrites_nothing_unasked(folder: Path) -> None:
    transfer = made_transfer()
    transfer.bucket("processed").store("x.png", io.BytesIO(b"new"), media_type="image/png")
    for place in ("file", "link"):
        (folder / place).mkdir()
    (folder / "file/x.png").write_bytes(b"mine")
    (folder / "link/x.png").symlink_to("nowhere")
    (folder / "out/x.png").mkdir()
    alone, _ = commands_for(transfer)
    asked, screen = commands_for(transfer, "n", "y", is_terminal=True)

    for place in ("file", "link", "out"):
        with pytest.raises(WrongUsage):
            alone.download("x.png", place, replace=False)
    with pytest.raises(WrongUsage):
        asked.download("x.png", "file", replace=False)
    kept = (folder / "file/x.png").read_bytes()
    asked.download("x.png", "file", replace=False)
    alone.download("x.png", "new/folder", replace=False)

    assert kept == b"mine"
    assert (folder / "file/x.png").read_bytes() == (folder / "new/folder/x.png").read_bytes() == b"new"
    assert (folder / "link/x.png").is_symlink()
    assert len(screen.keyboard.prompts) == 2


@pytest.mark.usefixtures("folder")
def test_images_of_the_bucket_are_shown_results_before_uploads() -> None:
    transfer = made_transfer()
    commands, screen = commands_for(transfer)
    commands.run(["a.png"], [parse("grayscale")], "out", replace=False, recursive=False)
    given = images_arguments.build_parser("").parse_args(["show", "a-grayscale.png", "a.png", "none.png"])
    as_json, written = commands_for(transfer, as_json=True)

    assert images.run(given, commands) == images.run(given, as_json) == 1

    assert screen.shown.splitlines()[-1] == "a.png  PNG 640 x 480, 14,424 bytes"
    assert "none.png" in screen.errors
    assert screen.errors.splitlines()[-1].startswith("Images are shown on a terminal")
    found = rows(written.shown, "images")
    assert [(row["step"], row["name"], row["width"], bool(row["error"])) for row in found] == [
        ("show", "a-grayscale.png", None, True),  # this bucket makes results that are no images
        ("show", "a.png", 640, False),
        ("show", "none.png", None, True),
    ]


def test_a_damaged_image_is_named_and_the_others_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.cli.image_screen.ImageScreen.graphics", graphics.BLOCKS)
    transfer = made_transfer()
    for name, content in {"good.png": sample(), "bad.png": sample()[:5_000], "big.png": bytes(10**6)}.items():
        transfer.bucket("unprocessed").store(name, io.BytesIO(content), media_type="image/png")
    commands, screen = commands_for(transfer)
    as_json, written = commands_for(transfer, as_json=True)

    commands.show_stored(["bad.png", "good.png", "big.png"])
    as_json.show_stored(["bad.png", "good.png"])

    assert (commands.failures.worst, as_json.failures.worst) == (1, 0)
    assert all(f"{name}:" in screen.errors for name in ("bad.png", "big.png"))
    assert "good.png:" not in screen.errors
    assert "\N{UPPER HALF BLOCK}" in screen.shown
    assert [row["name"] for row in rows(written.shown, "images")] == ["bad.png", "good.png"]


@pytest.mark.usefixtures("folder")
def test_the_images_of_a_small_run_are_shown_and_of_a_larger_one_none(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[list[str]] = []
    monkeypatch.setattr("courier.cli.image_screen.ImageScreen.shows_images", True)
    monkeypatch.setattr(
        "courier.cli.previews.show", lambda _screen, found, _bounds: shown.append([c for c, _ in found])
    )
    commands, _ = commands_for(made_transfer())
    as_json, _ = commands_for(made_transfer(), as_json=True)

    commands.run(["a.png"], [parse("grayscale"), parse("flip")], "out", replace=False, recursive=False)
    commands.run([], [parse("flip")], "out", replace=False, recursive=False)
    commands.run(["a.png", "b.png", "c.png", "d.png"], [parse("flop")], "out", replace=False, recursive=False)
    as_json.run(["a.png"], [parse("negate")], "out", replace=False, recursive=False)

    assert shown == [["a.png", "a-grayscale.png", "a-flip.png"], ["sample.png", "sample-flip.png"]]
