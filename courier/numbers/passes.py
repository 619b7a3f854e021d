"""Plan passes over a list too long for memory from a sample of it, and make passes over it or its parts.

The statistics do not depend on which worker makes a pass, or on the number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import numpy as np

from courier.numbers import parser
from courier.numbers.brackets import LEAST_REACH, MAX_KEPT, around
from courier.numbers.histogram import exponent_for
from courier.numbers.integers import Array, Read, as_array, in_common_unit
from courier.numbers.plan import Plan
from courier.numbers.ranges import ByteRange, InvalidItem, Pieces
from courier.numbers.stats import Statistic, places
from courier.numbers.streaming import OnePass

#: The sample of a list is that share of it, within these bounds: the larger it is, the narrower the brackets.
SAMPLE_SHARE = 2**8
SAMPLE_BYTES = 2**20
MOST_SAMPLE_BYTES = 2**23
#: The number of its blocks, evenly spread: one for each `BLOCK_SHARE`, within these bounds.
BLOCK_SHARE = 2**24
SAMPLE_BLOCKS = 32
MOST_BLOCKS = 128
#: The most numbers of the sample if some are large, since a hundred thousand large numbers would fill the memory.
SAMPLE_LARGE = 5_000
#: The length of a list in which all quartiles and percentiles have different places.
_FINE = 10**8
#: How much of what a bracket may keep it is planned to keep.
_FILLED = 0.8


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
    ordered, decimals = _ordered(reads, size)
    exponent = exponent_for(int(ordered[0]), int(ordered[-1]), decimals) if len(ordered) else 0
    shares = (place / _FINE for place in places(_FINE + 1, statistics))
    reach = _reach(len(ordered) * size / max(1, sum(span.stop - span.start for span in spans)))
    return Plan.of(exponent, (around(ordered, decimals, share, least_reach=reach) for share in shares))


def pass_over(span: ByteRange, blocks: Iterable[bytes], plan: Plan, *, limit: int) -> PartialResult:
    """Make one pass over a range. Raises: InvalidItem."""
    found = plan.open(seed=span.start, limit=limit)
    pieces = Pieces(span)
    for units, decimals in pieces.read(blocks):
        found.add(units, decimals)
    return PartialResult(found=found, signs=pieces.signs)


def _ordered(reads: Sequence[Read], size: int) -> tuple[Array, int]:
    """Return the numbers of a sample in order, in units of 10**-decimals, and `decimals`."""
    if not any(isinstance(some, list) for some, _ in reads):
        units, decimals = in_common_unit([(as_array(some), own) for some, own in reads])
        return np.sort(units), decimals
    seen = [(int(unit), own) for some, own in reads for unit in some]
    if len(seen) > SAMPLE_LARGE:
        seen = Random(size).sample(seen, SAMPLE_LARGE)  # noqa: S311  thins a sample, guards nothing
    decimals = max(own for _, own in seen)
    return as_array(sorted(unit * 10 ** (decimals - own) for unit, own in seen)), decimals


def _reach(count: float) -> float:
    """Return the least share of a list of about `count` numbers that a bracket covers on each side.

    What it covers of a long list must fit into memory, or the list is read again.
    """
    return min(LEAST_REACH, _FILLED * MAX_KEPT / 2 / max(count, 1))


def _sample_ranges(size: int) -> list[ByteRange]:
    """Return evenly spread ranges of a list, each at a random position in its share of the list."""
    if size < SAMPLE_BYTES:
        return [ByteRange(start=0, stop=size, size=size)]
    rng = Random(size)  # noqa: S311  spreads a sample, guards nothing
    blocks = min(max(SAMPLE_BLOCKS, size // BLOCK_SHARE), MOST_BLOCKS)
    length = min(max(SAMPLE_BYTES, size // SAMPLE_SHARE), MOST_SAMPLE_BYTES) // blocks
    edges = [size * place // blocks for place in range(blocks + 1)]
    starts = [rng.randint(start, stop - length) for start, stop in pairwise(edges)]
    return [ByteRange(start=start, stop=start + length, size=size) for start in starts]


def _read(span: ByteRange, block: bytes) -> list[Read]:
    """Return the numbers of a block, for a sample: none if it has an error."""
    block = block if span.stop == span.size else parser.whole_items(block)
    try:
        return list(Pieces(span).read([block]))
    except InvalidItem:
        return []
