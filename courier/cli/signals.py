"""Signal handling in clients: every signal is handled at once, wherever the program waits, and cancels.

The handler of a signal does nothing, but for one place: what it would raise can be swallowed by whatever code
happens to run, and Python calls it only when the main thread comes to it. Instead, the operating system's own
handler writes the signal's number into a socket (`signal.set_wakeup_fd`), and a thread reads it there and cancels.
Only where the main thread waits for a line to be typed, in C code that no other thread can wake, does the handler
raise: that of SIGUSR1, which the thread sends until that wait has ended. A program that is stuck all the same is ended.
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

#: What ends a client: Ctrl-C, `kill`, a closed terminal. Windows has no SIGHUP.
NUMBERS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
#: As a shell reports a program that a signal ended: 128 and the signal's number.
SIGNAL_STATUS = 128
#: How often a main thread that waits for a line is woken until it has heard, in seconds.
REPEAT_SECONDS = 0.05
#: What comes sooner than this after a signal is the same once more, in seconds: a shell or `timeout` sends it both
#: to a process and to its group.
SAME_SECONDS = 0.5
#: How long the main thread may stand still after a signal before the process is ended, in seconds: by whether
#: something is being cleaned up; and how long it may go on at the most.
STILL_SECONDS = {False: 1.0, True: 3.0}
LONGEST_SECONDS = 4.5
#: How long it may wait for a line that is typed although it is woken again and again, in seconds.
LINE_SECONDS = 1.5
#: Shows the cursor, which a spinner may have hidden, and has pastes no longer marked.
_AS_USUAL = b"\x1b[?25h\x1b[?2004l"


class Signals:
    """Hears signals for one program, and cancels its waits; a second signal ends it at once."""

    def __init__(self, cancellation: Cancellation) -> None:
        self._cancellation = cancellation
        #: The signal that came, until `reset`.
        self.number: int | None = None
        #: What hears of each signal instead, where a program has a way of its own to end.
        self.receiver: Callable[[int], None] = self._cancel
        self._sent_at = 0.0
        self._progress = _Progress()
        self._is_reading_line = False
        self._is_listening = False

    def listen(self) -> None:
        """Begin to hear signals, but for those that whoever started this program had it ignore (`nohup`)."""
        if self._is_listening:
            return
        self._is_listening = True
        _TERMINAL.save()
        reader, writer = socket.socketpair()
        writer.settimeout(0)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _hear)
        if sys.platform != "win32":
            signal.signal(signal.SIGUSR1, self._wake)
        threading.Thread(target=self._watch, args=(reader, writer), name="signals", daemon=True).start()

    def read_line(self, prompt: str) -> str:
        """Return a line that is typed. Raises: Canceled; EOFError."""
        self._is_reading_line = True
        try:
            self._cancellation.check()
            return input(prompt)
        finally:
            self._is_reading_line = False

    def reset(self) -> bool:
        """Go on after Ctrl-C: what it was meant for has ended. Nothing goes on after another signal.

        Returns whether it goes on.
        """
        if self.number in {None, signal.SIGINT}:
            self.number = None
            self._cancellation.reset()
        return self.number is None

    def _wake(self, _number: int, frame: FrameType | None) -> None:
        # In any other frame than this one, such as that of a completion, what is raised could be swallowed; and
        # what is raised a second time, while `input` still gives way to the first, is an error of the interpreter's.
        is_here = frame is not None and frame.f_code is Signals.read_line.__code__
        if is_here and self._is_reading_line and self.number is not None:
            self._is_reading_line = False
            raise Canceled

    def _watch(self, reader: socket.socket, _writer: socket.socket) -> None:
        while True:
            reader.settimeout(None if self.number is None else REPEAT_SECONDS)
            with suppress(TimeoutError):
                for number in reader.recv(64):
                    if number in NUMBERS:
                        self.receiver(number)
            if self.number is not None:
                self._press(self.number)

    def _cancel(self, number: int) -> None:
        now = time.monotonic()
        if self.number is None:
            self._progress = _Progress()
            self.number = number
            self._cancellation.cancel()
        elif now - self._sent_at > SAME_SECONDS:
            _end_at_once(number)
        self._sent_at = now

    def _press(self, number: int) -> None:
        """See to it that the program ends: wake the main thread if it waits for a line; end it if it is stuck.

        It is stuck at a line, too: within a paste that has not ended, readline hears of no signal.
        """
        if self._is_reading_line and sys.platform != "win32":
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            is_stuck = self._progress.is_older_than(LINE_SECONDS)
        else:
            is_stuck = self._progress.is_stuck(STILL_SECONDS[self._cancellation.is_cleaning_up])
        if is_stuck:
            _end_at_once(number)


def _hear(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the number is in the socket by now."""


class _Progress:
    """Whether the main thread still does something, once it was told to end.

    It may stand in a call that nothing can wake: output into a pipe that nobody reads.
    """

    def __init__(self) -> None:
        self._begun_at = self._moved_at = time.monotonic()
        self._spent_seconds = _main_thread_seconds()

    def is_older_than(self, seconds: float) -> bool:
        """Whether the program was told to end so long ago."""
        return time.monotonic() - self._begun_at > seconds

    def is_stuck(self, still_seconds: float) -> bool:
        """Whether it has stood still for so long, or has worked on for too long."""
        now, spent_seconds = time.monotonic(), _main_thread_seconds()
        if spent_seconds != self._spent_seconds:
            self._spent_seconds, self._moved_at = spent_seconds, now
        return now - self._moved_at > still_seconds or self.is_older_than(LONGEST_SECONDS)


def _main_thread_seconds() -> float:
    """Return the processor time that the main thread has spent, where the system tells."""
    if sys.platform in {"win32", "darwin"}:
        return time.process_time()
    return time.clock_gettime(time.pthread_getcpuclockid(threading.main_thread().ident or 0))


class _Terminal:
    """How the terminal was set before line editing or a spinner changed it."""

    def __init__(self) -> None:
        self._attributes: list[Any] | None = None

    def save(self) -> None:
        """Remember how standard input is set, if it is a terminal."""
        if sys.platform == "win32":
            return
        import termios

        with suppress(termios.error, OSError):
            self._attributes = termios.tcgetattr(0)

    def restore(self) -> None:
        """Set it so again."""
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
    """End the process, whatever it does, and leave the terminal as it was found."""
    _TERMINAL.restore()
    os._exit(SIGNAL_STATUS + number)
