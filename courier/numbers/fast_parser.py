"""Parse long lists of plain decimals eight digits at a time: the fast parser beside `courier.numbers.parser`.

It declines anything else (exponents, long numbers, spaces inside, errors), which the reference parser then parses or
rejects. Both return the same for lists that both accept.

The method: in little-endian memory the eight bytes before an item's end are one 64-bit word whose top byte is the last
digit. A mask removes the bytes before the item; one exclusive-or turns digits into their values, one addition detects
other bytes, and three multiplications combine eight digits into a number. Numbers become integers in units of
10**-decimals, as in `courier.numbers.stats`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np

from courier.numbers.integers import INT64_LIMIT, Array, in_common_unit

#: The most digits before and after the point: two words each.
_MAX_PART = 16
#: Two parts, a sign, a point and a separator.
_LONGEST_ITEM = 2 * _MAX_PART + 3
_POWERS = np.array([10**exponent for exponent in range(_MAX_PART + 1)], dtype=np.int64)
#: The bytes parsed at a time: they fit the processor's cache.
CHUNK_BYTES = 2**17
_COMMA, _LINE_END, _POINT, _PLUS, _MINUS = b",\n.+-"
#: Put before the first item, so that eight bytes precede every end.
_PADDING = b"," * 24
#: A blank within an item.
_INNER_BLANK = re.compile(rb"[^,\n \t][ \t]+[^,\n \t]")
#: Two tabs between two items of a line, or after the last item of a piece.
_EMPTY_CELL = re.compile(rb"(?<=[^\r\n \t]) *+\t *+\t[ \t]*+(?:[^\r\n \t]|\Z)")
#: Allowed after the last number.
_ENDING = " \t\r\n"


class _Word(NamedTuple):
    """Constants of `_digits` for 4 or 8 digits at once; integers have the word's type."""

    size: int
    type: str
    zeros: Any
    above_nine: Any
    top_bits: int
    #: Factor, shift and mask that combine digits into numbers of two, then four, then eight digits.
    steps: tuple[tuple[Any, Any, Any], ...]
    #: Masks of the top 0 to `size` bytes.
    top_bytes: Array


def _word(size: int) -> _Word:
    own = np.dtype(f"<u{size}")

    def filled(pattern: bytes) -> Any:  # noqa: ANN401  one of NumPy's integers
        return own.type(int.from_bytes(pattern * (size // len(pattern)), "little"))

    widths = [width for width in (1, 2, 4) if width < size]
    return _Word(
        size=size,
        type=own.str,
        zeros=filled(b"0"),
        above_nine=filled(bytes([0x76])),
        top_bits=int(filled(bytes([0x80]))),
        steps=tuple(
            (own.type(10**width), own.type(8 * width), filled(b"\xff" * width + bytes(width))) for width in widths
        ),
        top_bytes=np.array([2 ** (8 * size) - 2 ** (8 * (size - count)) for count in range(size + 1)], dtype=own),
    )


_FOUR, _EIGHT = _word(4), _word(8)


def read(text: str) -> tuple[Array, int] | None:
    """Return the numbers of `text` as 64-bit integers in units of 10**-decimals, and `decimals`.

    None if this parser declines: the reference parser then parses the list, or rejects it.
    """
    raw = _canonical(text)
    if raw is None:
        return None
    parts = []
    for chunk in _chunks(raw):
        part = read_chunk(chunk)
        if part is None:
            return None
        parts.append(part)
    return in_common_unit(parts)


def read_piece(raw: bytes, sign: str) -> tuple[Array, int] | None:
    """Return the result of `read` for a piece of a longer list, whose items each end with `sign` (,; or a blank).

    Items may also end with a line ending, but with no other separator.
    """
    plain = _rows(raw) if sign == " " else _plain(raw)
    return read_chunk(plain) if plain else None


def read_chunk(raw: bytes) -> tuple[Array, int] | None:
    """Return the result of `read` for items that each end with a comma or a line ending, without spaces."""
    data = np.frombuffer(_PADDING + raw, dtype=np.uint8)
    is_separator = (data == _COMMA) | (data == _LINE_END)
    ends = np.flatnonzero(is_separator)[len(_PADDING) - 1 :]
    starts, ends = ends[:-1] + 1, ends[1:]
    if len(ends) * _LONGEST_ITEM < len(raw):
        return None  # too long on average
    signs = data[starts]
    is_negative = signs == _MINUS
    starts += is_negative | (signs == _PLUS)
    is_point = data == _POINT
    points = np.flatnonzero(is_point)
    if len(points):
        return _decimals(data, starts, ends, points, is_negative)
    if bool((starts == ends).any()):
        return None
    whole = _integers(data, starts, ends)
    return None if whole is None else (_signed(whole, is_negative), 0)


def _chunks(raw: bytes) -> Iterator[bytes]:
    """Cut a list after separators into chunks of about `CHUNK_BYTES`."""
    start = 0
    while start < len(raw):
        cut = start + CHUNK_BYTES
        if cut < len(raw):
            cut = max(raw.rfind(b",", start, cut), raw.rfind(b"\n", start, cut)) + 1
            if cut <= start:
                cut = len(raw)
        yield raw[start:cut]
        start = cut


def _canonical(text: str) -> bytes | None:
    """Return the list with a comma or a line ending after each item, and no other separators."""
    if not text.isascii():
        return None
    raw = (text.rstrip(_ENDING) + ",").encode()
    if b";" in raw and raw.count(b",") > 1:
        return None
    has_signs = raw.find(b",") < len(raw) - 1 or b";" in raw
    return _plain(raw) if has_signs or not (b" " in raw or b"\t" in raw) else _rows(raw)


def _plain(raw: bytes) -> bytes | None:
    """Return items that each end with a separator, with commas for semicolons, and without spaces."""
    if b";" in raw:
        raw = raw.replace(b";", b",")
    raw = _in_lines(raw)
    if b" " in raw or b"\t" in raw:
        if _INNER_BLANK.search(raw):
            return None
        raw = raw.translate(None, b" \t")
    return raw


def _rows(raw: bytes) -> bytes | None:
    """Return items that spaces or line endings separate, with one comma or line ending after each."""
    if (b"\t\t" in raw or b"\t " in raw) and _EMPTY_CELL.search(raw):
        return None
    raw = _in_lines(raw).replace(b"\t", b" ")
    while b"  " in raw:
        raw = raw.replace(b"  ", b" ")
    return raw.replace(b" \n", b"\n").replace(b"\n ", b"\n").lstrip(b" ").replace(b" ", b",")


def _in_lines(raw: bytes) -> bytes:
    """Return text with Unix line endings."""
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in raw else raw


def _decimals(data: Array, starts: Array, ends: Array, points: Array, is_negative: Array) -> tuple[Array, int] | None:
    """Parse items of which some have a point."""
    if len(points) == len(ends):
        places = ends - points - 1
        if 1 <= (width := int(places[0])) <= _EIGHT.size and bool((places == width).all()):
            units = _evenly(data, starts, ends, points, width)
            return None if units is None else (_signed(units, is_negative), width)
    parted = _parted(data, starts, ends, points)
    if parted is None:
        return None
    middles, behind = parted
    whole, part = _integers(data, starts, middles), _integers(data, behind, ends)
    if whole is None or part is None or bool(np.any((middles == starts) & (behind == ends))):
        return None
    widths = ends - behind
    decimals = int(widths.max())
    unit = 10**decimals
    if int(whole.max()) * unit + unit > INT64_LIMIT:
        return None
    if int(widths.min()) != decimals:
        part *= _POWERS[decimals - widths]
    units = whole * unit + part
    return _signed(units, is_negative), decimals


def _parted(data: Array, starts: Array, ends: Array, points: Array) -> tuple[Array, Array] | None:
    """Return where each item's integer part ends and its fraction begins; None if an item has two points."""
    if len(points) == len(ends) and bool(np.all((points >= starts) & (points < ends))):
        return points, points + 1
    marks = np.flatnonzero((data == _COMMA) | (data == _LINE_END) | (data == _POINT))[len(_PADDING) :]
    is_point = data[marks] == _POINT
    if bool(np.any(is_point[1:] & is_point[:-1])):
        return None
    owners = np.cumsum(~is_point)[is_point]
    # Without a point, the fraction is empty.
    middles, behind = ends.copy(), ends.copy()
    middles[owners], behind[owners] = points, points + 1
    return middles, behind


def _evenly(data: Array, starts: Array, ends: Array, points: Array, width: int) -> Array | None:
    """Return items that all have `width` (1 to 8) digits after the point as integers; None if an item is not one."""
    lengths = ends - starts - 1
    shortest = int(lengths.min())
    if shortest < width:
        return None
    if int(lengths.max()) <= _EIGHT.size:
        # Skip the point: take the integer part from a word that ends one byte earlier.
        behind = _EIGHT.top_bytes[width]
        words = (_words(data, ends, _EIGHT) & behind) | (_words(data, ends - 1, _EIGHT) & ~behind)
        return _digits(words, None if shortest >= _EIGHT.size else _EIGHT.top_bytes[lengths], _EIGHT)
    word = _FOUR if width <= _FOUR.size else _EIGHT
    whole, part = _integers(data, starts, points), _digits(_words(data, ends, word), word.top_bytes[width], word)
    if whole is None or part is None or int(whole.max()) >= INT64_LIMIT // 10**width:
        return None
    return cast("Array", whole * 10**width + part)


def _integers(data: Array, starts: Array, ends: Array) -> Array | None:
    """Return the integers with the digits from `starts` up to `ends`, 0 for an empty range.

    None if a byte is not a digit, or if there are more than 16.
    """
    lengths = ends - starts
    longest, shortest = int(lengths.max()), int(lengths.min())
    if longest > _MAX_PART or shortest < 0:
        return None
    word = _FOUR if longest <= _FOUR.size else _EIGHT
    kept = None if shortest >= word.size else word.top_bytes.take(np.minimum(lengths, word.size))
    units = _digits(_words(data, ends, word), kept, word)
    if units is None or longest <= word.size:
        return units
    kept = None if shortest == _MAX_PART else word.top_bytes.take(np.maximum(lengths - word.size, 0))
    high = _digits(_words(data, ends - word.size, word), kept, word)
    return None if high is None else cast("Array", high * 10**word.size + units)


def _words(data: Array, ends: Array, word: _Word) -> Array:
    """Return the bytes before each end as integers, the last byte on top."""
    everywhere = np.ndarray(len(data) - word.size + 1, dtype=word.type, buffer=data.data, strides=(1,))
    return cast("Array", everywhere[ends - word.size])


def _digits(words: Array, kept: Array | None, word: _Word) -> Array | None:
    """Return the numbers in the `kept` bytes of words, the last digit on top; None if a byte is not a digit."""
    digits = words ^ word.zeros
    if kept is not None:
        digits &= kept
    if int(np.bitwise_or.reduce((digits + word.above_nine) | digits)) & word.top_bits:
        return None
    for factor, shift, mask in word.steps:
        digits = (digits * factor + (digits >> shift)) & mask
    return cast("Array", digits.astype(np.int64))


def _signed(units: Array, is_negative: Array) -> Array:
    return np.where(is_negative, -units, units) if is_negative.any() else units
