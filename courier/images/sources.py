"""Find the files of a batch: expand folders, patterns and names to sources, and report skipped files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from courier.errors import WrongUsage
from courier.images.formats import HEIF, named_by
from courier.images.preview import SAMPLE_NAME
from courier.images.results import INDEX, ResultIndex

_WILD = "*?["
#: A letter of a pattern, or a set of characters, which stays as it is.
_LETTER = re.compile(r"\[[^]]*\]|[^\W\d_]")
#: The most file names in a note about skipped files.
_NAMED = 5
#: Formats that are skipped by suffix.
_NOT_READ = {
    "camera raw": (
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos", ".mrw"),
        *(".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
    ),
    "JPEG XL": (".jxl",),
    "JPEG 2000": (".jp2", ".j2k", ".jpx"),
    "Photoshop": (".psd", ".psb"),
    "a vector drawing": (".svg", ".eps", ".ai", ".wmf", ".emf"),
    "PDF": (".pdf",),
    "video": (".mov", ".mp4", ".m4v", ".avi", ".mkv", ".webm", ".3gp"),
}
#: Suffixes of JPEGs; results have the usual suffix.
_MPO = ".mpo"
_REASONS = {ending: f"{what} is not read" for what, endings in _NOT_READ.items() for ending in endings}
_REASONS |= dict.fromkeys(HEIF.suffixes, "HEIC is not read without the package pillow-heif")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file to process, and the subfolder of its result. The sample image has no path."""

    path: str
    subfolder: Path = Path()

    @property
    def shown(self) -> str:
        """Its name in messages."""
        return self.path or SAMPLE_NAME


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The files to process, each once, and by path, why others are skipped."""

    found: list[Source]
    skipped: dict[str, str] = field(default_factory=dict)
    #: Results of earlier runs, by path, and their sources' names.
    results: dict[str, str] = field(default_factory=dict)

    def notes(self) -> list[str]:
        """Return notes about skipped files."""
        notes = [f"{_count(len(self.skipped))} skipped: {_by_reason(self.skipped)}."] if self.skipped else []
        if self.results:
            skipped = _count(len(self.results))
            notes.append(f"{skipped} skipped: results of earlier runs (to process them, give only their names).")
        return notes


def find_sources(paths: Sequence[str], *, recursive: bool = False) -> Sources:
    """Expand paths to files: a folder to its images, a pattern to its matches.

    Raises: WrongUsage if a pattern or a folder has no images.
    """
    search = _Search(recursive=recursive)
    for path in paths:
        try:
            search.add(path)
        except (OSError, ValueError) as error:
            raise WrongUsage(
                f"{path} matches no files: {error}.", hint="Quote a pattern such as 'photos/*.jpg'."
            ) from error
    return search.sources()


class _Search:
    def __init__(self, *, recursive: bool) -> None:
        self._is_recursive = recursive
        #: By path, so that each file is processed once.
        self._found: dict[Path, Source] = {}
        #: Results that were named or matched: they are sources only if there are no others.
        self._named_results: dict[Path, Source] = {}
        self._skipped: dict[str, str] = {}
        self._results: dict[str, str] = {}
        self._indexes: dict[Path, ResultIndex] = {}

    def add(self, path: str) -> None:
        """Add the files of a path. Raises: WrongUsage if there are none; OSError; ValueError."""
        place = Path(path)
        if place.is_dir():
            met = [self._add_found(file, file.parent.relative_to(place)) for file in self._files(place)]
        elif any(sign in path for sign in _WILD) and not place.exists():
            met = [self._add_named(file) for file in _matches(place, path) if file.is_file()]
        else:
            met = [self._add_named(place)]
        if not any(met):
            notes = Sources(found=[], skipped=self._skipped, results=self._results).notes()
            hint = "--recursive takes what is in its subfolders." if place.is_dir() and not self._is_recursive else ""
            hint = hint or "Give files, folders, or patterns such as '*.jpg'."
            raise WrongUsage(" ".join([f"There is no image in {path}.", *notes]), hint=hint)

    def sources(self) -> Sources:
        """Return the collected sources."""
        if not self._found:
            return Sources(found=list(self._named_results.values()), skipped=self._skipped, results=self._results)
        named = {source.path: self._made_of(Path(source.path)) for source in self._named_results.values()}
        return Sources(found=list(self._found.values()), skipped=self._skipped, results=self._results | named)

    def _files(self, folder: Path) -> Iterator[Path]:
        """Yield the files in a folder, except hidden files; does not follow links to folders."""

        def note(error: OSError) -> None:
            if Path(error.filename) == folder:
                raise error
            self._skipped[error.filename] = f"cannot be read: {error.strerror}"

        for place, folders, names in os.walk(folder, onerror=note):
            folders[:] = sorted(name for name in folders if self._is_recursive and not name.startswith("."))
            yield from (Path(place, name) for name in sorted(names) if not name.startswith(".") and name != INDEX)

    def _add_found(self, file: Path, subfolder: Path) -> bool:
        """Add a file of a folder, or record why not; return whether it was added."""
        reason = _reason(file)
        made_of = self._made_of(file)
        if made_of:
            self._results[str(file)] = made_of
        elif reason:
            self._skipped[str(file)] = reason
        else:
            self._found.setdefault(_place(file), Source(path=str(file), subfolder=subfolder))
        return not made_of and not reason

    def _add_named(self, file: Path) -> bool:
        is_result = bool(self._made_of(file)) or file.name == INDEX
        (self._named_results if is_result else self._found).setdefault(_place(file), Source(path=str(file)))
        return True

    def _made_of(self, file: Path) -> str:
        """Return the name of the source of a result."""
        index = self._indexes.setdefault(file.parent, ResultIndex(file.parent))
        return next((made.source for made in reversed(index.made(file.name))), "")


def _matches(place: Path, pattern: str) -> Iterator[Path]:
    root = Path(place.anchor) if place.is_absolute() else Path()
    found = root.glob(_in_any_case(str(place.relative_to(place.anchor)) if place.is_absolute() else pattern))
    shows_hidden = place.name.startswith(".")
    for file in sorted(found):
        if not file.is_dir() and file.name != INDEX and (shows_hidden or not file.name.startswith(".")):
            yield file


def _in_any_case(pattern: str) -> str:
    """Return a pattern that matches letters of either case in names with wildcards: cameras write IMG_1.JPG."""
    return "/".join(
        _LETTER.sub(_either, part) if any(sign in part for sign in _WILD) else part for part in pattern.split("/")
    )


def _either(match: re.Match[str]) -> str:
    found = match[0]
    return found if found.startswith("[") else f"[{found.lower()}{found.upper()}]"


def _reason(file: Path) -> str:
    """Return why a file is skipped, by its type and its name; empty: it is not."""
    if not file.is_file():
        return "a link to nothing" if file.is_symlink() else "not a file"
    ending = file.suffix.lower()
    if named_by(ending) or ending == _MPO:
        return ""
    return _REASONS.get(ending, "not named as an image")


def _by_reason(skipped: dict[str, str]) -> str:
    groups: dict[str, list[str]] = {}
    for path, reason in skipped.items():
        groups.setdefault(reason, []).append(path)
    return "; ".join(f"{_listed(paths)} ({reason})" for reason, paths in groups.items())


def _listed(paths: list[str]) -> str:
    more = [f"{len(paths) - _NAMED:,} more"] if len(paths) > _NAMED else []
    return ", ".join([*paths[:_NAMED], *more])


def _count(number: int) -> str:
    return "1 file" if number == 1 else f"{number:,} files"


def _place(path: Path) -> Path:
    """Return a path with links to folders resolved, but not a link to the file itself."""
    return Path(os.path.realpath(path.parent), path.name)
