"""Object names and local files: which names are safe, and atomic writes."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from courier.errors import Reason, Rejected, WrongUsage
from courier.text import printable, quoted

#: The longest name, in UTF-8 bytes: what file systems take, and less for a source, whose result's name
#: will say what was done.
MAX_NAME_BYTES = 255
MAX_SOURCE_NAME_BYTES = 200


def check_name(name: str, max_bytes: int = MAX_NAME_BYTES) -> str:
    """Return `name` if it may name an object and a local file: no folder, no dot in front, all printable.

    Raises: Rejected, saying what is wrong with it.
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
    """Return `path` with a leading ~ replaced, where there is such a user; an empty one stays empty."""
    with contextlib.suppress(RuntimeError):
        return str(Path(path).expanduser()) if path else ""
    return path


def read_file(path: Path, *, limit_bytes: int) -> bytes:
    """Return a file's content. Raises: WrongUsage if it cannot be read; Rejected if it is too large."""
    try:
        if path.exists() and not path.is_file():
            raise WrongUsage(f"{path} is not a file.", hint="Give a file.")
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > limit_bytes:
        size_bytes = max(path.stat().st_size, len(content))
        raise Rejected(
            f"{path} has {size_bytes:,} bytes; at most {limit_bytes:,} are allowed.",
            hint="Set COURIER_IMAGE_MAX_MEGABYTES to allow more, here and on the worker.",
            reason=Reason.FILE_TOO_BIG,
        )
    return content


@contextlib.contextmanager
def writing(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """Yield a file that becomes `path` when the body ends well, and leaves no trace when it does not.

    Raises: WrongUsage if `path` exists and `replace` is false, or if its folder cannot be written.
    """
    with _in_words(path):
        if not replace and os.path.lexists(path):
            raise FileExistsError
        descriptor, temporary = tempfile.mkstemp(prefix=".courier-", dir=path.parent)
    try:
        with _in_words(path), os.fdopen(descriptor, "wb") as file:
            yield file
        with _in_words(path):
            Path(temporary).chmod(0o666 & ~_UMASK)
            if replace:
                Path(temporary).replace(path)
            else:
                _claim(path, temporary)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _claim(path: Path, finished: str) -> None:
    """Give a finished file its name, unless another program has taken that meanwhile. Raises: FileExistsError."""
    try:
        os.link(finished, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        path.open("xb").close()
        Path(finished).replace(path)


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


#: Read once, while there is one thread: to read it is to change it for a moment.
_UMASK = _umask()
