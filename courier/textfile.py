"""Text that the user names: a file, or standard input for `-`."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from courier.errors import InputRefused, MessageTooLong, WrongUsage

#: What is read of a file at most as one list: what a message carries.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_FILE_BYTES = 1_048_576
#: Lines read ahead of the requests, and how long a silent pipe holds up what is under way, in seconds.
READ_AHEAD = 1_000
PIPE_SECONDS = 0.05
STANDARD_INPUT = "-"


def read_whole(path: str) -> str:
    """Return the text of a file, or of standard input for `-`.

    Raises: WrongUsage if it cannot be read; MessageTooLong; InputRefused if it is not UTF-8.
    """
    try:
        if path == STANDARD_INPUT:
            _check_stdin()
            content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_FILE_BYTES:
        raise MessageTooLong(f"{path} is longer than the {MAX_FILE_BYTES:,} bytes that a message carries.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path} is no text: byte {error.start + 1} is not UTF-8.") from error


def read_lines(path: str) -> Iterator[str | None]:
    """Yield the lines of a file (or of standard input, for `-`), without their ends; None while it is silent.

    A pipe may be silent for long, and what is under way must go on meanwhile; so a thread reads ahead.
    Raises: WrongUsage if the file cannot be read.
    """
    lines: queue.Queue[str | BaseException | None] = queue.Queue(READ_AHEAD)
    try:
        if path == STANDARD_INPUT:
            _check_stdin()
        source = sys.stdin.fileno() if path == STANDARD_INPUT else path
        file = open(source, encoding="utf-8-sig", errors="replace", closefd=source == path)  # noqa: SIM115
        threading.Thread(target=_pump, args=(file, lines), name="lines", daemon=True).start()
        yield from _drain(lines)
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}.") from error


def _pump(file: IO[str], lines: queue.Queue[str | BaseException | None]) -> None:
    """Pass on every line; of one longer than any message, only so much as to tell that it is."""
    try:
        with file:
            while line := file.readline(MAX_FILE_BYTES + 1):
                lines.put(line.rstrip("\n"))
                while line and not line.endswith("\n"):
                    line = file.readline(MAX_FILE_BYTES)
        lines.put(None)
    except BaseException as error:  # noqa: BLE001  whatever ends the reading must reach who waits for lines
        lines.put(error)


def _drain(lines: queue.Queue[str | BaseException | None]) -> Iterator[str | None]:
    while True:
        try:
            line = lines.get(timeout=PIPE_SECONDS)
        except queue.Empty:
            yield None
            continue
        if isinstance(line, BaseException):
            raise line
        if line is None:
            return
        yield line


def _check_stdin() -> None:
    if sys.stdin is None:
        raise WrongUsage("There is no standard input.", hint="Name a file, or pipe something in.")
