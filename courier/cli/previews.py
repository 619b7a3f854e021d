"""Show images on a terminal, side by side, with a caption below each."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from courier.cli import graphics, layout
from courier.cli.image_screen import ImageScreen
from courier.errors import CourierError

if TYPE_CHECKING:
    from courier.cli.failures import Failures
    from courier.images.preview import Strip
    from courier.images.probe import Bounds

#: The largest size of an image beside others, and of one alone, in characters.
COLUMNS, LINES = 38, 16
ALONE_COLUMNS, ALONE_LINES = 100, 30
#: The least width of an image, and the lines that stay free for what is above and below.
LEAST_COLUMNS, FREE_LINES = 18, 6
#: The most results of a run that are shown.
FEW = 3

NOT_SHOWN = "Images are shown on a terminal with colors, without NO_COLOR and COURIER_PLAIN."

#: A caption and the image's file.
Captioned = tuple[str, IO[bytes]]


def show(screen: ImageScreen, images: Sequence[Captioned], bounds: Bounds, *, free_lines: int = FREE_LINES) -> None:
    """Show images as this terminal can, if it can; `free_lines` stay free of them. Raises: NotAnImage."""
    if not screen.shows_images or not images:
        return
    width, height = screen.width or 0, (screen.height or LINES + free_lines) - free_lines
    most = (ALONE_COLUMNS, ALONE_LINES) if len(images) == 1 else (COLUMNS, LINES)
    for row in _rows(images, width):
        columns = min(most[0], (width - _gap() * (len(row) - 1)) // len(row))
        _show_row(screen, row, bounds, columns=max(1, columns), lines=max(2, min(most[1], height)))


def _gap() -> int:
    from courier.images.preview import GAP

    return GAP


def _rows(images: Sequence[Captioned], width: int) -> Iterator[Sequence[Captioned]]:
    each = max(1, (width + _gap()) // (LEAST_COLUMNS + _gap()))
    yield from (images[start : start + each] for start in range(0, len(images), each))


def _show_row(screen: ImageScreen, row: Sequence[Captioned], bounds: Bounds, *, columns: int, lines: int) -> None:
    from courier.images import preview

    captions = [layout.shortened(caption, columns) for caption, _ in row]
    cell = (1, 2) if screen.graphics == graphics.BLOCKS else screen.cell
    strip = preview.strip(
        [file for _, file in row],
        bounds,
        cell=cell,
        columns=columns,
        lines=lines,
        least=[min(columns, layout.cell_len(caption)) for caption in captions],
    )
    if screen.graphics == graphics.BLOCKS:
        screen.show_blocks(preview.blocks(strip))
    else:
        screen.write_sequences(_placed(strip, screen.graphics, is_inside=screen.is_inside_tmux))
    cells = [
        caption + " " * (width - layout.cell_len(caption))
        for caption, width in zip(captions, strip.widths, strict=True)
    ]
    screen.say((" " * _gap()).join(cells).rstrip(), style="dim")


def _placed(strip: Strip, protocol: str, *, is_inside: bool) -> str:
    """Return the sequences that make room for a strip at the cursor, draw it there, and go below it."""
    from courier.images import terminal_graphics

    drawn = terminal_graphics.ENCODERS[protocol](strip.image, strip.columns, strip.lines)
    if is_inside and protocol != graphics.SIXEL:  # which tmux knows itself
        drawn = terminal_graphics.in_tmux(drawn)
    # Terminals differ in where an image leaves the cursor.
    return "\n" * strip.lines + f"\x1b[{strip.lines}A\x1b7{drawn}\x1b8\x1b[{strip.lines}B"


def show_stored(screen: ImageScreen, stored: Sequence[tuple[str, bytes]], bounds: Bounds, failures: Failures) -> None:
    """Show images by their names, side by side; if one is damaged, each alone, so that all others are seen."""
    if not screen.shows_images:
        screen.note(NOT_SHOWN)
        return
    try:
        show(screen, [(name, io.BytesIO(content)) for name, content in stored], bounds)
    except CourierError:
        for name, content in stored:
            with failures.noted(name, "show", name=name):
                show(screen, [(name, io.BytesIO(content))], bounds)


def show_made(screen: ImageScreen, made: Sequence[tuple[str, Callable[[], bytes]]], bounds: Bounds) -> None:
    """Show the sources and results of a run, if these are few; nothing if one of them cannot be shown."""
    if not screen.shows_images:
        return
    with contextlib.suppress(OSError, CourierError):
        show(screen, [(caption, io.BytesIO(read())) for caption, read in made], bounds)
