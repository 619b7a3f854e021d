"""Line editing as readline does it: Tab, pastes, the lines of before, and a beginning to edit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

import pexpect
import pytest

from courier.cli import line_editing
from courier.cli.keyboard import Keyboard
from tests.support.place import ROOT
from tests.support.terminal import ANSWER_SECONDS

readline = pytest.importorskip("readline")

#: Asks for lines in a terminal until one is empty, and shows each with what it was.
PROGRAM = """
import readline
from courier.cli import line_editing

while True:
    line_editing.set_up(
        readline, lambda _line: ["photos/cat.png", "photos/cow.png"], begin="1e", lines=["first", "second"],
        is_marked=True, has_more=lambda: False,
    )
    print("got", repr(input("> ")))
"""


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that readline gets."""
    commands: list[str] = []
    monkeypatch.setattr(readline, "parse_and_bind", commands.append)
    return commands


def completer_of(
    complete: Callable[[str], Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, int], str]:
    offered: list[Callable[[str, int], str]] = []
    monkeypatch.setattr(readline, "set_completer", offered.append)
    Keyboard(lambda _prompt: "").read_line("Name: ", complete)
    (offer,) = offered
    return offer


@pytest.mark.parametrize("marks", ["on", "off"])
def test_tab_completes_only_where_there_is_something_to_complete(
    bound: list[str], monkeypatch: pytest.MonkeyPatch, marks: str
) -> None:
    monkeypatch.setattr("courier.cli.output.can_move_cursor", lambda _stream: marks == "on")
    Keyboard(lambda _prompt: "").read_line("Numbers: ")
    Keyboard(lambda _prompt: "").read_line("Name: ", lambda _text: ["cat.png"])

    paste = f"set enable-bracketed-paste {marks}"
    assert bound == [paste, "tab: self-insert", paste, "tab: complete"]


def test_libedit_gets_its_own_commands(bound: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readline, "__doc__", "command line editing using libedit readline")

    Keyboard(lambda _prompt: "").read_line("Numbers: ")

    assert bound == ["bind ^I ed-insert"]


@pytest.mark.usefixtures("typing")
@pytest.mark.parametrize(
    ("line", "text", "offered"),
    [
        ("c", "c", ["cat.png", "cow.png", None]),
        ("x/c", "c", ["cats/", None]),  # of a path, the part that is being typed
    ],
)
def test_tab_offers_what_fits_what_was_typed(
    monkeypatch: pytest.MonkeyPatch, line: str, text: str, offered: list[str | None]
) -> None:
    monkeypatch.setattr(readline, "get_line_buffer", lambda: line + " behind the cursor")
    monkeypatch.setattr(readline, "get_endidx", lambda: len(line))
    offer = completer_of(lambda _text: ["cat.png", "cow.png", "dog.png", "x/cats/"], monkeypatch)

    assert [offer(text, number) for number in range(len(offered))] == offered


def test_a_tab_within_a_paste_is_a_tab(typing: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    offer = completer_of(lambda _text: ["cat.png", "cow.png"], monkeypatch)
    typing("7\n")

    assert [offer("c", number) for number in range(2)] == ["c\t", None]


def test_the_lines_of_before_replace_those_of_another_question() -> None:
    def set_up(*lines: str) -> None:
        line_editing.set_up(readline, None, begin="", lines=lines, is_marked=False, has_more=lambda: False)

    set_up("1", "2")
    set_up("cat.png", "\udcff", "dog.png")

    count = readline.get_current_history_length()
    held = [readline.get_history_item(number) for number in range(1, count + 1)]
    assert [line for line in held if line.isprintable()] == ["cat.png", "dog.png"]
    assert readline.get_completer() is None


def test_a_person_edits_the_beginning_completes_a_path_and_brings_back_a_line() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    child: pexpect.spawn[str] = pexpect.spawn(
        sys.executable, ["-c", PROGRAM], encoding="utf-8", env=env, timeout=ANSWER_SECONDS
    )
    for typed, said in (
        ("5\r", "'1e5'"),
        ("\x15photos/ca\t\r", "'photos/cat.png'"),
        ("\x1b[A\r", "'second'"),
        ("\x1b[A\x1b[A\r", "'first'"),
        ("\x15\x1b[200~a\tb\x1b[201~\r", "'a\\\\tb'"),
    ):
        child.expect_exact("> ")
        child.send(typed)
        child.expect("got (.*)\r\n")
        assert child.match
        assert child.match[1] == said.replace("\\\\", "\\")  # type: ignore[index]
    child.close(force=True)
