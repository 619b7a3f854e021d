"""Combine the decimal digits of many numbers at once.

In little-endian memory the eight bytes before a number's end are one 64-bit word whose top byte is the last digit. Each
is put together from two aligned words, since NumPy gathers these several times as fast as others. A mask clears bytes
before the number, and three multiplications combine eight digits.
"""

from __future__ import annotations

import numpy as np

from courier.numbers.integers import Array

#: The digits in a word, and the most digits of a number: two words.
WORD_DIGITS = 8
MAX_DIGITS = 2 * WORD_DIGITS
#: The separators before the text: whole words must precede its first number.
_BEFORE = 32
#: NumPy finds the positions of separators faster if they are more than a tenth of the bytes: if they are fewer in the
#: first bytes of a text, a sixteenth more are put before it.
_PROBED, _FEW, _MORE = 2**10, 2**10 // 9, 16
_ZERO = ord("0")
_TYPE = np.dtype("<u8")
_WORD_BITS = 64
#: Factor, shift and mask that combine digits into numbers of two, then four, then eight digits.
_STEPS = tuple(
    (_TYPE.type(1 + (10**width << 8 * width)), _TYPE.type(8 * width), _TYPE.type(mask))
    for width, mask in ((1, 0x00FF00FF00FF00FF), (2, 0x0000FFFF0000FFFF), (4, 0xFFFFFFFF))
)
#: Masks of the top 0 to 8 bytes, by a number's length: of its last word, and of the word before it.
_TOP = [2**_WORD_BITS - 2 ** (_WORD_BITS - 8 * count) for count in range(WORD_DIGITS + 1)]
_KEPT = tuple(np.array(masks, dtype=_TYPE) for masks in (_TOP + _TOP[-1:] * WORD_DIGITS, _TOP[:1] * WORD_DIGITS + _TOP))
_TENS = np.int64(10**WORD_DIGITS)


def value_of(char: str) -> int:
    """Return the value that `Text` has for a character; a digit's is its own, the others' are above 9."""
    return (ord(char) - _ZERO) % 256


_SEPARATOR = value_of(",")


class Text:
    """Some bytes of a list as the values of their digits; positions are those in `values`."""

    def __init__(self, raw: bytes) -> None:
        #: The number of separators before the text.
        self.start = _BEFORE
        if len(raw) > _PROBED and raw.count(b",", 0, _PROBED) + raw.count(b"\n", 0, _PROBED) < _FEW:
            self.start += len(raw) // _MORE
        end = self.start + len(raw)
        self._words = np.empty(end // WORD_DIGITS + 2, dtype=_TYPE)
        self.values = self._words.view(np.uint8)[:end]
        self.values[: self.start] = _SEPARATOR
        np.subtract(np.frombuffer(raw, dtype=np.uint8), _ZERO, out=self.values[self.start :])

    def integers(self, ends: Array, lengths: Array) -> Array | None:
        """Return the integers with `lengths` digits before `ends`, 0 for none; None if one has more than 16."""
        longest = int(lengths.max())
        if longest > MAX_DIGITS or int(lengths.min()) < 0:
            return None
        return _combined(self._before(ends, longest), lengths, longest)

    def decimals(self, ends: Array, lengths: Array, width: int) -> Array | None:
        """Return numbers with a point before the last `width` (1 to 15) digits as integers, without the point.

        `lengths` counts the point; all are above `width`. None if one is above 16.
        """
        longest = int(lengths.max())
        if longest > MAX_DIGITS:
            return None
        words = self._before(ends, longest)
        _close_gap(words, width)
        return _combined(words, lengths - 1, longest - 1)

    def _before(self, ends: Array, longest: int) -> list[Array]:
        """Return the bytes before each end as words, the last ones first: one or two of them."""
        places = (ends - WORD_DIGITS).view(np.uint64)
        shifts = places << np.uint64(3)
        shifts &= np.uint64(_WORD_BITS - 1)
        rest = np.uint64(_WORD_BITS) - shifts
        places >>= np.uint64(3)
        indexes = places.view(np.int64)
        words, above = [], self._words[1:].take(indexes)
        for _ in range(1 if longest <= WORD_DIGITS else 2):
            below = self._words.take(indexes)
            above <<= rest  # by 64: to 0
            above |= below >> shifts
            words.append(above)
            above = below
            indexes -= 1
        return words


def _close_gap(words: list[Array], width: int) -> None:
    """Take the byte before the last `width` out of words, in place, and move those before it up."""
    place, width = divmod(width, WORD_DIGITS)
    above = np.uint64(_TOP[width])
    below = np.uint64(2**_WORD_BITS - 1) ^ np.uint64(_TOP[width + 1])
    cut = words[place]
    lower = cut & below
    lower <<= np.uint64(8)
    cut &= above
    cut |= lower
    if place + 1 < len(words):
        cut |= words[place + 1] >> np.uint64(_WORD_BITS - 8)
        words[place + 1] <<= np.uint64(8)


def _combined(words: list[Array], lengths: Array, longest: int) -> Array:
    """Return the numbers in the last `lengths` bytes of words, which are overwritten."""
    shortest = int(lengths.min())
    for place, word in enumerate(words):
        if shortest < WORD_DIGITS * (place + 1):
            np.bitwise_and(word, _KEPT[place].take(lengths), out=word)
        joined = 1
        for factor, shift, mask in _STEPS:
            if joined >= longest - WORD_DIGITS * place:
                np.right_shift(word, np.uint64(_WORD_BITS - 8 * joined), out=word)
                break
            joined *= 2
            np.multiply(word, factor, out=word)
            np.right_shift(word, shift, out=word)
            np.bitwise_and(word, mask, out=word)
    total: Array = words[0].view(np.int64)
    for word in words[1:]:
        total += word.view(np.int64) * _TENS
    return total
