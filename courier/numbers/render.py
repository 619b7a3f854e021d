"""Render a response of the numbers application: table, plot, JSON, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Context, Decimal

from courier.numbers import plots
from courier.numbers.response import Histogram, NumbersResponse, encode

#: The characters of the longest bar and of the box plot where the output is no terminal, and the most on a terminal.
PLOT_WIDTH = 40
WIDE_PLOT = 80
#: The least characters of useful bars and box plots.
MIN_BAR = 4
MIN_BOX = 12
USEFUL_BAR = 10
#: The least width of a box plot with its key beside it.
MIN_BESIDE = 24
#: Longer edges of bins are shortened.
MAX_EDGE = 12
_SHORT = Context(prec=6)
BOX = ("min", "q1", "median", "mean", "q3", "max")


def table(response: NumbersResponse, *, ascii_only: bool, plain: bool = False) -> dict[str, str]:
    """Return the statistics for a table, with rounded values marked: by a word if `plain`, else by a sign."""
    mark = "{} (rounded)" if plain else "~ {}" if ascii_only else "≈ {}"
    return {
        name: "none" if text is None else mark.format(text) if name in response.rounded else text
        for name, text in response.statistics.items()
    } | ({"modes": _modes_in_words(*response.modes)} if response.modes else {})


def cells(response: NumbersResponse) -> dict[str, str | None]:
    """Return the cells of a row of CSV by their columns: several modes are separated by spaces."""
    return {
        **response.statistics,
        **({"modes": " ".join(response.modes[0])} if response.modes else {}),
        **({"skipped": str(response.skipped)} if response.skipped is not None else {}),
    }


def _modes_in_words(modes: Sequence[str], count: int) -> str:
    more = f", … ({count:,} in all)" if count > len(modes) else ""
    return ", ".join(modes) + more if modes else "none"


def json_line(response: NumbersResponse, line: int | None = None) -> str:
    """Return the statistics as one line of JSON, with all digits; in a batch, with the number of their line."""
    text = encode(replace(response, histogram=None))
    return text if line is None else f'{{"line": {line}, {text.removeprefix("{")}'


def csv_line(cells: Sequence[str | None]) -> str:
    """Return one line of CSV; None is an empty cell."""
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow("" if cell is None else cell for cell in cells)
    return file.getvalue()


class JsonRows:
    """Writes the rows of a batch as lines of JSON, at once."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def add(self, line: int, response: NumbersResponse) -> None:
        """Write the response to a line."""
        self._write(json_line(response, line))

    def reject(self, line: int, reason: str) -> None:
        """Write why a line has no response."""
        self._write(json.dumps({"line": line, "error": reason}))

    def end(self) -> None:
        """Write what is left."""


class CsvRows:
    """Writes the rows of a batch as CSV. The header comes from the first response; earlier rejections wait for it."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._names: list[str] | None = None
        self._early: list[tuple[int, str]] = []

    def add(self, line: int, response: NumbersResponse) -> None:
        """Write the response to a line."""
        row = cells(response)
        self._begin(list(row))
        self._write(csv_line([str(line), *(row.get(name) for name in self._names or ()), None]))

    def reject(self, line: int, reason: str) -> None:
        """Write why a line has no response, once the header is known."""
        if self._names is None:
            self._early.append((line, reason))
        else:
            self._write(csv_line([str(line), *[None] * len(self._names), reason]))

    def end(self) -> None:
        """Write what is left."""
        self._begin([])

    def _begin(self, names: list[str]) -> None:
        if self._names is None:
            self._names = names
            self._write(csv_line(["line", *names, "error"]))
            for line, reason in self._early:
                self.reject(line, reason)


def plot(response: NumbersResponse, *, ascii_only: bool, width: int | None = None) -> list[str]:
    """Return the lines of the histogram and the box plot, to fit `width` columns; none for a list of one number."""
    found = response.histogram
    if found is None or sum(found.counts) < 2:  # noqa: PLR2004  two numbers have a range
        return []
    edges = _edges(found)
    room = PLOT_WIDTH if width is None else min(WIDE_PLOT, width - plots.room_taken(edges, found.counts))
    bar = room if room >= MIN_BAR else 0
    lines = plots.bars(edges, found.counts, width=bar, ascii_only=ascii_only)
    return lines + _box(response, ascii_only=ascii_only, width=width)


def least_width(response: NumbersResponse) -> int:
    """Return the least width of a plot with useful bars, in characters."""
    found = response.histogram
    return plots.room_taken(_edges(found), found.counts) + USEFUL_BAR if found else 0


def bins_in_words(response: NumbersResponse) -> list[str]:
    """Return the histogram as text, a line for each bin."""
    found = response.histogram
    if found is None:
        return []
    edges = _edges(found)
    return [f"{low} to {high}: {count:,}" for low, high, count in zip(edges, edges[1:], found.counts, strict=False)]


def _edges(found: Histogram) -> list[str]:
    return [edge if len(edge) <= MAX_EDGE else _shortened(edge) for edge in found.edges]


def _box(response: NumbersResponse, *, ascii_only: bool, width: int | None) -> list[str]:
    """Return the box plot and its key, beside or below it; nothing if all numbers are equal."""
    values = [response.statistics.get(name) for name in BOX]
    if any(value is None for value in values):
        return []
    least, *inner, most = (Decimal(value or 0) for value in values)
    if least == most:
        return []
    q1, median, mean, q3 = (float((one - least) / (most - least)) for one in inner)
    parts = plots.box_key(ascii_only=ascii_only)
    room = PLOT_WIDTH if width is None else min(WIDE_PLOT, width - 2 - len(", ".join(parts)))
    is_beside = room >= MIN_BESIDE
    columns = room if is_beside else max(MIN_BOX, min(WIDE_PLOT, width or PLOT_WIDTH))
    box = plots.box(q1=q1, median=median, q3=q3, mean=mean, width=columns, ascii_only=ascii_only)
    parts = plots.box_key(ascii_only=ascii_only, is_covered=plots.covers(median, mean, columns))
    return [f"{box}  {', '.join(parts)}"] if is_beside else [box, *_key_below(parts, width or PLOT_WIDTH)]


def _key_below(parts: Sequence[str], width: int) -> list[str]:
    """Return the key of a box plot as one line, without its first part if that is too long, or a line for each part."""
    lines = [", ".join(parts), ", ".join(parts[1:])]
    return next(([line] for line in lines if len(line) <= width), list(parts[1:]))


def _shortened(edge: str) -> str:
    return str(_SHORT.create_decimal(edge)).replace("E+", "e").replace("E", "e")
