from __future__ import annotations

import os
from pathlib import Path

import pytest

from courier import redaction
from courier.cli import history
from courier.cli.history import MAX_LINE, MAX_LINES, Histories, may_be_kept


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".local/state/courier/history"


def typed(question: str, *lines: str, keeps: bool = True) -> None:
    """Answer a question in a session of its own."""
    histories = Histories(keeps=keeps)
    for line in lines:
        histories.add(question, line)
        histories.keep(question, line)


def later(question: str) -> list[str]:
    return Histories(keeps=True).lines(question)


def test_accepted_answers_are_there_in_a_later_session_and_only_this_user_can_read_them(folder: Path) -> None:
    typed("numbers", "1, 5, 22", "4\n5\n6", "ä", "")
    typed("operations", "sepia")

    assert later("numbers") == ["1, 5, 22", "4\n5\n6", "ä"]
    assert later("operations") == ["sepia"]
    assert [(folder / name).stat().st_mode & 0o777 for name in ("numbers", "operations", "")] == [0o600, 0o600, 0o700]


def test_a_session_has_its_rejected_answers_too() -> None:
    histories = Histories(keeps=True)
    for line in ("1,,2", "1,,2", " "):
        histories.add("numbers", line)

    assert histories.lines("numbers") == ["1,,2"]
    assert later("numbers") == []


def test_names_of_the_bucket_and_commands_are_not_kept(folder: Path) -> None:
    typed("names", "cat.png")
    typed("commands", "1")
    typed("numbers", "1", keeps=False)
    assert later("numbers") == []

    assert not folder.exists()


@pytest.mark.parametrize(
    "line",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = x",
        "export AWS_SESSION_TOKEN=x",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "https://me:pass@host/a.png",
        "https://b.s3.amazonaws.com/a.png?X-Amz-Signature=1",
        "x" * 100,
        "of-this-process-1",
        " private",
        "1," * MAX_LINE,
    ],
)
def test_credentials_private_and_long_lines_are_not_kept(line: str) -> None:
    redaction.remember("of-this-process-1")

    assert not may_be_kept(line)


@pytest.mark.parametrize(
    "line", ["1, 5, 22", "~/photos/Holidays-2024/Image_0001 (1).png", "resize=50%, sepia, convert=webp", "1" * 99]
)
def test_usual_answers_are_kept(line: str) -> None:
    assert may_be_kept(line)


def test_a_history_is_bounded_and_survives_what_is_no_history(folder: Path) -> None:
    typed("numbers", *(str(number) for number in range(2 * MAX_LINES + 1)))
    with (folder / "numbers").open("ab") as file:
        file.write(b'\xff\n{"a": 1}\n"newest"\n"half')

    assert later("numbers") == [*(str(number) for number in range(MAX_LINES + 2, 2 * MAX_LINES + 1)), "newest"]
    assert len((folder / "numbers").read_bytes().splitlines()) == MAX_LINES


def test_a_folder_that_cannot_be_used_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.parent.mkdir(parents=True)
    folder.touch()
    typed("numbers", "1")
    assert later("numbers") == []
    monkeypatch.setenv("HOME", "/nowhere-at-all")
    typed("numbers", "1")
    assert later("numbers") == []
    assert not Path("/nowhere-at-all").exists()


def test_a_file_of_another_user_is_neither_read_nor_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed("numbers", "1")
    monkeypatch.setattr(os, "geteuid", lambda: -1)  # as root under sudo, in the home of another user

    typed("numbers", "2")

    assert later("numbers") == []
    assert (folder / "numbers").read_text() == '"1"\n'


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    typed("numbers", "1")
    (tmp_path / "elsewhere").write_text('"2"\n')
    (folder / "numbers").unlink()
    (folder / "numbers").symlink_to(tmp_path / "elsewhere")

    typed("numbers", "3")

    assert later("numbers") == []
    assert (tmp_path / "elsewhere").read_text() == '"2"\n'


def test_a_file_that_others_could_read_is_closed_to_them(folder: Path) -> None:
    typed("numbers", "1")
    (folder / "numbers").chmod(0o644)

    assert later("numbers") == ["1"]
    assert (folder / "numbers").stat().st_mode & 0o777 == 0o600
    assert history.KEPT
