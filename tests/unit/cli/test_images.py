"""The images client: what each command line does, with a bucket in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from courier import testing
from courier.cli import images, images_arguments
from courier.errors import WrongUsage
from courier.images.application import application
from courier.images.pipeline import PRESETS
from courier.images.preview import sample
from courier.settings import load_settings
from tests.support.image_commands import commands_for, made_transfer
from tests.support.rows import rows
from tests.support.signals import kept_signals
from tests.support.transfers import made_of


def test_a_run_has_a_result_of_each_list_of_operations(folder: Path) -> None:
    (folder / "bad.png").write_bytes(b"")
    arguments = ["run", "a.png", "bad.png", "--to", "out", "--operations", "sepia", "--operations", "flip,flop"]
    given = images_arguments.build_parser("").parse_args([*arguments, "--operations", "sepia"])
    commands, screen = commands_for(made_transfer())
    for_programs, written = commands_for(made_transfer(), as_json=True)

    assert images.run(given, commands) == 1
    assert images.run(given, for_programs) == 1

    assert screen.shown.splitlines() == [
        "a.png -> out/a-sepia.png: 8 x 4",
        "a.png -> out/a-flip-flop.png: 8 x 4",
    ]
    said = [line.split(": ")[0] for line in screen.errors.splitlines() if line.startswith("bad.png")]
    assert said == ["bad.png (sepia)", "bad.png (flip,flop)"]
    assert screen.errors.splitlines()[-2].startswith("2 of 4 results of 2 images, ")
    assert screen.errors.splitlines()[-1] == "2 failed: bad.png (sepia), bad.png (flip,flop)"
    assert [
        (row["name"], row["operations"], row["result"], row["was_there"]) for row in rows(written.shown, "images")
    ] == [
        ("a.png", "sepia", "a-sepia.png", True),
        ("a.png", "flip,flop", "a-flip-flop.png", True),
        ("bad.png", "sepia", None, False),
        ("bad.png", "flip,flop", None, False),
    ]


def test_a_contact_sheet_is_saved_like_a_result(folder: Path) -> None:
    given = images_arguments.build_parser("").parse_args(["sheet", "a.png", "--to", "out"])
    commands, screen = commands_for(made_transfer())

    assert images.run(given, commands) == 0
    assert images.run(given, commands) == 0

    name = "a.png.thumbnail-160-contact-sheet.jpg"
    assert screen.shown.splitlines() == [f"a.png -> out/{name}: 8 x 4", f"a.png -> out/{name}: already done"]
    assert (folder / "out" / name).read_bytes() == made_of(sample(), PRESETS["sheet"])


@pytest.mark.usefixtures("folder")
def test_uploaded_images_are_processed_by_each_list_of_operations() -> None:
    given = images_arguments.build_parser("").parse_args(
        ["process", "a.png", "--operations", "sepia", "--operations", "web"]
    )
    commands, screen = commands_for(made_transfer())
    commands.upload("a.png", replace=False)

    assert images.run(given, commands) == 0

    made = [line.split(" into ")[1].split(":")[0] for line in screen.shown.splitlines()[1:]]
    assert made == ["a-sepia.png", "a.png.thumbnail-1600-strip-metadata-q80.webp"]


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[testing.Queues]:
    monkeypatch.setenv("COURIER_BUCKET", "bucket")
    with kept_signals(), testing.queues(replace(application(load_settings({})), bucket="bucket")) as made:
        yield made


@pytest.mark.usefixtures("folder")
def test_a_program_uploads_and_lists_by_its_command_line(
    queues: testing.Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    assert images.main(["upload", "a.png", "b.png"]) == 0
    assert images.main(["list", "--json"]) == 0

    assert len(queues.objects("bucket")) == 2
    listed = capsys.readouterr().out.splitlines()[-2:]
    assert [line.split('"')[3] for line in listed] == ["a.png", "b.png"]


@pytest.mark.usefixtures("folder", "queues")
def test_what_fails_leaves_the_other_files_and_decides_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.png").touch()

    assert images.main(["upload", "a.png", "bad.png", "b.png", "--json"]) == 1

    written = capsys.readouterr()
    found = rows(written.out, "images")
    assert [(row["name"], bool(row["error"])) for row in found] == [
        ("a.png", False),
        ("bad.png", True),
        ("b.png", False),
    ]
    assert "bad.png" in written.err


@pytest.mark.usefixtures("queues")
def test_a_command_on_queues_needs_no_bucket_and_a_menu_needs_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    assert images.main(["purge", "--yes", "--json"]) == 0
    assert '"purged": true' in capsys.readouterr().out
    with pytest.raises(WrongUsage, match="needs a terminal"):
        images.main([])
