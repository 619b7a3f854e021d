"""Terminal output: lines, tables and progress. Knows nothing of AWS.

Untrusted text is made printable and is never markup. On a terminal, lines are broken at words; rows for programs are
printed unchanged. While progress is shown, the same console prints the lines above it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TypeVar

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from courier.cli import layout, output, progress_display
from courier.errors import CourierError
from courier.progress import NO_PROGRESS, Progress
from courier.text import printable

T = TypeVar("T")

#: Wider than any table: the width of output that is not a terminal.
_ENDLESS = 1_000_000


class _Console(Console):
    """A console with the width of its own terminal, which raises BrokenPipeError."""

    @property
    def size(self) -> ConsoleDimensions:
        """The size of the terminal; rich would use that of standard input, or COLUMNS."""
        return ConsoleDimensions(output.columns(self.file) or output.USUAL_COLUMNS, super().size.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        """Ignore other sizes."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError again; rich would end the program with its own status."""
        raise BrokenPipeError


class _Sized:
    """A table with a fixed width, regardless of the console's."""

    def __init__(self, table: Table, width: int) -> None:
        self._table = table
        self._width = width

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lay out the table."""
        yield from console.render(self._table, options.update(width=self._width, no_wrap=False, overflow="fold"))


class Screen:
    """A console for output, and one for errors and progress; both can be replaced.

    `plain` is for screen readers and logs: nothing is drawn or erased, and each line has one fact.
    """

    def __init__(self, console: Console | None = None, errors: Console | None = None, *, plain: bool = False) -> None:
        self._console = console or _Console(highlight=False, markup=False, emoji=False)
        self._errors = errors or _Console(stderr=True, highlight=False, markup=False, emoji=False)
        self.plain = plain
        self._region = progress_display.Region(self._errors)

    @property
    def ascii_only(self) -> bool:
        """Whether the output's encoding supports only ASCII."""
        return self._console.options.ascii_only

    @property
    def width(self) -> int | None:
        """The width of the output in columns; None (unlimited) if it is not a terminal."""
        return output.columns(self._console.file)

    @property
    def height(self) -> int | None:
        """The height of the output in lines; None (unlimited) if it is not a terminal."""
        return output.lines(self._console.file)

    # Lines and tables

    def say(self, text: str, *, style: str = "") -> None:
        """Print a line; on a terminal in `style`, and broken at words."""
        for line in layout.wrapped(printable(text, None), self.width):
            self._print(Text(line, style=style))

    def say_spans(self, lines: Sequence[Sequence[tuple[str, str]]]) -> None:
        """Print lines of texts with their styles, which fit the terminal."""
        for line in lines:
            self._print(Text.assemble(*((printable(text, None), style) for text, style in line)))

    def row(self, line: str) -> None:
        """Print a line for programs, unchanged."""
        if self._is_below():
            self._print(Text(line))
            return
        self._console.file.write(line + "\n")
        self._console.file.flush()

    def complain(self, error: CourierError) -> None:
        """Print an error on stderr, with its drawing and its hint."""
        self._print_error(error.message, "red")
        for line in layout.fitted_drawing(error.drawing, output.columns(self._errors.file)):
            self._region.print(Text(printable(line, None)))
        if error.hint:
            self._print_error(error.hint, "")

    def warn(self, sentence: str) -> None:
        """Print a warning on stderr."""
        self._print_error(sentence, "yellow")

    def note(self, sentence: str) -> None:
        """Print a note on stderr."""
        self._print_error(sentence, "")

    def _print_error(self, sentence: str, style: str) -> None:
        for line in layout.wrapped(printable(sentence, None), output.columns(self._errors.file)):
            self._region.print(Text(line, style=style))

    def show_pairs(self, title: str, pairs: Mapping[str, str]) -> None:
        """Print a table of names and values."""
        rows = [(printable(name), printable(value, None)) for name, value in pairs.items()]
        room = layout.room_beside(("", ""), rows, self.width or _ENDLESS)
        if self.plain or not room:
            facts = [f"{name}: {value}" for name, value in rows]
            width = self.width or _ENDLESS
            self._say_all([title, *(line for fact in facts for line in layout.folded(fact, width))])
            return
        table = Table(title=Text(printable(title)), title_justify="left", show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(justify="right")
        for name, value in rows:
            table.add_row(Text(name), Text("\n".join(layout.folded(value, room))))
        self._print(table)

    def show_table(
        self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, in_words: bool = False
    ) -> None:
        """Print a table with a header; columns after the first are right-aligned, unless they are `in_words`.

        If it is too wide for the terminal, the last column is wrapped, or each row becomes several lines.
        """
        cells = [[printable(cell, None) for cell in row] for row in rows]
        width = self._width_of(in_words=in_words)
        fits = layout.table_width(header, cells) <= width
        if self.plain or not (fits or (in_words and layout.room_beside(header, cells, width))):
            self._say_all([title, *layout.records(header, cells)])
            return
        table = Table(title=Text(printable(title)), title_justify="left")
        for index, name in enumerate(header):
            is_last = index == len(header) - 1
            table.add_column(name, justify="left" if in_words or index == 0 else "right", no_wrap=not is_last)
        for row in cells:
            table.add_row(*map(Text, row))
        self._print(table, width)

    def _width_of(self, *, in_words: bool) -> int:
        """Return the width of a table; one in words has that of a usual terminal, even where it goes to `less`."""
        return self.width or (output.USUAL_COLUMNS if in_words else _ENDLESS)

    def _say_all(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.say(line)

    def _print(self, renderable: RenderableType, width: int | None = None) -> None:
        """Print on standard output; above the progress display, if that is on the same terminal."""
        if isinstance(renderable, Table):
            renderable = _Sized(renderable, width or self.width or _ENDLESS)
        if self._is_below():
            self._region.print(renderable)
        else:
            self._console.print(renderable, soft_wrap=True)

    def _is_below(self) -> bool:
        """Whether progress is shown on the terminal of standard output."""
        return self._region.is_shown and output.is_same_terminal(self._console.file, self._errors.file)

    # Progress

    @contextlib.contextmanager
    def cleared(self) -> Iterator[None]:
        """Hide progress while the body prints by other means."""
        with self._region.hidden():
            yield

    @property
    def is_watched(self) -> bool:
        """Whether progress can be shown: on a terminal that can draw and erase.

        Not beside a pipe: its reader may write on the same terminal, and would tear the display.
        """
        if output.is_pipe(self._console.file):
            return False
        can_draw = output.can_move_cursor(self._errors.file) and output.is_in_foreground(self._errors.file)
        can_draw = can_draw and self._errors.is_interactive
        return can_draw and self._errors.is_terminal and not self.plain

    def waiting(self, text: str) -> AbstractContextManager[Callable[[str], None] | None]:
        """Show a spinner while the body runs; a line on a terminal without cursor movement, and nothing elsewhere.

        Yields a function that changes the text beside the spinner; None: there is no spinner.
        """

        def make(words: str) -> tuple[RenderableType, Callable[[str], None] | None]:
            spinner = progress_display.spinner(words, ascii_only=self._draws_ascii)
            return spinner, lambda changed: spinner.update(text=Text(printable(changed, None)))

        return self._shown(text, make, None)

    def moving(self, text: str) -> AbstractContextManager[Progress]:
        """Show a progress bar for bytes while the body runs; yields the progress."""
        unseen = replace(NO_PROGRESS, begin=self._note_once)
        return self._shown(text, lambda words: progress_display.byte_bar(words, self._drawing_width), unseen)

    def counting(self, text: str, total_bytes: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """Show a counter on stderr, unless results are printed on this terminal, and a bar if their bytes are known.

        Yields a function that adds one item, by its size in bytes.
        """
        if not self.is_watched or output.is_terminal(self._console.file):
            return contextlib.nullcontext(lambda _: None)
        return self._shown(
            text,
            lambda words: progress_display.counter(
                words, total_bytes, self._drawing_width, ascii_only=self._draws_ascii
            ),
            lambda _: None,
        )

    def gathering(self, text: str, total: int) -> AbstractContextManager[tuple[Progress, Callable[[], None]]]:
        """Show bars for `total` items and bytes; yields the progress in bytes, and a function that adds an item."""
        return self._shown(
            text,
            lambda words: progress_display.batch_bars(words, total, self._drawing_width),
            (NO_PROGRESS, lambda: None),
        )

    @contextlib.contextmanager
    def _shown(self, text: str, make: Callable[[str], tuple[RenderableType, T]], unseen: T) -> Iterator[T]:
        """Show a display while the body runs, if it can be drawn; else print its text once on a terminal."""
        if not self.is_watched:
            self._note_once(text)
            yield unseen
            return
        display, progress = make(printable(text))
        with self._region.showing(display):
            yield progress

    def _note_once(self, text: str) -> None:
        """Print what is waited for, on a terminal that cannot draw it."""
        if output.is_terminal(self._errors.file) and not output.is_pipe(self._console.file):
            self.note(text)

    @property
    def _draws_ascii(self) -> bool:
        return self._errors.options.ascii_only

    @property
    def _drawing_width(self) -> int:
        return output.columns(self._errors.file) or output.USUAL_COLUMNS
