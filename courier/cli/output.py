"""Standard output and error: encoding, width, and closed pipes.

Characters that the encoding lacks are written in a plain form or as an escape, instead of raising.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import stat
import sys
from collections.abc import Iterator
from typing import IO

#: The name of this module's error handler (codecs.register_error).
HANDLER = "courier.text"
#: Python's default error handlers; another one (PYTHONIOENCODING=ascii:replace) is kept.
_REPLACED = ("strict", "surrogateescape", "backslashreplace")
#: Values of TERM of terminals that cannot move the cursor.
_DUMB = ("dumb", "unknown", "")
#: The size of a terminal that tells none, and the least width, in characters.
USUAL_COLUMNS, USUAL_LINES = 80, 24
MIN_COLUMNS = 20

#: Plain forms of characters that these programs write and some encodings lack.
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
    r"""Replace characters that an encoding lacks by plain forms or escapes (`\u4e2d`): a codec error handler.

    Raises: the error itself, if it is not an encoding error.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(PLAIN_FORMS.get(char) or _escape(char) for char in lacking), error.end


def _escape(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode("ascii")


def prepare() -> None:
    """Install the error handler for output, and replace closed streams. Call it when the program starts."""
    _replace_closed()
    codecs.register_error(HANDLER, plain_form)
    for stream in _streams():
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _REPLACED:
            stream.reconfigure(errors=HANDLER)


class _ClosedOutput(io.TextIOBase):
    """Standard output that the caller has closed: nothing can be written, as to a full disk."""

    def write(self, _text: str) -> int:
        raise OSError(errno.EBADF, "standard output is closed")


def _replace_closed() -> None:
    """Open the null device for closed descriptors, which the next file or connection would take.

    Python sets such a stream to None, and prints what is for it on standard output.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = _ClosedOutput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  open until the end


def flush() -> None:
    """Flush all output, so that its errors surface here. Raises: OSError."""
    for stream in _streams():
        stream.flush()


def silence_broken() -> None:
    """Redirect a broken output to the null device, so that flushing at exit does not fail."""
    for stream in _streams():
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a stream is a terminal, regardless of environment variables."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def can_move_cursor(stream: IO[str] | None) -> bool:
    """Whether a stream is a terminal that can move the cursor."""
    named = os.environ.get("TERM", "dumb" if os.name == "posix" else "console")
    return is_terminal(stream) and named.lower() not in _DUMB


def is_in_foreground(stream: IO[str] | None) -> bool:
    """Whether this program may draw on a terminal: not while the shell has put it in the background."""
    if sys.platform == "win32" or stream is None:
        return True
    try:
        return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except (OSError, ValueError):  # not the terminal that controls this program
        return True


def is_pipe(stream: IO[str] | None) -> bool:
    """Whether a stream is a pipe, whose reader may write on the terminal."""
    try:
        return stream is not None and stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):  # not a file of the system, or closed
        return False


def columns(stream: IO[str] | None) -> int | None:
    """Return the width of a terminal; None if the stream is not a terminal.

    COLUMNS can only reduce it, since it often belongs to another terminal.
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


def lines(stream: IO[str] | None) -> int | None:
    """Return the height of a terminal; None if the stream is not a terminal, or its height is not known."""
    if stream is None or not is_terminal(stream):
        return None
    try:
        return os.get_terminal_size(stream.fileno()).lines or None
    except (OSError, ValueError):
        return None


def is_same_terminal(one: IO[str] | None, other: IO[str] | None) -> bool:
    """Whether two streams are the same terminal."""
    if one is None or other is None or not (is_terminal(one) and is_terminal(other)):
        return False
    try:
        return os.path.samestat(os.fstat(one.fileno()), os.fstat(other.fileno()))
    except (OSError, ValueError):
        return False


def _streams() -> Iterator[IO[str]]:
    yield from (stream for stream in (sys.stdout, sys.stderr) if stream is not None and not stream.closed)
