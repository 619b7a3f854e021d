"""Retry delays: exponential backoff, capped, with full jitter."""

from __future__ import annotations

import random
from collections.abc import Iterator

#: The first try again comes within this many seconds.
FIRST_SECONDS = 0.1
#: No wait is longer than this many seconds, so that work goes on soon after an outage ends.
CAP_SECONDS = 5.0


def delays(first_seconds: float = FIRST_SECONDS, cap_seconds: float = CAP_SECONDS) -> Iterator[float]:
    """Yield seconds to wait, without end: between half and the whole of a doubling, capped span.

    The random half spreads clients that failed together; the other half keeps each from spinning.
    Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    span = first_seconds
    while True:
        yield span * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards nothing
        span = min(span * 2, cap_seconds)
