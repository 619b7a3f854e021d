"""Standard output and error as the program finds them: encoding, width, and readers that close.

Text that an encoding lacks is written in a plain form or as an escape, so that no text ends a program.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import IO

#: The name of our error handler among Python's (codecs.register_error).
HANDLER = "courier.text"
#: What Python sets by itself; whoever chose another one (PYTHONIOENCODING=ascii:replace) keeps it.
_REPLACED = ("strict", "surrogateescape", "backslashreplace")
#: Terminals that cannot move the cursor; without any name, none is known to.
_DUMB = ("dumb", "unknown", "")
#: How wide a terminal is that does not tell, and the least that anything is fitted to, in columns.
USUAL_COLUMNS = 80
MIN_COLUMNS = 20

#: The plain forms of what these programs write and small encodings lack.
PLAIN_FORMS = {
    "…": "...",
    "≈": "~",
    "→": "->",
    "×": "x",  # noqa: RUF001
    "\u00a0": " ",
    **dict.fromkeys("–—−", "-"),  # noqa: RUF001
    **dict.fromkeys("‘’", "'"),  # noqa: RUF001
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("─━═", "-"),
    **dict.fromkeys("│┃║├┤", "|"),
    **dict.fromkeys("┌┐└┘┼┬┴┏┓┗┛┡┩╇", "+"),
    **dict.fromkeys("█▉▊▋▌▍▎▏▀", "#"),
    "◆": "o",
}


def plain_form(error: UnicodeError) -> tuple[str, int]:
    r"""Replace what an encoding lacks: the handler of that error. What has no plain form becomes an escape (`\u4e2d`).

    Raises: the error itself, if it is not one of encoding.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(PLAIN_FORMS.get(char) or _escape(char) for char in lacking), error.end


def _escape(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode("ascii")


def prepare() -> None:
    """Let no text that the encoding of an output lacks end this program. For its beginning."""
    codecs.register_error(HANDLER, plain_form)
    for stream in _streams():
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _REPLACED:
            stream.reconfigure(errors=HANDLER)


def flush() -> None:
    """Write everything out now, so that what goes wrong with it is met here. Raises: OSError."""
    for stream in _streams():
        stream.flush()


def silence_broken() -> None:
    """Let nothing more be written to an output that takes nothing more, not even at exit."""
    for stream in _streams():
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a stream is a terminal, whatever the environment says of colors."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def can_move_cursor(stream: IO[str] | None) -> bool:
    """Whether a stream is a terminal on which something can be drawn and erased again."""
    named = os.environ.get("TERM", "dumb" if os.name == "posix" else "console")
    return is_terminal(stream) and named.lower() not in _DUMB


def columns(stream: IO[str] | None) -> int | None:
    """Return the width of the terminal that a stream is; None if it is none, and nothing has to be fitted to it.

    COLUMNS may make it less, never more: it is often that of another terminal.
    """
    if stream is None or not is_terminal(stream):
        return None
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        found = 0
    named = os.environ.get("COLUMNS", "")
    widths = [found, int(named) if named.isascii() and named.isdigit() else 0]
    return max(MIN_COLUMNS, min((width for width in widths if width), default=USUAL_COLUMNS))


def is_same_terminal(one: IO[str] | None, other: IO[str] | None) -> bool:
    """Whether two streams are one and the same terminal."""
    if one is None or other is None or not (is_terminal(one) and is_terminal(other)):
        return False
    try:
        return os.path.samestat(os.fstat(one.fileno()), os.fstat(other.fileno()))
    except (OSError, ValueError):
        return False


def _streams() -> Iterator[IO[str]]:
    yield from (stream for stream in (sys.stdout, sys.stderr) if stream is not None and not stream.closed)
