"""The child process of the sandbox: processes orders within limits that it sets for itself.

`courier.sandbox` starts it with the descriptors of two open files, its memory limit in megabytes, and a socket as
stdin, on which it first reports that it is ready. It responds to an order with the memory that it needs; the next line
has its limits, and its report has the status `done`, `rejected`, `memory`, `full` or `failed`. It ends when the socket
is closed, also while it works.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import math
import os
import resource
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any

from courier import confinement
from courier.errors import Reason, Rejected
from courier.machine import MOST_TIMES_LONGER, peak_bytes, size_bytes
from courier.memory_budget import MEGABYTE
from courier.sandbox import FULL, MUCH

if sys.platform == "win32":
    raise ImportError("The workers need Linux or macOS.")

#: The largest result, in bytes.
MAX_RESULT_BYTES = 500_000_000

#: A child whose parent has died ends this long after its time limit, where the system does not end it at once.
ORPHAN_SECONDS = 2

#: What decoders and encoders say if they get no memory, and a bug: is it one?
DOUBTFUL = {Reason.CORRUPT, Reason.IMPOSSIBLE, Reason.UNSUPPORTED_FORMAT, None}
#: A process has come near its limit if it had this share of it.
NEAR = 0.45

#: Processes an order, from the source file into the result file, and returns the fields of the report.
Work = Callable[[Mapping[str, Any], IO[bytes], IO[bytes]], dict[str, Any]]
#: Returns about how many megabytes the work on an order takes beside what the process has.
Needs = Callable[[Mapping[str, Any], IO[bytes]], float]


def no_needs(_order: Mapping[str, Any], _source: IO[bytes]) -> float:
    """Return 0: what the work will take is not known."""
    return 0


def serve(arguments: Sequence[str], work: Work, needs: Needs = no_needs, *, keeps_network: bool = True) -> int:
    """Process orders by `work` until stdin ends; return the exit status."""
    source_number, result_number, megabytes = (int(argument) for argument in arguments)
    confinement.end_first()
    has_network = keeps_network or not confinement.leave_network()
    _limit(resource.RLIMIT_AS, megabytes * MEGABYTE)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, MAX_RESULT_BYTES)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a result that is too large must not kill the process
    orders_number = os.dup(sys.stdin.fileno())
    _close_stdin()
    with (
        os.fdopen(result_number, "r+b") as result,
        socket.socket(fileno=orders_number) as line,
        line.makefile("rw") as orders,
    ):
        _say(orders, {"status": "ready", "has_network": has_network})
        while text := orders.readline():
            order = json.loads(text)
            # Opened again for each order: a buffer would still hold the previous source.
            with os.fdopen(os.dup(source_number), "rb") as source:
                with _allowed(line, order.pop("seconds")):
                    wanted = _wanted(needs, order, source)
                _say(orders, {"status": "needs", "megabytes": wanted})
                if not (granted := orders.readline()):
                    break
                limits = json.loads(granted)
                _limit(resource.RLIMIT_AS, limits["megabytes"] * MEGABYTE)
                room = limits["megabytes"] * MEGABYTE - size_bytes(os.getpid())[0]
                with _allowed(line, limits["seconds"]):
                    report = attempt(work, order, source, result)
            _say(orders, {"status": "memory"} if _is_short(report, wanted, room) else report)
    return 0


def _is_short(report: Mapping[str, Any], wanted: float, room: float) -> bool:
    """Whether a failure is likely one of memory: the work needs about what there is, and had much of that."""
    is_doubtful = report["status"] in {"rejected", "failed"} and report.get("reason") in DOUBTFUL
    return is_doubtful and wanted * MEGABYTE > room * MUCH and peak_bytes() > room * NEAR


def _wanted(needs: Needs, order: Mapping[str, Any], source: IO[bytes]) -> float:
    try:
        source.seek(0)
        return needs(order, source)
    except Exception:  # noqa: BLE001  the work will have the same error, and report it
        return 0


def _close_stdin() -> None:
    """Have programs that the work starts find an empty stdin: they would read orders, and wait."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, sys.stdin.fileno())
    os.close(null)


def attempt(work: Work, order: Mapping[str, Any], source: IO[bytes], result: IO[bytes]) -> dict[str, Any]:
    """Process an order; return the report."""
    try:
        source.seek(0)
        result.seek(0)
        report = {"status": "done", **work(order, source, result)}
        json.dumps(report)  # else what is not JSON would count as a crash
        result.flush()
    except Exception as error:  # noqa: BLE001  reported to the parent, which logs bugs
        return _failure(error)
    return report


def _say(line: IO[str], report: Mapping[str, Any]) -> None:
    line.write(json.dumps(report) + "\n")
    line.flush()


def _failure(error: Exception) -> dict[str, Any]:
    match error:
        case Rejected():
            return {"status": "rejected", "message": error.message, "hint": error.hint, "reason": str(error.reason)}
        case MemoryError():
            return {"status": "memory"}
        case OSError(errno=errno.EFBIG):
            message = f"The result has more than {MAX_RESULT_BYTES:,} bytes."
            return {"status": "rejected", "message": message, "hint": "", "reason": Reason.TOO_LARGE}
        case OSError() if error.errno in FULL:
            return {"status": "full"}
    return {"status": "failed", "traceback": "".join(traceback.format_exception(error))}


def _limit(what: int, amount: int) -> None:
    """Set a soft limit, up to the hard limit; ignores limits that the system does not support."""
    _, hard = resource.getrlimit(what)
    amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    try:
        resource.setrlimit(what, (amount, hard))
    except (OSError, ValueError):
        return


@contextlib.contextmanager
def _allowed(line: socket.socket, seconds: float) -> Iterator[None]:
    """Have this process end after `seconds` of CPU time, after many times that on the clock, or with its parent."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Decoders may use threads, whose times add up.
    _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + 2 * seconds))
    signal.alarm(math.ceil(seconds * MOST_TIMES_LONGER) + ORPHAN_SECONDS)
    _end_with_parent(line, is_on=True)
    try:
        yield
    finally:
        _end_with_parent(line, is_on=False)
        signal.alarm(0)


def _end_with_parent(line: socket.socket, *, is_on: bool) -> None:
    """Have the kernel end this process when its parent closes the socket, also while it runs no Python.

    The parent sends nothing meanwhile: that would end it, too.
    """
    if sys.platform != "linux":
        return  # elsewhere SIGIO ends no process
    flags = fcntl.fcntl(line, fcntl.F_GETFL)
    fcntl.fcntl(line, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(line, fcntl.F_SETFL, flags | os.O_ASYNC if is_on else flags & ~os.O_ASYNC)
    closed = select.poll()
    closed.register(line, select.POLLHUP)
    if is_on and closed.poll(0):
        raise SystemExit
