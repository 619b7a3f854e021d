"""Check object names, and read, write and lock local files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from courier.errors import Reason, Rejected, WrongUsage
from courier.text import printable, quoted

#: The longest name, in UTF-8 bytes: the limit of file systems, and less for a source, since its result has a longer
#: name.
MAX_NAME_BYTES = 255
MAX_SOURCE_NAME_BYTES = 200
_UNFINISHED = ".courier-"
_IS_UNFINISHED = re.compile(re.escape(_UNFINISHED) + "[a-z0-9_]{8}")


def check_name(name: str, max_bytes: int = MAX_NAME_BYTES) -> str:
    """Return `name` if it is valid for an object and a local file: no folder, no leading dot, all printable.

    Raises: Rejected, with the reason.
    """
    wrong = _fault(name, max_bytes)
    if wrong:
        raise Rejected(f"The name {quoted(name, 80)} {wrong}.", hint="Rename it.")
    return name


def _fault(name: str, max_bytes: int) -> str:
    rules = {
        "is empty": not name,
        "has control characters in it": name != printable(name, None),
        "points into another folder": "/" in name or "\\" in name,
        "begins with a dot": name.startswith("."),
        "has spaces at its ends": name != name.strip(),
        f"is longer than {max_bytes} bytes": len(name.encode(errors="replace")) > max_bytes,
    }
    return next((fault for fault, broken in rules.items() if broken), "")


def expand_home(path: str) -> str:
    """Return `path` with a leading ~ replaced, if that user exists; an empty path stays empty."""
    with contextlib.suppress(RuntimeError):
        return str(Path(path).expanduser()) if path else ""
    return path


def state_folder() -> Path:
    """Return the user's folder for the state of programs, which may not exist. Raises: RuntimeError without a home.

    Source: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    given = os.environ.get("XDG_STATE_HOME", "")
    return Path(given) if Path(given).is_absolute() else Path.home() / ".local/state"


def read_file(path: Path, *, limit_bytes: int) -> bytes:
    """Return a file's content. Raises: WrongUsage if it cannot be read or changes; Rejected if it is too large."""
    try:
        if path.exists() and not path.is_file():
            raise WrongUsage(f"{path} is not a file.", hint="Give a file.")
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            content = file.read(limit_bytes + 1)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > limit_bytes:
        size_bytes = max(after.st_size, len(content))
        raise Rejected(
            f"{path} has {size_bytes:,} bytes; at most {limit_bytes:,} are allowed.",
            hint="Set COURIER_IMAGE_MAX_MEGABYTES to allow more, here and on the worker.",
            reason=Reason.FILE_TOO_BIG,
        )
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise WrongUsage(f"{path} changed while it was read.", hint="Try again once nothing writes to it.")
    return content


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A file that is being written, in the folder of its target."""

    file: BinaryIO
    target: Path
    path: Path

    def digest(self) -> str:
        """Return the SHA-256 of the written bytes, in hexadecimal."""
        self.file.flush()
        return digest_of(self.path)

    def finish(self, *, replace: bool) -> None:
        """Rename the file to its target. Raises: WrongUsage if the target exists and `replace` is false."""
        with _in_words(self.target):
            if sys.platform == "win32":
                self.file.close()  # Windows cannot rename an open file
            else:
                self.file.flush()
            self.path.chmod(0o666 & ~_UMASK)
            if replace:
                self.path.replace(self.target)
            else:
                _claim(self.target, self.path)


@contextlib.contextmanager
def unfinished(target: Path) -> Iterator[Unfinished]:
    """Yield a file that becomes `target` when it is finished, and is deleted otherwise.

    It is locked while it is written, so that `remove_unfinished` recognizes files of killed programs.
    Raises: WrongUsage if its folder is not writable.
    """
    with _in_words(target):
        file, path = _locked_file(target.parent)
    try:
        with _in_words(target), file:
            yield Unfinished(file=file, target=target, path=path)
    finally:
        path.unlink(missing_ok=True)


def _locked_file(folder: Path) -> tuple[BinaryIO, Path]:
    """Return a new, locked file; tries again if `remove_unfinished` removes it before it is locked."""
    while True:
        descriptor, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=folder)
        file, path = os.fdopen(descriptor, "wb"), Path(name)
        lock(file, wait=True)
        if path.exists():
            return file, path
        file.close()


@contextlib.contextmanager
def writing(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """Yield a file that becomes `path` when the body succeeds, and is deleted otherwise.

    Raises: WrongUsage if `path` exists and `replace` is false, or if its folder is not writable.
    """
    with _in_words(path):
        if not replace and os.path.lexists(path):
            raise FileExistsError
    with unfinished(path) as made:
        yield made.file
        made.finish(replace=replace)


def remove_unfinished(folder: Path) -> None:
    """Remove unfinished files of killed programs from a folder; files that are still being written stay."""
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            if _IS_UNFINISHED.fullmatch(path.name):
                _remove_if_unlocked(path)


def _remove_if_unlocked(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("rb") as file:
        if lock(file):
            path.unlink()


def lock(file: IO[bytes], *, wait: bool = False) -> bool:
    """Lock an open file until it is closed; return whether it is locked, always False on Windows."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # another process holds it, or the file system has no locks
        return False
    return True


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal. Raises: OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _claim(path: Path, finished: Path) -> None:
    """Rename a finished file, unless its new name exists by now. Raises: FileExistsError."""
    try:
        os.link(finished, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        path.open("xb").close()
        finished.replace(path)


@contextlib.contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise WrongUsage(f"{path} exists already.", hint="Use --replace to overwrite it.") from error
    except OSError as error:
        raise WrongUsage(f"{path} cannot be written: {error.strerror}.") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


#: Read once, while there is one thread, since reading it changes it for a moment.
_UMASK = _umask()
