"""The numbers menu, with a worker in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from courier import testing
from courier.cli.numbers_menu import NumbersMenu
from tests.support.numbers_worker import numbers_answered, numbers_on
from tests.support.screens import Screen


@pytest.fixture(autouse=True)
def queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[testing.Queues]:
    monkeypatch.setenv("TERM", "dumb")
    with numbers_answered() as made:
        yield made


def walked(*typed: str | Sequence[str] | type[BaseException]) -> Screen:
    """Return the screen after a menu in which this was typed."""
    screen = Screen(*typed, "0", is_terminal=True)
    assert NumbersMenu(numbers_on(screen), screen.terminal).run() == 0
    return screen


def test_numbers_are_typed_one_by_one_or_as_lists_and_an_empty_line_sends_them() -> None:
    screen = walked("3", "1", "2.5; 3e1", "", "1")

    assert "3 numbers: 1, 2.5, 3e1\n" in screen.shown
    assert screen.keyboard.prompts[1:4] == ["Numbers: ", "More, or Enter to send: ", "More, or Enter to send: "]
    assert screen.shown.count(" numbers: ") == 2  # and those of the pre-made message


def test_a_wrong_number_is_said_and_the_others_stay() -> None:
    screen = walked("3", "1", "x", "2", "")

    assert "'x'" in screen.errors + screen.shown
    assert "2 numbers: 1, 2\n" in screen.shown


def test_ctrl_d_sends_what_was_typed_and_without_anything_goes_back() -> None:
    assert "1 number: 7\n" in walked("3", "7", EOFError).shown
    assert " number" not in walked("3", EOFError).shown.partition("An empty line sends them.")[2].replace(
        "Courier: numbers", ""
    ).replace("your own numbers", "")


def test_nothing_typed_sends_nothing() -> None:
    assert "No numbers were typed, so nothing was sent." in walked("3", "").shown


@pytest.mark.parametrize("typed", ["1, 5, 22", "-1 5 24", "1\t5\t22"])
def test_a_list_typed_at_the_menu_is_sent(typed: str) -> None:
    shown = walked(typed).shown

    assert "3 numbers: " in shown
    assert "28" in shown


@pytest.mark.parametrize("typed", ["5", "two words", "file 5", "9 lives x"])
def test_what_is_no_list_is_no_request(typed: str) -> None:
    assert " numbers: " not in walked(typed).shown.replace("Courier: numbers", "")


def test_a_list_with_an_error_is_named_at_the_menu() -> None:
    screen = walked("1, 5, 2x")

    assert "'2x'" in screen.shown + screen.errors


def test_a_random_message_has_the_length_that_is_given() -> None:
    screen = walked("2", "0", "many", "30")

    assert "30 numbers: " in screen.shown
    assert (screen.shown + screen.errors).count("must be a whole number from 1 to") == 2


def test_percentiles_are_shown_until_others_are_chosen() -> None:
    screen = walked("7", "5, 95", "1, 2", "7", "", "3, 4")

    first, second = screen.shown.split("2 numbers: ")[1:]
    assert "p95" in first
    assert "p95" not in second
