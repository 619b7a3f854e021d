"""Upload, process and download a batch of images concurrently, without overwriting the user's files."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath

from courier import Request
from courier.errors import AwsError, CourierError, FolderClosed, Rejected
from courier.files import unfinished
from courier.images import naming
from courier.images.destination import Destination, make_folder
from courier.images.pipeline import Pipeline
from courier.images.results import SAMPLE, Made, source_of
from courier.images.sources import Source
from courier.images.transfer import ImageTransfer, Result, Uploaded
from courier.progress import NO_PROGRESS, Progress

#: The concurrent transfers in each direction, and the images that are uploaded ahead of the responses.
TRANSFERS = 4
AHEAD = 16
#: How long the stream of requests waits for the next upload before it yields a pause.
_WAIT_SECONDS = 0.05
#: Called with the outcome of each file: the result's file and the result, or the error.
Report = Callable[[str, Path | None, Result | CourierError], None]


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A file in progress: the target and the origin of its result, and the upload."""

    path: str
    target: Path
    image: Made
    sent: Uploaded


class Batch:
    """Processes many files: uploads, processing and downloads overlap, and existing results are skipped."""

    def __init__(
        self,
        transfer: ImageTransfer,
        pipeline: Pipeline,
        folder: Path,
        sources: Sequence[Source],
        *,
        replace: bool,
        report: Report,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        self._transfer = transfer
        self._pipeline = pipeline
        self._folder = folder
        self._sources = sources
        self._progress = progress
        self._report = report
        self._lock = threading.Lock()
        self._destination = Destination(folder, sources, replaces=replace)

    def run(self) -> None:
        """Process all files; report errors of single files, and continue. Raises: AwsError; WrongUsage."""
        with ThreadPoolExecutor(TRANSFERS) as uploads, ThreadPoolExecutor(TRANSFERS) as downloads:
            try:
                self._ask(self._jobs(list(self._once()), uploads), downloads)
            except BaseException:
                uploads.shutdown(wait=False, cancel_futures=True)
                downloads.shutdown(wait=False, cancel_futures=True)
                raise

    def _told(self, path: str, target: Path | None, result: Result | CourierError) -> None:
        with self._lock:  # several transfers end at once
            self._report(path, target, result)

    def _once(self) -> Iterator[Source]:
        """Yield the files whose results do not overwrite those of earlier files."""
        seen: dict[Path, str] = {}
        for source in self._sources:
            name = source.subfolder / Path(source.path).name
            if name in seen:
                error = Rejected(f"{source.path} has the same name as {seen[name]}.", hint="Rename one.")
                self._told(source.path, None, error)
            else:
                seen[name] = source.path
                yield source

    def _ask(self, jobs: Iterator[_Job | None], downloads: ThreadPoolExecutor) -> None:
        first = next((job for job in jobs if job is not None), None)
        if first is None:
            return
        asked: deque[_Job] = deque()
        pending: deque[Future[None]] = deque()
        for result in self._transfer.results(self._requests(chain([first], jobs), asked)):
            job = asked.popleft()
            if isinstance(result, CourierError):
                self._told(job.path, None, result)
            else:
                pending.append(downloads.submit(self._fetch, job, result))
            while pending and (pending[0].done() or len(pending) > AHEAD):
                pending.popleft().result()
        for left in pending:
            left.result()
        self._transfer.check_canceled()

    def _requests(self, jobs: Iterable[_Job | None], asked: deque[_Job]) -> Iterator[Request | None]:
        for job in jobs:
            if job is None:
                yield None
            else:
                asked.append(job)
                yield Request(body=job.sent.name, options={"operations": self._pipeline.text, "etag": job.sent.etag})

    def _jobs(self, sources: Sequence[Source], uploads: ThreadPoolExecutor) -> Iterator[_Job | None]:
        """Yield uploaded files in order, a few uploads ahead; None while the next upload is in progress."""
        ahead: deque[tuple[str, Future[_Job | None]]] = deque()
        left, has_begun = iter(sources), False
        for _ in sources:
            while len(ahead) < AHEAD and (further := next(left, None)) is not None:
                ahead.append((further.path, uploads.submit(self._begin, further)))
            path, future = ahead.popleft()
            while not _is_done(future):
                self._transfer.check_canceled()
                yield None
            try:
                job = future.result()
            except FolderClosed:
                raise
            except CourierError as error:
                if isinstance(error, AwsError) and not has_begun:
                    raise  # every other file would wait for it, too
                self._told(path, None, error)
            else:
                if job is not None:
                    has_begun = True
                    yield job

    def _begin(self, source: Source) -> _Job | None:
        """Upload a file, unless its result exists already. Raises: CourierError."""
        self._transfer.check_canceled()
        local = self._transfer.read(source.path)
        target = self._folder / source.subfolder / naming.name_for(local.name, self._pipeline, local.header)
        image = Made(
            result=target.name,
            digest="",
            source=source_of(Path(source.path), target.parent) if source.path else SAMPLE,
            source_digest=local.digest,
            operations=self._pipeline.text,
        )
        if self._destination.has(source.path, target, image):
            self._told(source.path, target, Result(name=target.name, was_there=True))
            return None
        self._destination.check()
        sent = self._transfer.upload_apart(local, moved=self._progress.advance, opened=self._progress.expect)
        return _Job(path=source.path, target=target, image=image, sent=sent)

    def _fetch(self, job: _Job, result: Result) -> None:
        try:
            self._save(job, result)
        except CourierError as error:
            self._told(job.path, None, error)
        else:
            self._told(job.path, job.target, result)

    def _save(self, job: _Job, result: Result) -> None:
        if PurePath(result.name).suffix.lower() != job.target.suffix.lower():
            raise Rejected(
                f"The worker saved {result.name}; {job.target.name} was expected.",
                hint="Use the same version of client and worker.",
            )
        make_folder(job.target.parent)
        with unfinished(job.target) as part:
            self._transfer.fetch(result, part.file, moved=self._progress.advance, opened=self._progress.expect)
            self._destination.keep(job.path, part, job.image)


def _is_done(future: Future[_Job | None]) -> bool:
    try:
        future.exception(timeout=_WAIT_SECONDS)
    except TimeoutError:
        return False
    return True
