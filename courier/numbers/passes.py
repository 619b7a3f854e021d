"""Plan passes over a list too long for memory from a sample of it, and make passes over it or its parts.

The statistics do not depend on which worker makes a pass, or on the number of workers.
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
from courier.numbers.ranges import ByteRange, InvalidItem, Pieces
from courier.numbers.stats import Statistic, places
from courier.numbers.streaming import OnePass

#: The sample of a list: the number of its blocks, evenly spread, and their size.
SAMPLE_BLOCKS = 32
SAMPLE_BYTES = 2**15
#: The most numbers of the sample if some are large, since a hundred thousand large numbers would fill the memory.
SAMPLE_LARGE = 5_000
#: The length of a list in which all quartiles and percentiles have different places.
_FINE = 10**8


@dataclass(frozen=True, kw_only=True)
class PartialResult:
    """The result of a pass over one range; `signs` as `courier.numbers.ranges.mixed` takes them."""

    found: OnePass
    signs: dict[str, tuple[int, int]]


def make_plan(
    fetch: Callable[[Sequence[range]], Iterable[bytes]], size: int, statistics: Mapping[str, Statistic]
) -> Plan:
    """Return a plan from a sample of a list of `size` bytes, whose ranges `fetch` returns; repeatable for a size."""
    spans = _sample_ranges(size)
    blocks = list(fetch([range(span.first_byte, span.stop) for span in spans]))
    reads = [read for span, block in zip(spans, blocks, strict=True) for read in _read(span, block)]
    seen = [(int(unit), own) for some, own in reads for unit in some]
    if len(seen) > SAMPLE_LARGE and any(isinstance(some, list) for some, _ in reads):
        seen = Random(size).sample(seen, SAMPLE_LARGE)  # noqa: S311  thins a sample, guards nothing
    decimals = max((own for _, own in seen), default=0)
    units = sorted(unit * 10 ** (decimals - own) for unit, own in seen)
    ordered = as_array(units)
    exponent = exponent_for(units[0], units[-1], decimals) if units else 0
    shares = (place / _FINE for place in places(_FINE + 1, statistics))
    return Plan.of(exponent, (around(ordered, decimals, share) for share in shares))


def pass_over(span: ByteRange, blocks: Iterable[bytes], plan: Plan, *, limit: int) -> PartialResult:
    """Make one pass over a range. Raises: InvalidItem."""
    found = plan.open(seed=span.start, limit=limit)
    pieces = Pieces(span)
    for units, decimals in pieces.read(blocks):
        found.add(units, decimals)
    return PartialResult(found=found, signs=pieces.signs)


def _sample_ranges(size: int) -> list[ByteRange]:
    """Return evenly spread ranges of a list, each at a random position in its share of the list."""
    if size < SAMPLE_BLOCKS * SAMPLE_BYTES:
        return [ByteRange(start=0, stop=size, size=size)]
    rng = Random(size)  # noqa: S311  spreads a sample, guards nothing
    edges = [size * place // SAMPLE_BLOCKS for place in range(SAMPLE_BLOCKS + 1)]
    starts = [rng.randint(start, stop - SAMPLE_BYTES) for start, stop in pairwise(edges)]
    return [ByteRange(start=start, stop=min(size, start + SAMPLE_BYTES), size=size) for start in starts]


def _read(span: ByteRange, block: bytes) -> list[Read]:
    """Return the numbers of a block, for a sample: none if it has an error."""
    block = block if span.stop == span.size else parser.whole_items(block)
    try:
        return list(Pieces(span).read([block]))
    except InvalidItem:
        return []
