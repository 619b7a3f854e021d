"""Text that the user names: a file, or standard input for `-`."""

from __future__ import annotations

import os
import queue
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from courier.cancellation import Cancellation
from courier.errors import WrongUsage
from courier.numbers.decoding import Decoder, lines

#: What is read of a line at most: more than any message carries.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_LINE_BYTES = 1_048_576
#: How much is read at a time, in bytes.
BLOCK_BYTES = 2**17
#: Lines read ahead of the requests, and how long a silent pipe holds up what is under way, in seconds.
READ_AHEAD = 1_000
PIPE_SECONDS = 0.05
STANDARD_INPUT = "-"


@contextmanager
def opened(path: str, cancellation: Cancellation) -> Iterator[Source]:
    """Open a file, or standard input for `-`, for reading. Raises: WrongUsage if it cannot be read; Canceled."""
    if path == STANDARD_INPUT:
        _check_stdin()
        yield Source(path, sys.stdin.buffer, cancellation)
        return
    with _blamed(path):
        # To open a named pipe is to wait for whoever writes into it.
        file = cancellation.run(lambda: Path(path).open("rb"))  # noqa: SIM115  closed below
    with file:
        yield Source(path, file, cancellation)


@contextmanager
def _blamed(path: str) -> Iterator[None]:
    """Say of what fails within that it is the reading of a file. Raises: WrongUsage."""
    try:
        yield
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}.") from error


class Source:
    """A file whose reads can be canceled while it has nothing to read: a pipe may be silent for long."""

    def __init__(self, path: str, file: BinaryIO, cancellation: Cancellation) -> None:
        self._path = path
        self._file = file
        self._cancellation = cancellation

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, all that are left if it is negative. Raises: WrongUsage; Canceled."""
        with _blamed(self._path):
            return self._cancellation.run(lambda: self._file.read(size))

    def fileno(self) -> int:
        """Return its file descriptor."""
        return self._file.fileno()


class Stream:
    """A file of which some is read already, to be read once."""

    def __init__(self, begun: bytes, rest: Source | BinaryIO) -> None:
        self._begun = memoryview(begun)
        self._rest = rest
        #: How long it is, if that is known.
        self.size_bytes = _size_of(rest, len(begun))

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, all that are left if it is negative, fewer only at the end."""
        taken = bytes(self._begun if size < 0 else self._begun[:size])
        self._begun = self._begun[len(taken) :]
        if len(taken) != size:
            taken += self._rest.read(size - len(taken) if size >= 0 else -1)
        return taken


def _size_of(file: Source | BinaryIO, begun: int) -> int | None:
    try:
        found = os.fstat(file.fileno())
    except (OSError, ValueError):  # not a file of the system's
        return begun
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def read_lines(path: str) -> Iterator[str | None]:
    """Yield the lines of a file (or of standard input, for `-`), without their ends; None while it is silent.

    A pipe may be silent for long, and what is under way must go on meanwhile; so a thread reads ahead.
    Raises: WrongUsage if the file cannot be read.
    """
    ahead: queue.Queue[str | BaseException | None] = queue.Queue(READ_AHEAD)
    if path == STANDARD_INPUT:
        _check_stdin()
    threading.Thread(target=_pump, args=(path, ahead), name="lines", daemon=True).start()
    with _blamed(path):
        yield from _drain(ahead)


def _pump(path: str, ahead: queue.Queue[str | BaseException | None]) -> None:
    """Open a file, which takes as long as a named pipe has no writer, and pass on its lines."""
    try:
        source = sys.stdin.fileno() if path == STANDARD_INPUT else path
        # Without a buffer, a pipe's text is there as soon as its bytes are.
        with open(source, "rb", buffering=0, closefd=source == path) as file:
            blocks = iter(lambda: file.read(BLOCK_BYTES), b"")
            for line in lines(Decoder(path, errors="replace").texts(blocks), MAX_LINE_BYTES):
                ahead.put(line)
        ahead.put(None)
    except BaseException as error:  # noqa: BLE001  whatever ends the reading must reach who waits for lines
        ahead.put(error)


def _drain(ahead: queue.Queue[str | BaseException | None]) -> Iterator[str | None]:
    while True:
        try:
            line = ahead.get(timeout=PIPE_SECONDS)
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
        raise WrongUsage("There is no standard input.", hint="Give a file, or pipe something in.")
