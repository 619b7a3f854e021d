"""Signal handling in clients: a signal cancels at once, wherever the program waits.

Signal handlers here do not raise, with one exception: what they raise can be swallowed by the code that happens to run,
and Python calls them only in the main thread. Instead, the C-level handler writes the signal's number into a socket
(`signal.set_wakeup_fd`), and a thread reads it there and cancels. Only while the main thread waits for a typed line, in
C code that no other thread can wake, does a handler raise: that of SIGUSR1, which the thread sends until the wait has
ended. A program that is stuck is ended.

After Ctrl-Z and `fg` the prompt is printed again, below what the shell has printed.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from courier.cancellation import Canceled, Cancellation
from courier.errors import SIGNAL_STATUS

#: The signals that end a client: Ctrl-C, `kill`, a closed terminal. Windows has no SIGHUP.
NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
#: The interval at which a main thread that waits for a line is woken, in seconds.
REPEAT_SECONDS = 0.05
#: A signal sooner than this after another is a duplicate, in seconds: a shell or `timeout` sends a signal to a process
#: and to its group.
SAME_SECONDS = 0.5
#: The longest time without progress of the main thread after a signal before the process is ended, in seconds: without
#: and with cleanup; and the longest time in total.
STILL_SECONDS = {False: 1.0, True: 3.0}
LONGEST_SECONDS = 4.5
#: The longest time that it may wait for a typed line after a signal, in seconds, and that what follows may take.
LINE_SECONDS = 1.5
CLEANUP_SECONDS = 2.5
#: Shows the cursor, which a spinner may have hidden, and switches bracketed paste off.
_AS_USUAL = b"\x1b[?25h\x1b[?2004l"


class Signals:
    """Handles a program's signals: the first cancels its waits, the second ends it at once."""

    def __init__(self, cancellation: Cancellation) -> None:
        self._cancellation = cancellation
        #: The signal that came, until `reset`.
        self.number: int | None = None
        #: Called for each signal; a worker replaces it, to stop in its own way.
        self.receiver: Callable[[int], None] = self._cancel
        #: Called in another thread before a program is ended that is stuck at a line: removes what it has made on AWS.
        self.clean_up: Callable[[], object] = lambda: None
        self._sent_at = 0.0
        self._progress = _Progress()
        self._is_reading_line = False
        self._prompt = ""
        self._is_listening = False

    def listen(self) -> None:
        """Begin to handle signals, except those that the parent process set to be ignored (`nohup`)."""
        if self._is_listening:
            return
        self._is_listening = True
        _TERMINAL.save()
        reader, writer = socket.socketpair()
        writer.settimeout(0)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _ignore_signal)
        if sys.platform != "win32":
            signal.signal(signal.SIGUSR1, self._wake)
            signal.signal(signal.SIGCONT, _ignore_signal)
        threading.Thread(target=self._watch, args=(reader, writer), name="signals", daemon=True).start()

    def read_line(self, prompt: str) -> str:
        """Return a typed line. Raises: Canceled; EOFError."""
        self._prompt = prompt
        self._is_reading_line = True
        try:
            self._cancellation.check()
            return input(prompt)
        finally:
            self._is_reading_line = False

    def reset(self) -> bool:
        """Continue after Ctrl-C, once the canceled action has ended; return False after any other signal."""
        if self.number in {None, signal.SIGINT}:
            self.number = None
            self._cancellation.reset()
        return self.number is None

    def _wake(self, _number: int, frame: FrameType | None) -> None:
        # In another frame, such as that of a completion, the exception could be swallowed. A second exception, while
        # `input` still handles the first, is an internal error of the interpreter.
        is_here = frame is not None and frame.f_code is Signals.read_line.__code__
        if is_here and self._is_reading_line and self.number is not None:
            self._is_reading_line = False
            raise Canceled

    def _redraw(self) -> None:
        """Print the prompt and what was typed again: line editing does not know that the shell has printed since."""
        if not self._is_reading_line:
            return
        editing = sys.modules.get("readline")
        with suppress(OSError, ValueError):
            if editing:
                _TERMINAL.edit()
            sys.stdout.write(f"\r{self._prompt}{editing.get_line_buffer() if editing else ''}")
            sys.stdout.flush()

    def _watch(self, reader: socket.socket, _writer: socket.socket) -> None:
        while True:
            reader.settimeout(None if self.number is None else REPEAT_SECONDS)
            with suppress(TimeoutError):
                for number in reader.recv(64):
                    if number in NUMBERS:
                        self.receiver(number)
                    elif number == getattr(signal, "SIGCONT", None):
                        self._redraw()
            if self.number is not None:
                self._interrupt(self.number)

    def _cancel(self, number: int) -> None:
        now = time.monotonic()
        if self.number is None:
            self._progress = _Progress()
            self.number = number
            self._cancellation.cancel()
        elif now - self._sent_at > SAME_SECONDS:
            _end_at_once(number)
        self._sent_at = now

    def _interrupt(self, number: int) -> None:
        """Wake the main thread if it waits for a line; end the program if it is stuck.

        It can be stuck at a line, too: in an unfinished paste, readline does not handle signals.
        """
        if self._is_reading_line and sys.platform != "win32":
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            if self._progress.is_older_than(LINE_SECONDS):
                cleanup = threading.Thread(target=self.clean_up, name="cleanup", daemon=True)
                cleanup.start()
                cleanup.join(CLEANUP_SECONDS)
                _end_at_once(number)
        elif self._progress.is_stuck(STILL_SECONDS[self._cancellation.is_cleaning_up]):
            _end_at_once(number)


def _ignore_signal(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the number is in the socket already."""


class _Progress:
    """Whether the main thread makes progress after a signal.

    It may be stuck in a call that nothing can wake, such as output to a pipe that is not read.
    """

    def __init__(self) -> None:
        self._begun_at = self._moved_at = time.monotonic()
        self._spent_seconds = _main_thread_seconds()

    def is_older_than(self, seconds: float) -> bool:
        """Whether the signal came more than `seconds` ago."""
        return time.monotonic() - self._begun_at > seconds

    def is_stuck(self, still_seconds: float) -> bool:
        """Whether it had no progress for `still_seconds`, or continued for too long."""
        now, spent_seconds = time.monotonic(), _main_thread_seconds()
        if spent_seconds != self._spent_seconds:
            self._spent_seconds, self._moved_at = spent_seconds, now
        return now - self._moved_at > still_seconds or self.is_older_than(LONGEST_SECONDS)


def _main_thread_seconds() -> float:
    """Return the CPU time of the main thread, or of the process if the system does not measure threads."""
    if sys.platform in {"win32", "darwin"}:
        return time.process_time()
    return time.clock_gettime(time.pthread_getcpuclockid(threading.main_thread().ident or 0))


class _Terminal:
    """The settings of the terminal before line editing or a spinner changed them."""

    def __init__(self) -> None:
        self._attributes: list[Any] | None = None

    def save(self) -> None:
        """Save the settings of standard input, if it is a terminal."""
        if sys.platform == "win32":
            return
        import termios

        with suppress(termios.error, OSError):
            self._attributes = termios.tcgetattr(0)

    def edit(self) -> None:
        """Switch to the settings of line editing, which the shell has replaced, if this is the foreground process."""
        if sys.platform == "win32":
            return
        import termios

        with suppress(termios.error, OSError):
            if os.tcgetpgrp(0) != os.getpgrp():
                return
            attributes = termios.tcgetattr(0)
            attributes[0] &= ~(termios.ICRNL | termios.INLCR)
            attributes[3] &= ~(termios.ICANON | termios.ECHO)
            attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
            termios.tcsetattr(0, termios.TCSADRAIN, attributes)

    def restore(self) -> None:
        """Restore the saved settings."""
        if sys.platform == "win32":
            return
        import termios

        with suppress(termios.error, OSError):
            if self._attributes is not None:
                termios.tcsetattr(0, termios.TCSANOW, self._attributes)
            if os.isatty(2) and os.environ.get("TERM", "dumb") != "dumb":
                os.write(2, _AS_USUAL)


_TERMINAL = _Terminal()


def _end_at_once(number: int) -> None:
    """Restore the terminal and end the process."""
    _TERMINAL.restore()
    os._exit(SIGNAL_STATUS + number)
