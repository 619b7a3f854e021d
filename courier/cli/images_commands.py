"""The commands of the images client: upload, process, download, run and list."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from courier import Request
from courier.aws.s3 import StoredObject
from courier.cancellation import Canceled
from courier.cli import image_rows, operation_prompt, previews
from courier.cli.client_command import client_command
from courier.cli.console import Terminal
from courier.cli.failures import Failures, confirm_replace
from courier.cli.outcomes import Outcomes
from courier.cli.waiting import informed, workers_watched
from courier.errors import CourierError, Rejected, WrongUsage
from courier.files import MAX_SOURCE_NAME_BYTES, check_name
from courier.images.batch import Batch, Task, tasks_of
from courier.images.destination import make_folder
from courier.images.pipeline import Pipeline
from courier.images.probe import read_header
from courier.images.sources import Source, find_sources
from courier.images.transfer import ImageTransfer, Result

#: The reason why a result is skipped.
MADE_EARLIER = "result of an earlier run"
#: With more images than this, a run has a reply queue of its own, which is created while the first are uploaded.
MANY = 20
#: The most failed images that are named at the end of a run.
NAMED_FAILED = 20


class ImageCommands:
    """The commands of the images client, with output for people or as JSON."""

    def __init__(
        self,
        transfer: ImageTransfer,
        terminal: Terminal,
        failures: Failures,
        *,
        as_json: bool,
    ) -> None:
        self.transfer = transfer
        self._terminal = terminal
        self._as_json = as_json
        #: The ETags of this session's uploads, by name, which requests for these names pin.
        self._etags: dict[str, str] = {}
        #: Whether a run has several pipelines, so that failures name theirs.
        self._names_operations = False
        self.failures = failures

    def upload(self, path: str, *, replace: bool) -> str:
        """Upload a file (the sample image for an empty path); return its name. Raises: CourierError."""
        with self._terminal.moving(f"Uploading {Source(path=path).shown}") as moved:
            may = self._may_replace(replace=replace)
            sent = self.transfer.upload(path, may_replace=may, moved=moved.advance, opened=moved.expect)
        self._etags[sent.name] = sent.etag
        header = sent.header
        self._report(
            image_rows.row(
                "upload",
                name=sent.name,
                width=header.width,
                height=header.height,
                bytes=sent.size_bytes,
                etag=sent.etag,
                was_there=sent.was_there,
            ),
            f"{'already there:' if sent.was_there else 'uploaded'} {sent.name}  "
            f"{header.format} {header.width} x {header.height}, {sent.size_bytes:,} bytes",
        )
        return sent.name

    def process(self, names: Sequence[str], pipeline: Pipeline) -> list[Result]:
        """Have images processed, all at once; return the results, and report rejections as failures.

        Raises: CourierError if requests cannot be sent.
        """
        pipeline = self.transfer.with_logos(pipeline)
        options = {"operations": pipeline.text}
        found = self.transfer.results([self._request(name, options) for name in names])
        results: list[Result] = []
        for name in names:
            with self.failures.noted(name, "process", name=name, operations=pipeline.text):
                with informed(self._terminal, f"Waiting for {name} (Ctrl-C to cancel)", self.transfer.connection):
                    result = next(found)
                if isinstance(result, CourierError):
                    raise result
                results.append(result)
                text = result.describe()
                self._report(
                    image_rows.row("process", name=name, operations=pipeline.text, **image_rows.of_result(result)),
                    f"processed {name} into {result.name}{': ' * bool(text)}{text}, answered in {result.seconds:.3f} s",
                )
        return results

    def download(self, name: str, folder: str, *, replace: bool) -> None:
        """Download a processed image into `folder`. Raises: CourierError."""
        target = Path(folder) / check_name(name)
        if target.is_dir():
            raise WrongUsage(f"{target} is a folder.", hint="Save elsewhere with --to.")
        if not replace and os.path.lexists(target):
            confirm_replace(f"{target} exists already.", self._questions, otherwise="Save it in another folder.")
            replace = True
        make_folder(Path(folder))
        with self._terminal.moving(f"Downloading {name}") as moved:
            self.transfer.download(name, target, replace=replace, moved=moved.advance, opened=moved.expect)
        size_bytes = target.stat().st_size
        self._report(
            image_rows.row("download", result=name, path=str(target), bytes=size_bytes), f"downloaded {target}"
        )

    def sources(self, files: Sequence[str], *, recursive: bool = False) -> list[Source]:
        """Return the files to process, the sample image without any, and report skipped files. Raises: WrongUsage."""
        if "" in files:
            raise WrongUsage("The name of the file is empty.", hint="Without a name, the sample image is used.")
        if not files:
            return [Source(path="")]
        sources = find_sources(files, recursive=recursive)
        for note in sources.notes():
            self._terminal.note(note)
        if self._as_json:
            for path, reason in [*sources.skipped.items(), *((path, MADE_EARLIER) for path in sources.results)]:
                self._terminal.row(image_rows.row("skip", name=path, notes=[reason]))
        return sources.found

    def run(
        self, files: Sequence[str], pipelines: Sequence[Pipeline], folder: str, *, replace: bool, recursive: bool
    ) -> None:
        """Upload, process and download files, many at once; report each result, in their order, and a summary.

        Uploads each file once, and makes one result for each pipeline.

        Raises: CourierError.
        """
        sources = self.sources(files, recursive=recursive)
        pipelines = [self.transfer.with_logos(one) for one in pipelines]
        make_folder(Path(folder))
        tasks = tasks_of(sources, pipelines)
        if len(tasks) > MANY:
            self.transfer.prepare()
        self._names_operations = len(pipelines) > 1
        outcomes = Outcomes(tasks, self._report_outcome)
        with (
            self._terminal.gathering("Images", len(tasks)) as (progress, advance),
            workers_watched(self._terminal, self.transfer.connection) as heard,
        ):

            def report(task: Task, target: Path | None, result: Result | CourierError) -> None:
                heard()
                advance()
                outcomes.add(task, target, result)

            batch = Batch(
                self.transfer, pipelines, Path(folder), sources, replace=replace, progress=progress, report=report
            )
            try:
                batch.run()
            except Canceled:
                outcomes.is_canceled = True
                raise
            finally:
                self._end(outcomes, Path(folder))
        self._show_made(outcomes.made)
        if outcomes.aws_error is not None:
            raise outcomes.aws_error

    def _end(self, outcomes: Outcomes, folder: Path) -> None:
        outcomes.end()
        if outcomes.count > 1 or outcomes.is_canceled:
            self._terminal.note(outcomes.summary(folder, time.monotonic() - outcomes.started))
            self._note_failed(outcomes.failed)

    def _note_failed(self, failed: Sequence[Task]) -> None:
        if failed:
            named = [self._shown(task) for task in failed[:NAMED_FAILED]] + ["…"] * (len(failed) > NAMED_FAILED)
            self._terminal.note(f"{len(failed):,} failed: {', '.join(named)}")

    def _shown(self, task: Task) -> str:
        name = Source(path=task.path).shown
        return f"{name} ({task.operations})" if self._names_operations else name

    def _report_outcome(self, task: Task, target: Path | None, result: Result | CourierError) -> None:
        name = Source(path=task.path).shown
        if isinstance(result, CourierError):
            with (
                self._terminal.cleared(),
                self.failures.noted(self._shown(task), "run", name=name, operations=task.operations),
            ):
                raise result
            return
        text = "already done" if result.was_there else result.describe()
        self._report(
            image_rows.row(
                "run", name=name, path=str(target), operations=task.operations, **image_rows.of_result(result)
            ),
            f"{name} -> {target}{': ' * bool(text)}{text}",
        )

    def show_stored(self, names: Sequence[str]) -> None:
        """Show images of the bucket: results, or uploads of that name. Raises: AwsError."""
        found: list[tuple[str, bytes]] = []
        for name in names:
            with self.failures.noted(name, "show", name=name):
                content = self.transfer.stored(check_name(name, MAX_SOURCE_NAME_BYTES))
                self._report_shown(name, content)
                found.append((name, content))
        if found and not self._as_json:
            previews.show_stored(self._terminal, found, self.transfer.bounds, self.failures)

    def _report_shown(self, name: str, content: bytes) -> None:
        header = read_header(io.BytesIO(content))
        size = {"width": header.width, "height": header.height, "bytes": len(content)}
        text = f"{name}  {header.format} {header.width} x {header.height}, {len(content):,} bytes"
        self._report(image_rows.row("show", name=name, **size), text)

    def _show_made(self, made: Sequence[tuple[str, Path]]) -> None:
        """Show the sources and results of a run, if these are few."""
        if self._as_json or not 0 < len(made) <= previews.FEW:
            return
        sources = dict.fromkeys(path for path, _ in made)
        images: list[tuple[str, Callable[[], bytes]]] = [
            (Source(path=path).shown, partial(self._read, path)) for path in sources
        ]
        images += [(target.name, target.read_bytes) for _, target in made]
        previews.show_made(self._terminal, images, self.transfer.bounds)

    def _read(self, path: str) -> bytes:
        return self.transfer.read(path).content

    def operations(self) -> None:
        """Show the operations on images."""
        if self._as_json:
            for name, text in operation_prompt.rows():
                self._terminal.row(json.dumps({"operation": name, "help": text}))
            return
        operation_prompt.show_table(self._terminal)

    def list(self, folder: str, *, everyone: bool = False) -> None:
        """Show the client's objects in a folder of the bucket, or those of all clients. Raises: CourierError."""
        others: list[str] = []
        found = self.transfer.all_names(folder) if everyone else self.transfer.names(folder, in_folder=others.append)
        if self._as_json:
            for item in found:
                modified = item.modified.isoformat()
                self._terminal.row(json.dumps({"name": item.name, "bytes": item.size_bytes, "modified": modified}))
            return
        self._show_objects(f"{folder if everyone else self.place(folder)}: {len(found)}", found)
        if not everyone and (others or self.transfer.client):
            whose = f"Only those of {self.transfer.client}" if self.transfer.client else "Only those without a name"
            self._terminal.note(f"{whose}. All clients': {client_command('images')} list {folder} --all")

    def place(self, folder: str) -> str:
        """Return a folder's name with the client's own folder in it."""
        return f"{folder}/{self.transfer.client}" if self.transfer.client else folder

    def _show_objects(self, title: str, found: Sequence[StoredObject]) -> None:
        rows = [(item.name, f"{item.size_bytes:,}", f"{item.modified:%Y-%m-%d %H:%M}") for item in found]
        self._terminal.show_table(title, ("name", "bytes", "stored (UTC)"), rows)

    def _request(self, name: str, options: Mapping[str, str]) -> Request | CourierError | None:
        try:
            check_name(name, MAX_SOURCE_NAME_BYTES)
        except Rejected as error:
            return error
        etag = self._etags.get(name, "")
        return Request(body=name, options={**options, **({"etag": etag} if etag else {})})

    def _may_replace(self, *, replace: bool) -> Callable[[str], bool]:
        def may(name: str) -> bool:
            if not replace:
                confirm_replace(
                    f"{name} is already in the bucket, perhaps another person's.",
                    self._questions,
                    otherwise="Copy the file to another name, and upload that.",
                )
            return True

        return may

    @property
    def _questions(self) -> Terminal | None:
        """The terminal for questions; None if it is not interactive."""
        return self._terminal if self._terminal.is_interactive and not self._as_json else None

    def _report(self, row: str, text: str) -> None:
        if self._as_json:
            self._terminal.row(row)
        else:
            self._terminal.say(text)
