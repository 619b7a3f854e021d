"""What a worker does, counted by its hooks: for its log, its status and its metrics. Keeps no payload."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from courier.errors import WITHOUT_REASON, CourierError, Rejected
from courier.messaging.hooks import Hooks
from courier.messaging.in_flight import InFlightMessages
from courier.messaging.message_attributes import KIND
from courier.messaging.protocol import PING, Request, Response, decode_address
from courier.messaging.states import Held
from courier.monitoring import latency
from courier.monitoring.worker_status import MOST_IN_FLIGHT, PERIOD_SECONDS, PERIODS, RECENT, Finished, InFlight, Period

#: The outcomes of a request that was answered, and of one that was rejected for a reason beyond `MOST_REASONS`.
OK, OTHER = "ok", "other"
#: The most different reasons that are counted: a handler may invent any.
MOST_REASONS = 50


@dataclass(kw_only=True)
class Counts:
    """What was counted in some time."""

    answered: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    times: Counter[str] = field(default_factory=Counter)
    #: The sum of these times.
    seconds: float = 0.0

    def add(self, outcome: str, seconds: float | None) -> None:
        """Count a request."""
        if outcome == OK:
            self.answered += 1
        else:
            is_known = outcome in self.rejected or len(self.rejected) < MOST_REASONS
            self.rejected[outcome if is_known else OTHER] += 1
        if seconds is not None:
            self.times[latency.bucket(seconds)] += 1
            self.seconds += seconds

    def copy(self) -> Counts:
        """Return the same counts, which do not change."""
        return replace(self, rejected=Counter(self.rejected), times=Counter(self.times))


class Activity:
    """Counts what a worker of an application does, whose requests have a `kind`; `now` is AWS's clock. Thread-safe."""

    def __init__(self, application: str, now: Callable[[], float], *, kind: str = "") -> None:
        self.application = application
        self._kind = kind or application
        self.now = now
        self.since = now()
        self.retries = 0
        self._total = Counts()
        self._polled_at: float | None = None
        self._lock = threading.Lock()
        self._periods: deque[tuple[float, Counts]] = deque(maxlen=PERIODS + 1)
        self._recent: deque[Finished] = deque(maxlen=RECENT)
        self._held: Callable[[], Sequence[Held]] = list
        self.hooks = Hooks(
            on_replied=self._replied, on_rejected=self._rejected, on_retry=self._retried, on_polled=self._polled
        )

    def watch(self, in_flight: InFlightMessages) -> None:
        """Report what is in flight, too."""
        self._held = in_flight.held

    @property
    def polled_at(self) -> float | None:
        """When the last poll succeeded, in seconds since the epoch by AWS's clock."""
        return self._since_epoch(self._polled_at) if self._polled_at is not None else None

    def seconds_since_poll(self) -> float | None:
        """Return how long ago the last poll succeeded; None: none did."""
        return time.monotonic() - self._polled_at if self._polled_at is not None else None

    def held(self) -> Sequence[Held]:
        """Return what is in flight."""
        return self._held()

    def in_flight(self) -> tuple[InFlight, ...]:
        """Return what is in flight, without requests that only check whether a worker is there."""
        found = [self._described(one) for one in self._held()]
        known = [one for one in found if one.kind != PING]
        return tuple(sorted(known, key=lambda one: one.since)[:MOST_IN_FLIGHT])

    def total(self) -> Counts:
        """Return what was counted since the start."""
        with self._lock:
            return self._total.copy()

    def recent(self) -> tuple[Finished, ...]:
        """Return the last requests, the latest last."""
        with self._lock:
            return tuple(self._recent)

    def periods(self) -> tuple[Period, ...]:
        """Return the periods of the last minute, those without requests left out."""
        oldest = self.now() - PERIOD_SECONDS * PERIODS
        with self._lock:
            return tuple(
                Period(begun=begun, answered=one.answered, rejected=dict(one.rejected), times=dict(one.times))
                for begun, one in self._periods
                if begun > oldest - PERIOD_SECONDS
            )

    def _described(self, held: Held) -> InFlight:
        received = held.received
        address = decode_address(received.message)
        return InFlight(
            id=address.request_id or received.message_id,
            kind=received.message.attributes.get(KIND) or self._kind,
            name=address.name or "",
            state=held.state.value,
            since=self._since_epoch(received.received_at),
        )

    def _since_epoch(self, monotonic: float) -> float:
        return round(self.now() - (time.monotonic() - monotonic), 2)

    def _polled(self, _count: int) -> None:
        self._polled_at = time.monotonic()

    def _retried(self, _request: Request, _error: CourierError) -> None:
        with self._lock:
            self.retries += 1

    def _replied(self, request: Request, response: Response) -> None:
        self._count(request, OK, response.seconds)

    def _rejected(self, request: Request, rejected: Rejected) -> None:
        self._count(request, str(rejected.reason or WITHOUT_REASON), None)

    def _count(self, request: Request, outcome: str, seconds: float | None) -> None:
        now = self.now()
        if request.sent_at is not None:
            # Not less than the worker's own part, however the clocks differ.
            seconds = max(seconds or 0.0, now - request.sent_at)
        done = Finished(
            id=request.request_id,
            kind=request.kind or self._kind,
            name=request.name or "",
            outcome=outcome,
            at=round(now, 2),
            milliseconds=None if seconds is None else round(seconds * 1000, 1),
        )
        begun = now - now % PERIOD_SECONDS
        with self._lock:
            if not self._periods or self._periods[-1][0] != begun:
                self._periods.append((begun, Counts()))
            for counts in (self._periods[-1][1], self._total):
                counts.add(outcome, seconds)
            self._recent.append(done)
