from __future__ import annotations

import os
import sys
import termios
from collections.abc import Callable

import pytest

from courier.cli.keyboard import END, Keyboard

readline = pytest.importorskip("readline")

Complete = Callable[[str, int], str | None]


def test_what_was_typed_ahead_is_taken_by_lines(typing: Callable[[str], None]) -> None:
    typing("1\n\nä b\n")

    assert Keyboard().take_lines() == ["1", "", "ä b"]
    assert Keyboard().take_lines() == []


def test_ctrl_d_ends_a_line_of_its_own(typing: Callable[[str], None]) -> None:
    typing("1\n\x04")

    assert Keyboard().take_lines() == ["1", END]


def test_what_others_have_read_comes_before_what_is_typed_then(typing: Callable[[str], None]) -> None:
    board = Keyboard(lambda _prompt: "")
    board.give_back(b"\xc3\xa4\n1")
    typing("2\n3\n")

    assert board.take_lines() == ["ä", "12", "3"]

    board.give_back(b"4\n5")
    board.read_line("Numbers: ")
    assert board.held == ["4"]
    assert board.take_lines() == []


def test_the_beginning_of_a_line_is_left_to_be_edited(
    typing: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks: list[Callable[[], None] | None] = []
    inserted: list[str] = []
    monkeypatch.setattr(readline, "set_startup_hook", hooks.append)
    monkeypatch.setattr(readline, "insert_text", inserted.append)
    board = Keyboard(lambda _prompt: "")
    typing("1\n2")

    assert board.take_lines() == ["1"]
    for begin in ("rejected", "rejected", ""):  # what was typed last goes before what is only shown again
        board.read_line("Numbers: ", begin=begin)

    for hook in hooks:
        if hook:
            hook()
    assert inserted == ["2", "rejected"]
    assert hooks[-1] is None


def test_the_next_line_of_a_paste_does_not_go_on_in_a_rejected_one(
    typing: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks: list[object] = []
    monkeypatch.setattr(readline, "set_startup_hook", hooks.append)
    typing("5\n")

    Keyboard(lambda _prompt: "").read_line("Numbers: ", begin="1e")

    assert hooks == [None]


def test_a_question_has_a_history_of_its_own() -> None:
    typed = iter(["1", "1", "", "2", "cat.png"])
    board = Keyboard(lambda _prompt: next(typed))
    for _ in range(4):
        board.read_line("Numbers: ", question="numbers")

    board.read_line("Name: ", question="names")
    assert _history() == []
    typed = iter([""])
    board.read_line("Numbers: ", question="numbers")
    assert _history() == ["1", "2"]


def _history() -> list[str]:
    return [readline.get_history_item(number) for number in range(1, readline.get_current_history_length() + 1)]


def test_the_terminal_is_as_it_was(typing: Callable[[str], None]) -> None:
    before = termios.tcgetattr(sys.stdin.fileno())
    typing("1\n")

    Keyboard().take_lines()

    assert termios.tcgetattr(sys.stdin.fileno()) == before


def test_nothing_is_taken_from_a_pipe_or_a_missing_input(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"1\n2\n")
    os.close(writing)
    with open(reading) as pipe:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", pipe)
        assert Keyboard().take_lines() == []
        assert not Keyboard().is_there
        assert pipe.read() == "1\n2\n"
    monkeypatch.setattr(sys, "stdin", None)
    assert Keyboard().take_lines() == []


@pytest.mark.parametrize(
    ("length", "is_erased"), [(80 * 24, False), (80 * 24 + 7, True), (80 * 25, False), (100, False)]
)
def test_what_readline_leaves_behind_a_line_that_is_longer_than_the_screen_is_erased(
    length: int, monkeypatch: pytest.MonkeyPatch, *, is_erased: bool
) -> None:
    leader, follower = os.openpty()
    termios.tcsetwinsize(leader, (24, 80))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLUMNS", raising=False)
    with open(follower, "w", encoding="utf-8") as stdout:  # noqa: PTH123  it is a descriptor
        monkeypatch.setattr(sys, "stdout", stdout)
        Keyboard(lambda _prompt: "5" * length).read_line("")
        stdout.write(".")
        stdout.flush()
        written = os.read(leader, 1_000)
    os.close(leader)

    assert (b"\x1b[A\x1b[8G\x1b[K" in written) is is_erased
