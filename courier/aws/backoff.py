"""Retry delays: exponential backoff, capped, with jitter over their upper half.

The random half spreads clients that failed together; the fixed half keeps each from spinning.
Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

#: The longest first delay.
FIRST_SECONDS = 0.1
#: The longest delay, so that work resumes soon after an outage.
CAP_SECONDS = 5.0
#: With more doublings the power of two would overflow; any cap is reached long before.
_MAX_DOUBLINGS = 60


def delay(attempt: int, *, first_seconds: float = FIRST_SECONDS, cap_seconds: float) -> float:
    """Return the delay in seconds after the `attempt`-th failure; the first is 1.

    It is random between half and all of a span that doubles with each failure, up to the cap.
    """
    span = min(first_seconds * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS), cap_seconds)
    return span * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards nothing


def delays(first_seconds: float = FIRST_SECONDS, cap_seconds: float = CAP_SECONDS) -> Iterator[float]:
    """Yield the delays of one failure after another, endlessly."""
    return (delay(attempt, first_seconds=first_seconds, cap_seconds=cap_seconds) for attempt in count(1))
