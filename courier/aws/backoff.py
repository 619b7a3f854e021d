"""Retry delays: exponential backoff, capped, with full jitter."""

from __future__ import annotations

import random
from collections.abc import Iterator

#: The longest first delay.
FIRST_SECONDS = 0.1
#: The longest delay, so that work resumes soon after an outage.
CAP_SECONDS = 5.0


def delay(attempt: int, *, first_seconds: float = FIRST_SECONDS, cap_seconds: float) -> float:
    """Return the delay after the `attempt`-th failure (the first is 1), as in `delays`."""
    span = min(first_seconds * 2.0 ** min(attempt - 1, 60), cap_seconds)
    return span * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards nothing


def delays(first_seconds: float = FIRST_SECONDS, cap_seconds: float = CAP_SECONDS) -> Iterator[float]:
    """Yield delays in seconds, endlessly: random between half and all of a span that doubles up to the cap.

    The random half spreads clients that failed together; the fixed half keeps each from spinning.
    Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    span = first_seconds
    while True:
        yield span * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards nothing
        span = min(span * 2, cap_seconds)
