"""Park requests whose handler had a transient error, so that they hold no thread until their next attempt.

The error concerns one request: the service that its handler called. A parked request stays in flight, so that no other
worker receives it and no delivery counts.
"""

from __future__ import annotations

import heapq
import logging
import queue
import threading
import time
from itertools import count

from courier.aws import backoff
from courier.aws.sqs import ReceivedMessage
from courier.errors import ServiceError
from courier.messaging.in_flight import InFlightMessages
from courier.messaging.log_names import name_of
from courier.messaging.outbox import Finished
from courier.messaging.processor import Processor

log = logging.getLogger(__name__)

#: The longest pause before the next attempt, in seconds.
LONGEST_PAUSE_SECONDS = 30.0
#: The interval at which the waiting thread checks whether the worker has stopped, in seconds.
CHECK_SECONDS = 0.5


class Parked(Exception):
    """The request waits for its next attempt, and its thread is free."""


class Parking:
    """The parked requests of a worker, each until its next attempt. Thread-safe."""

    def __init__(self, in_flight: InFlightMessages, processor: Processor) -> None:
        self._in_flight = in_flight
        self._processor = processor
        self._changed = threading.Condition()
        self._parked: list[tuple[float, int, ReceivedMessage]] = []
        self._numbers = count()  # so that two with the same time are not compared further

    def finish(self, received: ReceivedMessage) -> Finished:
        """Process a request; park it after a transient error of its handler, or reject it after the last attempt.

        Raises: Parked; ServiceError, if transient: one that concerns all requests, or of a request that is no longer
        the worker's, or of any when it stops.
        """
        try:
            return self._processor.finish(received)
        except ServiceError as error:
            if error.is_general:
                raise
            return self._put_off(received, error)

    def _put_off(self, received: ReceivedMessage, error: ServiceError) -> Finished:
        left = self._processor.seconds_to_retry(received)
        if left <= 0:
            return self._processor.give_up_retrying(received, error)
        failures = self._in_flight.park(received)
        if not failures:
            raise error
        if failures == 1:
            log.warning("request %s is retried: %s", name_of(received), error.sentence)
        self._put(received, min(backoff.delay(failures, cap_seconds=LONGEST_PAUSE_SECONDS), left))
        raise Parked

    def resume(self, todo: queue.SimpleQueue[ReceivedMessage], stopped: threading.Event) -> None:
        """Put each request into `todo` after its pause, until `stopped` is set."""
        while not stopped.is_set():
            if received := self._take(CHECK_SECONDS):
                todo.put(received)

    def _put(self, received: ReceivedMessage, seconds: float) -> None:
        with self._changed:
            heapq.heappush(self._parked, (time.monotonic() + seconds, next(self._numbers), received))
            self._changed.notify_all()

    def _take(self, timeout_seconds: float) -> ReceivedMessage | None:
        """Wait up to `timeout_seconds` for a request whose pause is over, and return it; None if there is none."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while (now := time.monotonic()) < deadline:
                if self._parked and self._parked[0][0] <= now:
                    return heapq.heappop(self._parked)[2]
                self._changed.wait(min([deadline, *(at for at, _, _ in self._parked[:1])]) - now)
        return None
