"""Paths as people type, paste and drop them into a terminal: several in a line, quoted, escaped, or as file:// URLs."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from courier.cli import typed_words
from courier.errors import WrongUsage
from courier.files import expand_home
from courier.text import nearest, quoted

_URL = "file://"
#: What PowerShell puts before a dropped path.
_CALL = "& "
_WILD = "*?["
_DRIVE = re.compile(r"([A-Za-z]):[\\/](.*)", re.DOTALL)
#: Where Windows's drives are in its Linux.
_DRIVES = Path("/mnt")
_SHOWN = 60


def paths(text: str) -> list[str]:
    """Return the paths and patterns of a text: a line that is the name of a file as it stands, or each word of it.

    Raises: WrongUsage if a quote is not closed, or if there is no such file or folder.
    """
    found = [path for line in text.splitlines() for path in _of_line(line.strip())]
    for path in found:
        _check(path, has_spaces=" " in text.strip())
    return found


def path(text: str) -> str:
    """Return the path that a text names, which need not exist: spaces need no quotes; empty for an empty text.

    Raises: WrongUsage if a quote is not closed, or if there are several lines.
    """
    line = text.strip()
    if len(line.splitlines()) > 1:
        raise WrongUsage("These are several lines.", hint="Type one folder.")
    whole = _located(line)
    if os.path.lexists(whole):
        return whole
    words = typed_words.split(line.removeprefix(_CALL))
    return _located(words[0].text) if len(words) == 1 else whole


def complete_files(line: str) -> list[str]:
    """Return what a line can become when its last word, or all of it, is completed as a path."""
    return list(_completions(line, only_folders=False))


def complete_folders(line: str) -> list[str]:
    """Return what a line can become when it is completed as the path of a folder."""
    return list(_completions(line, only_folders=True))


def _of_line(line: str) -> Iterator[str]:
    whole = _located(line)
    if line and os.path.lexists(whole):
        yield whole
        return
    for word in typed_words.split(line.removeprefix(_CALL)):
        found = _located(word.text)
        listed = found.removesuffix(",")
        yield listed if not os.path.lexists(found) and os.path.lexists(listed) else found


def _located(word: str) -> str:
    """Return the path that a word names: that of a URL, of the user's home, or of a drive of Windows."""
    if word.startswith(_URL):
        return _path_of_url(word)
    if os.name != "nt" and (drive := _DRIVE.fullmatch(word)) and _DRIVES.is_dir():
        here = _DRIVES / drive[1].lower() / drive[2].replace("\\", "/")
        return str(here) if here.exists() else word
    return expand_home(word)


def _path_of_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost", socket.gethostname()}:
        raise WrongUsage(f"{quoted(url, _SHOWN)} is on another computer.", hint="Copy it to this one first.")
    named = os.fsdecode(unquote_to_bytes(url.removeprefix(_URL + parts.netloc)))
    return named.lstrip("/") if os.name == "nt" else named


def _check(path: str, *, has_spaces: bool) -> None:
    if os.path.lexists(path) or any(sign in path for sign in _WILD):
        return
    near = _near(Path(path))
    hint = f"Did you mean {near}?" if near else "Tab completes names; ? says what can be typed."
    if has_spaces and not near:
        hint = "If its name has spaces, put it in quotes. " + hint
    raise WrongUsage(f"There is no file {quoted(path, _SHOWN)}.", hint=hint)


def _near(path: Path) -> str:
    """Return the path with the most similar name in its folder; empty if there is none."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except (OSError, ValueError):
        return ""
    near = nearest(path.name, names)
    return str(path.parent / near) if near else ""


def _completions(line: str, *, only_folders: bool) -> Iterator[str]:
    word = typed_words.last_word(line)
    found = False
    for rest in _rests(word.text, only_folders=only_folders):
        found = True
        is_complete = bool(word.open_quote) and not rest.endswith("/")
        yield line + typed_words.continued(rest, word.open_quote) + word.open_quote * is_complete
    if not found and word.text != line.lstrip():
        yield from (line + rest for rest in _rests(line.lstrip(), only_folders=only_folders))


def _rests(begun: str, *, only_folders: bool) -> Iterator[str]:
    """Yield what is missing of the paths that begin with `begun`; a folder ends in a slash."""
    # Not as a Path, which would drop a dot or a slash at the end.
    place = os.path.expanduser(begun)  # noqa: PTH111
    folder, name = (place, "") if begun == "~" else os.path.split(place)
    try:
        entries = sorted(os.scandir(folder or "."), key=lambda entry: entry.name)
    except (OSError, ValueError):
        return
    for entry in entries:
        is_hidden = entry.name.startswith(".") and not name.startswith(".")
        is_folder = entry.is_dir()
        if entry.name.startswith(name) and not is_hidden and (is_folder or not only_folders):
            yield "/" * (begun == "~") + entry.name[len(name) :] + "/" * is_folder
