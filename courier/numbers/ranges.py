"""Byte ranges of a long list, cut into pieces that are each parsed exactly.

The grammar is that of `courier.numbers.parser`, and so are the refusals. A number belongs to the range in which its
first character is, and what separates it from the next one goes with it, so that ranges that touch have
everything once. What separates the items is found on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from courier.numbers import fast_parser, parser
from courier.numbers.integers import Read
from courier.numbers.parser import ParseError

#: What two separators stand around at most, spaces included: more is no number, whatever it is.
MAX_ITEM_BYTES = 2**20
_SIGNS = {",": "a comma", ";": "a semicolon", " ": "a blank"}
_PLURALS = {",": "commas", ";": "semicolons", " ": "spaces"}
_SIGN_BYTES, _BLANKS, _ENDING = b",;\n\r", b" \t", b" \t\n\r"
_GAP_BYTES = _SIGN_BYTES + _BLANKS
_ITEM = re.compile(rb"[^,;\n\r \t]+")
#: What may separate two items, or be a part of that, and what comes first of the next one.
_BEGINNING = re.compile(rb"[,;\n\r \t](?=[^,;\n\r \t])")
_BLANK_RUN = re.compile(rb"[ \t]*+")
#: Two items with nothing but spaces between them.
_INNER_BLANK = re.compile(rb"[^,;\n\r \t][ \t]++(?=[^,;\n\r \t])")
#: The last separator is looked for in so much first, in bytes.
_NEAR = 256

_ONE_SIGN = "Separate all items by the same character, and write decimals with a point, or use --decimal-comma."


class Slipped(Exception):
    """A range has an item that is no number; its slip counts from the range's first item and byte."""

    def __init__(self, slip: ParseError) -> None:
        super().__init__(slip.finding)
        self.slip = slip


@dataclass(frozen=True, kw_only=True)
class ByteRange:
    """A range of a list: from its byte `start` to before `stop` of `size`."""

    start: int
    stop: int
    size: int

    @property
    def first_byte(self) -> int:
        """Where to begin to read: one byte before the range shows whether an item begins with it."""
        return max(0, self.start - 1)


def mixed(signs: Mapping[str, tuple[int, int]]) -> ParseError | None:
    """Return what is wrong where signs come together that must not: the later one; None if all is well.

    `signs` tells of each the first item (from 1) that has it, and the sign's character (from 1).
    """
    if len(signs) < 2:  # noqa: PLR2004  one alone is well
        return None
    (first, _), (sign, (item, character)) = sorted(signs.items(), key=lambda pair: pair[1][1])[:2]
    finding = f"has {_SIGNS[sign]} behind it or in it, but {_PLURALS[first]} separate the items before"
    return ParseError(item=item, character=character, finding=finding, hint=_ONE_SIGN)


class Pieces:
    """The pieces of one range, read one after the other. For one pass."""

    def __init__(self, span: ByteRange) -> None:
        self._span = span
        #: How many items were read.
        self.count = 0
        #: Where each sign was seen first, as `mixed` takes it, counted from the range's beginning.
        self.signs: dict[str, tuple[int, int]] = {}

    def read(self, blocks: Iterable[bytes]) -> Iterator[Read]:
        """Yield the numbers of the range, piece by piece; `blocks` are the list's bytes from `first_byte` on.

        No more blocks are taken than the last item needs. Raises: Slipped.
        """
        for position, raw in self._cut(iter(blocks)):
            piece = self._read(raw, position - self._span.start)
            if piece is not None:
                self.count += len(piece[0])
                yield piece

    def _cut(self, blocks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield pieces that begin with an item and end before one, and each piece's place in the list."""
        position, held = self._first_item(blocks)
        while (beyond := self._span.stop - position) > 0:
            cut = _first_beginning(held, beyond - 1) if len(held) > beyond else _last_beginning(held)
            if cut:
                yield position, held[:cut]
                position, held = position + cut, held[cut:]
            elif len(held) > MAX_ITEM_BYTES:
                raise Slipped(self._too_long(position))
            elif block := next(blocks, b""):
                held += block
            else:
                break
        closed = held.rstrip(_ENDING)
        if beyond > 0 and closed:
            yield position, closed + b"\n"

    def _first_item(self, blocks: Iterator[bytes]) -> tuple[int, bytes]:
        """Return where the range's first item begins, and what was read from there; its end if it has none."""
        position, held = self._span.first_byte, b""
        if position == self._span.start:
            return position, held
        for block in blocks:
            # The item that began before the range is not ours; a last byte may separate it from the next one.
            held = held[-1:] + block
            if begins := _first_beginning(held, 0):
                return position + begins, held[begins:]
            position += len(held) - 1
            if position + 1 >= self._span.stop:
                break
        return self._span.stop, b""

    def _read(self, raw: bytes, before: int) -> Read | None:
        """Return the numbers of one piece with `before` bytes of the range before it; None if it has none."""
        if not raw.rstrip(_BLANKS):
            return None
        self._note_signs(raw, before)
        sign = next((one for one in "; " if one in self.signs), ",")
        is_first = self._span.start + before == 0
        found = fast_parser.read_piece(raw, sign) or parser.read_piece(
            raw.decode(errors="replace"), sign, is_first=is_first
        )
        if isinstance(found, ParseError):
            raise Slipped(found.behind(self.count, before))
        return found

    def _note_signs(self, raw: bytes, before: int) -> None:
        """Note where signs are seen first. Raises: Slipped where two come together that must not."""
        for sign in {",", ";"} - self.signs.keys():
            self._note(sign, raw, raw.find(sign.encode()), before)
        if " " not in self.signs and (b" " in raw or b"\t" in raw):
            self._note(" ", raw, self._blank_of(raw), before)
        if slip := mixed(self.signs):
            raise Slipped(slip)

    def _note(self, sign: str, raw: bytes, place: int, before: int) -> None:
        if place >= 0:
            item = self.count + max(1, len(_ITEM.findall(raw, 0, place)))
            self.signs[sign] = item, before + place + 1

    def _blank_of(self, raw: bytes) -> int:
        """Return where a space separates two items, -1 if none does.

        Within a piece that has other signs, spaces are left to the reading: it says more of the item.
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
    """Return where the first item begins behind a separator at `start` or later; 0 if none does."""
    found = _BEGINNING.search(held, start)
    return found.end() if found else 0


def _last_beginning(held: bytes) -> int:
    """Return where an item begins behind the last separator, 0 if none does: behind spaces only if need be.

    Two spaces may stand around a comma that comes later.
    """
    end = len(held.rstrip(_GAP_BYTES))
    for signs in (_SIGN_BYTES, _BLANKS):
        for start in (max(0, end - _NEAR), 0):
            place = max(held.rfind(sign, start, end) for sign in signs)
            spaces = _BLANK_RUN.match(held, place + 1) if place >= 0 else None
            if spaces:
                return spaces.end()
    return 0
