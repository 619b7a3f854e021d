"""Lay out an answer for people: statistics in columns, the plot beside or below them, fitted to a terminal.

Knows no terminal; widths are in columns and heights in lines. A line is a list of spans: a text and its style.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from courier.cli.layout import cell_len, folded
from courier.numbers import render
from courier.numbers.response import NumbersResponse

Span = tuple[str, str]
Line = list[Span]

#: The space between columns.
GAP = 3
#: The most columns of statistics.
MAX_COLUMNS = 3
#: The narrowest useful plot beside the statistics.
MIN_PLOT = 36
NAME = "bold"
#: The styles of the plot's signs, in the plot and in its key.
_SIGNS = {"bar": "cyan", "median": "magenta", "mean": "yellow"}
_SIGN = re.compile(r"(?P<bar>[█▉▊▋▌▍▎▏#]+)|(?P<median>┃)|(?P<mean>◆)")


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """A layout: its lines, in how many columns the statistics stand, and what is left out of the plot (0: nothing)."""

    lines: list[Line]
    columns: int
    is_beside: bool
    left_out: int = 0


def fitted(response: NumbersResponse, *, width: int, height: int, ascii_only: bool) -> list[Line]:
    """Return an answer as lines of at most `width` columns, `height` lines of them if that is possible."""
    pairs = list(render.table(response, ascii_only=ascii_only).items())
    found = list(_layouts(response, pairs, width, ascii_only=ascii_only))
    return min(found, key=lambda one: _rank(one, height)).lines


def _rank(one: _Layout, height: int) -> tuple[int, ...]:
    """Return what is wrong with a layout, the worst first: lines that scroll away, then a plot that is not whole."""
    return max(0, len(one.lines) - height), one.left_out, one.columns, not one.is_beside


def _layouts(
    response: NumbersResponse, pairs: Sequence[tuple[str, str]], width: int, *, ascii_only: bool
) -> Iterator[_Layout]:
    below = render.plot(response, ascii_only=ascii_only, width=width)
    bins = len(response.histogram.counts) if response.histogram else 0
    for columns in range(1, MAX_COLUMNS + 1):
        block = _in_columns(pairs, columns)
        if columns == 1 and max(map(_width, block)) > width:
            block = _folded(pairs, width)
        taken = max(map(_width, block))
        if taken > width and columns > 1:
            continue
        for left_out, some in enumerate((below, below[:bins], [])):
            lines = [*block, *map(colored, some)]
            yield _Layout(lines=lines, columns=columns, is_beside=False, left_out=left_out)
        room = width - taken - GAP
        if room >= max(MIN_PLOT, render.least_width(response)):
            beside = render.plot(response, ascii_only=ascii_only, width=room)
            yield _Layout(lines=_beside(block, beside, taken), columns=columns, is_beside=True)


def _in_columns(pairs: Sequence[tuple[str, str]], columns: int) -> list[Line]:
    """Return names and values in columns, to be read downwards."""
    rows = -(-len(pairs) // columns)
    parts = [_column(pairs[start : start + rows]) for start in range(0, len(pairs), rows)]
    lines: list[Line] = []
    for row in zip_longest(*parts, fillvalue=[]):
        line: Line = []
        for cell in row:
            line += [(" " * GAP, ""), *cell] if line and cell else cell
        lines.append(line)
    return lines


def _column(pairs: Sequence[tuple[str, str]]) -> list[Line]:
    names, values = (max(map(cell_len, texts)) for texts in zip(*pairs, strict=True))
    return [[(name.ljust(names), NAME), ("  " + value.rjust(values), "")] for name, value in pairs]


def _folded(pairs: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """Return names and values in one column, with long values on several lines."""
    names = max(cell_len(name) for name, _ in pairs)
    lines: list[Line] = []
    for name, value in pairs:
        first, *others = folded(value, width - names - 2)
        lines.append([(name.ljust(names), NAME), (f"  {first}", "")])
        lines += [[(" " * names + f"  {part}", "")] for part in others]
    return lines


def _beside(block: Sequence[Line], plot: Sequence[str], taken: int) -> list[Line]:
    lines = []
    for left, right in zip_longest(block, plot, fillvalue=None):
        line = list(left or [])
        if right:
            line += [(" " * (taken + GAP - _width(line)), ""), *colored(str(right))]
        lines.append(line)
    return lines


def colored(text: str) -> Line:
    """Return a line of a plot with the styles of its signs."""
    spans, end = [], 0
    for match in _SIGN.finditer(text):
        spans += [(text[end : match.start()], ""), (match[0], _SIGNS[match.lastgroup or ""])]
        end = match.end()
    return [span for span in [*spans, (text[end:], "")] if span[0]]


def _width(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)
