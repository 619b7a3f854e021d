from __future__ import annotations

import pytest

from courier.errors import WrongUsage
from tests.support.screens import Screen


def a_number(text: str) -> int:
    if not text.isdigit():
        raise WrongUsage("That is no number.")
    return int(text)


def test_an_answer_is_requested_until_it_is_good() -> None:
    screen = Screen("x", "5")

    assert screen.terminal.ask("How many", a_number) == 5
    assert screen.errors == "That is no number.\n"


@pytest.mark.parametrize(
    ("term", "plain", "history", "shown"),
    [
        ("xterm", False, "length", "x1"),
        ("xterm", False, "", ""),
        ("dumb", False, "length", ""),
        ("xterm", True, "length", ""),
    ],
)
def test_a_rejected_answer_can_be_edited_where_that_can_be_seen(
    monkeypatch: pytest.MonkeyPatch, term: str, *, plain: bool, history: str, shown: str
) -> None:
    monkeypatch.setenv("TERM", term)
    screen = Screen("x1", "1", is_terminal=True, plain=plain)

    assert screen.terminal.ask("How many", a_number, history=history) == 1
    assert screen.keyboard.prompts == ["How many: ", f"How many: {shown}"]
    assert ("Ctrl-U" in screen.errors) is bool(shown)


def test_how_to_clear_a_line_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen("x", "y", "1", is_terminal=True)

    screen.terminal.ask("How many", a_number, history="length")

    assert screen.errors.count("Ctrl-U") == 1


def test_a_paste_of_lines_and_a_long_line_are_not_shown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen("x\n1", "x" * 501, "1", is_terminal=True)

    assert screen.terminal.ask("How many", a_number, history="length") == 1
    assert screen.keyboard.prompts == ["How many: "] * 3


def test_a_question_mark_is_explained_and_the_question_put_again() -> None:
    screen = Screen("?", "? sepia ", "?flip", "5")
    explained: list[str] = []

    assert screen.terminal.ask("How many", a_number, history="length", explain=explained.append) == 5
    assert explained == ["", "sepia", "flip"]
    assert screen.errors == ""


def test_a_pattern_that_begins_with_a_question_mark_is_an_answer() -> None:
    assert Screen("?at.*").terminal.ask("Files", str, explain=lambda _name: pytest.fail("explained")) == "?at.*"


def test_an_answer_that_is_no_text_is_requested_again(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    answers = iter([b"\xff", b"5"])

    def read(_prompt: str, _complete: object, **_options: str) -> str:
        return next(answers).decode()

    monkeypatch.setattr(screen.keyboard, "read_line", read)

    assert screen.terminal.ask("How many", a_number) == 5
    assert "encoding" in screen.errors


@pytest.mark.parametrize(("typed", "sure"), [("y", True), ("YES", True), ("", False), ("n", False)])
def test_only_a_yes_is_a_yes(typed: str, *, sure: bool) -> None:
    assert Screen("perhaps", typed).terminal.confirm("Really?") is sure


def test_a_yes_that_comes_with_other_lines_does_not_count() -> None:
    screen = Screen(["y", "5"], "n")

    assert screen.terminal.confirm("Really?") is False
    assert "is ignored" in screen.errors


def test_a_long_question_is_broken_at_words_and_has_no_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    screen = Screen("", is_terminal=True)

    screen.terminal.confirm("a\x1b[2J.png exists already. Shall it be replaced?")

    assert screen.shown.splitlines() == [r"a\x1b[2J.png exists already."]
    assert screen.keyboard.prompts == ["Shall it be replaced? [y/N]: "]


def test_a_menu_needs_a_person_at_both_ends() -> None:
    Screen(is_terminal=True).terminal.require_person()

    with pytest.raises(WrongUsage, match="terminal"):
        Screen().terminal.require_person()
