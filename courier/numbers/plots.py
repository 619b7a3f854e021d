"""Draw bars and a box plot in characters, Unicode or ASCII. Knows no terminal."""

from __future__ import annotations

from collections.abc import Sequence

#: Blocks from zero to eight eighths of a character cell, for the ends of bars.
_EIGHTHS = " ▏▎▍▌▋▊▉█"
#: Whisker, box, left and right end, median, mean.
_UNICODE_BOX = ("─", "█", "├", "┤", "┃", "◆")
_ASCII_BOX = ("-", "=", "|", "|", "|", "o")


def bars(edges: Sequence[str], counts: Sequence[int], *, width: int, ascii_only: bool) -> list[str]:
    """Return a line for each bin: its edges, a bar in proportion to its count, and the count.

    `edges` has one more entry than `counts`; `width`: the characters of the longest bar; 0: no bars.
    """
    widest = max(len(edge) for edge in edges)
    most = max(1, *counts)
    dash = "-" if ascii_only else "\N{EN DASH}"
    lines = []
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        bar = _bar(count * width / most, ascii_only=ascii_only)
        lines.append(f"{low:>{widest}} {dash} {high:<{widest}} {bar}{' ' if bar else ''}{count:,}")
    return lines


def room_taken(edges: Sequence[str], counts: Sequence[int]) -> int:
    """Return the most characters of a line that are not its bar."""
    return 2 * max(len(edge) for edge in edges) + len("  -  ") + max(len(f"{count:,}") for count in counts)


def box(*, q1: float, median: float, q3: float, mean: float, width: int, ascii_only: bool) -> str:
    """Return a box plot of `width` characters; quartiles, median and mean are between 0 and 1."""
    whisker, body, left, right, median_sign, mean_sign = _ASCII_BOX if ascii_only else _UNICODE_BOX
    line = [whisker] * width

    for column in range(_place(q1, width), _place(q3, width) + 1):
        line[column] = body
    line[0], line[-1] = left, right
    line[_place(median, width)] = median_sign
    line[_place(mean, width)] = mean_sign
    return "".join(line)


def covers(median: float, mean: float, width: int) -> bool:
    """Whether the mean's sign stands on the median's in a box plot of that width."""
    return _place(median, width) == _place(mean, width)


def _place(share: float, width: int) -> int:
    return round(share * (width - 1))


def box_key(*, ascii_only: bool, is_covered: bool = False) -> list[str]:
    """Return the parts of a box plot's key, the last ones the most important; type 7 is that of Hyndman and Fan.

    `is_covered`: whether one sign stands for median and mean.
    """
    *_, median_sign, mean_sign = _ASCII_BOX if ascii_only else _UNICODE_BOX
    last = [f"median and mean {mean_sign}"] if is_covered else [f"median {median_sign}", f"mean {mean_sign}"]
    return ["min to max", "quartiles (type 7)", *last]


def _bar(length: float, *, ascii_only: bool) -> str:
    """Return a bar; a length above 0 is always visible."""
    if ascii_only:
        return "#" * max(round(length), 1 if length else 0)
    whole, part = divmod(max(round(length * 8), 1 if length else 0), 8)
    return _EIGHTHS[8] * whole + (_EIGHTHS[part] if part else "")
