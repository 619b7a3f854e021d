"""Progress displays: a live region at the bottom of a terminal, with lines printed above it.

Other output on the same terminal would tear the region, so the console that owns it prints that output. Nothing is
redirected, which rich does by default.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.text import Text

from courier.cli import output
from courier.cli.layout import shortened
from courier.progress import Progress

# Imported on first use, so that a menu appears sooner.
if TYPE_CHECKING:
    from rich.live import Live
    from rich.progress import Progress as Bars
    from rich.spinner import Spinner

#: The interval between redraws of the region, in seconds.
REFRESH_SECONDS = 0.1
#: The least widths of a terminal for a bar, and for the speed, in columns.
BAR_COLUMNS = 50
SPEED_COLUMNS = 70
#: From how many bytes sizes are shown in megabytes, and not in kilobytes.
LARGE_BYTES = 1e6


class Region:
    """The live region of a terminal, for any number of displays. Thread-safe."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.RLock()
        self._parts: list[RenderableType] = []
        #: The number of blocks that hide the region.
        self._hiding = 0
        self._live: Live | None = None
        self._ended = threading.Event()

    @property
    def is_shown(self) -> bool:
        """Whether the region is shown."""
        return self._live is not None

    @contextlib.contextmanager
    def showing(self, part: RenderableType) -> Iterator[None]:
        """Show a display while the body runs."""
        try:
            self._change(lambda: self._parts.append(part))
            yield
        finally:
            self._draw()
            self._change(lambda: self._parts.remove(part) if part in self._parts else None)

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """Hide the region while the body runs, which may print or ask."""
        try:
            self._change(lambda: self._hide(1))
            yield
        finally:
            self._change(lambda: self._hide(-1))

    def print(self, renderable: RenderableType) -> None:
        """Print above the region, or at the cursor if the region is not shown; lines are not broken."""
        with self._lock:
            self._console.print(renderable, soft_wrap=True)

    def _change(self, change: Callable[[], None]) -> None:
        with self._lock:
            change()
            is_wanted = bool(self._parts) and not self._hiding
            if is_wanted and self._live is None:
                self._start()
            elif self._live is not None and not is_wanted:
                self._stop(self._live)
            else:
                self._draw()

    def _draw(self) -> None:
        with self._lock, contextlib.suppress(OSError):  # the terminal may be gone
            if self._live is not None and output.is_in_foreground(self._console.file):
                self._live.refresh()

    def _hide(self, more: int) -> None:
        self._hiding += more

    def _start(self) -> None:
        from rich.live import Live

        self._live = Live(
            get_renderable=lambda: Group(*self._parts),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._ended = threading.Event()
        self._live.start(refresh=True)
        threading.Thread(target=self._refresh, args=(self._ended,), name="progress", daemon=True).start()

    def _stop(self, live: Live) -> None:
        self._ended.set()
        self._live = None
        with contextlib.suppress(OSError):
            live.stop()

    def _refresh(self, ended: threading.Event) -> None:
        while not ended.wait(REFRESH_SECONDS):
            self._draw()


def spinner(text: str, *, ascii_only: bool) -> Spinner:
    """Return a spinner beside a text."""
    from rich.spinner import Spinner

    return Spinner("line" if ascii_only else "dots", Text(text))


def byte_bar(text: str, width: int) -> tuple[Bars, Progress]:
    """Return a progress bar for bytes, and its progress."""
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    bar = [BarColumn(max(10, min(40, width - 70)))] if width >= BAR_COLUMNS else []
    what, state = (TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("what", "state"))
    progress = Bars(what, *bar, state)
    room = max(12, width - 50)
    task = progress.add_task("", total=None, what=shortened(text, room), state="")

    def advance(count: int) -> None:
        progress.advance(task, count)
        (shown,) = progress.tasks
        speed = shown.speed if width >= SPEED_COLUMNS else None
        progress.update(task, state=_moved(shown.completed, shown.total, speed))

    return progress, Progress(
        expect=lambda total: progress.update(task, total=total, state=_moved(0, total, None)),
        advance=advance,
        begin=lambda stage: progress.reset(task, total=None, what=shortened(stage, room), state=""),
    )


def _moved(done_bytes: float, total_bytes: float | None, speed: float | None) -> str:
    """Return how many bytes are done, of how many if that is known, and how many a second."""
    is_large = max(done_bytes, total_bytes or 0) >= LARGE_BYTES
    unit, size, digits = ("MB", 1e6, 1) if is_large else ("kB", 1e3, 0)
    done = f"{done_bytes / size:.{digits}f}"
    of_all = f"{done} of {total_bytes / size:.{digits}f} {unit}" if total_bytes else f"{done} {unit}"
    return f"{of_all}, {speed / 1e6:.1f} MB/s" if speed else of_all


def counter(text: str, total_bytes: int | None, width: int, *, ascii_only: bool) -> tuple[Bars, Callable[[int], None]]:
    """Return a counter, with a bar if the bytes of all items are known, and a function that adds an item's bytes."""
    from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    is_bar = total_bytes and width >= BAR_COLUMNS
    share = [BarColumn(max(10, min(40, width - 45))), TaskProgressColumn()] if is_bar else []
    label = TextColumn("{task.fields[count]:,} {task.fields[what]}", markup=False)
    progress = Bars(SpinnerColumn("line" if ascii_only else "dots"), label, *share, TimeElapsedColumn())
    task = progress.add_task("", total=total_bytes, what=text, count=0)
    counts = itertools.count(1)

    def advance(size: int) -> None:
        # Line endings of two characters may be counted as one, and the last line may have none.
        done = min(progress.tasks[0].completed + size, total_bytes or size)
        progress.update(task, completed=done, count=next(counts))

    return progress, advance


def batch_bars(text: str, total: int, width: int) -> tuple[Bars, tuple[Progress, Callable[[], None]]]:
    """Return bars for `total` items and for bytes, the progress in bytes, and a function to call for each item done."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    bar = [BarColumn(max(10, min(40, width - 45)))] if width >= BAR_COLUMNS else []
    what, state = (TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("what", "state"))
    progress = Bars(what, *bar, state, TimeElapsedColumn())
    progress.add_task("", total=total, what=text, state=f"0 of {total}")
    progress.add_task("", total=0, what="Bytes", state="")
    lock = threading.Lock()

    def update(number: int, more: int, moved: int) -> None:
        with lock:
            task = progress.tasks[number]
            done, whole = int(task.completed) + moved, int(task.total or 0) + more
            state = f"{done / 1e6:.1f} of {whole / 1e6:.1f} MB" if number else f"{done} of {whole}"
            progress.update(task.id, completed=done, total=whole, state=state)

    moved = Progress(expect=lambda more: update(1, more or 0, 0), advance=partial(update, 1, 0))
    return progress, (moved, partial(update, 0, 0, 1))
