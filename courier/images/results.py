"""The index of results in a folder, by which a file may be recognized as a result and replaced.

The index is a file with lines of JSON in the folder itself. A line has the name and digest of a result and its source,
and the operations. It is added, under a lock, before the result is renamed to its target, so that a program
that is killed in between leaves no unknown result. Invalid lines are ignored. A file without a matching line is the
user's own.
"""

from __future__ import annotations

import json
import os
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from enum import Enum
from functools import cache
from pathlib import Path
from typing import IO, BinaryIO

from courier.errors import Rejected, WrongUsage
from courier.files import digest_of, lock
from courier.images.pipeline import parse

INDEX = "courier-results.jsonl"
ABOUT = {
    "about": "The results that images_client.py run saved in this folder, and their sources. Without this file, run "
    "does not recognize them: it overwrites no file here, and counts none as done."
}
#: The source name of the sample's results.
SAMPLE = "(the sample image)"


class State(Enum):
    """The state of a result's target."""

    #: There is no file.
    MISSING = "missing"
    #: The same result.
    DONE = "done"
    #: The result of an earlier version of the source, which may be replaced.
    OUTDATED = "outdated"
    #: The user's own file.
    FOREIGN = "foreign"


@dataclass(frozen=True, kw_only=True)
class Made:
    """The origin of a result; digests are SHA-256, in hexadecimal."""

    result: str
    digest: str
    #: The source's path, from the result's folder, so that both may be moved together.
    source: str
    source_digest: str
    operations: str

    def is_of(self, source_digest: str, operations: str) -> bool:
        """Whether its source has this digest and its operations are equivalent."""
        return self.source_digest == source_digest and _meaning(self.operations) == _meaning(operations)

    def is_outdated(self, source: str, operations: str) -> bool:
        """Whether its source has this path and its operations are equivalent."""
        return _normal(self.source) == _normal(source) and _meaning(self.operations) == _meaning(operations)


class ResultIndex:
    """The known results in a folder. Safe for concurrent threads and programs."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / INDEX
        self._guard = threading.RLock()
        self._made: dict[str, list[Made]] = {}
        self._inode = 0
        self._read_bytes = 0

    def made(self, name: str) -> list[Made]:
        """Return the entries of a result's name, regardless of case and Unicode normalization."""
        with self._guard:
            self._read()
            return list(self._made.get(_normal(name).casefold(), ()))

    def state(self, target: Path, image: Made) -> State:
        """Return the state of `target`, the target of `image`; ignores the digest of `image`. Raises: WrongUsage."""
        if not os.path.lexists(target):
            return State.MISSING
        known = self.made(target.name)
        try:
            return _state(target, known, image) if known and target.is_file() else State.FOREIGN
        except OSError as error:
            raise WrongUsage(f"{target} cannot be read: {error.strerror}.") from error

    @contextmanager
    def changing(self) -> Iterator[Callable[[Made], None]]:
        """Lock the index while the body runs; yields a function that adds an entry. Raises: WrongUsage."""
        with self._guard:
            try:
                file = self._path.open("a+b", buffering=0)
            except OSError as error:
                raise WrongUsage(f"{self._path} cannot be written: {error.strerror}.") from error
            with file:
                lock(file, wait=True)
                yield lambda image: self._add(file, image)

    def _add(self, file: IO[bytes], image: Made) -> None:
        size_bytes = file.seek(0, os.SEEK_END)
        before = json.dumps(ABOUT) + "\n"
        if size_bytes:
            file.seek(size_bytes - 1)
            before = "" if file.read(1) == b"\n" else "\n"  # after an incomplete line, which a full disk may leave
        try:
            file.write(f"{before}{json.dumps(asdict(image))}\n".encode())
        except OSError as error:
            raise WrongUsage(f"{self._path} cannot be written: {error.strerror}.") from error

    def _read(self) -> None:
        """Read new entries. An unreadable index counts as empty."""
        try:
            if not self._path.is_file():
                return
            with self._path.open("rb") as file:
                self._read_on(file)
        except OSError:
            return

    def _read_on(self, file: BinaryIO) -> None:
        found = os.fstat(file.fileno())
        if found.st_ino != self._inode or found.st_size < self._read_bytes:
            self._inode, self._read_bytes = found.st_ino, 0
        file.seek(self._read_bytes)
        whole, end, _ = file.read().rpartition(b"\n")
        self._read_bytes += len(whole) + len(end)
        for image in filter(None, map(_made, whole.splitlines())):
            self._made.setdefault(_normal(image.result).casefold(), []).append(image)


def source_of(path: Path, folder: Path) -> str:
    """Return the path of a source relative to the folder of results, with links resolved."""
    place = Path(os.path.realpath(path.parent), path.name)
    try:
        return Path(os.path.relpath(place, os.path.realpath(folder))).as_posix()
    except ValueError:  # on another drive
        return str(place)


def _made(line: bytes) -> Made | None:
    try:
        found = json.loads(line)
        values = {field.name: found[field.name] for field in fields(Made)}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Made(**values) if all(isinstance(value, str) for value in values.values()) else None


def _state(target: Path, known: Sequence[Made], image: Made) -> State:
    digest = digest_of(target)
    here = [one for one in known if one.digest == digest]
    if any(one.is_of(image.source_digest, image.operations) for one in here):
        return State.DONE
    # On a file system without links, a killed program may leave an empty file, which may be replaced.
    ours = known if target.stat().st_size == 0 else here
    if not target.is_symlink() and any(one.is_outdated(image.source, image.operations) for one in ours):
        return State.OUTDATED
    return State.FOREIGN


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)


@cache
def _meaning(operations: str) -> str:
    try:
        return parse(operations).meaning
    except Rejected:
        return operations
