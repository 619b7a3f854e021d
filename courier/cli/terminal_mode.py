"""Keys as they are typed: a terminal in non-canonical mode."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def unbuffered(fd: int, *, least_bytes: int = 1) -> Iterator[None]:
    """Have a terminal pass on each byte at once, without echo; Ctrl-C and Ctrl-Z stay signals.

    A read waits for `least_bytes`. Output that is still to be shown is shown first.
    Raises: OSError if it is not a terminal.
    """
    if sys.platform == "win32":
        yield
        return
    import termios

    try:
        before = termios.tcgetattr(fd)
        changed = termios.tcgetattr(fd)
        changed[3] &= ~(termios.ICANON | termios.ECHO)
        changed[6][termios.VMIN], changed[6][termios.VTIME] = least_bytes, 0
        termios.tcsetattr(fd, termios.TCSADRAIN, changed)
    except termios.error as error:
        raise OSError(*error.args) from error
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(fd, termios.TCSADRAIN, before)
