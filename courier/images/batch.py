"""Upload, process and download a batch of images concurrently, without overwriting the user's files."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path, PurePath

from courier import Request
from courier.errors import AwsError, CourierError, FolderClosed, Rejected
from courier.files import unfinished
from courier.images import naming
from courier.images.destination import Destination, make_folder
from courier.images.pipeline import Pipeline
from courier.images.results import SAMPLE, Made, source_of
from courier.images.sources import Source
from courier.images.transfer import ImageTransfer, LocalImage, Result, Uploaded
from courier.progress import NO_PROGRESS, Progress

#: The concurrent transfers in each direction, and the images that are uploaded ahead of the responses.
TRANSFERS = 4
AHEAD = 16
#: How long the stream of requests waits for the next upload before it yields a pause.
_WAIT_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Task:
    """A requested result: a file and the operations on it."""

    path: str
    operations: str


def tasks_of(sources: Iterable[Source], pipelines: Sequence[Pipeline]) -> list[Task]:
    """Return all requested results, file by file."""
    return [Task(path=source.path, operations=one.text) for source, one in product(sources, pipelines)]


#: Called with the outcome of each task: the result's file and the result, or the error.
Report = Callable[[Task, Path | None, Result | CourierError], None]


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """The target and the source of a task's result."""

    task: Task
    target: Path
    image: Made


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A plan with its uploaded file."""

    plan: _Plan
    sent: Uploaded


class Batch:
    """Processes many files: uploads, processing and downloads overlap, and existing results are skipped.

    Uploads each file once, and makes one result for each pipeline.
    """

    def __init__(
        self,
        transfer: ImageTransfer,
        pipelines: Sequence[Pipeline],
        folder: Path,
        sources: Sequence[Source],
        *,
        replace: bool,
        report: Report,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        self._transfer = transfer
        self._pipelines = pipelines
        self._folder = folder
        self._sources = sources
        self._progress = progress
        self._report = report
        self._lock = threading.Lock()
        #: The tasks with a reported outcome.
        self._over: set[Task] = set()
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

    def _report_result(self, task: Task, target: Path | None, result: Result | CourierError) -> None:
        with self._lock:  # several transfers end at once
            self._over.add(task)
            self._report(task, target, result)

    def _failed(self, source: Source, error: CourierError) -> None:
        """Report the error of a file for each of its tasks that has no outcome."""
        for task in tasks_of([source], self._pipelines):
            if task not in self._over:
                self._report_result(task, None, error)

    def _once(self) -> Iterator[Source]:
        """Yield the files whose results do not overwrite those of earlier files."""
        seen: dict[Path, str] = {}
        for source in self._sources:
            name = source.subfolder / Path(source.path).name
            if name in seen:
                error = Rejected(f"{source.path} has the same name as {seen[name]}.", hint="Rename one.")
                self._failed(source, error)
            else:
                seen[name] = source.path
                yield source

    def _ask(self, jobs: Iterator[_Job | None], downloads: ThreadPoolExecutor) -> None:
        first = next((job for job in jobs if job is not None), None)
        if first is None:
            return
        requested: deque[_Job] = deque()
        pending: deque[Future[None]] = deque()
        for result in self._transfer.results(self._requests(chain([first], jobs), requested)):
            job = requested.popleft()
            if isinstance(result, CourierError):
                self._report_result(job.plan.task, None, result)
            else:
                pending.append(downloads.submit(self._fetch, job.plan, result))
            while pending and (pending[0].done() or len(pending) > AHEAD):
                pending.popleft().result()
        for left in pending:
            left.result()
        self._transfer.check_canceled()

    def _requests(self, jobs: Iterable[_Job | None], requested: deque[_Job]) -> Iterator[Request | None]:
        for job in jobs:
            if job is None:
                yield None
            else:
                requested.append(job)
                options = {"operations": job.plan.task.operations, "etag": job.sent.etag}
                yield Request(body=job.sent.name, options=options)

    def _jobs(self, sources: Sequence[Source], uploads: ThreadPoolExecutor) -> Iterator[_Job | None]:
        """Yield uploaded files in order, a few uploads ahead; None while the next upload is in progress."""
        ahead: deque[tuple[Source, Future[list[_Job]]]] = deque()
        left, has_begun = iter(sources), False
        for _ in sources:
            while len(ahead) < AHEAD and (further := next(left, None)) is not None:
                ahead.append((further, uploads.submit(self._begin, further)))
            source, future = ahead.popleft()
            while not _is_done(future):
                self._transfer.check_canceled()
                yield None
            try:
                begun = future.result()
            except FolderClosed:
                raise
            except CourierError as error:
                if isinstance(error, AwsError) and not has_begun:
                    raise  # every other file would wait for it, too
                self._failed(source, error)
            else:
                has_begun |= bool(begun)
                yield from begun

    def _begin(self, source: Source) -> list[_Job]:
        """Upload a file, unless all its results exist; return its jobs. Raises: CourierError."""
        self._transfer.check_canceled()
        local = self._transfer.read(source.path)
        plans: dict[Path, _Plan] = {}
        for pipeline in self._pipelines:
            plan = self._plan(source, local, pipeline)
            other = plans.setdefault(plan.target, plan)
            if other is not plan:
                self._report_result(plan.task, None, _same_result(other, plan))
        missing = [plan for plan in plans.values() if self._is_missing(plan)]
        if not missing:
            return []
        self._destination.check()
        sent = self._transfer.upload_apart(local, moved=self._progress.advance, opened=self._progress.expect)
        return [_Job(plan=plan, sent=sent) for plan in missing]

    def _plan(self, source: Source, local: LocalImage, pipeline: Pipeline) -> _Plan:
        target = self._folder / source.subfolder / naming.name_for(local.name, pipeline, local.header)
        image = Made(
            result=target.name,
            digest="",
            source=source_of(Path(source.path), target.parent) if source.path else SAMPLE,
            source_digest=local.digest,
            operations=pipeline.text,
        )
        return _Plan(task=Task(path=source.path, operations=pipeline.text), target=target, image=image)

    def _is_missing(self, plan: _Plan) -> bool:
        """Whether a result is missing. Reports a result that exists or cannot be saved."""
        try:
            if not self._destination.has(plan.task.path, plan.target, plan.image):
                return True
        except CourierError as error:
            self._report_result(plan.task, None, error)
        else:
            self._report_result(plan.task, plan.target, Result(name=plan.target.name, was_there=True))
        return False

    def _fetch(self, plan: _Plan, result: Result) -> None:
        try:
            self._save(plan, result)
        except CourierError as error:
            self._report_result(plan.task, None, error)
        else:
            self._report_result(plan.task, plan.target, result)

    def _save(self, plan: _Plan, result: Result) -> None:
        if PurePath(result.name).suffix.lower() != plan.target.suffix.lower():
            raise Rejected(
                f"The worker saved {result.name}; {plan.target.name} was expected.",
                hint="Use the same version of client and worker.",
            )
        make_folder(plan.target.parent)
        with unfinished(plan.target) as part:
            self._transfer.fetch(result, part.file, moved=self._progress.advance, opened=self._progress.expect)
            self._destination.keep(plan.task.path, part, plan.image)


def _same_result(first: _Plan, second: _Plan) -> Rejected:
    return Rejected(
        f"{second.target} is the result of both {first.task.operations} and {second.task.operations}.",
        hint="Leave one of them out.",
    )


def _is_done(future: Future[list[_Job]]) -> bool:
    try:
        future.exception(timeout=_WAIT_SECONDS)
    except TimeoutError:
        return False
    return True
