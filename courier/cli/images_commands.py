"""The commands of the images client: upload, process, download, run and list."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from courier.aws.s3 import StoredObject
from courier.cli.console import Terminal
from courier.cli.failures import Failures, agree_to_replace
from courier.cli.outcomes import Outcomes
from courier.errors import CourierError, Rejected, WrongUsage
from courier.files import MAX_SOURCE_NAME_BYTES, check_name
from courier.images import preview
from courier.images.batch import Batch, expanded
from courier.images.operations import OPERATIONS
from courier.images.pipeline import PRESET_HELP, PRESETS, Pipeline
from courier.images.transfer import ImageTransfer, Result
from courier.messaging.pending import Asked, Question


class ImageCommands:
    """The client's side of pictures; everything is told on the terminal, or as JSON."""

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
        #: The ETags of what this session has uploaded, by name: what is meant when its name is.
        self._etags: dict[str, str] = {}
        #: What was uploaded last, and what the last result is called.
        self.latest = self.latest_result = ""
        self.failures = failures

    def upload(self, path: str, *, replace: bool) -> str:
        """Upload one file (the sample picture, for an empty path); return its name. Raises: CourierError."""
        with self._terminal.moving(f"Uploading {path or preview.SAMPLE_NAME}") as moved:
            may = self._asked_before(replace=replace)
            sent = self.transfer.upload(path, may_replace=may, moved=moved.advance, opened=moved.expect)
        self._etags[sent.name] = sent.etag
        self.latest = sent.name
        header = sent.header
        self._report(
            {"name": sent.name, "width": header.width, "height": header.height, "bytes": sent.size_bytes},
            f"{'already there:' if sent.was_there else 'uploaded'} {sent.name}  "
            f"{header.format} {header.width} x {header.height}, {sent.size_bytes:,} bytes",
        )
        return sent.name

    def process(self, names: Sequence[str], pipeline: Pipeline) -> list[Result]:
        """Have `names` processed, all at once; return the results. What is refused is noted as a failure.

        Raises: CourierError if nothing could be asked.
        """
        options = {"operations": pipeline.text}
        found = self.transfer.results([self._question(name, options) for name in names], names)
        results: list[Result] = []
        for name in names:
            with self.failures.noted(name):
                with self._terminal.waiting(f"Waiting for {name} (Ctrl-C to cancel)"):
                    result = next(found)
                if isinstance(result, CourierError):
                    raise result
                results.append(result)
                self.latest_result = result.name
                said = result.describe()
                self._report(
                    {**result.told, "name": name, "result": result.name, "seconds": round(result.seconds, 3)},
                    f"processed {name} into {result.name}{': ' * bool(said)}{said}, answered in {result.seconds:.3f} s",
                )
        return results

    def download(self, name: str, folder: str, *, replace: bool, etag: str = "") -> None:
        """Fetch one processed picture into `folder`. Raises: CourierError."""
        target = _folder(folder) / check_name(name)
        if not replace and target.exists():
            agree_to_replace(f"{target} exists already.", self._asker)
            replace = True
        with self._terminal.moving(f"Downloading {name}") as moved:
            self.transfer.download(name, target, etag=etag, replace=replace, moved=moved.advance, opened=moved.expect)
        self._report({"name": name, "path": str(target)}, f"downloaded {target}")

    def run(self, files: Sequence[str], pipeline: Pipeline, folder: str, *, replace: bool) -> None:
        """Upload, have processed and download: one picture with every step told, or many at once."""
        if "" in files:
            raise WrongUsage("The name of the file is empty.", hint="Without a name, the sample image is used.")
        if len(files) <= 1 and not any(Path(path).is_dir() or not Path(path).exists() for path in files):
            self._run_one(files[0] if files else "", pipeline, folder, replace=replace)
            return
        self._run_many(expanded(files), pipeline, _folder(folder), replace=replace)

    def _run_many(self, paths: Sequence[str], pipeline: Pipeline, folder: Path, *, replace: bool) -> None:
        """Do many pictures, and tell of each in the order of their files, and in the end of all."""
        outcomes = Outcomes(paths, self._tell_outcome)
        started = time.monotonic()
        with self._terminal.gathering("Pictures", len(paths)) as (moved, advance):

            def told(path: str, target: Path | None, result: Result | CourierError) -> None:
                advance()
                outcomes.add(path, target, result)

            batch = Batch(
                self.transfer,
                pipeline,
                folder,
                replace=replace,
                moved=moved.advance,
                expected=moved.expect,
                told=told,
            )
            try:
                batch.run(paths)
            finally:
                outcomes.end()
        self._terminal.note(outcomes.summary(folder, time.monotonic() - started))
        if outcomes.trouble is not None:
            raise outcomes.trouble

    def _tell_outcome(self, path: str, target: Path | None, result: Result | CourierError) -> None:
        if not isinstance(result, CourierError):
            self._tell_of(path, target, result)
            return
        with self._terminal.cleared(), self.failures.noted(path):
            raise result

    def _tell_of(self, path: str, target: Path | None, result: Result | CourierError) -> None:
        if isinstance(result, CourierError):
            raise result
        said = result.describe()
        fields = {**result.told, "name": path, "path": str(target), "was_there": not result.told}
        self._report(fields, f"{path} -> {target}{': ' * bool(said)}{said or ' (already done)'}")

    def _run_one(self, path: str, pipeline: Pipeline, folder: str, *, replace: bool) -> None:
        batch = Batch(
            self.transfer, pipeline, _folder(folder), replace=replace, moved=lambda _: None, told=self._tell_of
        )
        if path and batch.is_there(path):
            return
        with self.failures.noted(path):
            name = self.upload(path, replace=replace)
            for result in self.process([name], pipeline):
                is_stale = Path(folder) / result.name in batch.stale
                self.download(result.name, folder, replace=replace or is_stale, etag=result.etag)

    def operations(self) -> None:
        """Show what can be done to pictures."""
        rows = [(known.usage, known.help) for known in OPERATIONS.values()]
        rows += [(name, f"{PRESET_HELP[name]} ({text})") for name, text in PRESETS.items()]
        if self._as_json:
            for name, text in rows:
                self._terminal.row(json.dumps({"operation": name, "help": text}))
            return
        self._terminal.show_table(
            "Operations; separate several by commas", ("operation", "what it does"), rows, in_words=True
        )

    def list(self, folder: str) -> None:
        """Show what is in the bucket. Raises: CourierError."""
        found = self.transfer.names(folder)
        if self._as_json:
            for item in found:
                modified = item.modified.isoformat()
                self._terminal.row(json.dumps({"name": item.name, "bytes": item.size_bytes, "modified": modified}))
        else:
            self.show(folder, found)

    def show(self, folder: str, found: Sequence[StoredObject]) -> None:
        """Show what is in a folder of the bucket."""
        rows = [(item.name, f"{item.size_bytes:,}", f"{item.modified:%Y-%m-%d %H:%M}") for item in found]
        self._terminal.show_table(f"{folder}: {len(rows)}", ("name", "bytes", "stored (UTC)"), rows)

    def _question(self, name: str, options: Mapping[str, str]) -> Asked:
        try:
            check_name(name, MAX_SOURCE_NAME_BYTES)
        except Rejected as error:
            return error
        etag = self._etags.get(name, "")
        return Question(body=name, options={**options, **({"etag": etag} if etag else {})})

    def _asked_before(self, *, replace: bool) -> Callable[[str], bool]:
        def may(name: str) -> bool:
            if not replace:
                agree_to_replace(f"{name} is already in the bucket.", self._asker)
            return True

        return may

    @property
    def _asker(self) -> Terminal | None:
        """The terminal, if there is somebody at it to ask."""
        return self._terminal if self._terminal.is_interactive and not self._as_json else None

    def _report(self, fields: dict[str, object], text: str) -> None:
        if self._as_json:
            self._terminal.row(json.dumps(fields))
        else:
            self._terminal.say(text)


def _folder(path: str) -> Path:
    if not Path(path).is_dir():
        raise WrongUsage(f"{path} is not a folder.", hint="Create it first, or give another with --to.")
    return Path(path)
