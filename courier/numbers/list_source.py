"""Read the text of a list from a file, a pipe or the command line: decode, normalize and check it early.

Positions in the text are kept (a skipped header becomes spaces), so that positions in errors are those in the file;
only reading a column changes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice, repeat

from courier.errors import NotANumberList
from courier.numbers import parser
from courier.numbers.columns import Column
from courier.numbers.decoding import Decoder
from courier.numbers.missing import MissingValues
from courier.numbers.notation import CommaCheck, Notation, TabCheck, count_items
from courier.numbers.parser import ParseError
from courier.numbers.source import BLOCK_BYTES, Stream

#: The bytes of a list that are checked before the upload begins.
EARLY_BYTES = 2**16
#: The characters kept of a list's beginning and end: several of the longest numbers.
REMEMBERED = 4_096
#: The longest run of spaces and line endings before the list's end: a worker rejects longer items.
MAX_GAP = 2**20 + 1
#: The number of a column's values in a block.
_VALUES = 10_000
_ENDING = " \t\r\n"
_HEADER = re.compile(r"[^\r\n]*(?:\r\n?+|\n)?")
#: Texts of which an empty line contains at least one, and its pattern, including the line ending before it.
_HINTS_AT_EMPTY = ("\n\n", "\n\r", "\r\r", " \n", "\t\n", " \r", "\t\r")
_EMPTY_LINE = re.compile(r"(?:\r\n?+|\n)([ \t]*+)[\r\n]")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read a list, from the command line."""

    notation: Notation = field(default_factory=Notation)
    #: Whether to skip the first line.
    skip_header: bool = False
    #: The column to read: its number (from 1) or its name; None: the whole file is the list.
    column: str | None = None
    #: Whether to skip missing values.
    skip_missing: bool = False

    @classmethod
    def of(cls, given: object) -> Reading:
        """Return the reading for a command's options."""
        decimal_comma, thousands, skip_header, skip_missing = (
            bool(getattr(given, name, False)) for name in ("decimal_comma", "thousands", "skip_header", "skip_missing")
        )
        return cls(
            notation=Notation(decimal_comma=decimal_comma, thousands=thousands),
            skip_header=skip_header,
            column=getattr(given, "column", None),
            skip_missing=skip_missing,
        )

    @property
    def of_text(self) -> Reading:
        """How to read text that is no table: the same notation, and missing values skipped or not."""
        return Reading(notation=self.notation, skip_missing=self.skip_missing)


class ListSource:
    """A list's text, to be read once: as a whole, or in order as bytes, for an upload."""

    def __init__(
        self,
        blocks: Iterable[str],
        reading: Reading,
        size_bytes: int | None = None,
        *,
        missing: MissingValues | None = None,
    ) -> None:
        #: The missing values that were skipped so far; None: they are not skipped.
        self.missing = (missing or MissingValues()) if reading.skip_missing else None
        self._blocks = _rewritten(iter(blocks), reading, self.missing)
        self._ready = b""
        is_plain = reading.notation.is_plain and not reading.column
        self._checks: list[TabCheck | CommaCheck] = [TabCheck(), CommaCheck()] if is_plain else []
        #: The number of bytes to read, if known; of one column of a file, those of the file.
        self.size_bytes = size_bytes
        #: The file of which one column is read.
        self._table: Stream | None = None
        #: The first and the last `REMEMBERED` characters that were read as bytes.
        self.beginning = self.end = ""

    @classmethod
    def of_stream(cls, stream: Stream, path: str, reading: Reading) -> ListSource:
        """Return the list in a file. Raises: Rejected if it is not text, as reading does."""
        decoder = Decoder(path)
        texts = decoder.texts(iter(lambda: stream.read(BLOCK_BYTES), b""))
        first = next(texts)
        size_bytes = stream.size_bytes if decoder.is_utf8 or reading.column else None
        source = cls(chain([first], texts), reading, size_bytes)
        source._table = stream if reading.column else None
        return source

    def tracked(self, advance: Callable[[int], None]) -> Callable[[int], None]:
        """Return a function to call with each number of bytes stored, which advances the progress to `size_bytes`."""
        table = self._table
        if table is None:
            return advance
        before = 0

        def follow(_count: int) -> None:
            nonlocal before
            before, more = table.position, table.position - before
            advance(more)

        return follow

    @property
    def note(self) -> str:
        """A warning about the list, once it is read; may be empty."""
        return next(filter(None, (check.note() for check in self._checks)), "")

    def text(self) -> str:
        """Return the whole text. Raises: Rejected."""
        text = "".join(self._blocks)
        for check in self._checks:
            check.add(text.rstrip(_ENDING))
        return text

    def check_beginning(self) -> None:
        """Read and check the beginning, so that errors are found before an upload. Raises: Rejected."""
        self._blocks = _without_empty_lines(self._blocks)
        self._fill(EARLY_BYTES)
        if not self._ready:
            raise parser.empty()
        # The last item of a long list may be incomplete.
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
        """Read until `size` bytes are ready, all if `size` is negative, fewer only at the end."""
        parts, count = [self._ready], len(self._ready)
        while (count < size or size < 0) and (block := next(self._blocks, None)) is not None:
            for check in self._checks:
                check.add(block)
            if len(self.beginning) < REMEMBERED:
                self.beginning = (self.beginning + block).lstrip(_ENDING)[:REMEMBERED]
            self.end = (self.end + block[-REMEMBERED:])[-REMEMBERED:]
            parts.append(block.encode())
            count += len(parts[-1])
        self._ready = b"".join(parts)


def without_last_empty(lines: Iterable[str | None], *, skip_header: bool) -> Iterator[str | None]:
    """Yield lines without trailing empty lines, and without the first if it is a header.

    None means a pause between lines.
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


def _rewritten(blocks: Iterator[str], reading: Reading, missing: MissingValues | None) -> Iterator[str]:
    if reading.column:
        column = Column(
            wanted=reading.column, skip_header=reading.skip_header, notation=reading.notation, missing=missing
        )
        return _joined(column.values(blocks))
    if reading.skip_header:
        blocks = _without_header(blocks)
    if not reading.notation.is_plain:
        blocks = _in_notation(blocks, reading.notation)
    return missing.without(blocks) if missing else blocks


def _joined(values: Iterator[str]) -> Iterator[str]:
    while some := list(islice(values, _VALUES)):
        yield "\n".join(some) + "\n"


def _without_header(blocks: Iterator[str]) -> Iterator[str]:
    """Yield blocks with spaces for the first line and its ending, which two blocks may share."""
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
    """Yield blocks of whole items in the grammar. Raises: NotANumberList."""
    held, items, characters = "", 0, 0
    for block in chain(blocks, [""]):
        text = held + block
        cut = max(text.rfind(sign) for sign in "; \t\r\n") + 1
        if not block or len(text) - cut > MAX_GAP:
            cut = len(text)
        whole, held = text[:cut], text[cut:]
        found = notation.rewrite(whole)
        if isinstance(found, ParseError):
            raise found.shifted(items, characters).rejection
        items += count_items(whole)
        characters += len(whole)
        yield found


def _without_empty_lines(blocks: Iterator[str]) -> Iterator[str]:
    """Yield blocks without trailing spaces and line endings. Raises: NotANumberList at an empty line.

    A worker would reject the list, too, but only after the upload.
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
