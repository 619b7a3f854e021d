"""Keyboard input: one line at a time, edited where this Python can, and type-ahead.

Knows no menu and writes nothing but the prompt.
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

#: Lines that come within this time of each other were not typed one by one, in seconds.
AT_ONCE_SECONDS = 0.05
#: As much is taken of what was typed ahead; a terminal holds less (4,096 on Linux).
MAX_AHEAD_BYTES = 1 << 20
#: Ctrl-D among lines that were typed ahead; a terminal that gathers lines keeps it as a zero.
END = "\x04"
_KEPT_END = "\0"

Complete = Callable[[str], Sequence[str]]


class Keyboard:
    """The terminal that standard input is; `read` reads one line from it after a prompt."""

    def __init__(self, read: Callable[[str], str] = input) -> None:
        self._read = read
        #: Lines typed ahead of a question: those that nobody has decided on, and those to be taken as answers.
        self.held: list[str] = []
        self.agreed: deque[str] = deque()

    @property
    def is_there(self) -> bool:
        """Whether somebody can type: standard input is a terminal."""
        return is_terminal(sys.stdin)

    def read_line(self, prompt: str, complete: Complete | None = None) -> str:
        """Return what the user types before Enter: one line, or several that were pasted.

        Tab offers what `complete` returns; without it, and within a paste, Tab is a character like others.
        Raises: EOFError at Ctrl-D; KeyboardInterrupt; UnicodeDecodeError.
        """
        if sys.platform != "win32":
            with contextlib.suppress(ImportError):  # line editing, where this Python has it
                import readline

                _set_up(readline, complete)
        return self._read(prompt)

    def take_lines(self, seconds: float = AT_ONCE_SECONDS) -> list[str]:
        """Take the lines that were typed ahead, until none comes for so many seconds.

        What follows the last line ending is left to be edited in the next line that is read.
        """
        if not _is_readable(seconds):
            return []
        text = _taken(seconds).decode(sys.stdin.encoding or "utf-8", "replace").replace(_KEPT_END, END)
        *lines, left = re.split(r"\r\n|\r|\n|(?<=\x04)", text)
        if left:
            _put_back(left)
        return lines


def _set_up(readline: ModuleType, complete: Complete | None) -> None:
    """Let Tab do what it should in the next line, and a paste arrive as it is."""
    is_libedit = "libedit" in (readline.__doc__ or "")
    if is_libedit:
        readline.parse_and_bind("bind ^I rl_complete" if complete else "bind ^I ed-insert")
    else:
        # Python switches it off; with it, tabs and line endings of a paste are text and no commands.
        marks = "on" if can_move_cursor(sys.stdout) else "off"
        readline.parse_and_bind(f"set enable-bracketed-paste {marks}")
        readline.parse_and_bind("tab: complete" if complete else "tab: self-insert")
    readline.set_completer_delims("")
    readline.set_completer(_completer(complete) if complete else None)


def _completer(complete: Complete) -> Callable[[str, int], str | None]:
    def offer(text: str, number: int) -> str | None:
        if number == 0:
            # A tab with more behind it at once is part of a paste where pastes are not marked.
            offers[:] = [text + "\t"] if _is_readable(AT_ONCE_SECONDS) else _fitting(complete, text)
        return offers[number] if number < len(offers) else None

    offers: list[str] = []
    return offer


def _fitting(complete: Complete, text: str) -> list[str]:
    return [one for one in complete(text) if one.startswith(text)]


def _put_back(text: str) -> None:
    """Begin the next line that is read with a text, where this Python can."""
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
    """Whether standard input is a terminal from which something can be read within so many seconds."""
    if sys.platform == "win32" or not is_terminal(sys.stdin):
        return False
    import select

    try:
        return bool(select.select([sys.stdin], [], [], seconds)[0])
    except (OSError, ValueError):
        return False


def _taken(seconds: float) -> bytes:
    """Return all that the terminal holds, whether its last line has ended or not."""
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
    """Have the terminal hand over what it has at once, without waiting for the end of a line."""
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
