from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from rich.console import Console

from courier.errors import INTERRUPTED, CourierError, WrongUsage
from courier.terminal import Choice, Terminal, leave


class Screen:
    """A terminal whose lines are given beforehand and whose output is kept."""

    def __init__(self, *typed: str | type[BaseException], interactive: bool = False) -> None:
        self._typed: Iterator[str | type[BaseException]] = iter(typed)
        self.out, self.err = io.StringIO(), io.StringIO()
        self.terminal = Terminal(self._console(self.out, interactive), self._console(self.err, interactive), self._read)
        self.prompts: list[str] = []

    def _console(self, file: io.StringIO, interactive: bool) -> Console:  # noqa: FBT001
        return Console(
            file=file, width=80, markup=False, highlight=False, force_terminal=interactive, color_system=None
        )

    def _read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        typed = next(self._typed, EOFError)
        if isinstance(typed, str):
            return typed
        raise typed


def menu(screen: Screen, action: Callable[[], object]) -> int:
    choices = [Choice(key="1", label="Do it", action=action), Choice(key="0", label="Exit", action=leave)]
    return screen.terminal.run_menu("Title", choices)


def fail() -> None:
    raise CourierError("It broke.", hint="Mend it.")


def crash() -> None:
    raise ValueError("a bug")


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_menu_does_what_is_chosen_until_exit_is() -> None:
    done: list[int] = []
    screen = Screen("1", " 1 ", "0")

    assert menu(screen, lambda: done.append(1)) == 0
    assert done == [1, 1]
    assert "  1  Do it\n  0  Exit\n" in screen.out.getvalue()


def test_a_choice_that_is_none_gets_a_sentence_and_the_question_again() -> None:
    screen = Screen("7", "0")

    assert menu(screen, fail) == 0
    assert "There is no choice '7'.\nType one of 1, 0.\n" in screen.err.getvalue()
    assert screen.prompts == ["Your choice: ", "Your choice: "]


@pytest.mark.parametrize(
    ("action", "said"),
    [(fail, "It broke.\nMend it.\n"), (crash, "A fault of this program: ValueError: a bug\n"), (interrupt, "")],
)
def test_nothing_that_goes_wrong_ends_the_menu(action: Callable[[], None], said: str) -> None:
    screen = Screen("1", "0")

    assert menu(screen, action) == 0
    assert said in screen.err.getvalue()


@pytest.mark.parametrize(("typed", "status"), [(EOFError, 0), (KeyboardInterrupt, INTERRUPTED)])
def test_ctrl_d_and_ctrl_c_at_the_prompt_leave(typed: type[BaseException], status: int) -> None:
    assert menu(Screen(typed), fail) == status


def test_an_answer_is_asked_for_until_it_is_good() -> None:
    def read(text: str) -> int:
        if not text.isdigit():
            raise WrongUsage("That is no number.")
        return int(text)

    screen = Screen("x", "5")

    assert screen.terminal.ask("How many", read) == 5
    assert screen.err.getvalue() == "That is no number.\n"


@pytest.mark.parametrize(("typed", "sure"), [("y", True), ("YES", True), ("", False), ("n", False)])
def test_only_a_yes_is_a_yes(typed: str, *, sure: bool) -> None:
    assert Screen("perhaps", typed).terminal.confirm("Really?") is sure


def test_text_from_outside_is_neither_markup_nor_an_escape() -> None:
    screen = Screen(interactive=True)

    screen.terminal.say("a[/b].png [bold]\x1b[2J:smile:")
    screen.terminal.show_pairs("[t]", {"[k]": "\x1b[31m"})
    screen.terminal.show_table("[/t]", ("name",), [["[/red]\x07"]])
    screen.terminal.complain(CourierError("bad\x1b[0m"))

    out = screen.out.getvalue()
    assert r"a[/b].png [bold]\x1b[2J:smile:" in out
    assert r"[/red]\x07" in out
    assert r"bad\x1b[0m" in screen.err.getvalue()
    assert "\x1b" not in out.replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\x1b[3m", "")


def test_nothing_spins_where_nobody_watches() -> None:
    screen = Screen()

    with screen.terminal.waiting("Waiting"), screen.terminal.moving("Moving") as moved:
        moved.expect(10)
        moved.advance(5)

    assert screen.err.getvalue() == screen.out.getvalue() == ""


def test_a_person_sees_what_is_waited_for_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen(interactive=True)

    with screen.terminal.waiting("Waiting for [it]"):
        pass
    with screen.terminal.moving("Moving [it]") as moved:
        moved.expect(10)
        moved.advance(10)

    assert "Waiting for [it]" in screen.err.getvalue()
    assert "Moving [it]" in screen.err.getvalue()
    assert "10/10 bytes" in screen.err.getvalue()


def test_a_dumb_terminal_is_told_once_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    screen = Screen(interactive=True)

    with screen.terminal.waiting("Waiting"):
        pass

    assert screen.err.getvalue() == "Waiting\n"


def test_a_batch_shows_how_many_are_done_and_how_much_was_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen, silent = Screen(interactive=True), Screen()

    for one in (screen, silent):
        with one.terminal.gathering("Pictures", 2) as (moved, advance):
            moved.expect(1_500_000)
            moved.advance(1_500_000)
            advance()
            moved.expect(500_000)
            moved.advance(300_000)
            advance()

    assert "2 of 2" in screen.err.getvalue()
    assert "1.8 of 2.0 MB" in screen.err.getvalue()
    assert silent.err.getvalue() == ""


def test_answers_are_counted_where_they_do_not_come_on_this_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out, err = Screen(), Screen(interactive=True)
    terminal = Terminal(out.terminal._console, err.terminal._errors)
    both = Screen(interactive=True)

    for one in (terminal, both.terminal):
        with one.counting("answered") as advance:
            advance(1_234)

    assert "1,234 answered" in err.err.getvalue()
    assert both.err.getvalue() == ""


def test_pictures_are_shown_side_by_side_where_there_are_colours() -> None:
    red, blue = (255, 0, 0), (0, 0, 255)
    tall, small = [[(red, blue)] * 2] * 2, [[(blue, red)] * 3]
    file = io.StringIO()
    colourful = Terminal(Console(file=file, width=40, force_terminal=True, color_system="truecolor"))
    plain = Screen(interactive=True)

    colourful.show_pictures([tall, small])
    plain.terminal.show_pictures([tall, small])

    lines = file.getvalue().splitlines()
    assert [line.count("\N{UPPER HALF BLOCK}") for line in lines] == [5, 2]
    assert "\x1b[38;2;255;0;0;48;2;0;0;255m" in lines[0]
    assert colourful.shows_pictures
    assert not plain.terminal.shows_pictures
    assert plain.out.getvalue() == ""


def test_tab_offers_what_fits_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    readline = pytest.importorskip("readline")
    offered: list[Callable[[str, int], str | None]] = []
    monkeypatch.setattr(readline, "set_completer", offered.append)

    Screen("x").terminal.ask("Name", str, lambda _text: ["cat.png", "cow.png", "dog.png"])

    (offer,) = offered
    assert [offer("c", number) for number in range(3)] == ["cat.png", "cow.png", None]
