"""A numbered list of the images in a folder of the bucket, fitted to the screen, to pick from."""

from __future__ import annotations

from collections.abc import Sequence

from courier.aws.s3 import StoredObject
from courier.cli import layout
from courier.cli.screen import Screen
from courier.text import printable

#: The most images that are shown at once, and the lines that the question and the menu before need.
SHOWN, OTHER_LINES = 15, 9
#: The least room for a name, in columns: what else there is gives way to it.
MIN_NAME = 16
_GAP = "  "


def by_age(found: Sequence[StoredObject]) -> list[StoredObject]:
    """Return objects with the newest first."""
    return sorted(found, key=lambda item: (item.modified, item.name), reverse=True)


def show(screen: Screen, title: str, images: Sequence[StoredObject], *, whole: bool = False) -> None:
    """Show images with their numbers, from 1: as many as the screen has room for, or the whole list.

    Names are shortened in their middle where the screen is narrow; numbers are not.
    """
    most = len(images) if whole else min(SHOWN, max(1, (screen.height or SHOWN + OTHER_LINES) - OTHER_LINES))
    shown = images[:most]
    screen.say(f"{title}: {len(images):,}" + (f", the newest {len(shown)}" if len(shown) < len(images) else ""))
    if screen.plain:
        for number, item in enumerate(shown, start=1):
            screen.say(f"{number}: {item.name}, {item.size_bytes:,} bytes, stored {item.modified:%Y-%m-%d %H:%M} UTC")
    else:
        for line in _lines(shown, screen.width):
            screen.say(line)
    if len(shown) < len(images):
        screen.say(f"… and {len(images) - len(shown):,} older ones; ? shows all.")


def _lines(images: Sequence[StoredObject], width: int | None) -> list[str]:
    numbers = _right([f"{number}" for number in range(1, len(images) + 1)])
    sizes = _right([f"{item.size_bytes:,} bytes" for item in images])
    times = [f"{item.modified:%Y-%m-%d %H:%M} UTC" for item in images]
    names = [printable(item.name, None) for item in images]
    room = max(map(layout.cell_len, names), default=0)
    columns = [sizes, times]
    while columns and width and _left(width, numbers, *columns) < min(room, MIN_NAME):
        columns.pop()
    if width:
        room = min(room, _left(width, numbers, *columns))
    shown = [layout.shortened(name, room) for name in names]
    padded = [name + " " * (room - layout.cell_len(name)) for name in shown]
    return [_GAP.join(cells).rstrip() for cells in zip(numbers, padded, *columns, strict=True)]


def _right(cells: Sequence[str]) -> list[str]:
    width = max(map(len, cells), default=0)
    return [cell.rjust(width) for cell in cells]


def _left(width: int, *columns: Sequence[str]) -> int:
    """Return how many columns of the screen are left for the names."""
    return width - sum(len(column[0]) + len(_GAP) for column in columns)
