"""Send requests and find their responses in a shared queue.

All clients receive from one response queue and take the responses with the IDs of their own requests. Responses of
other clients are released at once, or, if they fill a batch, after a moment. Expired responses are deleted by
any client that receives them. A client with a private reply queue uses it the same way; should that queue vanish, its
requests are sent again for responses in the shared one. See docs/adr/0003-shared-response-queue.md.
"""

from __future__ import annotations

import logging
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from courier.aws.retry import Retrier
from courier.aws.session import Clock
from courier.aws.sqs import MAX_BATCH, Mailbox, ReceivedMessage
from courier.cancellation import Canceled, Cancellation
from courier.errors import AccessDenied, AwsError, CourierError, QueueMissing, RequestCanceled, ResponseTimeout
from courier.messaging.pending import Outcome, Outgoing, OutgoingRequest, PendingRequests, Waiting
from courier.messaging.protocol import PING, Reply, Request, decode_reply, encode_request, new_request_id

log = logging.getLogger(__name__)

#: The visibility timeout of received responses: long enough to sort ten, short enough that those of a killed client
#: are soon visible again.
VISIBILITY_SECONDS = 2
#: How long other clients' responses are held while searching for own responses behind them: less than the above.
HOLD_SECONDS = VISIBILITY_SECONDS / 2
#: A random pause after a receive without own responses, so that clients do not keep receiving the same messages.
PAUSE_SECONDS = (0.02, 0.12)
#: Responses that were received this often on average are probably not fetched by anyone: the pause grows with their
#: receive count, up to the factor, and whole batches of them are held.
UNWANTED_RECEIVES = 8
MAX_PAUSE_FACTOR = 4
#: The most pending requests of a client on the shared response queue, where their responses delay others; and on a
#: private queue.
SHARED_WINDOW = 20
OWN_WINDOW = 100
#: The number of finished IDs that are remembered, to recognize duplicate and late responses.
REMEMBERED = 10_000


class Exchange:
    """Sends requests to one queue and receives their replies from another. Not thread-safe: use one for each thread."""

    def __init__(
        self,
        *,
        requests: Mailbox,
        replies: Mailbox,
        kind: str,
        clock: Clock,
        tell: Callable[[str], None],
        window: int = SHARED_WINDOW,
        fallback: Mailbox | None = None,
        cancellation: Cancellation | None = None,
    ) -> None:
        self._requests = requests
        self._cancellation = cancellation or Cancellation()
        self._retrier = Retrier("asking", self._cancellation, tell)
        self._replies = replies
        self._kind = kind
        self._window = window
        #: Whether every request is expensive.
        self.is_expensive = False
        #: The shared reply queue, for when a private one cannot be used any more.
        self._fallback = fallback
        #: Why the private reply queue cannot be used any more.
        self.lost: AwsError | None = None
        self._clock = clock
        #: The message group of this client in SQS's fair queues: its batch does not delay other clients.
        self._group = new_request_id()
        self._finished: OrderedDict[str, None] = OrderedDict()
        self._held: list[ReceivedMessage] = []

    @property
    def reply_queue(self) -> str:
        """The name of the reply queue."""
        return self._replies.name

    def request(self, request: OutgoingRequest, *, timeout_seconds: float) -> Outcome:
        """Send a request and return its outcome. Raises: AwsError."""
        return next(self.request_many([request], timeout_seconds=timeout_seconds))

    def ping(self, *, timeout_seconds: float) -> Outcome:
        """Send a request that checks whether a worker is running. Raises: AwsError."""
        return self.request(OutgoingRequest(body=PING, kind=PING), timeout_seconds=timeout_seconds)

    def request_many(
        self, requests: Iterable[Outgoing], *, timeout_seconds: float, is_expensive: bool = False
    ) -> Generator[Outcome, None, None]:
        """Yield the outcomes of `requests` in order, with up to a window of them pending.

        The time limit of a request is `timeout_seconds` from its sending; of expensive ones, from the last response to
        any of them. After a cancellation no more are sent, and the outcome of pending ones is RequestCanceled.
        If the caller stops early, later responses to its requests are deleted. Raises: AwsError.
        """
        current = PendingRequests(requests, timeout_seconds, is_expensive=is_expensive or self.is_expensive)
        due = 0
        try:
            while not current.is_over:
                self._advance(current, due)
                while due in current.done:
                    yield current.done.pop(due)
                    due += 1
        finally:
            for request_id in current.waiting:
                self._remember(request_id)
            if self._held and not self._cancellation.is_canceled:
                self._dispose([], [], look_further=False)

    def cancel(self) -> None:
        """Cancel `request_many`. May be called from any thread and from signal handlers."""
        self._cancellation.cancel()

    def _advance(self, current: PendingRequests, due: int) -> None:
        """Fill the window, and receive once, unless the outcome that is due is known."""
        with suppress(Canceled):
            self._cancellation.check()
            self._follow(current)
            self._fill(current)
            self._cancellation.check()
            if current.waiting and due not in current.done:
                self._collect(current)
        if self._cancellation.is_canceled:
            current.source.exhausted = True
            self._give_up(list(current.waiting), RequestCanceled(), current)

    def _fill(self, current: PendingRequests) -> None:
        """Send requests until the window is full."""
        while (room := self._window_of(current) - len(current.waiting) - len(current.done)) > 0:
            batch = current.source.take(min(MAX_BATCH, room))
            self._send(current.finish_errors(batch), current)
            if len(batch) < MAX_BATCH:
                # A slow stream of requests must not delay responses.
                return

    def _send(self, batch: Sequence[tuple[int, OutgoingRequest]], current: PendingRequests) -> None:
        # An expensive request may wait for the others in the window.
        lifetime_seconds = current.timeout_seconds * (self._window_of(current) if current.is_expensive else 1)
        deadline = self._clock.now() + lifetime_seconds
        requests = [self._request(request, deadline) for _, request in batch]
        for (index, _), request in zip(batch, requests, strict=True):
            current.waiting[request.request_id] = Waiting(
                index=index, sent_at=time.monotonic(), request=request if self._fallback else None
            )
        self._post_all(requests, current)

    def _post_all(self, requests: Sequence[Request], current: PendingRequests) -> None:
        current.reply_queue = self._replies.name
        # Expensive requests are sent one by one, so that no worker receives several while others are idle.
        size = 1 if current.is_expensive else MAX_BATCH
        for start in range(0, len(requests), size):
            self._post(requests[start : start + size], current)

    def _window_of(self, current: PendingRequests) -> int:
        return min(self._window, SHARED_WINDOW) if current.is_expensive else self._window

    def _follow(self, current: PendingRequests) -> None:
        """Send the waiting requests again if their reply queue is gone, for responses in the shared one.

        They keep their IDs and deadlines, so that a response that comes twice is dropped once.
        """
        if current.waiting and current.reply_queue != self._replies.name:
            left = [item.request for item in current.waiting.values() if item.request is not None]
            self._post_all([replace(request, reply_to=self._replies.name) for request in left], current)

    def _fall_back(self, error: AwsError) -> None:
        """Use the shared reply queue from now on. Raises: `error`, if this is the shared one."""
        if self._fallback is None:
            raise error
        log.info("responses come through %s from now on: %s", self._fallback.name, error.message)
        self._replies, self._fallback, self.lost = self._fallback, None, error
        self._window = min(self._window, SHARED_WINDOW)
        self._held = []

    def _post(self, requests: Sequence[Request], current: PendingRequests) -> None:
        messages = [encode_request(request) for request in requests]
        until = time.monotonic() + current.timeout_seconds
        # A send whose response was lost may have been accepted. It is sent again with the same ID, and the second of
        # two responses is dropped.
        failures = self._retrier.retry_batch(partial(self._requests.send, group=self._group), messages, until)
        for failure in failures:
            current.finish(requests[failure.index].request_id, failure.error)

    def _request(self, request: OutgoingRequest, deadline: float) -> Request:
        return Request(
            body=request.body,
            request_id=new_request_id(),
            reply_to=self._replies.name,
            kind=request.kind or self._kind,
            options=request.options,
            deadline=deadline,
            traceparent=request.traceparent,
            claim=request.claim,
            name=request.name,
        )

    def _collect(self, current: PendingRequests) -> None:
        """Receive once. Without own responses, give up requests that have timed out, or pause."""
        try:
            messages = self._retrier.retry(lambda: self._receive(current.wait_seconds), current.first_deadline)
        except (QueueMissing, AccessDenied) as error:
            self._fall_back(error)
            return
        mine = self._sort(messages, current)
        if mine:
            return
        # Give up only after a receive that was not full: else a response may be behind these messages. But do not
        # search forever in a queue full of other clients' responses.
        is_over_time = time.monotonic() > current.first_deadline + VISIBILITY_SECONDS
        late = current.late() if len(messages) < MAX_BATCH or is_over_time else []
        message = f"No response came from {self._replies.name} within {current.timeout_seconds:g} s."
        self._give_up(late, ResponseTimeout(message), current)
        if messages and not late and not self._held:
            self._cancellation.wait(_pause_seconds(messages))

    def _give_up(self, request_ids: Sequence[str], error: CourierError, current: PendingRequests) -> None:
        for request_id in request_ids:
            current.finish(request_id, error)
            self._remember(request_id)

    def _sort(self, messages: Sequence[ReceivedMessage], current: PendingRequests) -> list[ReceivedMessage]:
        """Return the own responses, delete them and expired ones, and release the others."""
        mine, dead, alive = [], [], []
        for received in messages:
            reply = decode_reply(received.message)
            if reply.request_id in current.waiting:
                current.finish(reply.request_id, reply)
                self._remember(reply.request_id)
                mine.append(received)
            elif reply.request_id in self._finished or self._is_dead(reply):
                dead.append(received)
            else:
                alive.append(received)
        self._dispose(alive, mine + dead, look_further=not mine and _may_hide_others(messages))
        return mine

    def _receive(self, wait_seconds: int) -> list[ReceivedMessage]:
        # No long poll while holding other clients' responses: their owners wait for them.
        wait_seconds = 0 if self._held else wait_seconds
        return self._replies.receive(wait_seconds=wait_seconds, visibility_seconds=VISIBILITY_SECONDS)

    def _dispose(
        self, alive: Sequence[ReceivedMessage], done: Sequence[ReceivedMessage], *, look_further: bool
    ) -> None:
        """Delete the responses in `done`, and release `alive`; after an error, leave both to their visibility timeout.

        Whole batches of other clients' responses are held for a moment: released at once, they would be received
        again and again before own responses.
        """
        self._held += alive
        if look_further and self._held and time.monotonic() - self._held[0].received_at < HOLD_SECONDS:
            alive = []
        else:
            alive, self._held = self._held, []
        try:
            for failure in self._replies.release(alive) + self._replies.acknowledge(done):
                log.info("a response could not be deleted and becomes visible again: %s", failure.error.message)
        except AwsError as error:
            self._retrier.wait(error)

    def _is_dead(self, reply: Reply) -> bool:
        return reply.deadline is not None and self._clock.is_past(reply.deadline)

    def _remember(self, request_id: str) -> None:
        self._finished[request_id] = None
        while len(self._finished) > REMEMBERED:
            self._finished.popitem(last=False)


def _may_hide_others(messages: Sequence[ReceivedMessage]) -> bool:
    """Whether these messages may hide others behind them for long."""
    return len(messages) == MAX_BATCH and _average_receive_count(messages) >= UNWANTED_RECEIVES


def _average_receive_count(messages: Sequence[ReceivedMessage]) -> float:
    """Return the average receive count, which measures how crowded the queue is."""
    return sum(received.receive_count for received in messages) / len(messages)


def _pause_seconds(messages: Sequence[ReceivedMessage]) -> float:
    low, high = PAUSE_SECONDS
    factor = max(1, min(_average_receive_count(messages) / UNWANTED_RECEIVES, MAX_PAUSE_FACTOR))
    return factor * random.uniform(low, high)  # noqa: S311  spreads load, guards nothing
