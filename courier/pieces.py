"""Lists too long to be held: a range of bytes is cut into pieces, and each is read exactly.

The grammar is that of `courier.numberlist`, and so are the refusals. An item belongs to the range in which it
begins, so that ranges that touch have every item once. Whether blanks separate the items must be known
beforehand; commas and semicolons are found on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from courier import fastlist, numberlist
from courier.numberlist import Slip

#: What two separators stand around at most, blanks included: more is no number, whatever it is.
MAX_ITEM_BYTES = 2**20
_SIGNS = {",": "a comma", ";": "a semicolon", "\n": "a line end", " ": "a blank"}
_PLURALS = {",": "commas", ";": "semicolons", "\n": "line ends", " ": "blanks"}
_SEPARATORS, _BLANKS = b",;\n", b" \t"

_ONE_SIGN = "Separate all items by the same sign, and write decimals with a point."

#: Numbers as integers in units of 10**-decimals, and those decimals.
Read = tuple[list[int] | fastlist.Array, int]


class Slipped(Exception):
    """A range has an item that is no number; its slip counts from the range's first item and byte."""

    def __init__(self, slip: Slip) -> None:
        super().__init__(slip.finding)
        self.slip = slip


@dataclass(frozen=True, kw_only=True)
class Span:
    """A range of a list: from its byte `start` to before `stop` of `size`."""

    start: int
    stop: int
    size: int

    @property
    def first_byte(self) -> int:
        """Where to begin to read: one byte before the range shows whether an item begins with it."""
        return max(0, self.start - 1)


def holds_blanks_only(content: bytes) -> bool:
    """Whether blanks must be what separates the items of a list of which this is a good part, its end included."""
    content = _without_line_end(content)
    has_sign = any(sign in content for sign in (b",", b";", b"\n"))
    return not has_sign and any(blank in content.strip(_BLANKS) for blank in (b" ", b"\t"))


def mixed(signs: Mapping[str, tuple[int, int]]) -> Slip | None:
    """Return what is wrong where signs come together that must not: the later one; None if all is well.

    `signs` tells of each the first item (from 1) that has it, and the sign's character (from 1).
    """
    if len(signs) < 2:  # noqa: PLR2004  one alone is well
        return None
    (first, _), (sign, (item, character)) = sorted(signs.items(), key=lambda pair: pair[1][1])[:2]
    finding = f"has {_SIGNS[sign]} behind it or in it, but {_PLURALS[first]} separate the items before"
    return Slip(item=item, character=character, finding=finding, hint=_ONE_SIGN)


class Pieces:
    """The pieces of one range, read one after the other. For one pass."""

    def __init__(self, span: Span, *, by_blanks: bool) -> None:
        self._span = span
        self._by_blanks = by_blanks
        self._separators = _BLANKS if by_blanks else _SEPARATORS
        #: Before which byte an item of the range begins; an empty one may begin behind the list's last byte.
        self._end = span.stop + (span.stop == span.size)
        #: How many items were read.
        self.count = 0
        #: Where each sign was seen first, as `mixed` takes it, counted from the range's beginning.
        self.signs: dict[str, tuple[int, int]] = {" ": (0, 0)} if by_blanks else {}

    def read(self, blocks: Iterable[bytes]) -> Iterator[Read]:
        """Yield the numbers of the range, piece by piece; `blocks` are the list's bytes from `first_byte` on.

        No more blocks are taken than the last item needs. Raises: Slipped.
        """
        for position, raw in self._cut(blocks):
            piece = self._read(raw, position - self._span.start)
            if piece is not None:
                self.count += len(piece[0])
                yield piece

    def _cut(self, blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield pieces of items with a separator behind each, and each piece's place in the list."""
        position, held, last = self._span.first_byte, b"", b""
        is_inside = self._span.start == 0
        for block in blocks:
            held += block
            if not is_inside:
                # The item that began before the range is not ours.
                skipped = self._first(held, 0)
                is_inside = skipped > 0
                last, skipped = held[skipped - 1 : skipped], skipped or len(held)
                position, held = position + skipped, held[skipped:]
            beyond = max(0, self._end - 1 - position)
            cut = self._first(held, beyond) if len(held) > beyond else self._last(held)
            if cut and position < self._end:
                yield position, held[:cut]
                position, held, last = position + cut, held[cut:], held[cut - 1 : cut]
            if position >= self._end:
                return
            if len(held) > MAX_ITEM_BYTES:
                raise Slipped(self._too_long(position))
        if is_inside and (closed := self._closed(held, last)):
            yield position, closed

    def _first(self, held: bytes, start: int) -> int:
        """Return the place behind the first separator at `start` or later; 0 if there is none."""
        found = [place for sign in self._separators if (place := held.find(sign, start)) >= 0]
        return min(found) + 1 if found else 0

    def _last(self, held: bytes) -> int:
        """Return the place behind the last separator; 0 if there is none."""
        return max(held.rfind(sign) for sign in self._separators) + 1

    def _closed(self, held: bytes, last: bytes) -> bytes:
        """Return what is left at the list's end behind its `last` separator, with one behind it, or nothing."""
        if self._by_blanks:
            held = _without_line_end(held)
            return held + b" " if held else b""
        if not held and last not in {b",", b";"}:
            return b""
        return held + (b" \n" if held.endswith(b"\r") else b"\n")  # no half of a line end is made whole

    def _read(self, raw: bytes, before: int) -> Read | None:
        """Return the numbers of one piece with `before` bytes of the range before it; None if it has none."""
        self._note_signs(raw, before)
        if self._by_blanks and not raw.strip(bytes(self._separators)):
            return None
        sign = " " if self._by_blanks else ";" if ";" in self.signs else ","
        found = fastlist.read_piece(raw, sign) or numberlist.read_piece(_opened(raw), sign)
        if isinstance(found, Slip):
            raise Slipped(found.behind(self.count, before))
        return found

    def _note_signs(self, raw: bytes, before: int) -> None:
        for sign in {",", ";", "\n"} if self._by_blanks else {",", ";"}:
            place = -1 if sign in self.signs else raw.find(sign.encode())
            if place >= 0:
                self.signs[sign] = (self.count + self._item_at(raw, place), before + place + 1)
        if slip := mixed(self.signs):
            raise Slipped(slip)

    def _item_at(self, raw: bytes, place: int) -> int:
        """Return which item of a piece, from 1, is at a place in it."""
        if self._by_blanks:
            return len((raw[:place] + b"x").split())
        return 1 + sum(raw.count(sign, 0, place) for sign in self._separators)

    def _too_long(self, position: int) -> Slip:
        finding = f"has more than {MAX_ITEM_BYTES:,} characters, blanks included"
        hint = "Commas, semicolons, line ends or blanks separate numbers, one kind in a list."
        return Slip(item=self.count + 1, character=position - self._span.start + 1, finding=finding, hint=hint)


def _opened(raw: bytes) -> str:
    """Return a piece as text, without the separator at its end."""
    shorter = _without_line_end(raw) if raw.endswith(b"\n") else raw[:-1]
    return shorter.decode(errors="replace")


def _without_line_end(raw: bytes) -> bytes:
    return raw.removesuffix(b"\n").removesuffix(b"\r") if raw.endswith(b"\n") else raw
