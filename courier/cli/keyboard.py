"""Keyboard input: lines, with line editing if this Python has it, and type-ahead.

Knows no menu, and prints only the prompt.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections import deque
from collections.abc import Callable

from courier.cli import layout, line_editing, output
from courier.cli.history import Histories
from courier.cli.line_editing import Complete
from courier.cli.terminal_mode import unbuffered

#: Lines within this time of each other count as pasted, in seconds.
AT_ONCE_SECONDS = 0.05
#: The most type-ahead that is read; a terminal holds less (4,096 bytes on Linux).
MAX_AHEAD_BYTES = 1 << 20
#: Ctrl-D in type-ahead; a terminal in canonical mode stores it as a zero.
END = "\x04"
_KEPT_END = "\0"


class Keyboard:
    """Reads lines from a terminal on standard input; `read` prints a prompt and reads a line."""

    def __init__(self, read: Callable[[str], str] = input, histories: Histories | None = None) -> None:
        self._read = read
        self.histories = histories or Histories()
        #: Type-ahead lines: those still to be confirmed, and those confirmed as answers.
        self.held: list[str] = []
        self.agreed: deque[str] = deque()
        #: The beginning of a line that was typed ahead.
        self._left = ""
        #: Type-ahead that others have read from the terminal.
        self._typed = b""

    @property
    def is_there(self) -> bool:
        """Whether standard input is a terminal."""
        return output.is_terminal(sys.stdin)

    def read_line(self, prompt: str, complete: Complete | None = None, *, begin: str = "", question: str = "") -> str:
        """Return the text that the user types before Enter: a line, or several pasted lines.

        Tab offers the results of `complete`; without it, and in a paste, Tab is a character. `begin` stands there
        already, to be edited, unless more was typed in the meantime. The arrow keys bring back the lines of the
        history of `question`, if it has a name.
        Raises: EOFError at Ctrl-D; KeyboardInterrupt; UnicodeDecodeError.
        """
        if self._typed:
            self.held += self.take_lines(0.0)
        if begin and (self._left or _is_readable(AT_ONCE_SECONDS)):
            begin = ""  # a paste that is not marked would go on in a rejected line
        begin, self._left = self._left or begin, ""
        if sys.platform != "win32":
            with contextlib.suppress(ImportError):  # not every Python has line editing
                import readline

                line_editing.set_up(
                    readline,
                    complete,
                    begin=begin,
                    lines=self.histories.lines(question) if question else (),
                    is_marked=output.can_move_cursor(sys.stdout),
                    has_more=lambda: _is_readable(AT_ONCE_SECONDS),
                )
        line = self._read(prompt)
        _clear_behind(prompt + line)
        if question:
            self.histories.add(question, line)
        return line

    def give_back(self, typed: bytes) -> None:
        """Take type-ahead that others have read from the terminal."""
        self._typed += typed

    def take_lines(self, seconds: float = AT_ONCE_SECONDS) -> list[str]:
        """Return type-ahead lines, until none comes for `seconds`.

        Text after the last line ending begins the next line that is read, for editing.
        """
        is_readable = _is_readable(seconds)
        if not (self._typed or is_readable):
            return []
        typed, self._typed = self._typed + (_pending_input(seconds) if is_readable else b""), b""
        text = typed.decode(sys.stdin.encoding or "utf-8", "replace").replace(_KEPT_END, END)
        *lines, left = re.split(r"\r\n|\r|\n|(?<=\x04)", text)
        self._left = left
        return lines


def _clear_behind(shown: str) -> None:
    """Erase what is left behind the end of a line that is longer than the screen, where readline draws wrongly."""
    width, lines = output.columns(sys.stdout), output.lines(sys.stdout)
    if not (width and lines and output.can_move_cursor(sys.stdout)) or "\n" in shown:
        return
    cells = layout.cell_len(shown)
    if cells > width * lines and cells % width:
        sys.stdout.write(f"\x1b[A\x1b[{cells % width + 1}G\x1b[K\n")
        sys.stdout.flush()


def _is_readable(seconds: float) -> bool:
    """Whether standard input is a terminal that has input within `seconds`."""
    if sys.platform == "win32" or not output.is_terminal(sys.stdin):
        return False
    import select

    try:
        return bool(select.select([sys.stdin], [], [], seconds)[0])
    except (OSError, ValueError):
        return False


def _pending_input(seconds: float) -> bytes:
    """Return all pending input of the terminal, including an unfinished line."""
    taken = b""
    with unbuffered(sys.stdin.fileno(), least_bytes=0):
        while len(taken) < MAX_AHEAD_BYTES and _is_readable(seconds):
            more = os.read(sys.stdin.fileno(), 4096)
            if not more:
                break
            taken += more
    return taken
