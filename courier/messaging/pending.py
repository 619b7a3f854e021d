"""Pending requests: their source, those that wait for a response, and the outcomes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from courier.cancellation import Canceled
from courier.errors import CourierError
from courier.messaging.protocol import Reply, Request

#: The length of a long poll for responses. Shorter than SQS's 20 s, since the poll of a client that is killed may
#: still receive a response.
POLL_SECONDS = 5
#: How long requests of a slow stream are collected into a batch, in seconds.
TAKE_SECONDS = 0.2
_END = object()


@dataclass(frozen=True, kw_only=True)
class OutgoingRequest:
    """A request to send: a body, options for the worker, and a kind if not the requester's own.

    An expensive request takes a worker about half a second or more.
    """

    body: str
    kind: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    is_expensive: bool = False
    traceparent: str = ""
    claim: str = ""
    name: str | None = None


#: An item of a stream of requests: a request; an error, which is its own outcome; or None for a pause.
Outgoing = OutgoingRequest | CourierError | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a request, and the seconds from sending it to its response (or to giving up).

    The result is the worker's reply, or the error: ResponseTimeout, RequestCanceled, MessageTooLong or Undelivered.
    """

    result: Reply | CourierError
    request_id: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A request that was sent: its index, and when, in monotonic time."""

    index: int
    sent_at: float
    #: The request itself, where its reply queue may vanish.
    request: Request | None = None


class Source:
    """Numbers a stream of requests, and takes them in batches."""

    def __init__(self, requests: Iterable[Outgoing]) -> None:
        self._questions = iter(requests)
        self._taken = 0
        self.exhausted = False

    def take(self, limit: int) -> list[tuple[int, OutgoingRequest | CourierError]]:
        """Return up to `limit` requests with their indexes."""
        batch: list[tuple[int, OutgoingRequest | CourierError]] = []
        until = time.monotonic() + TAKE_SECONDS
        while len(batch) < limit and not self.exhausted and time.monotonic() < until:
            try:
                request = next(self._questions, _END)
            except Canceled:  # earlier requests still get their outcomes
                request = _END
            if request is _END:
                self.exhausted = True
            elif isinstance(request, OutgoingRequest | CourierError):
                batch.append((self._taken, request))
                self._taken += 1
            else:
                break
        return batch


class PendingRequests:
    """The state of a call of `request_many`: waiting requests, and outcomes that are not yet due.

    Every response restarts the time limit of all waiting expensive requests.
    """

    def __init__(self, requests: Iterable[Outgoing], timeout_seconds: float, *, is_expensive: bool = False) -> None:
        self.source = Source(requests)
        self.timeout_seconds = timeout_seconds
        self.is_expensive = is_expensive
        #: The reply queue of the waiting requests.
        self.reply_queue = ""
        self._answered_at = -math.inf
        self.waiting: dict[str, Waiting] = {}
        self.done: dict[int, Outcome] = {}

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to send, to wait for or to yield."""
        return self.source.exhausted and not self.waiting and not self.done

    @property
    def first_deadline(self) -> float:
        """When the first waiting request times out, in monotonic time."""
        return min(map(self._waits_since, self.waiting.values())) + self.timeout_seconds

    @property
    def wait_seconds(self) -> int:
        """The length of the next long poll: whole seconds, not much beyond the first deadline."""
        left = math.ceil(self.first_deadline - time.monotonic())
        return max(0, min(left, POLL_SECONDS if self.source.exhausted else 1))

    def finish_errors(
        self, batch: Iterable[tuple[int, OutgoingRequest | CourierError]]
    ) -> list[tuple[int, OutgoingRequest]]:
        """Return the requests of `batch`; errors among them are outcomes already."""
        requests = []
        for index, outgoing in batch:
            if isinstance(outgoing, CourierError):
                self.done[index] = Outcome(result=outgoing, request_id="", seconds=0.0)
            else:
                requests.append((index, outgoing))
        return requests

    def finish(self, request_id: str, result: Reply | CourierError) -> None:
        """Record the outcome of a waiting request."""
        item = self.waiting.pop(request_id)
        now = time.monotonic()
        self.done[item.index] = Outcome(result=result, request_id=request_id, seconds=now - item.sent_at)
        self._answered_at = now if self.is_expensive else self._answered_at

    def late(self) -> list[str]:
        """Return the IDs of requests that have timed out."""
        now = time.monotonic()
        return [key for key, item in self.waiting.items() if now - self._waits_since(item) >= self.timeout_seconds]

    def _waits_since(self, item: Waiting) -> float:
        return max(item.sent_at, self._answered_at)
