"""What was typed at each question: of this session, and of earlier ones where it is kept.

Kept are only answers to questions in `KEPT` that were accepted: what this user typed, and never what looks like a
credential, nor names that come from the bucket, which may be another user's.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from courier.files import lock, state_folder
from courier.redaction import scrub

#: The questions whose answers are kept between sessions.
KEPT = ("numbers", "length", "percentiles", "files", "operations", "folders")
#: The most lines that are kept for a question; the file is cut when it has twice that number.
MAX_LINES = 200
#: The longest line that is kept, in characters, and the most that is read of a file, in bytes.
MAX_LINE = 1_000
MAX_BYTES = 1 << 20
#: Access keys, names of credentials, and secret access keys of AWS: 40 characters of base64.
_CREDENTIAL = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}|aws_?(?:secret|session|access)|x-amz-(?:signature|credential|security)|[A-Za-z0-9/+=]{100}",
    re.IGNORECASE,
)
_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])(?=\S*[a-z])(?=\S*[A-Z])(?=\S*[0-9])[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])")


class Histories:
    """The lines typed at each question, the newest last; `keeps`: between sessions, in files that only this user reads.

    A folder that cannot be used is no error: then nothing is kept.
    """

    def __init__(self, *, keeps: bool = False) -> None:
        self._keeps = keeps and sys.platform != "win32"
        self._lines: dict[str, list[str]] = {}

    def lines(self, question: str) -> list[str]:
        """Return the lines of a question."""
        if question not in self._lines:
            self._lines[question] = _load(question) if self._keeps and question in KEPT else []
        return self._lines[question]

    def add(self, question: str, line: str) -> None:
        """Add a line to this session, unless it is empty or the last one again."""
        lines = self.lines(question)
        if line.strip() and lines[-1:] != [line]:
            lines.append(line)

    def keep(self, question: str, line: str) -> None:
        """Keep an accepted answer for later sessions."""
        if self._keeps and question in KEPT and may_be_kept(line):
            with contextlib.suppress(OSError, RuntimeError, UnicodeError):
                _append(question, line)


def may_be_kept(line: str) -> bool:
    """Whether a line is neither empty, nor long, nor private (it begins with a space), nor looks like a credential."""
    is_private = line.startswith(" ") or not line.strip() or len(line) > MAX_LINE
    return not is_private and scrub(line) == line and not (_CREDENTIAL.search(line) or _SECRET.search(line))


def _append(question: str, line: str) -> None:
    with _opened(question, is_new=True) as file:
        lock(file)
        file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def _load(question: str) -> list[str]:
    """Return the kept lines; cuts a file that has become long, unless another program uses it."""
    try:
        with _opened(question) as file:
            size_bytes = file.seek(0, os.SEEK_END)
            file.seek(max(0, size_bytes - MAX_BYTES))
            lines = list(_decoded(file.read()))
            if (size_bytes > MAX_BYTES or len(lines) > 2 * MAX_LINES) and lock(file):
                file.truncate(0)  # it is open for appending
                kept = (json.dumps(line, ensure_ascii=False) + "\n" for line in lines[-MAX_LINES:])
                file.write("".join(kept).encode())
    except (OSError, RuntimeError, UnicodeError):
        return []
    return lines[-MAX_LINES:]


def _decoded(content: bytes) -> Iterator[str]:
    for row in content.splitlines():
        with contextlib.suppress(ValueError):
            line = json.loads(row)
            if isinstance(line, str):
                yield line


def _opened(question: str, *, is_new: bool = False) -> IO[bytes]:
    """Open the file of a question; make it and its folder with `is_new`, if they are missing.

    Raises: OSError, also if the folder is another user's; RuntimeError without a home.
    """
    folder = state_folder() / "courier" / "history"
    _check_owner(next(place for place in (folder, *folder.parents) if place.exists()))
    flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    if is_new:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags |= os.O_CREAT
    file = os.fdopen(os.open(folder / question, flags, 0o600), "r+b")
    try:
        _check_file(file.fileno())
    except BaseException:
        file.close()
        raise
    return file


def _check_file(descriptor: int) -> None:
    """Check that an open file is a file of this user, and let nobody else read it. Raises: OSError."""
    if sys.platform == "win32":
        return
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError
    if found.st_mode & 0o077:
        os.fchmod(descriptor, 0o600)


def _check_owner(folder: Path) -> None:
    """Check that a folder is this user's, and not / for a user without a home. Raises: PermissionError.

    Under sudo it is often another's.
    """
    if sys.platform == "win32":
        return
    if folder.stat().st_uid != os.geteuid() or folder == Path(folder.anchor):
        raise PermissionError
