"""Pending requests: where they come from, which still wait, and the outcome of each."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from courier.cancellation import Canceled
from courier.errors import CourierError
from courier.messaging.protocol import Reply

#: How long one receive waits for answers. Shorter than SQS's 20 s: a client that is killed meanwhile
#: leaves a poll behind that may take one more answer with it.
POLL_SECONDS = 5
#: How long questions of a slow stream are gathered into one batch, in seconds.
TAKE_SECONDS = 0.2
_END = object()


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing to ask: a body, options for the worker, and a kind other than the requester's own.

    What is expensive takes a worker a good part of a second or more.
    """

    body: str
    kind: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    is_expensive: bool = False
    traceparent: str = ""
    claim: str = ""


#: What a stream of questions may hold: a question; an error, where there is none to ask, which is its
#: outcome; or None, where there is none at the moment.
Asked = Question | CourierError | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a question, and the seconds from sending it to its answer (or to giving up).

    The result is the worker's reply, or why there is none: ResponseTimeout, RequestCanceled, MessageTooLong or
    Undelivered.
    """

    result: Reply | CourierError
    request_id: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A question that was sent: its place among all, and when, in monotonic time."""

    index: int
    sent_at: float


class Source:
    """Numbered questions, taken a few at a time."""

    def __init__(self, questions: Iterable[Asked]) -> None:
        self._questions = iter(questions)
        self._taken = 0
        self.exhausted = False

    def take(self, limit: int) -> list[tuple[int, Question | CourierError]]:
        """Return up to `limit` questions with their numbers, from 0."""
        batch: list[tuple[int, Question | CourierError]] = []
        until = time.monotonic() + TAKE_SECONDS
        while len(batch) < limit and not self.exhausted and time.monotonic() < until:
            try:
                question = next(self._questions, _END)
            except Canceled:  # what was taken before has its outcome all the same
                question = _END
            if question is _END:
                self.exhausted = True
            elif isinstance(question, Question | CourierError):
                batch.append((self._taken, question))
                self._taken += 1
            else:
                break
        return batch


class PendingRequests:
    """One call of `ask_many`: what is under way and what is done but not yet due.

    A patient one gives up only when nothing at all was answered for so long.
    """

    def __init__(self, questions: Iterable[Asked], timeout_seconds: float, *, is_patient: bool = False) -> None:
        self.source = Source(questions)
        self.timeout_seconds = timeout_seconds
        self._is_patient = is_patient
        self._answered_at = -math.inf
        self.waiting: dict[str, Waiting] = {}
        self.done: dict[int, Outcome] = {}

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to ask, to wait for, or to hand out."""
        return self.source.exhausted and not self.waiting and not self.done

    @property
    def first_deadline(self) -> float:
        """When the first of those waiting is given up, in monotonic time."""
        return min(map(self._waits_since, self.waiting.values())) + self.timeout_seconds

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
        now = time.monotonic()
        self.done[item.index] = Outcome(result=result, request_id=request_id, seconds=now - item.sent_at)
        self._answered_at = now if self._is_patient else self._answered_at

    def late(self) -> list[str]:
        """Return the ids of those that have waited too long."""
        now = time.monotonic()
        return [key for key, item in self.waiting.items() if now - self._waits_since(item) >= self.timeout_seconds]

    def _waits_since(self, item: Waiting) -> float:
        return max(item.sent_at, self._answered_at)
