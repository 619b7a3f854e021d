"""The terminal of `watch`: a display that fills it, and keys. It is left as it was, however the program ends.

Keys are read without echo and without Enter. The size is looked at before each display, so that a resize needs no
signal handler. Ctrl-Z gives the terminal back before the program stops, and takes it again after `fg`.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from rich.console import Console, ConsoleDimensions, Group
from rich.live import Live
from rich.text import Text

from courier.cli import output
from courier.cli.command_line import CANCELLATION
from courier.cli.terminal_mode import unbuffered

#: How long the loop waits for a key before it looks at the size, at new data and at signals, in seconds.
TICK_SECONDS = 0.1
#: The size of a display on a terminal that tells none.
USUAL = (output.USUAL_COLUMNS, output.USUAL_LINES)

Draw = Callable[[int, int], Sequence[Text]]


class WatchTerminal:
    """Shows displays on standard output until `q`, and calls `press` for each other key."""

    def __init__(self, draw: Draw, press: Callable[[str], object], changes: Callable[[], object]) -> None:
        self._draw = draw
        self._press = press
        #: Returns something that differs when there is something new to show.
        self._changes = changes
        self._console = Console(file=sys.stdout, markup=False, highlight=False, emoji=False)
        self._is_suspended = False

    def run(self) -> None:
        """Show displays until `q`. Raises: Canceled; OSError if the terminal is gone."""
        before = signal.signal(signal.SIGTSTP, self._suspend)
        try:
            while self._show():
                self._stop_here()
        finally:
            signal.signal(signal.SIGTSTP, before)

    def _show(self) -> bool:
        """Show displays; return True when the program is to be suspended, False after `q`."""
        self._is_suspended = False
        with unbuffered(0) if output.is_terminal(sys.stdin) else contextlib.nullcontext(), self._filled() as live:
            seen: object = None
            while not self._is_suspended:
                CANCELLATION.check()
                size = _size()
                if (now := (size, self._changes())) != seen:
                    seen = now
                    self._console.size = ConsoleDimensions(*size)
                    live.update(Group(*self._draw(*size)), refresh=True)
                for key in _keys(TICK_SECONDS):
                    if key == "q":
                        return False
                    self._press(key)
                    seen = None
        return True

    @contextlib.contextmanager
    def _filled(self) -> Iterator[Live]:
        live = Live(
            console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        try:
            live.start()
            yield live
        finally:
            with contextlib.suppress(OSError):  # the terminal is gone
                live.stop()

    def _suspend(self, _number: int, _frame: FrameType | None) -> None:
        self._is_suspended = True

    def _stop_here(self) -> None:
        """Stop this process as Ctrl-Z does without a handler; go on after `fg`."""
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._suspend)


def _size() -> tuple[int, int]:
    try:
        found = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return USUAL
    return found.columns or USUAL[0], found.lines or USUAL[1]


def _keys(seconds: float) -> str:
    """Return the keys that are pressed within that time; arrows, which send an escape sequence, are none."""
    if not output.is_terminal(sys.stdin):
        time.sleep(seconds)
        return ""
    if not select.select([0], [], [], seconds)[0]:
        return ""
    found = os.read(0, 1024)
    if not found:  # the terminal is gone, and its signal comes soon
        time.sleep(seconds)
    return "" if not found or found.startswith(b"\x1b") else found.decode("ascii", "ignore")
