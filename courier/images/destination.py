"""The folder of a run's results: which files exist there, and which may be replaced."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from courier.errors import FolderClosed, WrongUsage
from courier.files import Unfinished, remove_unfinished, unfinished
from courier.images.results import INDEX, Made, ResultIndex, State
from courier.images.sources import Source


class Destination:
    """The folder of a run's results, with its subfolders. Thread-safe."""

    def __init__(self, folder: Path, sources: Sequence[Source], *, replaces: bool) -> None:
        self._folder = folder
        self._replaces = replaces
        self._lock = threading.Lock()
        self._indexes: dict[Path, ResultIndex] = {}
        self._is_open = False
        places = [Path(source.path) for source in sources if source.path]
        #: The sources, and the results of this run with their sources, by file identity.
        self._taken: dict[tuple[int, int], str | None] = dict.fromkeys(
            identity for place in places for identity in _identities(place)
        )

    def has(self, path: str, target: Path, image: Made) -> bool:
        """Whether the same result exists. Raises: WrongUsage if a different file exists that must be kept."""
        is_there = self._state(path or image.source, target, image) is State.DONE
        if is_there:
            self._take(path or image.source, target)
        return is_there

    def check(self) -> None:
        """Check, before any upload, that the folder is writable. Raises: FolderClosed."""
        with self._lock:
            if self._is_open:
                return
            try:
                with unfinished(self._folder / INDEX):
                    self._is_open = True
            except WrongUsage as error:
                hint = "Give another folder with --to."
                raise FolderClosed(f"Nothing can be saved in {self._folder}: {error.message}", hint=hint) from error

    def keep(self, path: str, part: Unfinished, image: Made) -> None:
        """Rename a result to its target, unless another program has saved the same result. Raises: WrongUsage."""
        path, image = path or image.source, replace(image, digest=part.digest())
        with self._index(part.target.parent).changing() as add:
            state = self._state(path, part.target, image)
            if state is not State.DONE:
                add(image)
                part.finish(replace=state is State.OUTDATED)
            self._take(path, part.target)

    def _state(self, path: str, target: Path, image: Made) -> State:
        """Return the state of a result's target; a file that may be replaced counts as outdated.

        Raises: WrongUsage if the file must be kept.
        """
        self._check_target(path, target)
        state = self._index(target.parent).state(target, image)
        if self._replaces and state is not State.MISSING:
            return State.OUTDATED
        if state is State.FOREIGN:
            raise WrongUsage(
                f"{target} exists and is not a known result of {path} and these operations.",
                hint="Rename it, save elsewhere with --to, or overwrite it with --replace.",
            )
        return state

    def _check_target(self, path: str, target: Path) -> None:
        """Check that the target is not a folder, a source or another result. Raises: WrongUsage."""
        hint = "Save elsewhere with --to."
        if target.is_dir():
            raise WrongUsage(f"{target} is a folder.", hint=hint)
        with self._lock:
            other = next((self._taken[one] for one in _identities(target) if one in self._taken), path)
        if other is None:
            raise WrongUsage(f"{target}, the result of {path}, is one of the sources.", hint=hint)
        if other != path:
            raise WrongUsage(f"{target} is the result of both {other} and {path}.", hint="Rename one of them.")

    def _take(self, path: str, target: Path) -> None:
        with self._lock:
            self._taken.update(dict.fromkeys(_identities(target), path))

    def _index(self, folder: Path) -> ResultIndex:
        with self._lock:
            if folder not in self._indexes:
                remove_unfinished(folder)
                self._indexes[folder] = ResultIndex(folder)
            return self._indexes[folder]


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, unless it exists. Raises: WrongUsage."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise WrongUsage(f"{folder} is not a folder.", hint="Give another with --to.") from error
    except OSError as error:
        raise WrongUsage(f"{folder} cannot be created: {error.strerror}.", hint="Give another with --to.") from error


def _identities(path: Path) -> list[tuple[int, int]]:
    """Return a file's identity, the same for all of its names; for a link, also its target's."""
    try:
        return [(found.st_dev, found.st_ino) for found in (path.lstat(), path.stat())]
    except OSError:  # missing, or a broken link
        return []
