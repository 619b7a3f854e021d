"""Shared parts of the worker programs: options, log, and graceful stop at a signal.

Imports no third-party package, so that --help needs none.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import queue
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from courier.cli.argument_parser import ArgumentParser
from courier.cli.command_line import SIGNALS, add_version, whole_number
from courier.cli.help_format import HelpFormatter
from courier.redaction import scrub
from courier.text import quoted

log = logging.getLogger(__name__)

_EPILOG = """\
exit status:
  0  stopped by a signal, or the queue was empty (--stop-when-empty)
  2  wrong usage, a setting with a wrong value, or a Python that lacks packages
  4  the AWS configuration has no region or no such profile, or cannot be used

SIGTERM, Ctrl-C or a closed terminal stops the worker gracefully: it finishes the requests in flight within
COURIER_GRACE_SECONDS, and returns the rest to the queue. A second signal ends it at once.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a worker's command line."""

    concurrency: int | None
    processes: int | None = None
    stop_when_empty: bool
    log_format: str
    ready_file: str | None = None
    #: None: no metrics; 0: a free port.
    metrics_port: int | None = None
    metrics_address: str = "127.0.0.1"


def build_parser(description: str, no_processes: str = "") -> argparse.ArgumentParser:
    """Return the parser of a worker's command line; `no_processes` is why it takes no --processes."""
    parser = ArgumentParser(description=description, epilog=_EPILOG, formatter_class=HelpFormatter)
    parser.add_argument(
        "--concurrency",
        type=whole_number(1, 64),
        metavar="N",
        help="how many requests to process at once (default: COURIER_CONCURRENCY, else 4, or for images one per core, "
        "as far as memory goes)",
    )
    parser.add_argument(
        "--processes",
        type=_rejecting(no_processes) if no_processes else whole_number(1, 64),
        metavar="N",
        help=argparse.SUPPRESS
        if no_processes
        else "how many processes to work in, each with that concurrency: one per core for many lists (default: "
        "COURIER_PROCESSES, else 1)",
    )
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="format of the log on stderr (default: text)",
    )
    parser.add_argument("--stop-when-empty", action="store_true", help="drain the queue, then exit")
    parser.add_argument(
        "--ready-file", type=_writable, metavar="FILE", help="append the line `ready` to FILE once the worker listens"
    )
    _add_metrics(parser)
    add_version(parser)
    return parser


def _add_metrics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metrics-port",
        type=whole_number(0, 65_535),
        metavar="N",
        help="serve metrics for Prometheus at /metrics and the worker's health at /healthz (0: a free port, which the "
        "log names; default: none)",
    )
    parser.add_argument(
        "--metrics-address",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="the address that serves them (default: 127.0.0.1, this machine alone)",
    )


def parse_options(arguments: Sequence[str] | None, *, description: str, no_processes: str = "") -> Options:
    """Parse a worker's command line; exits with status 2 if it is wrong."""
    given = build_parser(description, no_processes).parse_args(arguments)
    return Options(
        concurrency=given.concurrency,
        processes=given.processes,
        stop_when_empty=given.stop_when_empty,
        log_format=given.log_format,
        ready_file=given.ready_file,
        metrics_port=given.metrics_port,
        metrics_address=given.metrics_address,
    )


def _rejecting(reason: str) -> Callable[[str], int]:
    """Return the type of an argument that is never right."""

    def read(_text: str) -> int:
        raise argparse.ArgumentTypeError(reason)

    return read


class Served(Protocol):
    """A worker, or what supervises several."""

    exit_status: int

    def run(self, signals: queue.SimpleQueue[int], ready: Callable[[], object]) -> bool:
        """Serve until a signal; return whether all requests were finished."""


def serve(
    worker: Served,
    announcement: str,
    ready_file: str | None = None,
    *,
    finish: Callable[[], object] = lambda: None,
) -> int:
    """Run `worker` until a signal or until it stops by itself; return the exit status. Call it from the main thread.

    Once it listens, `announcement` is logged and `ready_file` gets its line. `finish` is called after it has stopped.
    """
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    SIGNALS.receiver = signals.put
    SIGNALS.listen()
    if SIGNALS.number is not None:  # it came while this program started
        signals.put(SIGNALS.number)

    def ready() -> None:
        log.info("%s", announcement)
        if ready_file:
            _announce_ready(ready_file)

    all_done = worker.run(signals, ready)
    finish()
    if not all_done:
        _exit_now()
    return worker.exit_status


def _announce_ready(path: str) -> None:
    try:
        _append(path, "ready\n")
    except OSError as error:
        log.warning("%s cannot be written: %s", quoted(path, 200), error.strerror)


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="ascii") as file:
        file.write(text)


def _writable(path: str) -> str:
    """Check an argument that is a file to write to."""
    try:
        _append(path, "")
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{quoted(path)} cannot be written: {error}") from error
    return path


def _exit_now() -> None:
    """End the process although handler threads may still process requests that were released."""
    logging.shutdown()  # it flushes stderr, too
    os._exit(0)


def set_up_log(log_format: str, *, with_process: bool = False) -> None:
    """Log to stderr, as lines of text or JSON; of botocore only warnings and errors.

    `with_process`: each line has the ID of this process.
    """
    handler = logging.StreamHandler(sys.stderr)
    process = os.getpid() if with_process else None
    handler.setFormatter(_JsonFormatter(process) if log_format == "json" else _TextFormatter(process))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("courier").setLevel(logging.INFO)
    # No line has them, and each record would look them up.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # A closed terminal must not end the worker.
    logging.raiseExceptions = False


class _TextFormatter(logging.Formatter):
    def __init__(self, process: int | None) -> None:
        super().__init__(f"%(asctime)s %(levelname)-7s {f'[{process}] ' if process else ''}%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802  logging's signature
        return _stamp(record)


class _JsonFormatter(logging.Formatter):
    def __init__(self, process: int | None) -> None:
        super().__init__()
        self._fixed = {"process": process} if process else {}

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _stamp(record),
            "level": record.levelname.lower(),
            **self._fixed,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return scrub(json.dumps(line))


def _stamp(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"
