"""Exact values as digits: written in full, or rounded once and marked."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, Inexact
from math import isqrt
from typing import NamedTuple

#: What is no integer and has more significant digits, or no end, is rounded to so many.
SIGNIFICANT_DIGITS = 17
#: A number below 10 to this power is written with an exponent.
SMALLEST_PLAIN = -7
_ROUNDING = Context(prec=SIGNIFICANT_DIGITS, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN)


class Figure(NamedTuple):
    """A number as it is written, in JSON's grammar: a tuple, since every answer makes thirteen of them."""

    text: str
    is_exact: bool


def figure(numerator: int, denominator: int = 1) -> Figure:
    """Return how numerator/denominator (above 0) is written.

    Integers have all their digits. Others are written exactly where they end within 17 significant digits,
    and are else rounded half to even, once, to 17; below 1e-7 with an exponent.
    """
    if denominator == 1 or numerator % denominator == 0:
        return Figure(text=str(numerator // denominator), is_exact=True)
    context = _ROUNDING.copy()  # its flags are this call's own
    quotient = context.divide(Decimal(numerator), Decimal(denominator))
    if quotient.adjusted() >= SMALLEST_PLAIN and int(quotient.as_tuple().exponent) <= 0:
        text = format(quotient, "f")
    else:
        text = str(quotient).replace("E+", "e").replace("E", "e")
    return Figure(text=text, is_exact=not context.flags[Inexact])


def all_digits(units: int, decimals: int) -> str:
    """Return units * 10**-decimals with every digit it has, however many, and no exponent."""
    if decimals == 0:
        return str(units)
    whole, part = divmod(abs(units), 10**decimals)
    digits = f"{part:0{decimals}}".rstrip("0")
    return f"{'-' * (units < 0)}{whole}{'.' * bool(digits)}{digits}"


def root(numerator: int, denominator: int) -> tuple[int, int]:
    """Return the square root of a fraction (not negative): itself where it is rational, else near enough.

    Near enough means that `figure` rounds it as it would round the root itself.
    """
    # Digits enough whatever the size, and, where it does not end there, a last one that says that more follow.
    smaller = max(0, (denominator.bit_length() - numerator.bit_length()) // 3)
    scale = 10 ** (SIGNIFICANT_DIGITS + 3 + smaller)
    whole, rest = divmod(numerator * scale * scale, denominator)
    found = isqrt(whole)
    if rest == 0 and found * found == whole:
        return found, scale
    return found * 10 + 1, scale * 10
