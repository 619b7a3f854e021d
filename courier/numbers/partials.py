"""Encode the result of a pass over a part of a long list as one line of JSON, and decode it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from random import Random
from typing import Any

import numpy as np

from courier.errors import ResponseTimeout
from courier.numbers.brackets import RankBracket
from courier.numbers.histogram import BinCounts
from courier.numbers.integers import as_array
from courier.numbers.parser import ParseError
from courier.numbers.passes import PartialResult
from courier.numbers.plan import Plan, power_of_ten
from courier.text import printable

#: The most values that a bracket of a part keeps, and all brackets together: most often all that are inside.
PART_KEPT = 100_000
ALL_KEPT = 400_000
#: The most characters of all kept values: they must fit into a message.
_KEPT_CHARACTERS = 900_000
_COMPACT = json.JSONEncoder(separators=(",", ":"))


def limit(plan: Plan) -> int:
    """Return the number of values that each bracket of a plan may keep in a part."""
    return min(PART_KEPT, ALL_KEPT // max(1, len(plan.brackets)))


def encode(part: PartialResult | ParseError) -> str:
    """Return the result as a line of JSON; values that would not fit into a message are thinned."""
    if isinstance(part, ParseError):
        return json.dumps({"slip": vars(part)})
    found = part.found
    rng = Random(found.count)  # noqa: S311  thins samples, guards nothing
    share = _KEPT_CHARACTERS // max(1, len(found.brackets))
    line = {
        "count": found.count,
        "decimals": found.decimals,
        "units": found.units,
        "squares": found.squares,
        "extremes": [int(value * 10**found.decimals) for value in found.extremes or ()],
        "tally": [found.bin_counts.exponent, found.bin_counts.first, found.bin_counts.counts.tolist()],
        "signs": part.signs,
        "sorted": [_encode_bracket(bracket, rng, share) for bracket in found.brackets],
    }
    return _COMPACT.encode(line)


def decode(text: str, plan: Plan) -> PartialResult | ParseError:
    """Parse a line that a pass with this plan has returned. Raises: ResponseTimeout if it is not valid."""
    try:
        found = json.loads(text)
        if "slip" in found:
            return _decode_error(**found["slip"])
        return _decode_part(found, plan)
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError, OverflowError) as error:
        raise ResponseTimeout(
            f"The response cannot be read: {printable(text, 80)}", hint="Check the version of the worker that sent it."
        ) from error


def _decode_error(*, item: object, character: object, finding: object, hint: object, drawing: object) -> ParseError:
    return ParseError(
        item=_whole(item), character=_whole(character), finding=str(finding), hint=str(hint), drawing=str(drawing)
    )


def _decode_part(found: dict[str, Any], plan: Plan) -> PartialResult:
    one = plan.open(limit=limit(plan))
    decimals = power_of_ten(found["decimals"])
    one.take(_count(found["count"]), decimals, _whole(found["units"]), _count(found["squares"]))
    for units in found["extremes"]:
        one.widen(Fraction(_whole(units), 10**decimals))
    exponent, first, counts = found["tally"]
    one.bin_counts.merge(power_of_ten(exponent), _whole(first), as_array(list(map(_count, counts))))
    for bracket, words in zip(one.brackets, found["sorted"], strict=True):
        _fill(bracket, *words)
    signs = {str(sign): (_count(item), _count(character)) for sign, (item, character) in found["signs"].items()}
    _check(PartialResult(found=one, signs=signs))
    return PartialResult(found=one, signs=signs)


def _check(part: PartialResult) -> None:
    """Check that a part is consistent. Raises: ValueError."""
    one = part.found
    fits = [
        bool(one.extremes) == bool(one.count),
        one.count * one.squares >= one.units**2,
        sum(one.bin_counts.counts.tolist()) == one.count,
        part.signs.keys() <= {",", ";", " ", "\n"},
        one.extremes is None or _is_covered_by(one.bin_counts, one.extremes),
    ]
    for bracket in one.brackets:
        kept = len(bracket.all_kept()[0])
        fits += [
            bracket.end <= one.count,
            kept == bracket.inside if bracket.stride == 1 else 1 < kept <= bracket.inside,
            bracket.stride in {2**power for power in range(32)},
        ]
    if not all(fits):
        raise ValueError


def _is_covered_by(bin_counts: BinCounts, extremes: tuple[Fraction, Fraction]) -> bool:
    """Whether the extremes are inside the counted bins."""
    width = Fraction(10) ** bin_counts.exponent
    first, last = (value // width for value in extremes)
    return bin_counts.first <= first <= last < bin_counts.first + len(bin_counts.counts)


def _encode_bracket(bracket: RankBracket, rng: Random, share: int) -> list[object]:
    """Return a bracket's counts and kept values, in at most `share` characters."""
    while len(_COMPACT.encode(differences := _differences(bracket))) > share:
        bracket.thin(rng)
    counts = [bracket.below, bracket.at_low, bracket.inside, bracket.at_high]
    return [counts, bracket.stride, bracket.all_kept()[1], differences]


def _differences(bracket: RankBracket) -> list[int]:
    """Return the least kept value, and the differences between neighbors in order: they have few digits."""
    values: list[int] = np.sort(bracket.all_kept()[0]).tolist()
    return values[:1] + [high - low for low, high in pairwise(values)]


def _fill(
    bracket: RankBracket, counts: Sequence[object], stride: object, decimals: object, kept: Sequence[object]
) -> None:
    bracket.below, bracket.at_low, bracket.inside, bracket.at_high = map(_count, counts)
    bracket.stride = _count(stride)
    bracket.kept = [(as_array(list(accumulate(map(_whole, kept)))), power_of_ten(decimals))] if kept else []


def _count(found: object) -> int:
    if (number := _whole(found)) < 0:
        raise ValueError
    return number


def _whole(found: object) -> int:
    if type(found) is not int:
        raise TypeError
    return found
