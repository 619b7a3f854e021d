"""The child process of the sandbox: processes one image after the other within limits that it sets for itself.

    python -m courier.images.sandbox_child SOURCE RESULT MEGABYTES

Started by `courier.images.sandbox` with the descriptors of two open files, and a socket as stdin, on which it first
says that it is ready. Each line that comes from it is an order; each line sent back is its report, whose status is
`done`, `refused`, `memory`, `full` or `failed`. Ends when the socket does.
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
from collections.abc import Mapping
from typing import IO, Any

from courier.errors import Reason, Rejected
from courier.images import processor
from courier.images.probe import Bounds
from courier.images.sandbox import FULL

#: No result is larger, in bytes; the disk is everybody's.
MAX_RESULT_BYTES = 500_000_000


def main(arguments: list[str]) -> int:
    """Serve orders until stdin ends; return the exit status."""
    source_number, result_number, megabytes = (int(argument) for argument in arguments)
    _limit(resource.RLIMIT_AS, megabytes * 1_000_000)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, MAX_RESULT_BYTES)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # too large a result is an error, not the end
    with (
        os.fdopen(result_number, "r+b") as result,
        socket.socket(fileno=os.dup(sys.stdin.fileno())) as line,
        line.makefile("rw") as orders,
    ):
        _say(orders, {"status": "ready"})
        for text in orders:
            order = json.loads(text)
            _allow(order.pop("seconds"))
            # Opened anew for each order: a buffer would still hold the picture before this one.
            with os.fdopen(os.dup(source_number), "rb") as source:
                report = work(order, source, result)
            signal.alarm(0)
            _say(orders, report)
    return 0


def work(order: Mapping[str, Any], source: IO[bytes], result: IO[bytes]) -> dict[str, Any]:
    """Do one order, from `source` into `result`; return the report."""
    try:
        source.seek(0)
        bounds = Bounds(megapixels=order["megapixels"], frames=order["frames"])
        made = processor.process(source, name=order["name"], operations=order["operations"], bounds=bounds)
        result.seek(0)
        result.write(made.content)
        result.flush()
    except Exception as error:  # noqa: BLE001  reported to the parent, which logs what is our own fault
        return _report(error)
    told = {"width": made.width, "height": made.height, "frames": made.frames, "notes": list(made.notes)}
    return {"status": "done", "name": made.name, "media_type": made.media_type, "told": told}


def _say(line: IO[str], report: Mapping[str, Any]) -> None:
    line.write(json.dumps(report) + "\n")
    line.flush()


def _report(error: Exception) -> dict[str, Any]:
    match error:
        case Rejected():
            return {"status": "refused", "message": error.message, "hint": error.hint, "reason": error.reason}
        case MemoryError():
            return {"status": "memory"}
        case OSError(errno=errno.EFBIG):
            said = f"The result has more than {MAX_RESULT_BYTES:,} bytes."
            return {"status": "refused", "message": said, "hint": "", "reason": Reason.TOO_LARGE}
        case OSError() if error.errno in FULL:
            return {"status": "full"}
    return {"status": "failed", "traceback": "".join(traceback.format_exception(error))}


def _limit(what: int, amount: int) -> None:
    """Set a soft limit, as far as the hard one allows; where the system knows none, go without."""
    _, hard = resource.getrlimit(what)
    amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    try:
        resource.setrlimit(what, (amount, hard))
    except (OSError, ValueError):
        return


def _allow(seconds: float) -> None:
    """End this process by itself after so much time, on the wall or in the processor, from now."""
    signal.alarm(math.ceil(seconds))
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Decoders may use threads, whose times add up.
    _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + 2 * seconds))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
