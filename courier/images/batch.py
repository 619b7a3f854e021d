"""A batch of images: which files are meant, and their overlapping upload, processing and download."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from courier.errors import CourierError, Rejected, WrongUsage
from courier.images import naming
from courier.images.formats import named_by
from courier.images.pipeline import Pipeline
from courier.images.transfer import ImageTransfer, Result, Uploaded
from courier.messaging.pending import Asked, Question

#: How many transfers are under way at once each way, and how many pictures are uploaded ahead of the answers.
TRANSFERS = 4
AHEAD = 16
#: How long a stream of questions waits for the next upload before it says that there is none at the moment.
_WAIT_SECONDS = 0.05
_WILD = "*?["


class Batch:
    """Many files through the workers: uploads, work and downloads overlap, and what is there is not done again."""

    def __init__(
        self,
        transfer: ImageTransfer,
        pipeline: Pipeline,
        folder: Path,
        *,
        replace: bool,
        moved: Callable[[int], None],
        expected: Callable[[int], None] = lambda _count: None,
        told: Callable[[str, Path | None, Result | CourierError], None],
    ) -> None:
        self._transfer = transfer
        self._pipeline = pipeline
        self._folder = folder
        self._replace = replace
        self._moved = moved
        self._expected = expected
        #: Hears of each file what became of it: the result's file, or the error; no file where it was there already.
        self._tell = told
        self._lock = threading.Lock()
        #: Results that are there and are not those of the files as they are now.
        self.stale: set[Path] = set()

    def _told(self, path: str, target: Path | None, result: Result | CourierError) -> None:
        with self._lock:  # several transfers end at once
            self._tell(path, target, result)

    def run(self, paths: Sequence[str]) -> None:
        """Do all files. Raises: AwsError; what concerns one file is told, and the others go on."""
        missing = [path for path in self._once(paths) if not self.is_there(path)]
        with ThreadPoolExecutor(TRANSFERS) as uploads, ThreadPoolExecutor(TRANSFERS) as downloads:
            try:
                self._ask(missing, uploads, downloads)
            except BaseException:
                uploads.shutdown(wait=False, cancel_futures=True)
                downloads.shutdown(wait=False, cancel_futures=True)
                raise

    def _once(self, paths: Sequence[str]) -> Iterator[str]:
        """Yield the files whose names are not those of others before them, which their results would overwrite."""
        seen: dict[str, str] = {}
        for path in paths:
            name = Path(path).name
            if name in seen:
                self._told(path, None, Rejected(f"{path} has the same name as {seen[name]}.", hint="Rename one."))
            else:
                seen[name] = path
                yield path

    def is_there(self, path: str) -> bool:
        """Whether the result is there already, newer than the file, and say so; a file that cannot be read is not.

        An older result, or an empty one, is made anew and replaced.
        """
        if self._replace:
            return False
        try:
            name, _, header = self._transfer.read(path)
        except CourierError:
            return False
        target = self._folder / naming.name_for(name, self._pipeline, header)
        if not target.exists():
            return False
        found = target.stat()
        if not found.st_size or found.st_mtime < Path(path).stat().st_mtime:
            self.stale.add(target)
            return False
        self._told(path, target, Result(source=name, name=target.name, seconds=0.0))
        return True

    def _ask(self, paths: Sequence[str], uploads: ThreadPoolExecutor, downloads: ThreadPoolExecutor) -> None:
        pending: deque[tuple[str, Future[None]]] = deque()
        results = self._transfer.results(self._questions(paths, uploads), paths)
        for path, result in zip(paths, results, strict=True):
            if isinstance(result, CourierError):
                self._told(path, None, result)
            else:
                pending.append((path, downloads.submit(self._fetch, path, result)))
            while pending and (pending[0][1].done() or len(pending) > AHEAD):
                pending.popleft()[1].result()
        for _, left in pending:
            left.result()

    def _questions(self, paths: Sequence[str], uploads: ThreadPoolExecutor) -> Iterator[Asked]:
        """Yield the questions in order, a few uploads ahead; None while the next upload is not done."""
        options = {"operations": self._pipeline.text}
        ahead: deque[Future[Uploaded]] = deque()
        left = iter(paths)
        for _ in paths:
            while len(ahead) < AHEAD and (further := next(left, None)) is not None:
                ahead.append(uploads.submit(self._upload, further))
            future = ahead.popleft()
            while not _is_done(future):
                yield None
            try:
                sent = future.result()
            except CourierError as error:
                yield error
            else:
                yield Question(body=sent.name, options={**options, "etag": sent.etag})

    def _upload(self, path: str) -> Uploaded:
        return self._transfer.upload(
            path, may_replace=lambda _name: self._replace, moved=self._moved, opened=self._expected
        )

    def _fetch(self, path: str, result: Result) -> None:
        target = self._folder / result.name
        try:
            replace = self._replace or target in self.stale
            self._transfer.download(
                result.name, target, etag=result.etag, replace=replace, moved=self._moved, opened=self._expected
            )
        except CourierError as error:
            self._told(path, None, error)
        else:
            self._told(path, target, result)


def expanded(paths: Sequence[str]) -> list[str]:
    """Return the files that paths mean: a folder is the pictures in it, a pattern what it matches.

    Raises: WrongUsage if a pattern or a folder has none.
    """
    found: dict[str, None] = {}
    for path in paths:
        try:
            files = _meant(Path(path), path)
        except (OSError, ValueError) as error:
            raise WrongUsage(
                f"{path} matches no files: {error}.", hint="Quote a pattern such as 'photos/*.jpg'."
            ) from error
        if not files:
            raise WrongUsage(f"There is no image in {path}.", hint="Give files, folders, or patterns such as '*.jpg'.")
        found |= dict.fromkeys(files)
    return list(found)


def _meant(place: Path, path: str) -> list[str]:
    if place.is_dir():
        return sorted(str(one) for one in place.iterdir() if named_by(one.suffix) and one.is_file())
    if not any(sign in path for sign in _WILD) or place.exists():
        return [str(place)]
    root = Path(place.anchor) if place.is_absolute() else Path()
    pattern = str(place.relative_to(place.anchor)) if place.is_absolute() else path
    return sorted(str(one) for one in root.glob(pattern) if one.is_file())


def _is_done(future: Future[Uploaded]) -> bool:
    try:
        future.exception(timeout=_WAIT_SECONDS)
    except TimeoutError:
        return False
    return True
