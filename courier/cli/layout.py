"""Fit text to a width: wrap sentences at words, fold long numbers, and cut drawings around their caret.

Knows no terminal; widths are in columns, and None is a width without end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Stands at the end of a line within a word: the word goes on in the next line.
CONTINUED = "\\"
#: Nothing is folded or shortened to less: a wide character and a mark.
MIN_FOLD = 4
#: Narrower than this, a column has no use.
MIN_ROOM = 8
#: The border and the spaces of a table: so many columns for each of its own, and one more.
_BORDER = 3
_CARET = "^"


def cell_len(text: str) -> int:
    """Return how many columns a text takes."""
    from rich import cells  # late: --help needs no package

    return cells.cell_len(text)


def chop_cells(text: str, width: int) -> list[str]:
    """Return a text in pieces of at most `width` columns."""
    from rich import cells

    return cells.chop_cells(text, width)


def wrapped(text: str, width: int | None) -> list[str]:
    """Return `text` as lines of at most `width` columns, broken at spaces only.

    A word that is longer stays whole, for the terminal to break: it can still be copied in one piece. Lines begin as
    far to the right as the first one.
    """
    if width is None or cell_len(text) <= width:
        return [text]
    body = text.lstrip(" ")
    indent = " " * min(len(text) - len(body), width // 2)
    lines = [indent]
    for spaces, word in re.findall(r"( *)([^ ]+)", body):
        line = lines[-1] + spaces + word
        if lines[-1] == indent:
            lines[-1] = indent + word
        elif cell_len(line) <= width:
            lines[-1] = line
        else:
            lines.append(indent + word)
    return lines


def folded(text: str, width: int) -> list[str]:
    r"""Return `text` as lines of at most `width` columns; a word that is cut has a `\` where it goes on."""
    width = max(width, MIN_FOLD)
    lines: list[str] = []
    for line in wrapped(text, width):
        rest = line
        while cell_len(rest) > width:
            head = chop_cells(rest, width - 1)[0]
            lines.append(head + CONTINUED)
            rest = rest[len(head) :]
        lines.append(rest)
    return lines


def shortened(word: str, width: int) -> str:
    """Return `word`, or its beginning and its end with an ellipsis between."""
    width = max(width, MIN_FOLD)
    if cell_len(word) <= width:
        return word
    return f"{chop_cells(word, (width + 1) // 2)[0]}…{word[-(width // 2 - 1) :]}"


def fitted_drawing(drawing: str, width: int | None) -> list[str]:
    """Return the lines of a drawing whose last one points at a place, cut to a window around that place.

    Where a line is cut it has an ellipsis.
    """
    lines = drawing.splitlines()
    if width is None or not lines or max(map(cell_len, lines)) <= width:
        return lines
    start = max(0, lines[-1].find(_CARET) - width // 2)
    return [*(_window(line, start, width) for line in lines[:-1]), lines[-1][start : start + width]]


def _window(line: str, start: int, width: int) -> str:
    shown = line[start : start + width]
    if start and shown:
        shown = "…" + shown[1:]
    return shown[:-1] + "…" if len(line) > start + width else shown


def table_width(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return how wide a table is that cuts nothing."""
    return sum(_BORDER + widest for widest in _widest(header, rows)) + 1


def room_beside(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> int:
    """Return how wide the last column of a table may be that has all others whole; 0 if that is no use."""
    room = width - table_width(header[:-1], [row[:-1] for row in rows]) - _BORDER
    longest_word = max((cell_len(word) for row in rows for word in row[-1].split()), default=0)
    return room if room >= max(MIN_ROOM, min(longest_word, 2 * MIN_ROOM)) else 0


def records(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines with one fact each: the first cell of a row, and below it the others by name."""
    lines: list[str] = []
    for first, *others in rows:
        lines.append(first)
        lines += [f"  {name}: {cell}" for name, cell in zip(header[1:], others, strict=True)]
    return lines


def _widest(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, cells)) for cells in zip(header, *rows, strict=True)]
