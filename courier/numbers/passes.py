"""Plan the passes over a list too long for memory: a sample, the passes, and the statistics.

Whoever makes the passes, one worker or many, they differ in nothing that the statistics could show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count, pairwise
from random import Random
from typing import Any

from courier.errors import MalformedMessage, ResponseTimeout
from courier.numbers import parser
from courier.numbers.histogram import BinCounts, exponent_for
from courier.numbers.ranges import ByteRange, Pieces, Read, Slipped, whole_items
from courier.numbers.response import Histogram
from courier.numbers.rounding import Figure, figure, root
from courier.numbers.streaming import OnePass, RankBracket, around, as_array

#: How much of a list is looked at first: so many blocks, evenly spread, of so many bytes.
LOOK_BLOCKS = 32
LOOK_BYTES = 2**15
#: How many numbers of the look count if some are large, of which a hundred thousand would fill the memory.
LOOK_LARGE = 5_000
#: More passes than any list needs, whatever the look has missed.
MAX_PASSES = 100
_QUARTERS = (1, 2, 3)
#: Numbers of the grammar have no more decimals, and no more digits before the point.
MAX_DECIMALS = 1_000

#: A value as an integer in units of 10**-decimals, and those decimals.
Edge = tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a pass must know: the tally's first exponent, and the brackets' edges."""

    exponent: int
    brackets: Sequence[tuple[Edge, Edge]]

    def encode(self) -> str:
        """Return it as it travels: JSON."""
        return json.dumps({"exponent": self.exponent, "brackets": self.brackets})

    @classmethod
    def decode(cls, text: str) -> Plan:
        """Return what `encode` has written. Raises: MalformedMessage."""
        try:
            found = json.loads(text)
            return cls(
                exponent=power_of_ten(found["exponent"]),
                brackets=[(_edge(low), _edge(high)) for low, high in found["brackets"][: 2 * len(_QUARTERS)]],
            )
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise MalformedMessage("The plan for the list cannot be read.") from error

    def open(self, *, seed: int = 0, limit: int) -> OnePass:
        """Return a pass that has seen nothing yet, whose brackets keep up to `limit` values each."""
        brackets = [RankBracket(_value(low), _value(high)) for low, high in self.brackets]
        return OnePass(brackets, BinCounts(self.exponent), seed=seed, limit=limit)

    def narrowed(self, brackets: Iterable[RankBracket]) -> Plan:
        """Return this with other brackets."""
        return replace(self, brackets=[(_edge_of(one.low), _edge_of(one.high)) for one in brackets])


@dataclass(frozen=True, kw_only=True)
class PartialResult:
    """What a pass over one range has found; of signs, what `courier.numbers.ranges.mixed` takes."""

    found: OnePass
    signs: dict[str, tuple[int, int]]


def look(fetch: Callable[[Sequence[range]], Iterable[bytes]], size: int) -> Plan:
    """Look at a list of so many bytes, of which `fetch` returns some ranges: the same ones for the same size."""
    spans = _chosen(size)
    blocks = list(fetch([range(span.first_byte, span.stop) for span in spans]))
    reads = [read for span, block in zip(spans, blocks, strict=True) for read in _read(span, block)]
    seen = [(int(unit), own) for some, own in reads for unit in some]
    if len(seen) > LOOK_LARGE and any(isinstance(some, list) for some, _ in reads):
        seen = Random(size).sample(seen, LOOK_LARGE)  # noqa: S311  thins a sample, guards nothing
    decimals = max((own for _, own in seen), default=0)
    units = sorted(unit * 10 ** (decimals - own) for unit, own in seen)
    ordered = as_array(units)
    exponent = exponent_for(units[0], units[-1], decimals) if units else 0
    empty = Plan(exponent=exponent, brackets=[])
    return empty.narrowed(around(ordered, decimals, quarters / 4) for quarters in _QUARTERS)


def pass_over(span: ByteRange, blocks: Iterable[bytes], looked: Plan, *, limit: int) -> PartialResult:
    """Make one pass over a range. Raises: Slipped."""
    found = looked.open(seed=span.start, limit=limit)
    pieces = Pieces(span)
    for units, decimals in pieces.read(blocks):
        found.add(units, decimals)
    return PartialResult(found=found, signs=pieces.signs)


def conclude(
    looked: Plan, make_pass: Callable[[Plan], OnePass], *, limit: int
) -> tuple[dict[str, Figure | None], Histogram]:
    """Return the statistics and the histogram, with as many passes as it takes: most often one.

    Raises: NotANumberList if there is no number at all; whatever `make_pass` raises.
    """
    whole = make_pass(looked)
    if not whole.extremes:
        raise parser.empty()
    sought = {
        rank: bracket
        for quarters, bracket in zip(_QUARTERS, whole.brackets, strict=True)
        for rank in _ranks(whole.count, quarters)
    }
    known: dict[int, Fraction] = {}
    tally = whole.tally
    for _ in range(MAX_PASSES):
        known |= {rank: value for rank, one in sought.items() if (value := one.value(rank)) is not None}
        sought = _next({rank: one for rank, one in sought.items() if rank not in known})
        is_coarse = tally.is_coarse_for(whole.extremes, whole.decimals)
        if not sought and not is_coarse:
            return _figures(whole, *whole.extremes, known), tally.histogram(whole.extremes, whole.decimals)
        brackets = list(dict.fromkeys(sought.values()))
        if is_coarse:
            least, most = (int(value * 10**whole.decimals) for value in whole.extremes)
            looked = replace(looked, exponent=exponent_for(least, most, whole.decimals))
        again = make_pass(looked.narrowed(brackets))
        tally = again.tally
        for bracket, found in zip(brackets, again.brackets, strict=True):
            bracket.merge(found, Random(0), limit)  # noqa: S311  thins samples, guards nothing
    raise ResponseTimeout(
        "The partial results of the workers do not match.", hint="Check that all workers run the same version."
    )


def _chosen(size: int) -> list[ByteRange]:
    """Return evenly spread ranges of a list, each at random within its share of it."""
    if size < LOOK_BLOCKS * LOOK_BYTES:
        return [ByteRange(start=0, stop=size, size=size)]
    chance = Random(size)  # noqa: S311  spreads a sample, guards nothing
    edges = [size * place // LOOK_BLOCKS for place in range(LOOK_BLOCKS + 1)]
    starts = [chance.randint(start, stop - LOOK_BYTES) for start, stop in pairwise(edges)]
    return [ByteRange(start=start, stop=min(size, start + LOOK_BYTES), size=size) for start in starts]


def _read(span: ByteRange, block: bytes) -> list[Read]:
    """Return what can be read of a block, for a sample: nothing of one that has a slip."""
    block = block if span.stop == span.size else whole_items(block)
    try:
        return list(Pieces(span).read([block]))
    except Slipped:
        return []


def _next(open_ranks: dict[int, RankBracket]) -> dict[int, RankBracket]:
    """Return where to look for each rank that is not known; neighbors that are in one bracket stay in one."""
    chosen: dict[int, RankBracket] = {}
    for rank, bracket in open_ranks.items():
        together = open_ranks.get(rank - 1) is bracket and bracket.holds(rank - 1) and bracket.holds(rank)
        chosen[rank] = chosen[rank - 1] if together else bracket.next(rank)
    return chosen


def _ranks(count: int, quarters: int) -> list[int]:
    """Return between which ranks (from 0) the value below which so many quarters lie is: one, or two neighbors."""
    place, part = divmod((count - 1) * quarters, 4)
    return [place, place + 1] if part else [place]


def _quantile(count: int, quarters: int, known: Mapping[int, Fraction]) -> Fraction:
    part = Fraction((count - 1) * quarters % 4, 4)
    low, high = (known[rank] for rank in (_ranks(count, quarters) * 2)[:2])
    return low + part * (high - low)


def _figures(
    whole: OnePass, least: Fraction, most: Fraction, known: Mapping[int, Fraction]
) -> dict[str, Figure | None]:
    variance = whole.variance
    q1, median, q3 = (_quantile(whole.count, quarters, known) for quarters in _QUARTERS)
    values = {
        "count": Fraction(whole.count),
        "sum": whole.total,
        "min": least,
        "max": most,
        "range": most - least,
        "mean": whole.total / whole.count,
        "median": median,
        "q1": q1,
        "q3": q3,
        "iqr": q3 - q1,
    }
    figures: dict[str, Figure | None] = {name: figure(*value.as_integer_ratio()) for name, value in values.items()}
    figures["variance"] = None if variance is None else figure(*variance.as_integer_ratio())
    figures["stdev"] = None if variance is None else figure(*root(*variance.as_integer_ratio()))
    return figures


def _edge_of(value: Fraction | None) -> Edge:
    if value is None:
        return None
    decimals = next(power for power in count() if 10**power % value.denominator == 0)
    return int(value * 10**decimals), decimals


def _value(edge: Edge) -> Fraction | None:
    return None if edge is None else Fraction(edge[0], 10 ** edge[1])


def _edge(found: Any) -> Edge:  # noqa: ANN401  whatever a message brought
    if found is None:
        return None
    units, decimals = found
    if type(units) is not int or type(decimals) is not int or not 0 <= decimals <= MAX_DECIMALS:
        raise TypeError
    return units, decimals


def power_of_ten(found: object) -> int:
    """Return an exponent or a number of decimals that a message brought. Raises: TypeError if no list has it."""
    if type(found) is not int or abs(found) > MAX_DECIMALS:
        raise TypeError
    return found
