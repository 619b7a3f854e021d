"""Text to numbers and back: the one grammar of a list of numbers, used at both ends.

A number is the decimal that was typed: it is read and written exactly, and never becomes a float.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from courier.errors import NotANumberList
from courier.plain import quoted

#: The longest number, in digits, and the largest exponent: a few bytes must not buy much work or memory.
MAX_DIGITS = 400
MAX_EXPONENT = 400
#: A value whose decimal does not end is rounded to so many digits when it is written.
SIGNIFICANT_DIGITS = 17
#: A number below 10 to this power is written with an exponent.
SMALLEST_PLAIN = -7
#: The longest item that can be a number: a sign, the digits, a point, and an exponent with leading zeros.
_MAX_ITEM = MAX_DIGITS + 12
_ROUNDING = Context(prec=SIGNIFICANT_DIGITS, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN)

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_BLANKS = " \t"
_LINE_END = r"\r?\n"
_HINTS = (
    (re.compile(r"[+-]?[0-9]+,[0-9]+"), "Write a decimal point, not a comma."),
    (re.compile("\u2212.*"), "The minus sign is U+2212; type the - of the keyboard."),
    (re.compile(r"[+-]?0[xX][0-9a-fA-F]+"), "Hexadecimal is not read; write it in decimal."),
    (re.compile(r"[+-]?[0-9]+/[0-9]+"), "Fractions are not read; write a decimal."),
    (re.compile(r"[+-]?[0-9]{1,3}([_'][0-9]{3})+"), "Leave out the thousands separators."),
)


def split(text: str) -> list[str]:
    """Return the numbers of `text`, in order, as they were typed; at least one.

    Items are separated by commas or line ends (mixed as you like), by semicolons or line ends, or by blanks
    where nothing else separates. Blanks around an item and one line end after the last are fine.
    Raises: NotANumberList, naming the item (from 1), its first character's position (from 1), and the token.
    """
    trimmed = re.sub(rf"{_LINE_END}\Z", "", text)
    if not trimmed.strip():
        raise NotANumberList("The list is empty.", hint="Type numbers such as 1, 2.5, 3e4.")
    separator = _separator(trimmed)
    items = [item.strip(_BLANKS) for item in re.split(separator, trimmed)]
    for index, item in enumerate(items):
        if not _is_number(item):
            raise _refusal(item, index, trimmed, separator)
    return items


def parse(text: str) -> list[Decimal]:
    """Return the numbers of `text`, exactly. Raises: NotANumberList, as `split` does."""
    return [Decimal(item) for item in split(text)]


def _separator(text: str) -> str:
    if ";" in text:
        return rf";|{_LINE_END}"
    if "," in text or "\n" in text:
        return rf",|{_LINE_END}"
    return rf"(?<=[^{_BLANKS}])[{_BLANKS}]+(?=[^{_BLANKS}])"


def _is_number(item: str) -> bool:
    match = _NUMBER.fullmatch(item) if len(item) <= _MAX_ITEM else None
    if match is None:
        return False
    if match[1] is None:
        return len(item) <= MAX_DIGITS or _count_digits(item) <= MAX_DIGITS
    return abs(int(match[1])) <= MAX_EXPONENT and _count_digits(item[: match.start(1)]) <= MAX_DIGITS


def _count_digits(mantissa: str) -> int:
    return sum(char.isdigit() for char in mantissa)


def _refusal(item: str, index: int, text: str, separator: str) -> NotANumberList:
    where = f"Item {index + 1} (character {_position(text, separator, index)})"
    if not item:
        return NotANumberList(f"{where} is empty.", hint="Write a number there, or take one separator away.")
    hint = next((hint for pattern, hint in _HINTS if pattern.fullmatch(item)), "")
    return NotANumberList(f"{where} is {quoted(item)}, {_reason(item)}.", hint=hint)


def _reason(item: str) -> str:
    # The point stands before its digits, so that no run of digits can be cut in two: that would be tried
    # everywhere, and take time by the square of the item's length.
    match = re.fullmatch(r"[+-]?([0-9]*)(?:\.([0-9]*))?(?:[eE][+-]?[0-9]+)?", item)
    digits = match[1] + (match[2] or "") if match else ""
    if not digits:
        return "which is not a number"
    if len(digits) > MAX_DIGITS:
        return f"which has more than {MAX_DIGITS} digits"
    return f"whose exponent is beyond {MAX_EXPONENT}"


def _position(text: str, separator: str, index: int) -> int:
    start = 0
    for number, match in enumerate(re.finditer(separator, text)):
        if number == index:
            break
        start = match.end()
    blanks = re.compile(f"[{_BLANKS}]*").match(text, start)
    return (blanks.end() if blanks else start) + 1


def render(value: Fraction | int) -> str:
    """Return `value` as a JSON number, exactly where its decimal ends, however long that is.

    One that does not end is rounded half to even, once, to 17 significant digits. What is no integer and
    smaller than 1e-7 is written with an exponent.
    """
    if value.denominator == 1:
        return str(value.numerator)
    places = _places(value.denominator)
    if places is None:
        sign, digits, exponent = _ROUNDING.divide(Decimal(value.numerator), Decimal(value.denominator)).as_tuple()
        return _place_point("-" * sign, "".join(map(str, digits)), int(exponent))
    units = value.numerator * 10**places // value.denominator
    return _place_point("-" * (units < 0), str(abs(units)), -places)


def _places(denominator: int) -> int | None:
    """Return how many decimal places a fraction in lowest terms has, or None if it does not end."""
    twos = (denominator & -denominator).bit_length() - 1
    rest, fives = denominator >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return max(twos, fives) if rest == 1 else None


def _place_point(minus: str, digits: str, exponent: int) -> str:
    """Return the number digits * 10**exponent, which is no integer unless it was rounded to one."""
    magnitude = len(digits) - 1 + exponent
    if exponent >= 0 or magnitude < SMALLEST_PLAIN:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{minus}{digits[0]}{tail}e{magnitude}"
    if magnitude < 0:
        return f"{minus}0.{'0' * (-magnitude - 1)}{digits}"
    return f"{minus}{digits[: magnitude + 1]}.{digits[magnitude + 1 :]}"
