"""Fit text to a width: wrap sentences at words, fold long numbers, and cut drawings around their caret.

Knows no terminal; widths are in columns, and None means unlimited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

#: Marks that a word continues in the next line.
CONTINUED = "\\"
#: The least width for folding and shortening: a wide character and a mark.
MIN_FOLD = 4
#: The least useful width of a column.
MIN_ROOM = 8
#: The border and the spaces of each column of a table; the table has one more.
_BORDER = 3
_CARET = "^"
#: The first word of a command in a sentence, what ends its last word, and what begins the word after it.
_COMMAND = re.compile(r"\./\w+\.sh|[A-Z_]+=\S+|aws|courier-\w+|pip|python3?|rm|timedatectl|tmux")
_ENDS = ".,;:)"
_OUTSIDE = ("  ", " (")


def cell_len(text: str) -> int:
    """Return the width of a text in columns."""
    from rich import cells  # late: --help needs no package

    return cells.cell_len(text)


def chop_cells(text: str, width: int) -> list[str]:
    """Return a text in pieces of at most `width` columns."""
    from rich import cells

    return cells.chop_cells(text, width)


def wrapped(text: str, width: int | None) -> list[str]:
    """Return `text` as lines of at most `width` columns, broken at spaces only, and not within a command that fits.

    A longer word stays whole, so that it can be copied; the terminal breaks it. All lines have the indent of the first.
    """
    if width is None or cell_len(text) <= width:
        return [text]
    body = text.lstrip(" ")
    indent = " " * min(len(text) - len(body), width // 2)
    lines = [indent]
    for spaces, word in _units(re.findall(r"( *)([^ ]+)", body), width - len(indent)):
        line = lines[-1] + spaces + word
        if lines[-1] == indent:
            lines[-1] = indent + word
        elif cell_len(line) <= width:
            lines[-1] = line
        else:
            lines.append(indent + word)
    return lines


def _units(words: Sequence[tuple[str, str]], room: int) -> Iterator[tuple[str, str]]:
    """Yield what stays in one line, with the spaces before it: a word, or a command of at most `room` columns."""
    at = 0
    while at < len(words):
        end = _end_of_command(words, at, room) if _COMMAND.fullmatch(words[at][1]) else at + 1
        spaces, word = words[at]
        yield spaces, word + "".join(map("".join, words[at + 1 : end]))
        at = end


def _end_of_command(words: Sequence[tuple[str, str]], start: int, room: int) -> int:
    """Return where the command ends that begins at `start`: with its clause, or after its verb if it is too long."""
    end = start + 1
    while end < len(words) and words[end - 1][1][-1] not in _ENDS and not "".join(words[end]).startswith(_OUTSIDE):
        end += 1
    for tried in (end, min(end, start + 2)):
        if cell_len("".join(map("".join, words[start:tried])).lstrip()) <= room:
            return tried
    return start + 1


def folded(text: str, width: int) -> list[str]:
    r"""Return `text` as lines of at most `width` columns; a `\` marks where a word is cut."""
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
    """Return `word`, if necessary with an ellipsis for its middle."""
    width = max(width, MIN_FOLD)
    if cell_len(word) <= width:
        return word
    return f"{chop_cells(word, (width + 1) // 2)[0]}…{word[-(width // 2 - 1) :]}"


def fitted_drawing(drawing: str, width: int | None) -> list[str]:
    """Return the lines of a drawing, cut to a window around the place where its last line has a caret.

    An ellipsis marks where a line is cut.
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
    """Return the width of a table in full."""
    return sum(_BORDER + widest for widest in _widest(header, rows)) + 1


def room_beside(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> int:
    """Return the width left for the last column of a table; 0 if it is too narrow."""
    room = width - table_width(header[:-1], [row[:-1] for row in rows]) - _BORDER
    longest_word = max((cell_len(word) for row in rows for word in row[-1].split()), default=0)
    return room if room >= max(MIN_ROOM, min(longest_word, 2 * MIN_ROOM)) else 0


def records(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines with one cell each: the first cell of a row, then the others with their names."""
    lines: list[str] = []
    for first, *others in rows:
        lines.append(first)
        lines += [f"  {name}: {cell}" for name, cell in zip(header[1:], others, strict=True)]
    return lines


def _widest(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, cells)) for cells in zip(header, *rows, strict=True)]
