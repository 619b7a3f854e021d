"""A look at a list too long for memory, and passes over it or its parts.

Whoever makes the passes, one worker or many, they differ in nothing that the statistics could show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from courier.numbers import parser
from courier.numbers.brackets import around
from courier.numbers.histogram import exponent_for
from courier.numbers.integers import Read, as_array
from courier.numbers.plan import Plan
from courier.numbers.ranges import ByteRange, Pieces, Slipped
from courier.numbers.stats import Statistic, places
from courier.numbers.streaming import OnePass

#: How much of a list is looked at first: so many blocks, evenly spread, of so many bytes.
LOOK_BLOCKS = 32
LOOK_BYTES = 2**15
#: How many numbers of the look count if some are large, of which a hundred thousand would fill the memory.
LOOK_LARGE = 5_000
#: The length of a list in which every quartile and every percentile has a place of its own.
_FINE = 10**8


@dataclass(frozen=True, kw_only=True)
class PartialResult:
    """What a pass over one range has found; of signs, what `courier.numbers.ranges.mixed` takes."""

    found: OnePass
    signs: dict[str, tuple[int, int]]


def look(fetch: Callable[[Sequence[range]], Iterable[bytes]], size: int, statistics: Mapping[str, Statistic]) -> Plan:
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
    shares = (place / _FINE for place in places(_FINE + 1, statistics))
    return Plan.of(exponent, (around(ordered, decimals, share) for share in shares))


def pass_over(span: ByteRange, blocks: Iterable[bytes], plan: Plan, *, limit: int) -> PartialResult:
    """Make one pass over a range. Raises: Slipped."""
    found = plan.open(seed=span.start, limit=limit)
    pieces = Pieces(span)
    for units, decimals in pieces.read(blocks):
        found.add(units, decimals)
    return PartialResult(found=found, signs=pieces.signs)


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
    block = block if span.stop == span.size else parser.whole_items(block)
    try:
        return list(Pieces(span).read([block]))
    except Slipped:
        return []
