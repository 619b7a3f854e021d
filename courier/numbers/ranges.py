"""Parse a byte range of a long list, in pieces.

The grammar and the errors are those of `courier.numbers.parser`. A number, with the separator after it, belongs to the
range that contains its first character, so that adjacent ranges have every number once. The separator is detected
on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from courier.numbers import fast_parser, parser
from courier.numbers.integers import Read
from courier.numbers.parser import ParseError

#: The most bytes between two separators, including spaces.
MAX_ITEM_BYTES = 2**20
_SIGNS = {",": "a comma", ";": "a semicolon", " ": "a blank"}
_PLURALS = {",": "commas", ";": "semicolons", " ": "spaces"}
_SIGN_BYTES, _BLANKS, _ENDING = b",;\n\r", b" \t", b" \t\n\r"
_GAP_BYTES = _SIGN_BYTES + _BLANKS
_ITEM = re.compile(rb"[^,;\n\r \t]+")
#: The last character of a separator, followed by the first of an item.
_BEGINNING = re.compile(rb"[,;\n\r \t](?=[^,;\n\r \t])")
_BLANK_RUN = re.compile(rb"[ \t]*+")
#: Two items with nothing but spaces between them.
_INNER_BLANK = re.compile(rb"[^,;\n\r \t][ \t]++(?=[^,;\n\r \t])")
#: The last separator is searched in this many bytes first.
_NEAR = 256

_ONE_SIGN = "Separate all items by the same character, and write decimals with a point, or use --decimal-comma."


class InvalidItem(Exception):
    """A range has an item that is not a number; its position counts from the range's first item and byte."""

    def __init__(self, parse_error: ParseError) -> None:
        super().__init__(parse_error.finding)
        self.parse_error = parse_error


@dataclass(frozen=True, kw_only=True)
class ByteRange:
    """The bytes from `start` up to `stop` of a list of `size` bytes."""

    start: int
    stop: int
    size: int

    @property
    def first_byte(self) -> int:
        """Where to begin to read: the byte before the range shows whether an item begins with the range."""
        return max(0, self.start - 1)


def mixed(signs: Mapping[str, tuple[int, int]]) -> ParseError | None:
    """Return the error for mixed separators, at the second of them; None if there is only one.

    `signs` has, for each separator, its first item and that character's position, both from 1.
    """
    if len(signs) < 2:  # noqa: PLR2004  one is valid
        return None
    (first, _), (sign, (item, character)) = sorted(signs.items(), key=lambda pair: pair[1][1])[:2]
    finding = f"has {_SIGNS[sign]} behind it or in it, but {_PLURALS[first]} separate the items before"
    return ParseError(item=item, character=character, finding=finding, hint=_ONE_SIGN)


class Pieces:
    """Reads a range piece by piece. For one pass."""

    def __init__(self, span: ByteRange) -> None:
        self._span = span
        #: The number of items that were read.
        self.count = 0
        #: The first occurrence of each separator, as `mixed` takes it, counted from the range's beginning.
        self.signs: dict[str, tuple[int, int]] = {}

    def read(self, blocks: Iterable[bytes]) -> Iterator[Read]:
        """Yield the numbers of the range, piece by piece; `blocks` are the list's bytes from `first_byte` on.

        Consumes no more blocks than the last item needs. Raises: InvalidItem.
        """
        for position, raw in self._cut(iter(blocks)):
            piece = self._read(raw, position - self._span.start)
            if piece is not None:
                self.count += len(piece[0])
                yield piece

    def _cut(self, blocks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield pieces of whole items with their separators, and each piece's position in the list."""
        position, held = self._first_item(blocks)
        while (beyond := self._span.stop - position) > 0:
            cut = _first_beginning(held, beyond - 1) if len(held) > beyond else _last_beginning(held)
            if cut:
                yield position, held[:cut]
                position, held = position + cut, held[cut:]
            elif len(held) > MAX_ITEM_BYTES:
                raise InvalidItem(self._too_long(position))
            elif block := next(blocks, b""):
                held += block
            else:
                break
        closed = held.rstrip(_ENDING)
        if beyond > 0 and closed:
            yield position, closed + b"\n"

    def _first_item(self, blocks: Iterator[bytes]) -> tuple[int, bytes]:
        """Return where the range's first item begins, and the bytes read from there; the range's end if it has none."""
        position, held = self._span.first_byte, b""
        if position == self._span.start:
            return position, held
        for block in blocks:
            # Skip an item that began before the range. Keep the last byte, which may be a separator.
            held = held[-1:] + block
            if begins := _first_beginning(held, 0):
                return position + begins, held[begins:]
            position += len(held) - 1
            if position + 1 >= self._span.stop:
                break
        return self._span.stop, b""

    def _read(self, raw: bytes, before: int) -> Read | None:
        """Return the numbers of a piece, `before` bytes into the range; None if it has none."""
        if not raw.rstrip(_BLANKS):
            return None
        self._note_signs(raw, before)
        sign = next((one for one in "; " if one in self.signs), ",")
        is_first = self._span.start + before == 0
        found = fast_parser.read_piece(raw, sign) or parser.read_piece(
            raw.decode(errors="replace"), sign, is_first=is_first
        )
        if isinstance(found, ParseError):
            raise InvalidItem(found.shifted(self.count, before))
        return found

    def _note_signs(self, raw: bytes, before: int) -> None:
        """Record the first occurrence of each separator. Raises: InvalidItem if separators are mixed."""
        for sign in {",", ";"} - self.signs.keys():
            self._note(sign, raw, raw.find(sign.encode()), before)
        if " " not in self.signs and (b" " in raw or b"\t" in raw):
            self._note(" ", raw, self._blank_of(raw), before)
        if parse_error := mixed(self.signs):
            raise InvalidItem(parse_error)

    def _note(self, sign: str, raw: bytes, place: int, before: int) -> None:
        if place >= 0:
            item = self.count + max(1, len(_ITEM.findall(raw, 0, place)))
            self.signs[sign] = item, before + place + 1

    def _blank_of(self, raw: bytes) -> int:
        """Return where a space separates two items, -1 if none does.

        In a piece with other separators the parser rejects such spaces, with a better message.
        """
        end = len(raw.rstrip(_BLANKS))
        if end < len(raw) and raw[end - 1] not in _SIGN_BYTES:
            return end
        found = None if self.signs else _INNER_BLANK.search(raw)
        return found.start() + 1 if found else -1

    def _too_long(self, position: int) -> ParseError:
        finding = f"has more than {MAX_ITEM_BYTES:,} characters, including spaces"
        hint = "Commas, semicolons, line endings or spaces separate numbers, one kind in a list."
        return ParseError(item=self.count + 1, character=position - self._span.start + 1, finding=finding, hint=hint)


def _first_beginning(held: bytes, start: int) -> int:
    """Return where the first item begins after a separator at `start` or later; 0 if none does."""
    found = _BEGINNING.search(held, start)
    return found.end() if found else 0


def _last_beginning(held: bytes) -> int:
    """Return where an item begins after the last separator, 0 if none does; after spaces only as a last resort.

    Spaces may precede a comma that follows later.
    """
    end = len(held.rstrip(_GAP_BYTES))
    for signs in (_SIGN_BYTES, _BLANKS):
        for start in (max(0, end - _NEAR), 0):
            place = max(held.rfind(sign, start, end) for sign in signs)
            spaces = _BLANK_RUN.match(held, place + 1) if place >= 0 else None
            if spaces:
                return spaces.end()
    return 0
