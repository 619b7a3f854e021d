"""Parse long lists of plain decimals with NumPy: the fast parser beside `courier.numbers.parser`.

It declines anything else (exponents, long numbers, spaces inside, errors), which the reference parser then parses or
rejects. Both return the same for lists that both accept.

`courier.numbers.digits` combines the digits. Numbers become integers in units of 10**-decimals, as in
`courier.numbers.stats`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from courier.numbers.digits import MAX_DIGITS, Text, value_of
from courier.numbers.integers import INT64_LIMIT, Array, in_common_unit

#: The most digits before and after the point.
_MAX_PART = MAX_DIGITS
#: Two parts, a sign, a point and a separator.
_LONGEST_ITEM = 2 * _MAX_PART + 3
_POWERS = np.array([10**exponent for exponent in range(_MAX_PART + 1)], dtype=np.int64)
# glibc would return the memory of each list to the system, which takes time, had it not freed a larger block before.
np.empty(2**22, dtype=np.uint8)
#: The bytes parsed at a time: they fit the processor's cache.
CHUNK_BYTES = 2**17
_COMMA, _LINE_END, _POINT, _PLUS, _MINUS = map(value_of, ",\n.+-")
_NINE = 9
#: A blank within an item.
_INNER_BLANK = re.compile(rb"[^,\n \t][ \t]+[^,\n \t]")
#: Two tabs between two items of a line, or after the last item of a piece.
_EMPTY_CELL = re.compile(rb"(?<=[^\r\n \t]) *+\t *+\t[ \t]*+(?:[^\r\n \t]|\Z)")
#: Allowed after the last number.
_ENDING = " \t\r\n"


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
    text = Text(raw)
    ends = _separators(text, has_lines=b"\n" in raw)
    starts, ends = ends[:-1] + 1, ends[1:]
    if len(ends) * _LONGEST_ITEM < len(raw):
        return None  # too long on average
    signs = text.values.take(starts)
    is_negative = signs == _MINUS
    is_signed = is_negative | (signs == _PLUS) if b"+" in raw else is_negative
    points = int(np.count_nonzero(text.values == _POINT)) if b"." in raw else 0
    others = len(ends) + int(np.count_nonzero(is_signed)) + points
    digits = int(np.count_nonzero(text.values <= _NINE))
    if digits + others != len(raw):
        return None
    starts += is_signed
    units, decimals = _decimals(text, starts, ends, points) if points else (_integers(text, starts, ends), 0)
    return None if units is None else (_signed(units, is_negative), decimals)


def _separators(text: Text, *, has_lines: bool) -> Array:
    """Return the positions of all separators, and before them the position before the text."""
    is_separator = text.values == _COMMA
    if has_lines:
        is_separator |= text.values == _LINE_END
    return np.flatnonzero(is_separator)[text.start - 1 :]


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


def _integers(text: Text, starts: Array, ends: Array) -> Array | None:
    """Parse items without a point."""
    lengths = ends - starts
    return text.integers(ends, lengths) if int(lengths.min()) > 0 else None


def _decimals(text: Text, starts: Array, ends: Array, points: int) -> tuple[Array | None, int]:
    """Parse items of which some have a point."""
    if points == len(ends):
        lengths = ends - starts
        width = int(ends[0]) - 1 - int(np.argmax(text.values[: ends[0]] == _POINT))
        if 1 <= width < min(int(lengths.min()), _MAX_PART) and _all_are(text.values.take(ends - (width + 1)), _POINT):
            units = text.decimals(ends, lengths, width)
            if units is not None:
                return units, width
    return _in_parts(text, starts, ends)


def _all_are(values: Array, value: int) -> bool:
    return bool((values == value).all())


def _in_parts(text: Text, starts: Array, ends: Array) -> tuple[Array | None, int]:
    """Parse items of which some have a point, before and after it."""
    parted = _parted(text, starts, ends)
    if parted is None:
        return None, 0
    middles, behind = parted
    widths = ends - behind
    whole, part = text.integers(middles, middles - starts), text.integers(ends, widths)
    if whole is None or part is None or bool(np.any((middles == starts) & (behind == ends))):
        return None, 0
    decimals = int(widths.max())
    unit = 10**decimals
    if int(whole.max()) * unit + unit > INT64_LIMIT:
        return None, 0
    if int(widths.min()) != decimals:
        part *= _POWERS[decimals - widths]
    return whole * unit + part, decimals


def _parted(text: Text, starts: Array, ends: Array) -> tuple[Array, Array] | None:
    """Return where each item's integer part ends and its fraction begins; None if an item has two points."""
    values = text.values
    is_point = values == _POINT
    points = np.flatnonzero(is_point)
    if len(points) == len(ends) and bool(np.all((points >= starts) & (points < ends))):
        return points, points + 1
    marks = np.flatnonzero((values == _COMMA) | (values == _LINE_END) | is_point)[text.start :]
    is_point = values[marks] == _POINT
    if bool(np.any(is_point[1:] & is_point[:-1])):
        return None
    owners = np.cumsum(~is_point)[is_point]
    # Without a point, the fraction is empty.
    middles, behind = ends.copy(), ends.copy()
    middles[owners], behind[owners] = points, points + 1
    return middles, behind


def _signed(units: Array, is_negative: Array) -> Array:
    """Return units with their signs, in place."""
    if is_negative.any():
        flips = -is_negative.view(np.int8).astype(np.int64)
        units ^= flips
        units -= flips
    return units
