"""The outcomes of a batch of files: reported in the order of its tasks, with a summary."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from courier.errors import AwsError, CourierError
from courier.images.batch import Report, Task
from courier.images.transfer import Result

Outcome = tuple[Path | None, Result | CourierError]


class Outcomes:
    """Reports the outcome of each task, in the order of `tasks`. Not thread-safe."""

    def __init__(self, tasks: Sequence[Task], report: Report) -> None:
        self.started = time.monotonic()
        self._left = list(tasks)
        self._report = report
        self._known: dict[Task, Outcome] = {}
        self.count = len(tasks)
        self._sources = len({task.path for task in tasks})
        self._done = self._bytes = 0
        #: The path of each source and the file of its result, in order.
        self.made: list[tuple[str, Path]] = []
        #: The tasks that failed, except for errors of AWS.
        self.failed: list[Task] = []
        #: The first error of AWS, which affects all files.
        self.aws_error: AwsError | None = None
        #: Whether the batch was canceled.
        self.is_canceled = False

    def add(self, task: Task, target: Path | None, result: Result | CourierError) -> None:
        """Add the outcome of a task."""
        self._known[task] = (target, result)
        while self._left and self._left[0] in self._known:
            self._report_in_order(self._left.pop(0))

    def end(self) -> None:
        """Report the remaining outcomes: no more will be added."""
        for task in self._left:
            if task in self._known:
                self._report_in_order(task)
        self._left.clear()

    def summary(self, folder: Path, took_seconds: float) -> str:
        """Return a summary: `60 images, 12.4 MB, 8 s, in out/`, or `6 results of 3 images, ...`."""
        of_all = f" of {self.count:,}" if self._done < self.count else ""
        noun = "image" if self._sources == 1 else "images"
        if self._sources < self.count:
            noun = f"results of {self._sources:,} {noun}"
        place = "this folder" if folder == Path() else f"{folder}/".replace("//", "/")
        done = f"{self._done:,}{of_all} {noun}, {_size(self._bytes)}, {took_seconds:.0f} s, in {place}"
        return f"Canceled: {done}. Run the same command again to continue." if self.is_canceled else done

    def _report_in_order(self, task: Task) -> None:
        target, result = self._known.pop(task)
        if isinstance(result, AwsError):
            self.aws_error = self.aws_error or result
            return
        if isinstance(result, CourierError):
            self.failed.append(task)
        if target is not None and not isinstance(result, CourierError):
            self._done += 1
            self.made.append((task.path, target))
            self._bytes += target.stat().st_size if target.exists() else 0
        self._report(task, target, result)


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"  # noqa: PLR2004  a megabyte
