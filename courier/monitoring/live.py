"""What goes on in a set-up now: its queues, and what its workers report. Values only; `live_reader` reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from courier.messaging.application import Application
from courier.monitoring import latency
from courier.monitoring.worker_status import PERIOD_SECONDS, PERIODS, Finished, WorkerStatus
from courier.text import printable

#: How many values of the numbers of waiting messages are kept, one a second.
HISTORY = 300


@dataclass(frozen=True, kw_only=True)
class QueueNow:
    """A queue; `problem` says why it could not be read."""

    name: str
    #: requests, replies or dead.
    role: str
    application: str
    waiting: int = 0
    in_flight: int = 0
    delayed: int = 0
    problem: str = ""
    #: The age of its oldest message; None: unknown.
    oldest_seconds: float | None = None
    #: The numbers of waiting messages in the last minutes, the latest last.
    history: Sequence[int] = ()

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "name": self.name,
            "role": self.role,
            "application": self.application,
            "state": "unknown" if self.problem else "exists",
            "waiting": self.waiting,
            "in_flight": self.in_flight,
            "delayed": self.delayed,
            "oldest_seconds": None if self.oldest_seconds is None else round(self.oldest_seconds, 1),
        }


@dataclass(frozen=True, kw_only=True)
class LastMinute:
    """What the workers of an application finished in the last minute; times are in milliseconds."""

    application: str
    answered: int
    rejected: Mapping[str, int]
    p50: float | None
    p95: float | None

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "name": self.application,
            "answered": self.answered,
            "rejected": {printable(reason): count for reason, count in self.rejected.items()},
            "p50_milliseconds": self.p50,
            "p95_milliseconds": self.p95,
        }


@dataclass(frozen=True, kw_only=True)
class Live:
    """A set-up at one moment. Texts that workers and clients wrote are not escaped yet."""

    #: Seconds since the epoch, by AWS's clock.
    at: float
    account: str
    region: str
    endpoint: str
    applications: Sequence[Application]
    queues: Sequence[QueueNow]
    #: The workers that are alive and report.
    workers: Sequence[WorkerStatus]
    #: Why nothing is known of workers, or nothing new.
    note: str = ""
    #: Requests that workers have reported earlier, such as those that have stopped since.
    remembered: Sequence[Finished] = ()

    @property
    def is_well(self) -> bool:
        """Whether every queue could be read."""
        return not any(queue.problem for queue in self.queues)

    def last_minutes(self) -> list[LastMinute]:
        """Return what each application finished in the last minute."""
        return [last_minute(one.name, self.workers, self.at) for one in self.applications]

    def requests(self, count: int) -> list[Finished]:
        """Return the last requests of all workers, the latest first."""
        found = {*self.remembered, *(one for worker in self.workers for one in worker.recent)}
        return sorted(found, key=lambda one: (-one.at, one.id))[:count]

    def dead_letters(self, application: str) -> int | None:
        """Return the number of dead letters of an application; None if it is unknown."""
        found = [one for one in self.queues if one.role == "dead" and one.application == application]
        return found[0].waiting + found[0].in_flight if found and not found[0].problem else None

    def as_json(self) -> dict[str, object]:
        """Return it for programs. Has no payload."""
        return {
            "kind": "watch",
            "at": round(self.at, 2),
            "account": self.account,
            "region": self.region,
            "queues": [one.as_json() for one in self.queues],
            "applications": [one.as_json() for one in self.last_minutes()],
            "workers": [_worker_json(one, self.at) for one in self.workers],
            "requests": [_request_json(one) for one in self.requests(10)],
            "note": self.note or None,
        }


def last_minute(application: str, workers: Sequence[WorkerStatus], now: float) -> LastMinute:
    """Return what the workers of an application finished in the last minute."""
    since = now - PERIOD_SECONDS * PERIODS
    periods = [
        period
        for worker in workers
        if worker.application == application
        for period in worker.periods
        if period.begun > since - PERIOD_SECONDS / 2
    ]
    rejected: Counter[str] = Counter()
    for period in periods:
        rejected.update(period.rejected)
    times = latency.added(period.times for period in periods)
    return LastMinute(
        application=application,
        answered=sum(period.answered for period in periods),
        rejected=rejected,
        p50=latency.percentile(times, 0.5),
        p95=latency.percentile(times, 0.95),
    )


def alive(found: Iterable[WorkerStatus], names: Sequence[str], now: float) -> list[WorkerStatus]:
    """Return the workers of these applications that have reported lately, by application and age."""
    there = (one for one in found if one.application in names and not one.is_stale(now))
    return sorted(there, key=lambda one: (names.index(one.application), one.since, one.id))


def downsampled(history: Sequence[int], columns: int) -> list[int]:
    """Return a history as that many values at most, each the largest of its time."""
    size = max(1, -(-len(history) // max(1, columns)))
    # From the end, so that the values do not change their place with each new one.
    start = len(history) % size
    chunks = [history[:start]] if start else []
    chunks += [history[begin : begin + size] for begin in range(start, len(history), size)]
    return [max(chunk) for chunk in chunks][-columns:]


def _worker_json(worker: WorkerStatus, now: float) -> dict[str, object]:
    return {
        "id": printable(worker.id),
        "application": printable(worker.application),
        "program": printable(worker.program),
        "host": printable(worker.host),
        "process_id": worker.process_id,
        "since": worker.since,
        "seconds_since_report": round(max(0.0, now - worker.written_at), 1),
        "seconds_since_poll": None if worker.polled_at is None else round(max(0.0, now - worker.polled_at), 1),
        "answered": worker.answered,
        "rejected": {printable(reason): count for reason, count in worker.rejected.items()},
        "retries": worker.retries,
        "in_flight": list(_in_flight_json(worker, now)),
    }


def _in_flight_json(worker: WorkerStatus, now: float) -> Iterator[dict[str, object]]:
    for one in worker.in_flight:
        yield {
            "id": printable(one.id),
            "kind": printable(one.kind),
            "name": printable(one.name) or None,
            "state": printable(one.state),
            "seconds": round(max(0.0, now - one.since), 1),
        }


def _request_json(one: Finished) -> dict[str, object]:
    return {
        "id": printable(one.id),
        "kind": printable(one.kind),
        "name": printable(one.name) or None,
        "outcome": printable(one.outcome),
        "at": one.at,
        "milliseconds": one.milliseconds,
    }
