"""Write exact values as digits: in full, or rounded once and marked."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, Inexact
from math import isqrt
from typing import NamedTuple

#: Values that are not integers are rounded to this many significant digits.
SIGNIFICANT_DIGITS = 17
#: Numbers below 10 to this power are written with an exponent.
SMALLEST_PLAIN = -7
_ROUNDING = Context(prec=SIGNIFICANT_DIGITS, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN)


class Figure(NamedTuple):
    """A number as text in JSON's grammar; a tuple for speed, since every response has thirteen."""

    text: str
    is_exact: bool


def figure(numerator: int, denominator: int = 1) -> Figure:
    """Return numerator/denominator (above 0) as text.

    Integers have all their digits. Other values are exact if they have at most 17 significant digits, and are else
    rounded once, half to even, to 17; below 1e-7 with an exponent.
    """
    if denominator == 1:
        return Figure(str(numerator), True)  # noqa: FBT003  keywords take twice as long
    if numerator % denominator == 0:
        return Figure(str(numerator // denominator), True)  # noqa: FBT003  keywords take twice as long
    context = _ROUNDING.copy()  # its flags are this call's own
    quotient = context.divide(Decimal(numerator), Decimal(denominator))
    text = str(quotient)
    if "E" in text:
        is_plain = quotient.adjusted() >= SMALLEST_PLAIN and int(quotient.as_tuple().exponent) <= 0
        text = format(quotient, "f") if is_plain else text.replace("E+", "e").replace("E", "e")
    return Figure(text, not context.flags[Inexact])


def all_digits(units: int, decimals: int) -> str:
    """Return units * 10**-decimals with all its digits and no exponent."""
    if decimals == 0:
        return str(units)
    whole, part = divmod(abs(units), 10**decimals)
    digits = f"{part:0{decimals}}".rstrip("0")
    return f"{'-' * (units < 0)}{whole}{'.' * bool(digits)}{digits}"


def root(numerator: int, denominator: int) -> tuple[int, int]:
    """Return the square root of a fraction (not negative): exactly if it is rational, else approximately.

    `figure` rounds the approximation as it would round the exact root.
    """
    # Enough digits for any size, and, if the root has more, a last digit that keeps it from being a tie.
    smaller = max(0, (denominator.bit_length() - numerator.bit_length()) // 3)
    scale = 10 ** (SIGNIFICANT_DIGITS + 3 + smaller)
    whole, rest = divmod(numerator * scale * scale, denominator)
    found = isqrt(whole)
    if rest == 0 and found * found == whole:
        return found, scale
    return found * 10 + 1, scale * 10
