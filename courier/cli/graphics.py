"""Find out how a terminal shows images: by kitty's or iTerm2's protocol, by sixels, or by colored half blocks."""

from __future__ import annotations

import os
import re
import select
import sys
import time
from collections.abc import Callable, Mapping
from typing import IO

from courier.cli.terminal_mode import unbuffered

AUTO, KITTY, ITERM2, SIXEL, BLOCKS, NONE = "auto", "kitty", "iterm2", "sixel", "blocks", "none"
#: How long a terminal may take to say what it is, in seconds.
QUERY_SECONDS = 1.0
#: The size of a character that is assumed if the terminal does not say it, in pixels: rather small than over text.
USUAL_CELL = (8, 16)
#: Programs that speak a protocol, by the names of variables and values that they set.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    ("KITTY_WINDOW_ID", r".+", KITTY),
    ("TERM", r"xterm-kitty|xterm-ghostty", KITTY),
    ("TERM_PROGRAM", r"ghostty", KITTY),
    ("TERM_PROGRAM", r"iTerm\.app|WezTerm", ITERM2),
    ("LC_TERMINAL", r"iTerm2", ITERM2),
)
#: Primary device attributes: the query, and the response of a terminal, where 4 stands for sixels.
_QUERY = b"\x1b[c"
_RESPONSE = re.compile(rb"\x1b\[\?([0-9;]*)c")
_HAS_SIXELS = b"4"


def protocol_of(environment: Mapping[str, str], ask: Callable[[], bytes]) -> str:
    """Return how the terminal shows images; `ask` returns its primary device attributes, or nothing.

    Inside tmux or screen, variables are those of the terminal around it, so that only its own word counts.
    """
    is_inside = "TMUX" in environment or environment.get("TERM", "").startswith(("screen", "tmux"))
    for name, value, protocol in () if is_inside else _KNOWN:
        if re.fullmatch(value, environment.get(name, "")):
            return protocol
    return SIXEL if _HAS_SIXELS in ask().split(b";") else BLOCKS


def device_attributes(keep: Callable[[bytes], object]) -> bytes:
    """Ask the terminal for its primary device attributes, such as 62;4;22; nothing if it does not respond in time.

    What is typed before the response is given to `keep`. Input that is already typed stays where it is: then nothing is
    asked.
    """
    if sys.platform == "win32":
        return b""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return b""
    try:
        if os.tcgetpgrp(terminal) != os.getpgrp():  # this program is in the background
            return b""
        with unbuffered(terminal):
            return _asked(terminal, keep)
    except OSError:
        return b""
    finally:
        os.close(terminal)


def _asked(terminal: int, keep: Callable[[bytes], object]) -> bytes:
    if select.select([terminal], [], [], 0)[0]:
        return b""
    os.write(terminal, _QUERY)
    read, until = b"", time.monotonic() + QUERY_SECONDS
    try:
        # A byte at a time: what is typed behind the response is left to others.
        while not (found := _RESPONSE.search(read)):
            if not select.select([terminal], [], [], max(0.0, until - time.monotonic()))[0]:
                return b""
            read += os.read(terminal, 1)
        return found[1]
    finally:
        keep(_RESPONSE.sub(b"", read))


def cell_of(stream: IO[str]) -> tuple[int, int]:
    """Return the size of a character of a terminal, in pixels."""
    if sys.platform == "win32":
        return USUAL_CELL
    import fcntl
    import struct
    import termios

    try:
        lines, columns, width, height = struct.unpack("4H", fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, bytes(8)))
    except (OSError, ValueError):
        return USUAL_CELL
    if not (lines and columns and width // columns and height // lines):
        return USUAL_CELL
    return width // columns, height // lines
