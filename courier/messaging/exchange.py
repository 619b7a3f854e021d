"""Send requests and find their responses among everybody's.

Every client listens on one shared response queue and takes what carries the id of a request of its own.
Others' answers are released for their owners, at once or after a look behind a whole batch of them; those
whose asker has stopped waiting are deleted by whoever meets them. See docs/adr/0003-shared-response-queue.md.
"""

from __future__ import annotations

import logging
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from functools import partial

from courier.aws.retry import Retrier
from courier.aws.session import Clock
from courier.aws.sqs import MAX_BATCH, Mailbox, ReceivedMessage
from courier.cancellation import Canceled, Cancellation
from courier.errors import AwsError, CourierError, RequestCanceled, ResponseTimeout
from courier.messaging.pending import Asked, Outcome, PendingRequests, Question, Waiting
from courier.messaging.protocol import PING, Reply, Request, decode_reply, encode_request, new_request_id

log = logging.getLogger(__name__)

#: How long answers stay with a client that received them: long enough to sort ten, short enough that
#: those a killed client held are soon back.
VISIBILITY_SECONDS = 2
#: For how long others' answers are kept aside while looking for ours behind them: less than the above.
ASIDE_SECONDS = VISIBILITY_SECONDS / 2
#: After a receive with nothing of ours, a random pause keeps clients from passing the same answers round.
PAUSE_SECONDS = (0.02, 0.12)
#: Others' answers that were received so often, on the average, are taken for answers that nobody fetches: the
#: pause grows with their receives, up to so many times, and whole batches of them are looked behind.
UNWANTED_RECEIVES = 8
MAX_PAUSE_FACTOR = 4
#: How many requests one asker has under way at once on the shared response queue, where the answers to them
#: are in others' way; and on a queue of its own.
SHARED_WINDOW = 20
OWN_WINDOW = 100
#: How many settled ids are remembered, to know a second or a late answer when it comes.
REMEMBERED = 10_000


class Exchange:
    """Sends requests by one queue and takes their replies from another. For one thread; make one for each."""

    def __init__(
        self,
        *,
        requests: Mailbox,
        replies: Mailbox,
        kind: str,
        clock: Clock,
        tell: Callable[[str], None],
        window: int = SHARED_WINDOW,
        is_expensive: bool = False,
        cancellation: Cancellation | None = None,
    ) -> None:
        self._requests = requests
        self._cancellation = cancellation or Cancellation()
        self._retrier = Retrier("asking", self._cancellation, tell)
        self._replies = replies
        self._kind = kind
        self._window = window
        self._is_expensive = is_expensive
        self._clock = clock
        #: What an asker sends is one group of SQS's fair queues: its batch does not hold others up.
        self._group = new_request_id()
        self._settled: OrderedDict[str, None] = OrderedDict()
        self._aside: list[ReceivedMessage] = []

    @property
    def reply_queue(self) -> str:
        """The name of the queue by which replies come."""
        return self._replies.name

    def ask(self, question: Question, *, timeout_seconds: float) -> Outcome:
        """Ask one question and return what became of it; RequestCanceled, if canceled. Raises: AwsError."""
        return next(self.ask_many([question], timeout_seconds=timeout_seconds))

    def ping(self, *, timeout_seconds: float) -> Outcome:
        """Ask whether a worker is there. Raises: AwsError."""
        return self.ask(Question(body=PING, kind=PING), timeout_seconds=timeout_seconds)

    def ask_many(self, questions: Iterable[Asked], *, timeout_seconds: float) -> Generator[Outcome, None, None]:
        """Yield the outcomes of `questions` in their order, with up to a window of them under way.

        Each is given `timeout_seconds` from the moment it is sent; expensive ones, from the last answer to any.
        Once canceled, no more are taken, and those under way have RequestCanceled as their outcome.
        A caller that stops early leaves no trace: later answers to what it had asked are deleted when they are met.
        Raises: AwsError.
        """
        current = PendingRequests(questions, timeout_seconds, is_patient=self._is_expensive)
        due = 0
        try:
            while not current.is_over:
                self._go_on(current, due)
                while due in current.done:
                    yield current.done.pop(due)
                    due += 1
        finally:
            for request_id in current.waiting:
                self._settle(request_id)
            if self._aside and not self._cancellation.is_canceled:
                self._dispose([], [], look_further=False)

    def cancel(self) -> None:
        """Let `ask_many` ask no more and wait no more. For any thread, and for signal handlers."""
        self._cancellation.cancel()

    def _go_on(self, current: PendingRequests, due: int) -> None:
        """Send what there is room for, and receive once, unless the outcome that is due is there already."""
        with suppress(Canceled):
            self._cancellation.check()
            self._fill(current)
            self._cancellation.check()
            if current.waiting and due not in current.done:
                self._collect(current)
        if self._cancellation.is_canceled:
            current.source.exhausted = True
            self._give_up(list(current.waiting), RequestCanceled(), current)

    def _fill(self, current: PendingRequests) -> None:
        """Send as many questions as the window has room for."""
        while (room := self._window - len(current.waiting) - len(current.done)) > 0:
            batch = current.source.take(min(MAX_BATCH, room))
            self._send(current.set_errors_aside(batch), current)
            if len(batch) < MAX_BATCH:
                # Nothing more at the moment: answers must not wait for a slow stream of questions.
                return

    def _send(self, batch: Sequence[tuple[int, Question]], current: PendingRequests) -> None:
        # Expensive requests are to wait for their like no longer than these take; the asker says when it has gone.
        patience_seconds = current.timeout_seconds * (self._window if self._is_expensive else 1)
        deadline = self._clock.now() + patience_seconds
        requests = [self._request(question, deadline) for _, question in batch]
        for (index, _), request in zip(batch, requests, strict=True):
            current.waiting[request.request_id] = Waiting(index=index, sent_at=time.monotonic())
        # What is expensive travels alone, so that no worker receives several while others are idle.
        size = 1 if self._is_expensive else MAX_BATCH
        for start in range(0, len(requests), size):
            self._post(requests[start : start + size], current)

    def _post(self, requests: Sequence[Request], current: PendingRequests) -> None:
        messages = [encode_request(request) for request in requests]
        until = time.monotonic() + current.timeout_seconds
        # A send whose answer was lost may have been accepted: sent again it has the same id, and of two
        # answers the second is dropped.
        failures = self._retrier.persist_batch(partial(self._requests.send, group=self._group), messages, until)
        for failure in failures:
            current.finish(requests[failure.index].request_id, failure.error)

    def _request(self, question: Question, deadline: float) -> Request:
        return Request(
            body=question.body,
            request_id=new_request_id(),
            reply_to=self._replies.name,
            kind=question.kind or self._kind,
            options=question.options,
            deadline=deadline,
            traceparent=question.traceparent,
            claim=question.claim,
        )

    def _collect(self, current: PendingRequests) -> None:
        """Receive once. If none of ours came, give up those that have waited too long, or pause."""
        deliveries = self._retrier.persist(lambda: self._receive(current.patience_seconds), current.first_deadline)
        mine = self._sort(deliveries, current)
        if mine:
            return
        # Only what was looked for may be given up: an answer may have come while nobody looked, or lie behind
        # these. But even a queue full of others' answers is no reason to look for ever.
        is_over_time = time.monotonic() > current.first_deadline + VISIBILITY_SECONDS
        late = current.late() if len(deliveries) < MAX_BATCH or is_over_time else []
        message = f"No response came from {self._replies.name} within {current.timeout_seconds:g} s."
        self._give_up(late, ResponseTimeout(message), current)
        if deliveries and not late and not self._aside:
            self._cancellation.wait(_pause_seconds(deliveries))

    def _give_up(self, request_ids: Sequence[str], error: CourierError, current: PendingRequests) -> None:
        for request_id in request_ids:
            current.finish(request_id, error)
            self._settle(request_id)

    def _sort(self, deliveries: Sequence[ReceivedMessage], current: PendingRequests) -> list[ReceivedMessage]:
        """Keep what is ours, delete what is dead, release the rest; return what was ours."""
        mine, dead, alive = [], [], []
        for delivery in deliveries:
            reply = decode_reply(delivery.message)
            if reply.request_id in current.waiting:
                current.finish(reply.request_id, reply)
                self._settle(reply.request_id)
                mine.append(delivery)
            elif reply.request_id in self._settled or self._is_dead(reply):
                dead.append(delivery)
            else:
                alive.append(delivery)
        self._dispose(alive, mine + dead, look_further=not mine and _are_in_the_way(deliveries))
        return mine

    def _receive(self, wait_seconds: int) -> list[ReceivedMessage]:
        # While others' answers are kept aside, their owners wait for them: no time for a long poll.
        wait_seconds = 0 if self._aside else wait_seconds
        return self._replies.receive(wait_seconds=wait_seconds, visibility_seconds=VISIBILITY_SECONDS)

    def _dispose(
        self, alive: Sequence[ReceivedMessage], done: Sequence[ReceivedMessage], *, look_further: bool
    ) -> None:
        """Delete our answers and dead ones, and release others'; in trouble, leave that to their timeout.

        While whole batches of others' answers come, they are kept aside for a moment: released at once they
        would come again and again, before ours. What is not deleted now comes again, and is known then.
        """
        self._aside += alive
        if look_further and self._aside and time.monotonic() - self._aside[0].received_at < ASIDE_SECONDS:
            alive = []
        else:
            alive, self._aside = self._aside, []
        try:
            for failure in self._replies.release(alive) + self._replies.acknowledge(done):
                log.info("a response could not be deleted and becomes visible again: %s", failure.error.message)
        except AwsError as error:
            self._retrier.wait_out(error)

    def _is_dead(self, reply: Reply) -> bool:
        return reply.deadline is not None and self._clock.is_past(reply.deadline)

    def _settle(self, request_id: str) -> None:
        self._settled[request_id] = None
        while len(self._settled) > REMEMBERED:
            self._settled.popitem(last=False)


def _are_in_the_way(deliveries: Sequence[ReceivedMessage]) -> bool:
    """Whether there may be answers behind these that nobody will see before these are gone."""
    return len(deliveries) == MAX_BATCH and _receives(deliveries) >= UNWANTED_RECEIVES


def _receives(deliveries: Sequence[ReceivedMessage]) -> float:
    """Return how often these were received, on the average: a measure of how crowded the queue is."""
    return sum(delivery.receive_count for delivery in deliveries) / len(deliveries)


def _pause_seconds(deliveries: Sequence[ReceivedMessage]) -> float:
    low, high = PAUSE_SECONDS
    factor = max(1, min(_receives(deliveries) / UNWANTED_RECEIVES, MAX_PAUSE_FACTOR))
    return factor * random.uniform(low, high)  # noqa: S311  spreads load, guards nothing
