"""Ask and find the answer: the only place that knows how an answer finds its client.

Every client listens on one shared response queue and takes what carries the id of a request of its own.
Others' answers are released at once, for their owners; those whose asker has stopped waiting are deleted
by whoever meets them. See docs/adr/0003-shared-response-queue.md.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from courier.aws import Clock
from courier.errors import AwsTrouble, CourierError, NoAnswer
from courier.mailbox import MAX_BATCH, Delivery, Mailbox
from courier.outage import Outage
from courier.wire import Reply, Request, decode_reply, encode_request, new_request_id

#: How long one receive waits for answers. Shorter than SQS's 20 s: a client that is killed meanwhile
#: leaves a poll behind that may take one more answer with it.
POLL_SECONDS = 5
#: How long answers stay with a client that received them: long enough to sort ten, short enough that
#: those a killed client held are soon back.
VISIBILITY_SECONDS = 2
#: After a receive with nothing of ours, a random pause keeps clients from passing the same answers round.
PAUSE_SECONDS = (0.02, 0.12)
#: The pause grows up to this many times while nothing of ours comes.
MAX_PAUSE_FACTOR = 4
#: How many requests are under way at once when there are many.
DEFAULT_WINDOW = 100
#: How many settled ids are remembered, to know a second or a late answer when it comes.
REMEMBERED = 10_000
_END = object()


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing to ask: a body, and options for the worker."""

    body: str
    options: Mapping[str, str] = field(default_factory=dict)


#: What a stream of questions may hold: a question; an error, where there is none to ask, which is its
#: outcome; or None, where there is none at the moment.
Asked = Question | CourierError | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a question, and the seconds from sending it to its answer (or to giving up).

    The result is the worker's reply, or why there is none: NoAnswer, MessageTooLong or Undelivered.
    """

    result: Reply | CourierError
    request_id: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    index: int
    sent_at: float


class _Source:
    """Numbered questions, taken a few at a time."""

    def __init__(self, questions: Iterable[Asked]) -> None:
        self._questions = iter(questions)
        self._taken = 0
        self.exhausted = False

    def take(self, limit: int) -> list[tuple[int, Question | CourierError]]:
        """Return up to `limit` questions with their numbers, from 0."""
        batch: list[tuple[int, Question | CourierError]] = []
        while len(batch) < limit and not self.exhausted:
            question = next(self._questions, _END)
            if question is _END:
                self.exhausted = True
            elif isinstance(question, Question | CourierError):
                batch.append((self._taken, question))
                self._taken += 1
            else:
                break
        return batch


class _Round:
    """One call of `ask_many`: what is under way and what is done but not yet due."""

    def __init__(self, questions: Iterable[Asked], timeout_seconds: float) -> None:
        self.source = _Source(questions)
        self.timeout_seconds = timeout_seconds
        self.waiting: dict[str, _Waiting] = {}
        self.done: dict[int, Outcome] = {}

    @property
    def is_over(self) -> bool:
        return self.source.exhausted and not self.waiting and not self.done

    @property
    def first_deadline(self) -> float:
        """When the first of those waiting is given up, in monotonic time."""
        return min(item.sent_at for item in self.waiting.values()) + self.timeout_seconds

    @property
    def patience_seconds(self) -> int:
        """How long the next receive may wait: whole seconds, not much beyond the first deadline."""
        left = math.ceil(self.first_deadline - time.monotonic())
        return max(0, min(left, POLL_SECONDS if self.source.exhausted else 1))

    def set_errors_aside(self, batch: Iterable[tuple[int, Question | CourierError]]) -> list[tuple[int, Question]]:
        """Return the questions of `batch`; an error among them is done already, and is its own outcome."""
        questions = []
        for index, asked in batch:
            if isinstance(asked, CourierError):
                self.done[index] = Outcome(result=asked, request_id="", seconds=0.0)
            else:
                questions.append((index, asked))
        return questions

    def finish(self, request_id: str, result: Reply | CourierError) -> None:
        """Note the outcome of a request that was waiting."""
        item = self.waiting.pop(request_id)
        seconds = time.monotonic() - item.sent_at
        self.done[item.index] = Outcome(result=result, request_id=request_id, seconds=seconds)

    def late(self) -> list[str]:
        """Return the ids of those that have waited too long."""
        now = time.monotonic()
        return [key for key, item in self.waiting.items() if now - item.sent_at >= self.timeout_seconds]


class Requester:
    """Posts requests of one kind and waits for their answers. For one thread; make one for each."""

    def __init__(
        self, *, requests: Mailbox, replies: Mailbox, kind: str, clock: Clock, tell: Callable[[str], None]
    ) -> None:
        self._requests = requests
        self._outage = Outage("asking", threading.Event(), tell)
        self._replies = replies
        self._kind = kind
        self._clock = clock
        self._settled: OrderedDict[str, None] = OrderedDict()

    def ask(self, question: Question, *, timeout_seconds: float) -> Outcome:
        """Ask one question and return what became of it. Raises: AwsTrouble."""
        return next(self.ask_many([question], timeout_seconds=timeout_seconds))

    def ask_many(
        self, questions: Iterable[Asked], *, timeout_seconds: float, window: int = DEFAULT_WINDOW
    ) -> Iterator[Outcome]:
        """Yield the outcomes of `questions` in their order, with up to `window` of them under way.

        Each is given `timeout_seconds` from the moment it is sent. A caller that stops early (Ctrl-C
        included) leaves no trace: later answers to what it had asked are deleted when they are met.
        Raises: AwsTrouble.
        """
        current = _Round(questions, timeout_seconds)
        due = 0
        try:
            while not current.is_over:
                self._fill(current, window)
                while due in current.done:
                    yield current.done.pop(due)
                    due += 1
                if current.waiting:
                    self._collect(current)
        finally:
            for request_id in current.waiting:
                self._settle(request_id)

    def _fill(self, current: _Round, window: int) -> None:
        """Send as many questions as the window has room for."""
        while (room := window - len(current.waiting) - len(current.done)) > 0:
            batch = current.source.take(min(MAX_BATCH, room))
            if not batch:
                return
            self._send(current.set_errors_aside(batch), current)

    def _send(self, batch: Sequence[tuple[int, Question]], current: _Round) -> None:
        deadline = self._clock.now() + current.timeout_seconds
        requests = [self._request(question, deadline) for _, question in batch]
        for (index, _), request in zip(batch, requests, strict=True):
            current.waiting[request.request_id] = _Waiting(index=index, sent_at=time.monotonic())
        envelopes = [encode_request(request) for request in requests]
        until = time.monotonic() + current.timeout_seconds
        # A send whose answer was lost may have been accepted: sent again it has the same id, and of two
        # answers the second is dropped.
        for failure in self._outage.persist(lambda: self._requests.send(envelopes), until):
            current.finish(requests[failure.index].request_id, failure.error)

    def _request(self, question: Question, deadline: float) -> Request:
        return Request(
            body=question.body,
            request_id=new_request_id(),
            reply_to=self._replies.name,
            kind=self._kind,
            options=question.options,
            deadline=deadline,
        )

    def _collect(self, current: _Round) -> None:
        """Receive until at least one of those waiting is answered or given up."""
        fruitless = 0
        while not self._give_up(current):
            deliveries = self._outage.persist(lambda: self._receive(current.patience_seconds), current.first_deadline)
            if self._sort(deliveries, current):
                return
            if deliveries:
                fruitless += 1
                _pause(fruitless)
            if not current.source.exhausted:
                return

    def _sort(self, deliveries: Sequence[Delivery], current: _Round) -> bool:
        """Keep what is ours, delete what is dead, release the rest; return whether any was ours."""
        mine, dead, alive = [], [], []
        for delivery in deliveries:
            reply = decode_reply(delivery.envelope)
            if reply.request_id in current.waiting:
                current.finish(reply.request_id, reply)
                self._settle(reply.request_id)
                mine.append(delivery)
            elif reply.request_id in self._settled or self._is_dead(reply):
                dead.append(delivery)
            else:
                alive.append(delivery)
        self._dispose(alive, mine + dead)
        return bool(mine)

    def _receive(self, wait_seconds: int) -> list[Delivery]:
        return self._replies.receive(wait_seconds=wait_seconds, visibility_seconds=VISIBILITY_SECONDS)

    def _dispose(self, alive: Sequence[Delivery], done: Sequence[Delivery]) -> None:
        """Release others' answers, delete ours and dead ones; in trouble, leave that to their timeout.

        What is not deleted now comes again, and is known then.
        """
        try:
            self._replies.release(alive)
            self._replies.acknowledge(done)
        except AwsTrouble as error:
            self._outage.wait_out(error)

    def _is_dead(self, reply: Reply) -> bool:
        return reply.deadline is not None and reply.deadline < self._clock.now()

    def _give_up(self, current: _Round) -> bool:
        """Give up on what has waited too long; return whether there was any."""
        late = current.late()
        for request_id in late:
            message = f"No answer came from {self._replies.name} within {current.timeout_seconds:g} s."
            current.finish(request_id, NoAnswer(message))
            self._settle(request_id)
        return bool(late)

    def _settle(self, request_id: str) -> None:
        self._settled[request_id] = None
        while len(self._settled) > REMEMBERED:
            self._settled.popitem(last=False)


def _pause(fruitless: int) -> None:
    low, high = PAUSE_SECONDS
    factor = min(fruitless, MAX_PAUSE_FACTOR)
    threading.Event().wait(factor * random.uniform(low, high))  # noqa: S311  spreads load, guards nothing
