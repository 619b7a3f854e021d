"""A line a minute in the log of a worker that had work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from courier.monitoring import latency
from courier.monitoring.activity import Activity, Counts
from courier.text import printable

log = logging.getLogger(__name__)

SECONDS = 60.0


class Summary:
    """Logs what was finished in each minute, unless that is nothing."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._before = Counts()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="summary", daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    def write(self) -> None:
        """Log what was finished since the last call."""
        now = self._activity.total()
        answered, rejected = now.answered - self._before.answered, now.rejected - self._before.rejected
        if answered or rejected:
            p95 = latency.percentile(now.times - self._before.times, 0.95)
            log.info("last minute: %s", in_words(answered, rejected, p95))
        self._before = now

    def _run(self) -> None:
        while not self._stopped.wait(SECONDS):
            self.write()


def in_words(answered: int, rejected: Mapping[str, int], p95: float | None) -> str:
    """Return counts and a percentile (in milliseconds) as a text."""
    text = f"{answered:,} answered, {rejections(rejected)}"
    return text if p95 is None else f"{text}, p95 {in_milliseconds(p95)}"


def rejections(rejected: Mapping[str, int]) -> str:
    """Return how many were rejected, and why."""
    count = sum(rejected.values())
    reasons = sorted(rejected.items(), key=lambda item: (-item[1], item[0]))
    why = ", ".join(f"{number:,} {printable(reason, 40)}" for reason, number in reasons)
    return f"{count:,} rejected ({why})" if count else "0 rejected"


def in_milliseconds(value: float) -> str:
    """Return a time in milliseconds, or in seconds if it is long."""
    return f"{value:,.0f} ms" if value < 10_000 else f"{value / 1000:,.0f} s"  # noqa: PLR2004  readable
