"""The live region on a model of a terminal: what is printed above it stays whole, and nothing of it is left."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pyte
import pytest
from rich.console import Console
from rich.text import Text

from courier.cli import progress_display
from tests.support.screens import File


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> File:
    monkeypatch.setenv("TERM", "xterm-256color")
    return File(is_terminal=True)


def region_on(file: File) -> progress_display.Region:
    return progress_display.Region(Console(file=file, width=40, height=24, color_system=None))


def screen(file: File, columns: int = 40) -> list[str]:
    model = pyte.Screen(columns, 600)
    pyte.Stream(model).feed(file.getvalue().replace("\n", "\r\n"))
    return "\n".join(line.rstrip() for line in model.display).rstrip("\n").split("\n")


def test_lines_stand_above_what_is_shown_and_nothing_of_that_is_left(file: File) -> None:
    region = region_on(file)

    with region.showing(Text("working")):
        region.print(Text("first"))
        region.print(Text("x" * 100))
        assert screen(file) == ["first", "x" * 40, "x" * 40, "x" * 20, "working"]

    assert screen(file) == ["first", "x" * 40, "x" * 40, "x" * 20]


def test_displays_share_the_region(file: File) -> None:
    region = region_on(file)

    with region.showing(Text("outer")), region.showing(Text("inner\ninner")):
        region.print(Text("line"))
        assert screen(file) == ["line", "outer", "inner", "inner"]
        with region.hidden():
            assert not region.is_shown
            assert screen(file) == ["line"]
    assert not region.is_shown
    assert screen(file) == ["line"]


def test_many_threads_show_and_print_and_no_line_is_lost(file: File) -> None:
    region = region_on(file)
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        for line in range(25):
            with region.showing(Text(f"{number}\n" * (1 + line % 3))):
                region.print(Text(f"{number}-{line} " + "." * 30))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, number) for number in range(4)]:
            done.result()

    assert sorted(screen(file)) == sorted(f"{number}-{line} " + "." * 30 for number in range(4) for line in range(25))


def test_an_error_within_takes_the_region_away_and_shows_the_cursor(file: File) -> None:
    region = region_on(file)

    def fail() -> None:
        with region.showing(Text("working")):
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        fail()

    assert screen(file) == [""]
    assert file.getvalue().rindex("\x1b[?25h") > file.getvalue().rindex("\x1b[?25l")


def test_a_terminal_that_is_gone_does_not_hide_what_happened() -> None:
    class Gone(File):
        is_gone = False

        def write(self, text: str) -> int:
            if self.is_gone:
                raise OSError(5, "Input/output error")
            return super().write(text)

    file = Gone(is_terminal=True)
    region = region_on(file)

    with pytest.raises(KeyboardInterrupt), region.showing(Text("working")):
        file.is_gone = True
        raise KeyboardInterrupt


@pytest.mark.parametrize("width", [20, 30, 49, 50, 80, 200])
def test_every_display_fits_the_terminal(width: int) -> None:
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=None)
    name = "Uploading a-image-with-a-very-long-name-indeed.png"
    bar, moved = progress_display.byte_bar(name, width)
    bars, (all_moved, advance) = progress_display.batch_bars("Images", 60, width)
    count, add = progress_display.counter("answered", 100, width, ascii_only=True)
    moved.expect(12_400_000)
    moved.advance(6_200_000)
    all_moved.expect(12_400_000)
    all_moved.advance(6_200_000)
    advance()
    add(7)

    for one in (bar, bars, count):
        console.print(one)

    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == 4 if width >= 50 else len(lines) >= 4
    if width >= 50:
        assert "6.2 of 12.4 MB" in lines[0]
        assert "1 of 60" in lines[1]
        assert "6.2 of 12.4 MB" in lines[2]


def test_a_spinner_is_plain_where_the_encoding_is() -> None:
    file = io.StringIO()

    Console(file=file).print(progress_display.spinner("Waiting [it]", ascii_only=True))

    assert file.getvalue().isascii()
    assert "Waiting [it]" in file.getvalue()
