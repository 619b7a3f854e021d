"""What every program's command line shares: argument types, and errors turned into exit statuses."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from courier import layout, output
from courier.errors import CourierError, WrongUsage
from courier.plain import printable
from courier.terminal import INTERRUPTED

VERSION = "0.1.0"
#: As a shell reports a program whose reader went away: 128 and SIGPIPE's number.
BROKEN_PIPE = 141
#: As a shell reports a program that SIGTERM ended: 128 and the signal's number.
TERMINATED = 143
#: Nothing stays in the queues longer (create-queue.json), so there is no use in waiting longer.
LONGEST_SECONDS = 3600

STATUSES = """\
exit status:
  0  answered, or done
  1  refused: the input is no good (the sentence on stderr says why)
  2  wrong usage, or a setting with a wrong value
  3  no answer in time
  4  AWS not reachable, no credentials, or no queue or bucket
  130  ended by Ctrl-C
  141  whoever read the output went away
"""


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add --version."""
    parser.add_argument("--version", action="version", version=f"courier {VERSION}")


def add_common(parser: argparse.ArgumentParser, *, inherited: bool = False) -> None:
    """Add what every client command takes; `inherited` keeps a command from undoing what came before it."""
    default: dict[str, Any] = {"default": argparse.SUPPRESS} if inherited else {}
    parser.add_argument("--json", action="store_true", help="print JSON on stdout, and nothing else", **default)
    parser.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help="how long to wait for an answer (default: COURIER_TIMEOUT_SECONDS, 60)",
        **default,
    )


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return an argument type: a whole number from `low` to `high`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high:,}")
        return value

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
    width = output.columns(sys.stderr)
    said = f"{Path(sys.argv[0]).name}: {printable(error.sentence, None)}"
    for line in (*layout.wrapped(said, width), *layout.fitted_drawing(error.drawing, width)):
        print(printable(line, None), file=sys.stderr)


def finish(program: Callable[[], int]) -> int:
    """Run `program` and return its exit status, with every foreseen end put into words."""
    signal.signal(signal.SIGTERM, _end)
    output.prepare()
    try:
        return _flushed(program)
    except KeyboardInterrupt:
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
        complain(WrongUsage(f"The output cannot be written: {error.strerror}."))
        return WrongUsage.exit_status


@contextmanager
def leaving_off(handler: Callable[[int, FrameType | None], None]) -> Iterator[Callable[[], bool]]:
    """Have Ctrl-C call `handler` while the body runs; yields what tells whether it came."""
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        handler(number, frame)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGINT, before)


def _flushed(program: Callable[[], int]) -> int:
    """Return the status of `program` once all output is out, so that what goes wrong with it is met here."""
    try:
        return program()
    except CourierError as error:
        complain(error)
        return error.exit_status
    finally:
        output.flush()


def _end(_number: int, _frame: object) -> None:
    """End at SIGTERM as at an exit, so that half-written files are cleared away."""
    raise SystemExit(TERMINATED)
