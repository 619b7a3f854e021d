"""The text of a list from a file, a pipe or the command line: decoded, normalized and checked early.

What stands where in the text stays there, but where a column is read, so that a refusal's position is that in the
file: a header that is skipped becomes spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice, repeat

from courier.errors import NotANumberList
from courier.numbers import parser
from courier.numbers.columns import Column
from courier.numbers.decoding import Decoder
from courier.numbers.notation import CellWatch, CommaWatch, Notation, count_items
from courier.numbers.parser import ParseError
from courier.numbers.source import BLOCK_BYTES, Stream

#: How much of a list is read before any of it is uploaded, in bytes.
EARLY_BYTES = 2**16
#: How much of a list's beginning and of its end is remembered, in characters: some of the longest numbers.
REMEMBERED = 4_096
#: More spaces and line endings at a stretch than a worker takes anywhere but at a list's end.
MAX_GAP = 2**20 + 1
#: How many values of a column make a block.
_VALUES = 10_000
_ENDING = " \t\r\n"
_HEADER = re.compile(r"[^\r\n]*(?:\r\n?+|\n)?")
#: What an empty line cannot be without, and what it is, with the end of the line before it.
_HINTS_AT_EMPTY = ("\n\n", "\n\r", "\r\r", " \n", "\t\n", " \r", "\t\r")
_EMPTY_LINE = re.compile(r"(?:\r\n?+|\n)([ \t]*+)[\r\n]")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a list is read, as the command line says."""

    notation: Notation = field(default_factory=Notation)
    #: Whether the first line is passed over.
    skip_header: bool = False
    #: Which column of a file of rows is the list: its number from 1, or its name.
    column: str | None = None

    @classmethod
    def of(cls, given: object) -> Reading:
        """Return what a command's options say."""
        decimal_comma, thousands, skip_header = (
            bool(getattr(given, name, False)) for name in ("decimal_comma", "thousands", "skip_header")
        )
        notation = Notation(decimal_comma=decimal_comma, thousands=thousands)
        return cls(notation=notation, skip_header=skip_header, column=getattr(given, "column", None))


class ListSource:
    """A list's text, to be read once: as a whole, or as bytes in the order in which an upload takes them."""

    def __init__(self, blocks: Iterable[str], reading: Reading, size_bytes: int | None = None) -> None:
        self._blocks = _rewritten(iter(blocks), reading)
        self._ready = b""
        is_plain = reading.notation.is_plain and not reading.column
        self._watches: list[CellWatch | CommaWatch] = [CellWatch(), CommaWatch()] if is_plain else []
        #: How many bytes there will be, if that is known.
        self.size_bytes = None if reading.column else size_bytes
        #: Some of its first and of its last characters, once these were read as bytes.
        self.beginning = self.end = ""

    @classmethod
    def of_stream(cls, stream: Stream, path: str, reading: Reading) -> ListSource:
        """Return the list that a file has. Raises: Rejected if it is no text, as reading does."""
        decoder = Decoder(path)
        texts = decoder.texts(iter(lambda: stream.read(BLOCK_BYTES), b""))
        first = next(texts)
        return cls(chain([first], texts), reading, stream.size_bytes if decoder.is_utf8 else None)

    @property
    def note(self) -> str:
        """What is to be said of the list once it is read, besides its answer; may be nothing."""
        return next(filter(None, (watch.note() for watch in self._watches)), "")

    def text(self) -> str:
        """Return all of it. Raises: Rejected."""
        text = "".join(self._blocks)
        for watch in self._watches:
            watch.see(text.rstrip(_ENDING))
        return text

    def check_beginning(self) -> None:
        """Read the beginning, so that what is wrong with it is found before an upload. Raises: Rejected."""
        self._blocks = _without_empty_lines(self._blocks)
        self._fill(EARLY_BYTES)
        if not self._ready:
            raise parser.empty()
        # The last item of a long list may go on, and what stands before it may be all that separates two.
        beginning = self._ready if len(self._ready) < EARLY_BYTES else parser.whole_items(self._ready)
        if beginning:
            parser.split(beginning.decode())

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, fewer only at the end. Raises: Rejected."""
        self._fill(size)
        size = len(self._ready) if size < 0 else size
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken

    def _fill(self, size: int) -> None:
        """Have so many bytes ready, all that are left if `size` is negative, fewer only at the end."""
        parts, count = [self._ready], len(self._ready)
        while (count < size or size < 0) and (block := next(self._blocks, None)) is not None:
            for watch in self._watches:
                watch.see(block)
            if len(self.beginning) < REMEMBERED:
                self.beginning = (self.beginning + block).lstrip(_ENDING)[:REMEMBERED]
            self.end = (self.end + block[-REMEMBERED:])[-REMEMBERED:]
            parts.append(block.encode())
            count += len(parts[-1])
        self._ready = b"".join(parts)


def without_last_empty(lines: Iterable[str | None], *, skip_header: bool) -> Iterator[str | None]:
    """Yield lines but for empty ones after the last that is not, and for the first one if it is a header.

    None stands for a silence between lines.
    """
    empty = 0
    for line in lines:
        if line is None:
            yield None
        elif skip_header:
            skip_header = False
        elif line.strip(_ENDING):
            yield from repeat("", empty)
            empty = 0
            yield line
        else:
            empty += 1


def _rewritten(blocks: Iterator[str], reading: Reading) -> Iterator[str]:
    if reading.column:
        column = Column(wanted=reading.column, skip_header=reading.skip_header, notation=reading.notation)
        return _joined(column.values(blocks))
    if reading.skip_header:
        blocks = _without_header(blocks)
    return blocks if reading.notation.is_plain else _in_notation(blocks, reading.notation)


def _joined(values: Iterator[str]) -> Iterator[str]:
    while some := list(islice(values, _VALUES)):
        yield "\n".join(some) + "\n"


def _without_header(blocks: Iterator[str]) -> Iterator[str]:
    """Yield blocks with spaces for the first line and its end, which may stand in two of them."""
    held = ""
    for block in blocks:
        text = held + block
        header = _HEADER.match(text)
        end = header.end() if header else 0
        is_over = end < len(text) or text.endswith("\n")
        held = "\r" if not is_over and text.endswith("\r") else ""
        yield " " * (end - len(held)) + text[end:]
        if is_over:
            break
    yield from blocks


def _in_notation(blocks: Iterator[str], notation: Notation) -> Iterator[str]:
    """Yield blocks of whole items as the grammar has them. Raises: NotANumberList."""
    held, items, characters = "", 0, 0
    for block in chain(blocks, [""]):
        text = held + block
        cut = max(text.rfind(sign) for sign in "; \t\r\n") + 1
        if not block or len(text) - cut > MAX_GAP:
            cut = len(text)
        whole, held = text[:cut], text[cut:]
        found = notation.rewrite(whole)
        if isinstance(found, ParseError):
            raise found.behind(items, characters).error
        items += count_items(whole)
        characters += len(whole)
        yield found


def _without_empty_lines(blocks: Iterator[str]) -> Iterator[str]:
    """Yield blocks but for what spaces and line endings there are at the end. Raises: NotANumberList at an empty line.

    A worker would find it, too, after the upload, and more of those at the end than it takes.
    """
    held, lines, characters = "", 1, 0
    for block in blocks:
        text = held + block
        body = text.rstrip(_ENDING)
        if not body:
            held = text[:MAX_GAP]
            continue
        held = text[len(body) :]
        found = _EMPTY_LINE.search(body) if any(hint in body for hint in _HINTS_AT_EMPTY) else None
        if found:
            line = lines + _count_lines(body[: found.start(1)])
            where = f"Line {line:,} (character {characters + found.end(1) + 1:,})"
            raise NotANumberList(f"{where} is empty.", hint="Delete the empty line.")
        lines += _count_lines(body)
        characters += len(body)
        yield body


def _count_lines(text: str) -> int:
    return text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)
