from __future__ import annotations

from collections.abc import Callable

import pytest

from courier.cli.keyboard import END
from courier.cli.menu import Choice, Other, leave, run_menu
from courier.errors import INTERRUPTED, CourierError, RequestCanceled, WrongUsage
from tests.support.screens import Screen


def menu(screen: Screen, action: Callable[[], object]) -> int:
    choices = [Choice(key="1", label="Do it", action=action), Choice(key="0", label="Exit", action=leave)]
    return run_menu(screen.terminal, "Title", choices)


def fail() -> None:
    raise CourierError("It broke.", hint="Fix it.")


def crash() -> None:
    raise ValueError("a bug")


def cancel() -> None:
    raise RequestCanceled


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_menu_does_what_is_chosen_until_exit_is() -> None:
    done: list[int] = []
    screen = Screen("1", " 1 ", "0")

    assert menu(screen, lambda: done.append(1)) == 0
    assert done == [1, 1]
    assert "  1  Do it\n  0  Exit\n" in screen.shown


def test_a_menu_does_not_come_again_once_the_program_is_to_end() -> None:
    screen = Screen("1", "0")
    screen.terminal.reset = lambda: False  # SIGTERM, or the terminal was closed

    with pytest.raises(KeyboardInterrupt):
        menu(screen, interrupt)
    assert "back to the menu" not in screen.shown
    assert screen.shown.count("Title") == 1


def test_a_choice_that_is_none_gets_a_sentence_and_the_question_again() -> None:
    screen = Screen("7", "0")

    assert menu(screen, fail) == 0
    assert "'7'" in screen.errors
    assert "Type 0 or 1." in screen.errors
    assert screen.keyboard.prompts == ["Your choice: ", "Your choice: "]


def test_enter_alone_and_a_question_mark_show_the_menu_again() -> None:
    screen = Screen("", " ", "?", "0")

    assert menu(screen, fail) == 0
    assert screen.errors == ""
    assert screen.shown.count("Title") == 4


@pytest.mark.parametrize(("lines", "whole"), [(29, 2), (30, 4), (None, 4)])
def test_a_low_terminal_shows_the_menu_only_at_first_and_after_enter(
    lines: int | None, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen("1", "1", "", "0")
    monkeypatch.setattr("courier.cli.output.lines", lambda _file: lines)

    assert menu(screen, lambda: None) == 0
    assert screen.shown.count("  1  Do it\n  0  Exit\n") == whole
    assert screen.shown.count("Title: 0 to 1; Enter shows") == 4 - whole


def menu_with_lists(screen: Screen, done: list[str]) -> int:
    """Run a menu whose action 1 is to do nothing, and which takes lists with a comma, but for those that end in x."""

    def action_of(text: str) -> Callable[[], object] | None:
        if text.endswith("x"):
            raise WrongUsage("That is no list.")
        return (lambda: done.append(text)) if "," in text or "\n" in text else None

    choices = [Choice(key="1", label="Do it", action=int), Choice(key="0", label="Exit", action=leave)]
    other = Other(example="a list such as 1, 2", action_of=action_of, question="Is it one list?")
    return run_menu(screen.terminal, "Title", choices, other)


def test_a_list_that_is_no_choice_is_done_and_what_is_neither_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    done: list[str] = []
    screen = Screen("1, 5", "7", "5,x", "5, 6", "0", is_terminal=True)

    assert menu_with_lists(screen, done) == 0
    assert done == ["1, 5", "5, 6"]
    assert screen.errors.splitlines() == [
        "There is no choice '7'.",
        "Type 0 or 1, or a list such as 1, 2.",
        "That is no list.",
        "Edit the line, or clear it with Ctrl-U.",
    ]
    prompt = "Your choice: "
    assert screen.keyboard.prompts == [prompt, prompt, prompt, f"{prompt}5,x", prompt]


@pytest.mark.parametrize(
    ("typed", "done"),
    [
        ([["4", "5", "6"], "y", "0"], ["4\n5\n6"]),
        ([["4", "5", "6"], "n", "n", "0"], []),
        ([["1", "1", "0"], "n", "0"], []),  # they can be choices, and are asked about as such
        ([["4", "x"], "n", "0"], []),
    ],
)
def test_lines_that_come_at_once_can_be_one_list(typed: list[str | list[str]], done: list[str]) -> None:
    found: list[str] = []
    screen = Screen(*typed)

    assert menu_with_lists(screen, found) == 0
    assert found == done
    assert "Is it one list? [y/N]: " in screen.keyboard.prompts or typed[0] != ["4", "5", "6"]


@pytest.mark.parametrize(
    ("action", "error", "shown"),
    [
        (fail, "It broke.\nFix it.\n", ""),
        (crash, "ValueError: a bug\n", ""),
        (interrupt, "", "back to the menu.\n"),
        (cancel, "", "back to the menu. The request may still be worked on"),
    ],
)
def test_nothing_that_goes_wrong_ends_the_menu(action: Callable[[], None], error: str, shown: str) -> None:
    screen = Screen("1", "0")

    assert menu(screen, action) == 0
    assert screen.errors.endswith(error)
    assert bool(screen.errors) == bool(error)
    assert shown in screen.shown
    assert screen.keyboard.prompts == ["Your choice: ", "Your choice: "]


@pytest.mark.parametrize(("typed", "status"), [(EOFError, 0), (KeyboardInterrupt, INTERRUPTED)])
def test_ctrl_d_and_ctrl_c_at_the_prompt_leave(typed: type[BaseException], status: int) -> None:
    assert menu(Screen(typed), fail) == status


def test_a_column_that_is_pasted_at_the_menu_chooses_nothing_by_itself() -> None:
    done: list[int] = []
    screen = Screen(["1", "1", "0"], "n", "0")

    assert menu(screen, lambda: done.append(1)) == 0
    assert done == []
    assert "3 lines were" in screen.shown
    assert "'1', '1', '0'" in screen.shown


def test_lines_that_were_typed_ahead_are_taken_after_a_yes() -> None:
    done: list[str] = []
    screen = Screen(["1", "mine", "1", "yours", "0"], "y")

    assert menu(screen, lambda: done.append(screen.terminal.ask("Name", str))) == 0
    assert done == ["mine", "yours"]
    assert "Name: mine\n" in screen.shown


def test_what_is_typed_while_a_choice_is_done_is_asked_about() -> None:
    done: list[int] = []
    screen = Screen("1", "n", "0")

    def action() -> None:
        done.append(1)
        screen.keyboard.ahead = ["1", "\x1b[2J"]

    assert menu(screen, action) == 0
    assert done == [1]
    assert "2 lines were" in screen.shown
    assert r"'1', '\x1b[2J'" in screen.shown


@pytest.mark.parametrize("typed", ["y", "Y", "yes"])
def test_no_confirmation_takes_what_was_typed_ahead_of_it(typed: str) -> None:
    sure: list[bool] = []
    screen = Screen(["1", typed, "0"], "y", "n", "n", "0")

    assert menu(screen, lambda: sure.append(screen.terminal.confirm("Delete all?"))) == 0
    assert sure == [False]
    assert f"not taken as the answer: '{typed}', '0'" in screen.errors


def test_ctrl_d_that_was_typed_ahead_leaves_and_empty_lines_are_nothing() -> None:
    screen = Screen("1", "1")
    ahead = iter([["", " "], [END]])

    def action() -> None:
        screen.keyboard.ahead = next(ahead)

    assert menu(screen, action) == 0
    assert "ahead" not in screen.shown


def test_many_long_lines_are_shown_in_few_words() -> None:
    screen = Screen(["x" * 1000] * 1000, "n", "0")

    menu(screen, fail)

    assert "1,000 lines" in screen.shown
    assert len(screen.shown) < 1000
