"""Shared parts of all command lines: argument types, and exit statuses for errors."""

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
from courier.cli import examples, output
from courier.cli.help_format import HelpFormatter
from courier.cli.signals import Signals
from courier.errors import INTERRUPTED, SIGNAL_STATUS, CourierError, RequestCanceled, WrongUsage
from courier.text import printable

#: The exit status when the output's reader has closed it: 128 plus the number of SIGPIPE, as shells report it.
BROKEN_PIPE = 141
#: The most digits of a whole number.
_MAX_DIGITS = 18
#: The retention of the queues (create-queue.json): waiting longer is useless.
LONGEST_SECONDS = 3600

#: The meanings of a client's exit statuses.
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

#: The cancellation and the signal handling of this process.
CANCELLATION = Cancellation()
SIGNALS = Signals(CANCELLATION)


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add --version."""
    parser.add_argument("--version", action="version", version=f"courier {__version__}")


def add_common(parser: argparse.ArgumentParser, *, inherited: bool = False) -> None:
    """Add the options of every client command; `inherited`: keep values that were given before the command."""
    default: dict[str, Any] = {"default": argparse.SUPPRESS} if inherited else {}
    parser.add_argument("--json", action="store_true", help="print only JSON on stdout", **default)
    parser.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help="how long to wait for a response (default: COURIER_TIMEOUT_SECONDS, 60)",
        **default,
    )


def add_command(
    commands: argparse._SubParsersAction[Any],
    name: str,
    text: str,
    lines: tuple[str, ...],
) -> argparse.ArgumentParser:
    """Add a command with the common options, and examples in its help; return its parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=examples.epilog(lines),
        formatter_class=HelpFormatter,
    )
    add_common(command, inherited=True)
    return command


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return an argument type: a whole number from `low` to `high`."""

    def read(text: str) -> int:
        word = text.strip()
        if not (word.isascii() and word.isdigit() and len(word) <= _MAX_DIGITS and low <= int(word) <= high):
            raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high:,}")
        return int(word)

    return read


def seconds(text: str) -> float:
    """Parse a time in seconds, more than 0 and at most an hour."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"must be seconds, more than 0 and at most {LONGEST_SECONDS:,}")
    return value


def complain(error: CourierError) -> None:
    """Print an error on stderr, with its hint and its drawing, if any."""
    from courier.cli import layout

    width = output.columns(sys.stderr)
    text = f"{Path(sys.argv[0]).name}: {printable(error.sentence, None)}"
    for line in (*layout.wrapped(text, width), *layout.fitted_drawing(error.drawing, width)):
        print(printable(line, None), file=sys.stderr)


def finish(program: Callable[[], int]) -> int:
    """Run `program` and return its exit status; print every expected error.

    If another thread is still in a canceled call, or in an import, the process ends here, since the interpreter would
    wait for locks of that thread.
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
        # The reader of the output is gone.
        output.silence_broken()
        return BROKEN_PIPE
    except OSError as error:
        output.silence_broken()
        what = "The output cannot be written" if error.filename is None else printable(str(error.filename), 80)
        complain(WrongUsage(f"{what}: {error.strerror}."))
        return WrongUsage.exit_status


def _flushed(program: Callable[[], int]) -> int:
    """Return the status of `program` after flushing all output, so that errors of the output surface here."""
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
        with suppress(OSError, ValueError, AttributeError):  # the terminal was closed, or there is none
            stream.flush()
    os._exit(status)
