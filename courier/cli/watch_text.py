"""Texts of the display of `watch`: escaped, of an exact width, short. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from courier.cli import layout
from courier.monitoring.live import downsampled
from courier.text import printable

#: The levels of a sparkline, for nothing and from little to much; with ASCII only.
LEVELS = {False: "▁▂▃▄▅▆▇█", True: "_.:-=+*#"}


def shown(text: str, *, ascii_only: bool = False) -> str:
    """Return foreign text as it may be shown."""
    safe = printable(text, None)
    return safe.encode("ascii", "backslashreplace").decode() if ascii_only else safe


def fitted(text: str, width: int, *, is_right: bool = False, ascii_only: bool = False) -> str:
    """Return a text of exactly `width` columns: padded, or cut with a mark."""
    if width < 1:
        return ""
    if layout.cell_len(text) > width:
        mark = "~" if ascii_only else "…"
        text = (layout.chop_cells(text, max(1, width - 1))[0] if width > 1 else "") + mark
    padding = " " * max(0, width - layout.cell_len(text))
    return padding + text if is_right else text + padding


def age(seconds: float) -> str:
    """Return a time for people, in few characters."""
    if seconds < 10:  # noqa: PLR2004  as a person would say it
        return f"{max(0.0, seconds):.1f} s"
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"


def spark(history: Sequence[int], columns: int, *, ascii_only: bool = False) -> str:
    """Return a sparkline: nothing is its lowest level, and the largest number its highest."""
    values, levels = downsampled(history, columns), LEVELS[ascii_only]
    most = max([*values, 1])
    return "".join(levels[0 if value == 0 else max(1, round(value / most * (len(levels) - 1)))] for value in values)
