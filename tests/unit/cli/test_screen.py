from __future__ import annotations

import io

import pytest
from rich.console import Console

from courier.cli.screen import Screen as RealScreen
from courier.errors import CourierError
from tests.support.screens import File, Screen

LONG = "one two three four five six seven eight nine"


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def test_text_from_outside_is_neither_markup_nor_an_escape() -> None:
    screen = Screen(is_terminal=True)

    screen.terminal.say("a[/b].png [bold]\x1b[2J:smile:")
    screen.terminal.show_pairs("[t]", {"[k]": "\x1b[31m"})
    screen.terminal.show_table("[/t]", ("name",), [["[/red]\x07"]])
    screen.terminal.complain(CourierError("bad\x1b[0m"))

    assert r"a[/b].png [bold]\x1b[2J:smile:" in screen.shown
    assert r"[/red]\x07" in screen.shown
    assert r"\x1b[31m" in screen.shown
    assert r"bad\x1b[0m" in screen.errors
    assert "\x1b" not in screen.shown + screen.errors


def test_sentences_are_broken_at_words_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    narrow, piped = Screen(is_terminal=True), Screen()

    for screen in (narrow, piped):
        screen.terminal.say(LONG)
        screen.terminal.complain(CourierError(LONG, hint=LONG))

    assert narrow.shown.splitlines() == ["one two three four", "five six seven eight", "nine"]
    assert narrow.errors.splitlines() == ["one two three four", "five six seven eight", "nine"] * 2
    assert piped.shown == LONG + "\n"
    assert piped.errors == f"{LONG}\n{LONG}\n"


def test_rows_are_written_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen = Screen(is_terminal=True)
    row = '{"numbers": [1, 2, 3], "text": "[bold]:smile:\t\\u001b"}'

    screen.terminal.row(row)

    assert screen.shown == row + "\n"


def test_the_drawing_of_an_error_stays_under_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    screen = Screen(is_terminal=True)
    error = CourierError("Bad.")
    error.drawing = f"{'1' * 40}x{'2' * 40}\n{' ' * 40}^"

    screen.terminal.complain(error)

    _, line, caret = screen.errors.splitlines()
    assert line[caret.index("^")] == "x"
    assert (line[0], line[-1], len(line)) == ("…", "…", 20)


@pytest.mark.parametrize(("columns", "is_boxed"), [("40", True), ("20", False)])
def test_a_long_number_is_folded_with_a_mark(monkeypatch: pytest.MonkeyPatch, columns: str, *, is_boxed: bool) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    screen = Screen(is_terminal=True)
    number = "1234567890" * 5

    screen.terminal.show_pairs("Statistics", {"a longer name": number, "max": "7"})

    assert ("│" in screen.shown) == is_boxed
    if is_boxed:
        pieces = [line.split("│")[2].strip() for line in screen.shown.splitlines() if "│" in line][:-1]
        assert all(piece.endswith("\\") for piece in pieces[:-1])
        assert "".join(piece.removesuffix("\\") for piece in pieces) == number
        assert all(len(line) <= 40 for line in screen.shown.splitlines())
    else:
        assert number in screen.shown.replace("\\\n", "")


def test_nothing_is_cut_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    screen = Screen()

    screen.terminal.show_pairs("Statistics", {"max": "9" * 400})
    screen.terminal.show_table("Names", ("name", "bytes"), [["n" * 200, "1,234"]])

    assert "9" * 400 in screen.shown
    assert f"│ {'n' * 200} │ 1,234 │" in screen.shown


def test_a_table_that_is_too_wide_becomes_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    screen = Screen(is_terminal=True)

    screen.terminal.show_table("List: 1", ("name", "bytes", "stored"), [["a-longer-name.png", "12,345", "2026-11-25"]])

    assert screen.shown.splitlines() == ["List: 1", "a-longer-name.png", "  bytes: 12,345", "  stored: 2026-11-25"]


def test_the_last_column_of_a_table_in_words_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    screen = Screen(is_terminal=True)

    screen.terminal.show_table("Operations", ("name", "what"), [["sepia", LONG]], in_words=True)

    cells = [line.split("│")[2].split() for line in screen.shown.splitlines() if line.startswith("│")]
    assert [word for cell in cells for word in cell] == LONG.split()
    assert all(len(line) <= 40 for line in screen.shown.splitlines())


def test_plain_output_has_a_fact_a_line_and_draws_nothing() -> None:
    screen = Screen(is_terminal=True, plain=True)

    screen.terminal.show_pairs("Statistics", {"max": "7"})
    screen.terminal.show_table("List", ("name", "bytes"), [["a.png", "5"]])
    with screen.terminal.waiting("Waiting"), screen.terminal.moving("Moving") as moved:
        moved.advance(5)
        moved.begin("Working")
    with screen.terminal.gathering("Images", 2) as (_, advance):
        advance()

    assert screen.shown.splitlines() == ["Statistics", "max: 7", "List", "a.png", "  bytes: 5"]
    assert screen.errors == "Waiting\nMoving\nWorking\nImages\n"
    assert not screen.terminal.shows_images


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"])
def test_nothing_is_drawn_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    out, err = File(is_terminal=False), File(is_terminal=False)
    terminal = RealScreen(Console(file=out), Console(file=err))

    with terminal.waiting("Waiting"), terminal.moving("Moving") as moved, terminal.counting("answered") as count:
        moved.expect(10)
        moved.advance(5)
        count(1)

    assert err.getvalue() == out.getvalue() == ""


@pytest.mark.parametrize("name", ["dumb", "unknown", None])
def test_a_terminal_that_draws_nothing_is_reported_once_what_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    monkeypatch.setenv("TERM", name) if name else monkeypatch.delenv("TERM")
    screen = Screen(is_terminal=True)

    with screen.terminal.waiting("Waiting"):
        pass

    assert screen.errors == "Waiting\n"


def test_a_person_sees_what_is_waited_for_and_how_far_it_is() -> None:
    screen = Screen(is_terminal=True)

    with screen.terminal.waiting("Waiting for [it]"), screen.terminal.moving("Moving [it] {x}") as moved:
        moved.expect(10_000)
        moved.advance(10_000)
        moved.begin("Working [through] it")
        moved.expect(10_000)
        moved.advance(5_000)

    assert "Waiting for [it]" in screen.errors
    assert "Moving [it] {x}" in screen.errors
    assert "Working [through] it" in screen.errors
    assert "5 of 10 kB" in screen.errors


def test_a_batch_shows_how_many_are_done_and_how_much_was_moved() -> None:
    screen = Screen(is_terminal=True)

    with screen.terminal.gathering("Images", 2) as (moved, advance):
        moved.expect(1_500_000)
        moved.advance(1_500_000)
        advance()
        moved.expect(500_000)
        moved.advance(300_000)
        advance()

    assert "2 of 2" in screen.errors
    assert "1.8 of 2.0 MB" in screen.errors


def test_answers_are_counted_where_they_do_not_come_on_this_terminal() -> None:
    out, err = File(is_terminal=False), File(is_terminal=True)
    both = Screen(is_terminal=True)

    for one in (RealScreen(Console(file=out), Console(file=err)), both.terminal):
        with one.counting("answered", 2_000) as advance:
            for _ in range(1_234):
                advance(1)

    assert "1,234 answered" in err.getvalue()
    assert "62%" in err.getvalue()
    assert both.errors == ""


def test_a_reader_that_went_away_is_met_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Gone())
    terminal = RealScreen()

    for show in (terminal.say, terminal.row, lambda text: terminal.show_pairs(text, {"a": "b"})):
        with pytest.raises(BrokenPipeError):
            show("text")
