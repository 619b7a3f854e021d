"""Read what goes on in a set-up, again and again: queues side by side, and the objects that workers write."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from courier.aws import inventory
from courier.aws.errors import call_aws
from courier.aws.inventory import Identity, QueueState
from courier.aws.session import Aws
from courier.aws.sqs import Mailbox
from courier.errors import AwsError, BucketMissing, CourierError, ObjectMissing, Rejected, Unreachable
from courier.messaging.application import Application
from courier.monitoring import worker_status
from courier.monitoring.live import HISTORY, Live, QueueNow, alive
from courier.monitoring.snapshot import LANES, Found, attempt
from courier.monitoring.worker_status import Finished, WorkerStatus

#: The most workers whose objects are read.
MOST_WORKERS = 200
#: The most finished requests that are kept, whose workers may have stopped.
MOST_REMEMBERED = 200
#: The interval at which the age of the oldest message is requested from CloudWatch, which measures it once a minute.
OLDEST_SECONDS = 60.0
#: What to do where no worker reports.
SWITCHED_OFF = "No worker reports: start workers with COURIER_STATUS_SECONDS=10 (or 1, which costs more)."


@dataclass(kw_only=True)
class _Watched:
    """A queue over time."""

    name: str
    role: str
    application: str
    url: str = ""
    history: deque[int] = field(default_factory=lambda: deque(maxlen=HISTORY))
    #: Since when nothing was seen to leave it, though something waits; None: nothing waits.
    still_since: float | None = None
    #: By CloudWatch, and when it was asked.
    measured: float | None = None
    measured_at: float = -OLDEST_SECONDS


class LiveReader:
    """Reads a set-up's state. `queues` and `workers` may be called from two threads."""

    def __init__(self, aws: Aws, applications: Sequence[Application], *, is_real: bool, endpoint: str) -> None:
        self._aws = aws
        self.applications = applications
        self._is_real = is_real
        self._endpoint = endpoint
        self._pool = ThreadPoolExecutor(LANES)
        self._identity: Identity | None = None
        self._lock = threading.Lock()
        named = [
            (role, name, one.name)
            for one in applications
            for role, name in (("requests", one.requests), ("replies", one.replies), ("dead", one.dead_letters))
        ]
        self._watched = [_Watched(name=name, role=role, application=app) for role, name, app in named]
        self._kept: dict[str, tuple[str, WorkerStatus | None]] = {}
        self._remembered: dict[Finished, None] = {}
        self._bucket = ""

    def identity(self) -> Identity:
        """Return whose credentials these are, asked once. Raises: AwsError."""
        with self._lock:
            if self._identity is None:
                self._identity = inventory.identity(self._aws)
            return self._identity

    def queues(self) -> list[QueueNow]:
        """Return the state of every queue, read at about the same moment."""
        return list(self._pool.map(self._queue, self._watched))

    def workers(self, buckets: Sequence[str]) -> list[WorkerStatus]:
        """Return what workers report, from the first of these buckets that exists. Raises: AwsError; Rejected.

        It stays with that bucket while it exists.
        """
        for name in dict.fromkeys([self._bucket, *buckets] if self._bucket else buckets):
            try:
                entries = self._listed(name)
            except (BucketMissing, ObjectMissing):
                continue
            self._bucket = name
            self._kept = dict(self._pool.map(self._status, entries))
            return [status for _, status in self._kept.values() if status]
        raise BucketMissing(f"The bucket {buckets[-1]} does not exist.")

    def live(self, queues: Sequence[QueueNow], workers: Sequence[WorkerStatus], note: str = "") -> Live:
        """Return all of it."""
        now = self._aws.clock.now()
        known = alive(workers, [one.name for one in self.applications], now)
        with self._lock:
            self._remembered.update(dict.fromkeys(one for worker in known for one in worker.recent))
            latest = sorted(self._remembered, key=lambda one: one.at)[-MOST_REMEMBERED:]
            self._remembered = dict.fromkeys(latest)
        return Live(
            at=now,
            account=self.identity().account,
            region=self._aws.region,
            endpoint=self._endpoint,
            applications=self.applications,
            queues=queues,
            workers=known,
            note=note or ("" if known else SWITCHED_OFF),
            remembered=latest,
        )

    def _queue(self, watched: _Watched) -> QueueNow:
        found = attempt(self._read, watched)
        named: dict[str, Any] = {"name": watched.name, "role": watched.role, "application": watched.application}
        if not isinstance(found, QueueState):
            watched.url = ""  # it may be created again
            return QueueNow(**named, problem=_problem(found) if found else "does not exist")
        watched.history.append(found.waiting)
        return QueueNow(
            **named,
            waiting=found.waiting,
            in_flight=found.in_flight,
            delayed=found.delayed,
            oldest_seconds=self._oldest(watched, found),
            history=tuple(watched.history),
        )

    def _read(self, watched: _Watched) -> Found[QueueState]:
        found = inventory.queue(self._aws, watched.name, url=watched.url)
        watched.url = found.url if found else ""
        return found

    def _oldest(self, watched: _Watched, found: QueueState) -> float | None:
        """Return the age of the oldest message: by CloudWatch, or for how long nothing has left the queue."""
        now = time.monotonic()
        is_still = found.waiting and not found.in_flight and found.waiting >= max([*watched.history][-2:])
        if not is_still:
            watched.still_since = None
        elif watched.still_since is None:
            watched.still_since = now
        if watched.role != "requests" or not found.waiting:
            return None
        seen = None if watched.still_since is None else now - watched.still_since
        return max((one for one in (self._measured(watched, now), seen) if one is not None), default=None)

    def _measured(self, watched: _Watched, now: float) -> float | None:
        if self._is_real and now - watched.measured_at >= OLDEST_SECONDS:
            watched.measured_at = now
            watched.measured = Mailbox(self._aws, watched.name).oldest_seconds()
        return watched.measured

    def _listed(self, bucket: str) -> list[tuple[str, str]]:
        """Return the keys of the workers' objects with their ETags: of the first page, which has a thousand."""
        doing, call = f"list what workers report in {bucket}", self._aws.s3().list_objects_v2
        found = call_aws(doing, call, Bucket=bucket, Prefix=worker_status.PREFIX)
        return [(one["Key"], one["ETag"]) for one in found.get("Contents", [])[:MOST_WORKERS] if _is_small(one)]

    def _status(self, entry: tuple[str, str]) -> tuple[str, tuple[str, WorkerStatus | None]]:
        """Return an object's status, read only if it has changed."""
        key, etag = entry
        if key in self._kept and self._kept[key][0] == etag:
            return key, self._kept[key]
        doing = "read what a worker reports"
        try:
            body = call_aws(doing, self._aws.s3().get_object, Bucket=self._bucket, Key=key)["Body"]
        except ObjectMissing:  # it has just stopped
            return key, ("", None)
        return key, (etag, worker_status.decode(call_aws(doing, body.read, worker_status.MOST_BYTES)))


def _problem(error: CourierError) -> str:
    """Return why a queue cannot be read, in the same words for all where that has nothing to do with the queue."""
    return f"AWS cannot be reached. {error.hint}" if isinstance(error, Unreachable) else error.message


def _is_small(entry: Any) -> bool:  # noqa: ANN401  boto3's
    return int(entry.get("Size", 0)) <= worker_status.MOST_BYTES


#: What reading may raise.
ERRORS = (AwsError, Rejected)
