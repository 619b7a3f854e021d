"""The outcomes of a batch of files: reported in the files' order, with a summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from courier.errors import AwsError, CourierError
from courier.images.transfer import Result

Outcome = tuple[Path | None, Result | CourierError]


class Outcomes:
    """Reports the outcome of each file, in the order of `paths`. Not thread-safe."""

    def __init__(self, paths: Sequence[str], report: Callable[[str, Path | None, Result | CourierError], None]) -> None:
        self._left = list(paths)
        self._report = report
        self._known: dict[str, Outcome] = {}
        self._count = len(paths)
        self._done = self._bytes = 0
        #: The first error of AWS, which affects all files.
        self.aws_error: AwsError | None = None
        #: Whether the batch was canceled.
        self.is_canceled = False

    def add(self, path: str, target: Path | None, result: Result | CourierError) -> None:
        """Add the outcome of a file."""
        self._known[path] = (target, result)
        while self._left and self._left[0] in self._known:
            self._hand_on(self._left.pop(0))

    def end(self) -> None:
        """Report the remaining outcomes: no more will be added."""
        for path in self._left:
            if path in self._known:
                self._hand_on(path)
        self._left.clear()

    def summary(self, folder: Path, took_seconds: float) -> str:
        """Return a summary: `60 images, 12.4 MB, 8 s, in out/`."""
        of_all = f" of {self._count:,}" if self._done < self._count else ""
        noun = "image" if self._count == 1 else "images"
        place = "this folder" if folder == Path() else f"{folder}/".replace("//", "/")
        done = f"{self._done:,}{of_all} {noun}, {_size(self._bytes)}, {took_seconds:.0f} s, in {place}"
        return f"Canceled: {done}. Run the same command again to continue." if self.is_canceled else done

    def _hand_on(self, path: str) -> None:
        target, result = self._known.pop(path)
        if isinstance(result, AwsError):
            self.aws_error = self.aws_error or result
            return
        if target is not None and not isinstance(result, CourierError):
            self._done += 1
            self._bytes += target.stat().st_size if target.exists() else 0
        self._report(path, target, result)


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"  # noqa: PLR2004  a megabyte
