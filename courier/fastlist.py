"""Long lists of plain decimals, read eight digits at a time: the fast engine beside `courier.numberlist`.

It takes what it is sure of and declines everything else (exponents, long numbers, blanks inside, anything
wrong), which the other one then reads or refuses: what both take, they read alike.

The method: in little-endian memory the eight bytes before an item's end are one 64-bit word with the last
digit on top. What stands before the item is shifted out; one exclusive-or turns digits into their values,
one addition shows whether a byte was anything else; three multiplications make eight digits a number. Numbers
become integers in units of 10**-decimals, as they are in `courier.summary`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[tuple[int], np.dtype[Any]]

#: Digits that two words hold, before the point and behind it each.
_MAX_PART = 16
_WORD = 8
#: Two parts, a sign, a point, and a separator.
_LONGEST_ITEM = 2 * _MAX_PART + 3
#: What a 64-bit integer holds.
INT64_LIMIT = 2**63 - 1
_POWERS = np.array([10**exponent for exponent in range(_MAX_PART + 1)], dtype=np.int64)
#: How much is read at a time, in bytes: what stays in the processor's cache is read fastest.
CHUNK_BYTES = 2**17
_COMMA, _LINE_END, _POINT, _PLUS, _MINUS = b",\n.+-"
#: Before the first item, so that eight bytes before any end can be read.
_PADDING = b"," * 24
#: A blank within an item.
_INNER_BLANK = re.compile(rb"[^,\n \t][ \t]+[^,\n \t]")
_BLANK_RUN = re.compile(rb"[ \t]+")
#: The words of which only the top 0 to 8 bytes are set.
_TOP_BYTES = np.array([2**64 - 2 ** (8 * (8 - count)) for count in range(9)], dtype=np.uint64)
#: What of its last word, and of the one before it, belongs to a part of 0 to 16 digits.
_LOW_BYTES, _HIGH_BYTES = (
    _TOP_BYTES[[min(max(length - before, 0), _WORD) for length in range(_MAX_PART + 1)]] for before in (0, _WORD)
)
_ZEROS = np.uint64(0x3030303030303030)
_ABOVE_NINE = np.uint64(0x7676767676767676)
_TOP_BITS = np.uint64(0x8080808080808080)


def read(text: str) -> tuple[Array, int] | None:
    """Return the numbers of `text` as 64-bit integers in units of 10**-decimals, and those decimals.

    None if this engine declines: the reference engine then reads the list, or refuses it.
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
    return _together(parts)


def read_piece(raw: bytes, sign: str) -> tuple[Array, int] | None:
    """Return what `read` does, of a piece of a longer list, whose items each end with `sign` (, or ; or a blank).

    Where it is no blank, items may end with a line end as well; no other separator may be there.
    """
    plain = _BLANK_RUN.sub(b",", raw.lstrip(b" \t")) if sign == " " else _plain(raw)
    return read_chunk(plain) if plain else None


def read_chunk(raw: bytes) -> tuple[Array, int] | None:
    """Return what `read` does, of items that each end with a comma or a line end, without blanks."""
    data = np.frombuffer(_PADDING + raw, dtype=np.uint8)
    is_separator = (data == _COMMA) | (data == _LINE_END)
    ends = np.flatnonzero(is_separator)[len(_PADDING) - 1 :]
    starts, ends = ends[:-1] + 1, ends[1:]
    if len(ends) * _LONGEST_ITEM < len(raw):
        return None  # too long on the average, whatever they are
    signs = data[starts]
    is_negative = signs == _MINUS
    starts += is_negative | (signs == _PLUS)
    is_point = data == _POINT
    points = np.flatnonzero(is_point)
    if len(points):
        return _decimals(data, starts, ends, points, is_negative)
    whole = _integers(data, starts, ends)
    return None if whole is None else (_signed(whole, is_negative), 0)


def _chunks(raw: bytes) -> Iterator[bytes]:
    """Cut a list after separators, into pieces that the processor's cache holds."""
    start = 0
    while start < len(raw):
        cut = start + CHUNK_BYTES
        if cut < len(raw):
            cut = max(raw.rfind(b",", start, cut), raw.rfind(b"\n", start, cut)) + 1
            if cut <= start:
                cut = len(raw)
        yield raw[start:cut]
        start = cut


def _together(parts: Sequence[tuple[Array, int]]) -> tuple[Array, int] | None:
    """Bring all parts to the same unit; None if that is too fine for 64 bits."""
    decimals = max(decimals for _, decimals in parts)
    arrays = []
    for units, own in parts:
        factor = 10 ** (decimals - own)
        if max(int(units.max()), -int(units.min())) * factor > INT64_LIMIT:
            return None
        arrays.append(units if factor == 1 else units * factor)
    return np.concatenate(arrays), decimals


def _canonical(text: str) -> bytes | None:
    """Return the list with commas or line ends only between its items and one after the last."""
    if not text.isascii():
        return None
    raw = text.encode()
    if b";" in raw and b"," in raw:
        return None
    # Blanks behind the last line end are an item, and an empty one.
    return _plain(raw if raw.endswith(b"\n") else raw + b",")


def _plain(raw: bytes) -> bytes | None:
    """Return items that each end with one of the separators, with commas or line ends for these, and no blanks."""
    if b";" in raw:
        raw = raw.replace(b";", b",")
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n")
    if b" " in raw or b"\t" in raw:
        if _INNER_BLANK.search(raw):
            return None
        raw = raw.translate(None, b" \t")
    return raw


def _decimals(data: Array, starts: Array, ends: Array, points: Array, is_negative: Array) -> tuple[Array, int] | None:
    """Read items of which some have a point."""
    if len(points) == len(ends):
        places = ends - points - 1
        if 1 <= (width := int(places[0])) <= _WORD and bool((places == width).all()):
            units = _integers(data, starts, ends, point_before=width)
            return None if units is None else (_signed(units, is_negative), width)
    if len(points) == len(ends) and bool(np.all((points >= starts) & (points < ends))):
        middles, behind = points, points + 1
    else:
        marks = np.flatnonzero((data == _COMMA) | (data == _LINE_END) | (data == _POINT))[len(_PADDING) :]
        is_point = data[marks] == _POINT
        if bool(np.any(is_point[1:] & is_point[:-1])):
            return None
        owners = np.cumsum(~is_point)[is_point]
        # Where there is no point, the part behind it is empty.
        middles, behind = ends.copy(), ends.copy()
        middles[owners], behind[owners] = points, points + 1
    whole, part = _integers(data, starts, middles, may_be_empty=True), _integers(data, behind, ends, may_be_empty=True)
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


def _integers(
    data: Array, starts: Array, ends: Array, *, may_be_empty: bool = False, point_before: int = 0
) -> Array | None:
    """Return the integers whose digits stand from `starts` to before `ends`; None if one is anything else.

    A point before the last `point_before` digits (1 to 8) of every one is left out.
    """
    words = np.ndarray(len(data) - 7, dtype="<u8", buffer=data.data, strides=(1,))
    lengths = ends - starts
    low, rest = words[ends - _WORD], ends - 2 * _WORD
    if point_before:
        lengths -= 1
        rest -= 1
        kept = _TOP_BYTES[point_before]
        low = (low & kept) | (words[ends - _WORD - 1] & ~kept)
    longest, shortest = int(lengths.max()), int(lengths.min())
    if longest > _MAX_PART or shortest < (0 if may_be_empty else max(1, point_before)):
        return None
    units = _eight_digits(low, None if shortest >= _WORD else _LOW_BYTES[lengths])
    if units is None or longest <= _WORD:
        return units
    high = _eight_digits(words[rest], None if shortest == _MAX_PART else _HIGH_BYTES[lengths])
    return None if high is None else high * 10**_WORD + units


def _eight_digits(words: Array, kept: Array | None) -> Array | None:
    """Return the numbers that the `kept` bytes of words spell, the last digit on top; None if one is no digit."""
    digits = words ^ _ZEROS
    if kept is not None:
        digits &= kept
    if int(np.bitwise_or.reduce((digits + _ABOVE_NINE) | digits)) & int(_TOP_BITS):
        return None
    digits = (digits * np.uint64(10) + (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    digits = (digits * np.uint64(100) + (digits >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    digits = (digits * np.uint64(10_000) + (digits >> np.uint64(32))) & np.uint64(0x00000000FFFFFFFF)
    return digits.astype(np.int64)


def _signed(units: Array, is_negative: Array) -> Array:
    return np.where(is_negative, -units, units) if is_negative.any() else units
