"""Read one column of a table: CSV with any delimiter and quoting, or columns aligned by spaces."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from courier.errors import NotANumberList
from courier.numbers import parser
from courier.numbers.decoding import lines
from courier.numbers.missing import MissingValues
from courier.numbers.notation import Notation
from courier.numbers.parser import ParseError
from courier.text import one_of, quoted

#: The longest allowed line, in characters.
MAX_LINE = 2**20
_EXCEL_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*+(?:""[^"]*+|)*+"')
#: The gap between cells that are aligned by blanks; a second tab begins another gap, after an empty cell.
_GAP = re.compile(r" *\t *| +")
#: The number of column names that an error shows.
_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column, by its number (from 1) or its name in the first line, and the notation of its numbers."""

    wanted: str
    skip_header: bool
    notation: Notation
    #: Skips and counts missing values; None: they are rejected.
    missing: MissingValues | None = None

    def values(self, blocks: Iterable[str]) -> Iterator[str]:
        """Yield the numbers in the column of a text in blocks.

        Raises: NotANumberList, with the line and the column, at the first row without a number there.
        """
        rows = _rows(_lines(blocks), decimal_comma=self.notation.decimal_comma)
        place, empty = self._place(rows), 0
        for line, row in rows:
            if not any(map(str.strip, row)):
                empty = empty or line
                continue
            if empty and not self.missing:
                raise NotANumberList(f"Line {empty:,} is empty.", hint="Delete it.")
            if not (self.missing and place < len(row) and self.missing.is_missing(row[place].strip())):
                yield self._value(row, place, line)

    def _place(self, rows: Iterator[tuple[int, list[str]]]) -> int:
        """Return the column's index, and consume the header, if there is one."""
        if self.wanted.isascii() and self.wanted.isdigit():
            if self.skip_header:
                next(rows, None)
            return int(self.wanted) - 1
        _, header = next(rows, (0, [""]))
        places = [place for place, name in enumerate(header) if name.strip() == self.wanted.strip()]
        if not places:
            known = ", ".join(quoted(name.strip()) for name in header[:_SHOWN])
            raise NotANumberList(
                f"There is no column {quoted(self.wanted)}.",
                hint=f"The first line has: {known}. A number works too.",
            )
        if len(places) > 1:
            which = one_of([str(place + 1) for place in places])
            raise NotANumberList(
                f"{len(places)} columns are called {quoted(self.wanted)}.", hint=f"Say which: {which}."
            )
        return places[0]

    def _value(self, row: list[str], place: int, line: int) -> str:
        if place >= len(row):
            columns = f"{len(row):,} columns" if len(row) > 1 else "one column"
            raise NotANumberList(f"Line {line:,} has {columns}, and column {place + 1:,} is wanted.")
        item = row[place].strip()
        found = self.notation.rewrite(item)
        parse_error = found if isinstance(found, ParseError) else parser.of_item(found.strip())
        if parse_error is None:
            return str(found).strip()
        hint = parse_error.hint
        if not item:
            hint = "Write a number there, delete the line, or use --skip-missing."
        elif line == 1 and any(map(str.isalpha, item)):
            hint = "Is that a header? Skip it with --skip-header, or name the column."
        raise NotANumberList(f"Line {line:,}, column {place + 1:,} {parse_error.finding}.", hint=hint)


def _rows(every: Iterator[str], *, decimal_comma: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield each row, with the number of its last line."""
    first = next(every, "")
    skipped = 0
    if named := _EXCEL_LINE.fullmatch(first):
        first, skipped = next(every, ""), 1
    sign = named[1] if named else _delimiter(first, decimal_comma=decimal_comma)
    if sign == " ":
        rows = (_GAP.split(line.strip()) for line in chain([first], every))
        yield from enumerate(rows, start=1 + skipped)
        return
    reader = csv.reader(chain([first], every), delimiter=sign, skipinitialspace=True, strict=True)
    try:
        yield from ((reader.line_num + skipped, row) for row in reader)
    except csv.Error as error:
        raise NotANumberList(f"Line {reader.line_num + skipped:,} is not a row of a table: {error}.") from error


def _delimiter(line: str, *, decimal_comma: bool) -> str:
    """Return a line's delimiter. With decimal commas it is not the comma, unless such cells are quoted."""
    bare = _QUOTED.sub("", line)
    signs = "\t;," if bare != line or not decimal_comma else "\t;"
    fallback = " " if " " in bare.strip() else signs[-1]
    return next((sign for sign in signs if sign in bare), fallback)


def _lines(blocks: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a text, each with a Unix line ending. Raises: NotANumberList at a line that is too long."""
    for number, line in enumerate(lines(blocks, MAX_LINE), start=1):
        if len(line) > MAX_LINE:
            raise NotANumberList(f"Line {number:,} has more than {MAX_LINE:,} characters.")
        yield line + "\n"
