"""A terminal in memory: its lines are given beforehand, and its output is kept."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from rich.console import Console

from courier.cli.console import Terminal
from courier.cli.keyboard import Keyboard
from courier.cli.line_editing import Complete


class File(io.StringIO):
    """A text file that is a terminal or is none."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


class TypedKeyboard(Keyboard):
    """A user who types given lines, or leaves, and sometimes types ahead: a list is lines that arrive at once."""

    def __init__(self, typed: Sequence[str | Sequence[str] | type[BaseException]]) -> None:
        super().__init__()
        self._lines: Iterator[str | Sequence[str] | type[BaseException]] = iter(typed)
        self.ahead: list[str] = []
        self.prompts: list[str] = []

    @property
    def is_there(self) -> bool:
        return True

    def read_line(
        self,
        prompt: str,
        complete: Complete | None = None,  # noqa: ARG002  nobody types Tab
        *,
        begin: str = "",
        question: str = "",  # noqa: ARG002  nobody types an arrow key
    ) -> str:
        self.prompts.append(prompt + begin)
        typed = next(self._lines, EOFError)
        if isinstance(typed, str):
            return typed
        if isinstance(typed, type):
            raise typed
        line, *self.ahead = typed
        return line

    def take_lines(self, seconds: float = 0) -> list[str]:  # noqa: ARG002  nothing comes late
        taken, self.ahead = self.ahead, []
        return taken


class Screen:
    """A terminal, what is typed on it, and what it shows."""

    def __init__(
        self,
        *typed: str | Sequence[str] | type[BaseException],
        is_terminal: bool = False,
        plain: bool = False,
    ) -> None:
        self.out, self.err = File(is_terminal=is_terminal), File(is_terminal=is_terminal)
        self.keyboard = TypedKeyboard(typed)
        self.terminal = Terminal(_console(self.out), _console(self.err), self.keyboard, plain=plain)

    @property
    def shown(self) -> str:
        return self.out.getvalue()

    @property
    def errors(self) -> str:
        return self.err.getvalue()


def _console(file: File) -> Console:
    return Console(file=file, markup=False, highlight=False, color_system=None)
