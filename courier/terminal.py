"""What a person sees and types: menus, prompts, tables, spinners, progress. Knows nothing of AWS.

The only door to rich. Text that came from outside is made printable and is never markup.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from courier.errors import INTERRUPTED, CourierError, RequestCanceled, WrongUsage
from courier.plain import printable

T = TypeVar("T")
Colour = tuple[int, int, int]


class LeaveMenu(Exception):
    """The user has chosen to leave."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One line of a menu: what is typed for it, what it says, what it does."""

    key: str
    label: str
    action: Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Moved:
    """How a progress bar is told of bytes: how many there will be, if known, and each further number that was moved."""

    expect: Callable[[int | None], None]
    advance: Callable[[int], None]


def leave() -> None:
    """End the menu: the action of its exit choice."""
    raise LeaveMenu


class Terminal:
    """A console to write on and a way to read a line, both replaceable."""

    def __init__(
        self,
        console: Console | None = None,
        errors: Console | None = None,
        read_line: Callable[[str], str] = input,
        reset: Callable[[], None] = lambda: None,
    ) -> None:
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._errors = errors or Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._read_line = read_line
        #: Called when what Ctrl-C was meant for has ended.
        self._reset = reset

    @property
    def is_interactive(self) -> bool:
        """Whether a person sits at both ends."""
        return sys.stdin is not None and sys.stdin.isatty() and self._console.is_terminal

    def require_person(self) -> None:
        """Make sure that a menu makes sense. Raises: WrongUsage if nobody sits there."""
        if not self.is_interactive:
            raise WrongUsage("The menu needs a terminal.", hint="Give a command; --help lists them.")

    @property
    def ascii_only(self) -> bool:
        """Whether what is written must be plain ASCII, since the output's encoding has no more."""
        return self._console.options.ascii_only

    @property
    def shows_pictures(self) -> bool:
        """Whether a picture can be shown."""
        return self._console.is_terminal and self._console.color_system is not None and not self.ascii_only

    # Saying

    def say(self, text: str, *, style: str = "") -> None:
        """Print a line; a terminal shows it in `style`."""
        self._console.print(Text(printable(text, None), style=style), soft_wrap=True)

    def complain(self, error: CourierError) -> None:
        """Print what went wrong, where, and what to do, on stderr."""
        self._errors.print(Text(printable(error.message, None), style="red"), soft_wrap=True)
        for line in error.drawing.splitlines():
            self._errors.print(Text(printable(line, None)), soft_wrap=True)
        if error.hint:
            self._errors.print(Text(printable(error.hint, None)), soft_wrap=True)

    def warn(self, sentence: str) -> None:
        """Print a sentence on stderr."""
        self._errors.print(Text(printable(sentence, None), style="yellow"), soft_wrap=True)

    def show_pairs(self, title: str, pairs: Mapping[str, str]) -> None:
        """Print a table of names and values."""
        table = Table(title=Text(printable(title)), title_justify="left", show_header=False)
        table.add_column(style="bold")
        table.add_column(justify="right", overflow="fold")
        for name, value in pairs.items():
            table.add_row(Text(printable(name)), Text(printable(value, None)))
        self._console.print(table)

    def show_table(
        self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, in_words: bool = False
    ) -> None:
        """Print a table with a header line; columns after the first are to the right, unless they are `in_words`."""
        table = Table(title=Text(printable(title)), title_justify="left")
        for index, name in enumerate(header):
            table.add_column(name, justify="left" if in_words or index == 0 else "right", overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(cell, None)) for cell in row))
        self._console.print(table)

    @contextlib.contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show a spinner while the body runs; nothing at all where no person watches."""
        if self._errors.is_dumb_terminal:
            self._errors.print(Text(printable(text)))
        if not self._errors.is_terminal or self._errors.is_dumb_terminal:
            yield
            return
        with self._errors.status(Text(printable(text))):
            yield

    @contextlib.contextmanager
    def moving(self, text: str) -> Iterator[Moved]:
        """Show a progress bar while the body moves bytes; yields what to tell of them."""
        if not self._errors.is_terminal:
            yield Moved(expect=lambda _total: None, advance=lambda _count: None)
            return
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        label = TextColumn(printable(text), markup=False)
        columns = (label, BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=self._errors, transient=True) as progress:
            task = progress.add_task("", total=None)
            yield Moved(
                expect=lambda total: progress.update(task, total=total),
                advance=lambda count: progress.advance(task, count),
            )

    @contextlib.contextmanager
    def counting(self, text: str) -> Iterator[Callable[[int], None]]:
        """Show a count on stderr unless results come on this terminal; yields what adds to it."""
        if not self._errors.is_terminal or self._console.is_terminal:
            yield lambda _: None
            return
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} {task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=self._errors, transient=True) as progress:
            task = progress.add_task(printable(text), total=None)
            yield lambda more: progress.advance(task, more)

    @contextlib.contextmanager
    def gathering(self, text: str, total: int) -> Iterator[tuple[Moved, Callable[[], None]]]:
        """Show a bar of `total` things and one of bytes; yields what tells of bytes, and of a thing done."""
        if not self._errors.is_terminal:
            yield Moved(expect=lambda _bytes: None, advance=lambda _bytes: None), lambda: None
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        what, said = (TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("what", "said"))
        lock = threading.Lock()
        with Progress(what, BarColumn(), said, TimeElapsedColumn(), console=self._errors, transient=True) as progress:
            progress.add_task("", total=total, what=printable(text), said=f"0 of {total}")
            progress.add_task("", total=0, what="Bytes", said="")

            def tell(number: int, more: int, moved: int) -> None:
                with lock:
                    bar = progress.tasks[number]
                    done, whole = int(bar.completed) + moved, int(bar.total or 0) + more
                    said = f"{done / 1e6:.1f} of {whole / 1e6:.1f} MB" if number else f"{done} of {whole}"
                    progress.update(bar.id, completed=done, total=whole, said=said)

            yield Moved(expect=lambda more: tell(1, more or 0, 0), advance=partial(tell, 1, 0)), partial(tell, 0, 0, 1)

    def show_pictures(self, pictures: Sequence[Sequence[Sequence[tuple[Colour, Colour]]]]) -> None:
        """Show pictures side by side: rows of characters, each the colours of its upper and its lower half."""
        if not self.shows_pictures:
            return
        from rich.color import Color
        from rich.style import Style

        for number in range(max(map(len, pictures), default=0)):
            line = Text()
            for picture in pictures:
                row = picture[number] if number < len(picture) else []
                for upper, lower in row:
                    line.append(
                        "\N{UPPER HALF BLOCK}", Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))
                    )
                line.append(" " * (2 + len(picture[0]) - len(row) if picture else 2))
            self._console.print(line, soft_wrap=True)

    # Asking

    def ask(
        self, question: str, read: Callable[[str], T], complete: Callable[[str], Sequence[str]] = lambda _text: ()
    ) -> T:
        """Ask until `read` takes the answer; what it refuses is said, and the question put again.

        Tab offers what `complete` returns.
        Raises: EOFError or KeyboardInterrupt if the user leaves instead of answering.
        """
        while True:
            try:
                return read(self.read_line(f"{question}: ", complete))
            except UnicodeDecodeError:
                self.complain(WrongUsage("That is no text in this terminal's encoding.", hint="Type it again."))
            except CourierError as error:
                self.complain(error)

    def confirm(self, question: str) -> bool:
        """Ask for a yes or a no; Enter alone is no."""
        return self.ask(f"{question} [y/N]", _yes_or_no)

    def read_line(self, prompt: str, complete: Callable[[str], Sequence[str]] = lambda _text: ()) -> str:
        """Return one line that the user types, without its end; Tab offers what `complete` returns."""
        if sys.platform == "win32":
            return self._read_line(prompt)
        with contextlib.suppress(ImportError):  # line editing, where this Python has it
            import readline

            def offer(text: str, number: int) -> str | None:
                offers = [one for one in complete(text) if one.startswith(text)]
                return offers[number] if number < len(offers) else None

            readline.set_completer_delims("")
            readline.set_completer(offer)
            readline.parse_and_bind("tab: complete")
        return self._read_line(prompt)

    def run_menu(self, title: str, choices: Sequence[Choice]) -> int:
        """Show the menu and do what is chosen, again and again; return the exit status.

        Nothing that goes wrong in a choice ends the menu. Ctrl-C there goes back to the menu, and at the
        menu's own prompt it leaves, as Ctrl-D and the exit choice do.
        """
        while True:
            self._show_menu(title, choices)
            try:
                choice = self.ask("Your choice", lambda answer: _pick(answer, choices))
            except EOFError:
                self.say("")
                return 0
            except KeyboardInterrupt:
                self.say("")
                return INTERRUPTED
            try:
                self._do(choice)
            except LeaveMenu:
                return 0

    def _show_menu(self, title: str, choices: Sequence[Choice]) -> None:
        self.say("")
        self.say(title, style="bold")
        for choice in choices:
            self.say(f"  {choice.key}  {choice.label}")

    def _do(self, choice: Choice) -> None:
        try:
            choice.action()
        except LeaveMenu:
            raise
        except (KeyboardInterrupt, EOFError, RequestCanceled):
            self.say("")
            self.say("Left off; back to the menu.")
        except CourierError as error:
            self.complain(error)
        except Exception as error:  # noqa: BLE001  the menu outlives a fault of ours
            self.complain(CourierError(f"A fault of this program: {type(error).__name__}: {error}"))
        finally:
            self._reset()


def _pick(answer: str, choices: Sequence[Choice]) -> Choice:
    for choice in choices:
        if answer.strip() == choice.key:
            return choice
    keys = ", ".join(choice.key for choice in choices)
    raise WrongUsage(f"There is no choice {printable(answer.strip(), 20)!r}.", hint=f"Type one of {keys}.")


def _yes_or_no(answer: str) -> bool:
    word = answer.strip().lower()
    if word in {"y", "yes"}:
        return True
    if word in {"", "n", "no"}:
        return False
    raise WrongUsage("That is neither yes nor no.", hint="Type y or n.")
