"""The child process of the sandbox: processes orders within limits that it sets for itself.

`courier.sandbox` starts it with the descriptors of two open files, its memory limit in megabytes, and a socket as
stdin, on which it first reports that it is ready. Each received line is an order; each sent line is the order's
report, with the status `done`, `rejected`, `memory`, `full` or `failed`. Ends when the socket is closed.
"""

from __future__ import annotations

import errno
import json
import math
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from courier.errors import Reason, Rejected
from courier.sandbox import FULL

if sys.platform == "win32":
    raise ImportError("The workers need Linux or macOS.")

#: The largest result, in bytes.
MAX_RESULT_BYTES = 500_000_000

#: Processes an order, from the source file into the result file, and returns the fields of the report.
Work = Callable[[Mapping[str, Any], IO[bytes], IO[bytes]], dict[str, Any]]


def serve(arguments: Sequence[str], work: Work) -> int:
    """Process orders by `work` until stdin ends; return the exit status."""
    source_number, result_number, megabytes = (int(argument) for argument in arguments)
    _limit(resource.RLIMIT_AS, megabytes * 1_000_000)
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
        _say(orders, {"status": "ready"})
        for text in orders:
            order = json.loads(text)
            _allow(order.pop("seconds"))
            # Opened again for each order: a buffer would still hold the previous source.
            with os.fdopen(os.dup(source_number), "rb") as source:
                report = attempt(work, order, source, result)
            signal.alarm(0)
            _say(orders, report)
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


def _allow(seconds: float) -> None:
    """Have this process end after `seconds` from now, of wall time or CPU time."""
    signal.alarm(math.ceil(seconds))
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Decoders may use threads, whose times add up.
    _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + 2 * seconds))
