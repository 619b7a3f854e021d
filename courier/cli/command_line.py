"""What every command line shares: argument types, and errors turned into exit statuses."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from courier import __version__
from courier.cancellation import Cancellation
from courier.cli import output
from courier.cli.signals import SIGNAL_STATUS, Signals
from courier.errors import INTERRUPTED, CourierError, RequestCanceled, WrongUsage
from courier.text import printable

#: As a shell reports a program whose reader went away: 128 and SIGPIPE's number.
BROKEN_PIPE = 141
#: Of a whole number: more than any that is asked for.
_MAX_DIGITS = 18
#: Nothing stays in the queues longer (create-queue.json), so there is no use in waiting longer.
LONGEST_SECONDS = 3600

#: What a client's exit status means.
MEANINGS = {
    0: "answered, or done",
    1: "rejected: the input is not valid (the sentence on stderr says why)",
    2: "wrong usage, a setting with a wrong value, or a Python that is too old or lacks packages",
    3: "no response in time",
    4: "AWS not reachable, no credentials, or no queue or bucket (the sentence says how to fix it)",
    INTERRUPTED: "ended by Ctrl-C; 143 by SIGTERM, 129 by a closed terminal",
    BROKEN_PIPE: "the reader of the output closed it",
}
STATUSES = "".join(["exit status:\n", *(f"  {status}  {meaning}\n" for status, meaning in MEANINGS.items())])

#: What a signal cancels in this process, and what hears it.
CANCELLATION = Cancellation()
SIGNALS = Signals(CANCELLATION)


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add --version."""
    parser.add_argument("--version", action="version", version=f"courier {__version__}")


def add_common(parser: argparse.ArgumentParser, *, inherited: bool = False) -> None:
    """Add what every client command takes; `inherited` keeps a command from undoing what came before it."""
    default: dict[str, Any] = {"default": argparse.SUPPRESS} if inherited else {}
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout", **default)
    parser.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help="how long to wait for a response (default: COURIER_TIMEOUT_SECONDS, 60)",
        **default,
    )


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return an argument type: a whole number from `low` to `high`."""

    def read(text: str) -> int:
        word = text.strip()
        if not (word.isascii() and word.isdigit() and len(word) <= _MAX_DIGITS and low <= int(word) <= high):
            raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high:,}")
        return int(word)

    return read


def seconds(text: str) -> float:
    """Read an argument that is a time: seconds, more than 0 and at most an hour."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"must be seconds, more than 0 and at most {LONGEST_SECONDS}")
    return value


def complain(error: CourierError) -> None:
    """Say on stderr what went wrong and what to do, and draw the place if that is known."""
    from courier.cli import layout

    width = output.columns(sys.stderr)
    said = f"{Path(sys.argv[0]).name}: {printable(error.sentence, None)}"
    for line in (*layout.wrapped(said, width), *layout.fitted_drawing(error.drawing, width)):
        print(printable(line, None), file=sys.stderr)


def finish(program: Callable[[], int]) -> int:
    """Run `program` and return its exit status, with every foreseen end put into words.

    While another thread is still in a call that was canceled, or imports what a menu did not come to need, the process
    ends here: the interpreter would wait for locks that such a thread holds.
    """
    SIGNALS.listen()
    output.prepare()
    before = set(threading.enumerate())
    status = _run(program)
    if SIGNALS.number is not None and status == INTERRUPTED:
        status = SIGNAL_STATUS + SIGNALS.number
    if SIGNALS.number is not None or any(thread.daemon for thread in set(threading.enumerate()) - before):
        _end(status)
    return status


def _run(program: Callable[[], int]) -> int:
    try:
        return _flushed(program)
    except (KeyboardInterrupt, RequestCanceled):
        if SIGNALS.number in {None, signal.SIGINT}:
            print(file=sys.stderr)
        return INTERRUPTED
    except UnicodeEncodeError:
        complain(WrongUsage("The output's encoding cannot show this text.", hint="Set PYTHONIOENCODING=utf-8."))
        return WrongUsage.exit_status
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say.
        output.silence_broken()
        return BROKEN_PIPE
    except OSError as error:
        output.silence_broken()
        what = "The output cannot be written" if error.filename is None else printable(str(error.filename), 80)
        complain(WrongUsage(f"{what}: {error.strerror}."))
        return WrongUsage.exit_status


def _flushed(program: Callable[[], int]) -> int:
    """Return the status of `program` once all output is out, so that what goes wrong with it is met here."""
    try:
        return program()
    except RequestCanceled:
        raise
    except CourierError as error:
        complain(error)
        return error.exit_status
    finally:
        output.flush()


def _end(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # a terminal that was closed, or none
            stream.flush()
    os._exit(status)
