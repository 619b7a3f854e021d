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

#: The longest line: more than a message can contain.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_LINE_BYTES = 1_048_576
#: The bytes read at a time.
BLOCK_BYTES = 2**17
#: The most lines read ahead of the requests, and how long a silent pipe delays responses, in seconds.
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
    with _translated(path):
        # Opening a named pipe waits for a writer.
        file = cancellation.run(lambda: Path(path).open("rb"))  # noqa: SIM115  closed below
    with file:
        yield Source(path, file, cancellation)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """Translate OS errors inside: the file cannot be read. Raises: WrongUsage."""
    try:
        yield
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}.") from error


class Source:
    """A file whose reads can be canceled: a pipe may be silent for long."""

    def __init__(self, path: str, file: BinaryIO, cancellation: Cancellation) -> None:
        self._path = path
        self._file = file
        self._cancellation = cancellation

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, the rest if negative. Raises: WrongUsage; Canceled."""
        with _translated(self._path):
            return self._cancellation.run(lambda: self._file.read(size))

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._file.fileno()


class Stream:
    """A file whose first bytes were read already; to be read once."""

    def __init__(self, begun: bytes, rest: Source | BinaryIO) -> None:
        self._begun = memoryview(begun)
        self._rest = rest
        #: Its size, if known.
        self.size_bytes = _size_of(rest, len(begun))
        #: The number of bytes that were read.
        self.position = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, the rest if negative; fewer only at the end."""
        taken = bytes(self._begun if size < 0 else self._begun[:size])
        self._begun = self._begun[len(taken) :]
        if len(taken) != size:
            taken += self._rest.read(size - len(taken) if size >= 0 else -1)
        self.position += len(taken)
        return taken


def _size_of(file: Source | BinaryIO, begun: int) -> int | None:
    try:
        found = os.fstat(file.fileno())
    except (OSError, ValueError):  # not an OS file
        return begun
    return _regular_size(found)


def size_of(path: str) -> int | None:
    """Return the size of a file in bytes (of standard input, for `-`); None if it is not known, as of a pipe."""
    try:
        found = os.stat(sys.stdin.fileno() if path == STANDARD_INPUT else path)  # noqa: PTH116  a descriptor, too
    except (OSError, ValueError, AttributeError):
        return None
    return _regular_size(found)


def _regular_size(found: os.stat_result) -> int | None:
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def read_lines(path: str) -> Iterator[str | None]:
    """Yield the lines of a file (or of standard input, for `-`) without their endings; None while there is no input.

    A thread reads ahead, so that responses are not delayed while a pipe is silent.
    Raises: WrongUsage if the file cannot be read.
    """
    ahead: queue.Queue[str | BaseException | None] = queue.Queue(READ_AHEAD)
    if path == STANDARD_INPUT:
        _check_stdin()
    threading.Thread(target=_pump, args=(path, ahead), name="lines", daemon=True).start()
    with _translated(path):
        yield from _drain(ahead)


def _pump(path: str, ahead: queue.Queue[str | BaseException | None]) -> None:
    """Open a file, which waits for the writer of a named pipe, and put its lines into `ahead`."""
    try:
        source = sys.stdin.fileno() if path == STANDARD_INPUT else path
        # Unbuffered, so that a pipe's text is available at once.
        with open(source, "rb", buffering=0, closefd=source == path) as file:
            blocks = iter(lambda: file.read(BLOCK_BYTES), b"")
            for line in lines(Decoder(path, errors="replace").texts(blocks), MAX_LINE_BYTES):
                ahead.put(line)
        ahead.put(None)
    except BaseException as error:  # noqa: BLE001  it is raised where the lines are read
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
