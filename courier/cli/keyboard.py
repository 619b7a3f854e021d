"""Keyboard input: lines, with line editing if this Python has it, and type-ahead.

Knows no menu, and prints only the prompt.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType

from courier.cli.output import can_move_cursor, is_terminal

#: Lines within this time of each other count as pasted, in seconds.
AT_ONCE_SECONDS = 0.05
#: The most type-ahead that is read; a terminal holds less (4,096 bytes on Linux).
MAX_AHEAD_BYTES = 1 << 20
#: Ctrl-D in type-ahead; a terminal in canonical mode stores it as a zero.
END = "\x04"
_KEPT_END = "\0"

Complete = Callable[[str], Sequence[str]]


class Keyboard:
    """Reads lines from a terminal on standard input; `read` prints a prompt and reads a line."""

    def __init__(self, read: Callable[[str], str] = input) -> None:
        self._read = read
        #: Type-ahead lines: those still to be confirmed, and those confirmed as answers.
        self.held: list[str] = []
        self.agreed: deque[str] = deque()

    @property
    def is_there(self) -> bool:
        """Whether standard input is a terminal."""
        return is_terminal(sys.stdin)

    def read_line(self, prompt: str, complete: Complete | None = None) -> str:
        """Return the text that the user types before Enter: a line, or several pasted lines.

        Tab offers the results of `complete`; without it, and in a paste, Tab is a character.
        Raises: EOFError at Ctrl-D; KeyboardInterrupt; UnicodeDecodeError.
        """
        if sys.platform != "win32":
            with contextlib.suppress(ImportError):  # not every Python has line editing
                import readline

                _set_up(readline, complete)
        return self._read(prompt)

    def take_lines(self, seconds: float = AT_ONCE_SECONDS) -> list[str]:
        """Return type-ahead lines, until none comes for `seconds`.

        Text after the last line ending begins the next line that is read, for editing.
        """
        if not _is_readable(seconds):
            return []
        text = _pending_input(seconds).decode(sys.stdin.encoding or "utf-8", "replace").replace(_KEPT_END, END)
        *lines, left = re.split(r"\r\n|\r|\n|(?<=\x04)", text)
        if left:
            _put_back(left)
        return lines


def _set_up(readline: ModuleType, complete: Complete | None) -> None:
    """Set up Tab completion and bracketed paste for the next line."""
    is_libedit = "libedit" in (readline.__doc__ or "")
    if is_libedit:
        readline.parse_and_bind("bind ^I rl_complete" if complete else "bind ^I ed-insert")
    else:
        # Python switches bracketed paste off; with it, tabs and line endings in a paste are text.
        marks = "on" if can_move_cursor(sys.stdout) else "off"
        readline.parse_and_bind(f"set enable-bracketed-paste {marks}")
        readline.parse_and_bind("tab: complete" if complete else "tab: self-insert")
    readline.set_completer_delims("")
    readline.set_completer(_completer(complete) if complete else None)


def _completer(complete: Complete) -> Callable[[str, int], str | None]:
    def offer(text: str, number: int) -> str | None:
        if number == 0:
            # A tab that other input follows at once is part of a paste, if pastes are not bracketed.
            offers[:] = [text + "\t"] if _is_readable(AT_ONCE_SECONDS) else _fitting(complete, text)
        return offers[number] if number < len(offers) else None

    offers: list[str] = []
    return offer


def _fitting(complete: Complete, text: str) -> list[str]:
    return [one for one in complete(text) if one.startswith(text)]


def _put_back(text: str) -> None:
    """Begin the next line that is read with `text`, if this Python has line editing."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(ImportError):
        import readline

        def insert() -> None:
            readline.insert_text("".join(left))
            left.clear()

        left = [text]
        readline.set_startup_hook(insert)


def _is_readable(seconds: float) -> bool:
    """Whether standard input is a terminal that has input within `seconds`."""
    if sys.platform == "win32" or not is_terminal(sys.stdin):
        return False
    import select

    try:
        return bool(select.select([sys.stdin], [], [], seconds)[0])
    except (OSError, ValueError):
        return False


def _pending_input(seconds: float) -> bytes:
    """Return all pending input of the terminal, including an unfinished line."""
    taken = b""
    with _uncooked():
        while len(taken) < MAX_AHEAD_BYTES and _is_readable(seconds):
            more = os.read(sys.stdin.fileno(), 4096)
            if not more:
                break
            taken += more
    return taken


@contextlib.contextmanager
def _uncooked() -> Iterator[None]:
    """Switch the terminal to non-canonical mode: input is available before the end of a line."""
    if sys.platform == "win32":
        yield
        return
    import termios

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    raw = termios.tcgetattr(fd)
    raw[3] &= ~(termios.ICANON | termios.ECHO)
    raw[6][termios.VMIN], raw[6][termios.VTIME] = 0, 0
    termios.tcsetattr(fd, termios.TCSANOW, raw)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSANOW, before)
