"""Report a worker's status to the bucket, in a thread that no request waits for.

There is one object for each worker. It is written when something has changed, at most every `seconds`; and when nothing
has, every `beat_seconds`, so that a reader knows that the worker is alive. Nothing is queued: each report has the state
of its moment. A failure is logged once, and the next report replaces the lost one.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from courier.aws.errors import call_aws
from courier.aws.retry import Retrier
from courier.aws.s3 import Bucket
from courier.aws.session import Aws
from courier.errors import CourierError, Rejected, ServiceError
from courier.monitoring.activity import Activity
from courier.monitoring.worker_status import PREFIX, WorkerStatus

log = logging.getLogger(__name__)

#: The interval of reports without a change: this many intervals of those with one, within these limits, in seconds.
BEATS, SHORTEST_BEAT, LONGEST_BEAT = 15, 15.0, 60.0
#: How long a stopping worker waits for its object to be removed, in seconds.
STOP_SECONDS = 3.0
#: Older objects were left by workers that were killed.
LEFT_BEHIND = timedelta(days=1)


def beat_of(seconds: float) -> float:
    """Return the longest time between two reports, in seconds."""
    return max(seconds, min(LONGEST_BEAT, max(SHORTEST_BEAT, BEATS * seconds)))


class Reporter:
    """Reports what an activity has counted, every `seconds`."""

    def __init__(self, activity: Activity, aws: Aws, bucket: str | None, *, program: str, seconds: float) -> None:
        self._activity = activity
        self._aws = aws
        self._bucket = Bucket(aws, bucket, PREFIX)
        self._program = program
        self._seconds = seconds
        self._id = uuid.uuid4().hex[:12]
        self._key = f"{PREFIX}{activity.application}-{self._id}.json"
        self._stopped = threading.Event()
        self._retrier = Retrier("reporting the status", self._stopped)
        self._last: tuple[WorkerStatus, float] | None = None
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def stop(self) -> None:
        """Remove the report, and wait a little for that."""
        self._stopped.set()
        if self._thread.ident:
            self._thread.join(STOP_SECONDS)

    def status(self) -> WorkerStatus:
        """Return the worker's status now."""
        activity, total = self._activity, self._activity.total()
        return WorkerStatus(
            id=self._id,
            application=activity.application,
            program=self._program,
            host=socket.gethostname(),
            process_id=os.getpid(),
            since=round(activity.since, 1),
            written_at=round(activity.now(), 2),
            beat_seconds=beat_of(self._seconds),
            polled_at=activity.polled_at,
            answered=total.answered,
            retries=activity.retries,
            rejected=dict(total.rejected),
            in_flight=activity.in_flight(),
            recent=activity.recent(),
            periods=activity.periods(),
        )

    def _run(self) -> None:
        self._try(self._sweep)
        while not self._stopped.is_set():
            self._stopped.wait(self._try(self._report) or self._seconds)
        if self._last:
            self._try(self._remove)

    def _try(self, work: Any) -> float | None:  # noqa: ANN401  a method of this class
        """Do `work`; return how long to wait after a failure."""
        try:
            work()
        except ServiceError as error:
            return self._retrier.record(error)
        except Rejected as error:
            return self._retrier.record(ServiceError(error.message, hint=error.hint))
        except Exception:
            log.exception("internal error while reporting the status; continuing")
            return LONGEST_BEAT
        return None

    def _report(self) -> None:
        status = self.status()
        # These change without anything having happened.
        known = replace(status, written_at=0.0, polled_at=None)
        if self._last:
            before, written_at = self._last
            if known == before and status.written_at - written_at < status.beat_seconds:
                return
        self._call("write", "put_object", self._key, Body=status.encode().encode(), ContentType="application/json")
        self._last = known, status.written_at
        self._retrier.succeeded()

    def _remove(self) -> None:
        self._call("remove", "delete_object", self._key)

    def _sweep(self) -> None:
        """Remove what workers left that were killed."""
        until = datetime.now(UTC) - LEFT_BEHIND
        for found in self._bucket.names():
            if found.modified < until:
                with suppress(CourierError):
                    self._call("remove", "delete_object", PREFIX + found.name)

    def _call(self, verb: str, call: str, key: str, **given: Any) -> None:  # noqa: ANN401  the call's own
        # One attempt: `Aws.call` would retry what is out of date by then.
        call_aws(
            f"{verb} the status of a worker", getattr(self._aws.s3(), call), Bucket=self._bucket.name, Key=key, **given
        )
