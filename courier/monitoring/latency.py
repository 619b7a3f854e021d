"""Times of requests, counted in buckets that can be added up over workers.

A bucket's name is its upper bound in milliseconds, by the preferred numbers of ISO 3 (R10): each is about a
quarter above the one before it, but for the last. So a percentile is about a quarter too high at most.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

_STEPS = (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8)
#: The upper bounds of the buckets in milliseconds, from 1 ms to an hour; what is longer counts in the last one.
BOUNDS: tuple[float, ...] = (
    *(round(step * 10**power, 2) for power in range(6) for step in _STEPS),
    1_000_000.0,
    4_000_000.0,
)
_NAMES: tuple[str, ...] = tuple(f"{bound:g}" if bound < 1e6 else f"{bound:.0f}" for bound in BOUNDS)  # noqa: PLR2004  no exponent
_BOUND_OF: dict[str, float] = dict(zip(_NAMES, BOUNDS, strict=True))


def bucket(seconds: float) -> str:
    """Return the name of the bucket of a time."""
    return _NAMES[min(bisect_left(BOUNDS, seconds * 1000), len(BOUNDS) - 1)]


def added(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """Return the sum of counts; ignores names that are none of a bucket."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update({name: number for name, number in one.items() if name in _BOUND_OF})
    return total


def percentile(counts: Mapping[str, int], share: float) -> float | None:
    """Return the upper bound, in milliseconds, up to which a `share` (0 to 1) of all times is; None without any."""
    whole = sum(counts.values())
    if whole <= 0:
        return None
    seen = 0
    for name in _NAMES:
        seen += counts.get(name, 0)
        if seen >= share * whole:
            return _BOUND_OF[name]
    return BOUNDS[-1]


def cumulative(counts: Mapping[str, int]) -> list[tuple[float, int]]:
    """Return, for each upper bound in seconds, the number of times up to it."""
    found, seen = [], 0
    for name in _NAMES:
        seen += counts.get(name, 0)
        found.append((_BOUND_OF[name] / 1000, seen))
    return found
