"""The images menu, with a bucket in memory."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NoReturn

import pytest

from courier.cancellation import Canceled
from courier.cli.failures import Failures
from courier.cli.images_commands import ImageCommands
from courier.cli.images_menu import ImagesMenu
from courier.cli.line_editing import Complete
from courier.cli.queue_commands import QueueCommands
from courier.errors import Rejected
from courier.images.preview import sample
from tests.support.fakes import FakeAws
from tests.support.screens import Screen
from tests.support.transfers import LocalTransfer


class Requests:
    """What the menu needs of a requester."""

    def prepare(self) -> None:
        """Do nothing."""

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def call(self) -> None:
        """Do nothing."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.png", "My Cat.png", "photos/b.png", "photos/c.png", "photos/old/d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(sample())
    (tmp_path / "photos/notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "dumb")
    return tmp_path


@pytest.fixture
def transfer() -> LocalTransfer:
    aws = FakeAws()
    aws.objects.create_bucket(Bucket="bucket")
    return LocalTransfer(aws)


def walked(transfer: LocalTransfer, *typed: str | list[str] | type[BaseException]) -> Screen:
    """Return the screen after a menu in which this was typed."""
    screen = Screen(*typed, "0", is_terminal=True)
    assert walked_on(transfer, screen) == 0
    return screen


def walked_on(transfer: LocalTransfer, screen: Screen) -> int:
    """Return the exit status of a menu on a screen."""
    commands = ImageCommands(transfer, screen.terminal, Failures(screen.terminal.complain), as_json=False)
    queues = QueueCommands(Requests(), screen.terminal, as_json=False, timeout_seconds=1)  # type: ignore[arg-type]
    menu = ImagesMenu(lambda: commands, Requests(), queues, screen.terminal)  # type: ignore[arg-type]
    return menu.run()


def names(transfer: LocalTransfer, folder: str) -> set[str]:
    return {item.name for item in transfer.names(folder)}


def test_files_folders_and_patterns_are_uploaded_and_several_processed_and_downloaded(
    transfer: LocalTransfer, folder: Path
) -> None:
    screen = walked(
        transfer,
        *("1", r"My\ Cat.png photos"),
        *("2", "", "flip, sepia"),
        *("3", "", "new folder"),
        *("2", "b.png, M*", "grayscale"),
        *("3", "*-grayscale.png", ""),
    )

    assert names(transfer, "unprocessed") == {"My Cat.png", "b.png", "c.png"}
    assert [(one.body, one.options["operations"]) for one in transfer.asked] == [
        *((name, "flip,sepia") for name in ("My Cat.png", "b.png", "c.png")),
        *((name, "grayscale") for name in ("b.png", "My Cat.png")),
    ]
    stems = ("My Cat", "b", "c")
    made = {*(f"{stem}-flip-sepia.png" for stem in stems), "b-grayscale.png", "My Cat-grayscale.png"}
    assert {path.name for path in (folder / "new folder").iterdir()} == made
    assert "3 of 3 files are in the bucket." in screen.shown
    assert "1 file skipped: photos/notes.txt" in screen.errors
    assert "Images, such as 1-3,5 (Enter for the 3 uploaded last): " in screen.keyboard.prompts
    assert "Folder to save in (Enter for new folder): " in screen.keyboard.prompts


def test_what_is_wrong_is_said_and_the_question_put_again(transfer: LocalTransfer) -> None:
    screen = walked(
        transfer,
        *("1", "A.PNG", "photos/old/none.png", "*.gif", "'a.png", "?", "a.png"),
        *("2", "3", "b.png", "?", "1", "spia", "? sepia", "sepia"),
        *("3", "1", "a.png", "?", "."),
    )

    progress = ("Uploading", "Waiting", "Downloading")  # the terminal is a dumb one
    assert [line for line in screen.errors.splitlines() if not line.startswith(progress)] == [
        *("There is no file 'A.PNG'.", "Did you mean a.png?"),
        *("There is no file 'photos/old/none.png'.", "Tab completes names; ? says what can be typed."),
        *("There is no image in *.gif.", "Give files, folders, or patterns such as '*.jpg'."),
        *("The quote ' is not closed.", r"Close it, or write \' for the character itself."),
        *("There is no number 3 in the list.", "Type 1, a name, or a pattern such as *.png; ? shows the list."),
        *("No name in the list is 'b.png'.", "Did you mean a.png?"),
        *("There is no operation 'spia'.", "Did you mean sepia? ? lists all operations."),
        *("'a.png' is not a folder.", "Type a folder; it is made if it is missing."),
    ]
    assert "sepia: brown tones" in screen.shown
    assert names(transfer, "processed") == {"a-sepia.png"}


def test_no_hint_at_a_prompt_names_an_option(transfer: LocalTransfer, folder: Path) -> None:
    (folder / "a-sepia.png").mkdir()
    (folder / "empty/sub").mkdir(parents=True)

    screen = walked(transfer, "1", "empty", "a.png", "2", "", "sepia", "3", "", "", "y")

    assert "--" not in screen.errors
    assert "Type its subfolders" in screen.errors
    assert "Choose another folder." in screen.errors


def test_files_in_the_folder_are_kept_unless_a_yes_is_typed(transfer: LocalTransfer, folder: Path) -> None:
    out = folder / "out"
    out.mkdir()
    for name in ("b-sepia.png", "c-sepia.png"):
        (out / name).write_bytes(b"mine")

    screen = walked(transfer, "1", "a.png photos", "2", "", "sepia", "3", "all", "out", "n")

    assert {path.name: path.read_bytes() == b"mine" for path in out.iterdir()} == {
        "a-sepia.png": False,
        "b-sepia.png": True,
        "c-sepia.png": True,
    }
    assert "2 of these files exist already in out: " in " ".join([screen.shown, *screen.keyboard.prompts])
    assert "Nothing was changed of " in screen.shown

    walked(transfer, "3", "b*", "out", "y")
    assert (out / "b-sepia.png").read_bytes() != b"mine"


def test_what_fails_leaves_the_others(transfer: LocalTransfer, folder: Path) -> None:
    (folder / "photos/b.png").write_bytes(b"")
    transfer.errors = {"a.png": Rejected("a.png is damaged.")}

    screen = walked(transfer, "1", "a.png photos", "2", "", "sepia", "3", "", "")

    assert "2 of 3 files are in the bucket." in screen.shown
    assert "a.png is damaged." in screen.errors
    assert (folder / "c-sepia.png").exists()
    assert "(Enter for c-sepia.png): " in screen.keyboard.prompts[-3]


@pytest.mark.parametrize(
    ("typed", "uploaded", "errors"),
    [
        ("photos/*.png", {"b.png", "c.png"}, ""),
        ("'My Cat.png'", {"My Cat.png"}, ""),
        ("./none.png", set(), "There is no file 'none.png'."),
        ("7.5", set(), "There is no choice '7.5'.\nType 0, 1, 2, 3, 4, 5 or 6, or files to upload"),
        ("a", set(), "There is no choice 'a'."),
    ],
)
def test_files_that_are_dropped_on_the_menu_are_uploaded(
    transfer: LocalTransfer, typed: str, uploaded: set[str], errors: str
) -> None:
    screen = walked(transfer, typed)

    assert names(transfer, "unprocessed") == uploaded
    assert errors in screen.errors


def test_canceled_work_says_what_becomes_of_the_request_and_a_canceled_question_nothing(
    transfer: LocalTransfer,
) -> None:
    def cancel(_name: str) -> NoReturn:
        raise Canceled

    transfer.before_work = cancel

    assert "may still be worked on" in walked(transfer, "a.png", "2", "1", "flip").shown
    assert "may still be worked on" not in walked(transfer, "2", "1", KeyboardInterrupt).shown


def test_only_what_the_user_agrees_to_enters_the_history(transfer: LocalTransfer) -> None:
    for sure, kept in (("n", []), ("y", ["a.png\nphotos/b.png"])):
        screen = walked(transfer, ["a.png", "photos/b.png"], sure, "n")
        assert screen.keyboard.histories.lines("files") == kept


def test_tab_offers_no_name_that_a_terminal_could_take_for_a_command(
    transfer: LocalTransfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[str] = []
    transfer.bucket("unprocessed").store("a\x1b[2J.png", io.BytesIO(sample()), media_type="image/png", is_new=True)
    transfer.bucket("unprocessed").store("a.png", io.BytesIO(sample()), media_type="image/png", is_new=True)
    screen = Screen("2", "1", "", "0", is_terminal=True)
    read_line = screen.keyboard.read_line

    def tab(prompt: str, complete: Complete | None = None, **options: str) -> str:
        offered.extend(complete("a") if complete and prompt.startswith("Images") else [])
        return read_line(prompt, complete, **options)

    monkeypatch.setattr(screen.keyboard, "read_line", tab)

    assert walked_on(transfer, screen) == 0
    assert offered == ["a.png"]


def test_the_sample_is_uploaded_for_an_empty_answer_and_an_empty_bucket_is_said(transfer: LocalTransfer) -> None:
    screen = walked(transfer, "2", "3", "1", "", "2", "", "")

    assert "no image in images/unprocessed/ yet.\nUpload an image first." in screen.errors
    assert "no image in images/processed/ yet.\nProcess an image first." in screen.errors
    assert names(transfer, "processed") == {"sample-grayscale.png"}
    assert io.BytesIO(sample()).read(4) == b"\x89PNG"
