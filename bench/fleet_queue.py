"""A model of an SQS queue in SimPy: long polls, batches of ten, the in-flight limit, visibility timeouts.

Messages come in the order in which they were sent. Times are in seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

from simpy import Environment, Event

#: The most messages in flight of a standard queue.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
IN_FLIGHT_LIMIT = 120_000
#: Times closer than this are the same.
TOLERANCE = 1e-9

Steps = Generator[Event, None, None]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Job:
    """A request: when it was sent, and how long its work takes, in seconds (of a core, or of sleep)."""

    sent_at: float
    work_seconds: float


@dataclass(eq=False, slots=True)
class _Poll:
    event: Event
    most: int
    until: float


class Queue:
    """An SQS queue. `waits` has, for each start of work, when the request was sent and how long it had waited.

    `look_seconds` is how often a long poll looks for messages: 0 for SQS, where a message ends a poll, and 0.1 for
    the local AWS.
    """

    def __init__(self, env: Environment, *, limit: int = IN_FLIGHT_LIMIT, look_seconds: float = 0.0) -> None:
        self.env = env
        self._limit = limit
        self._look_seconds = look_seconds
        self._polls: deque[_Poll] = deque()
        self.visible: deque[Job] = deque()
        self.in_flight = self.most_in_flight = self.calls = 0
        self.waits: list[tuple[float, float]] = []

    def send(self, job: Job) -> None:
        """Add a request, which ends a poll that waits."""
        self.visible.append(job)
        self._match()

    def receive(self, most: int, wait_seconds: float) -> Event:
        """Return an event whose value is a list of at most `most` jobs, empty after `wait_seconds`."""
        self.calls += 1
        poll = _Poll(self.env.event(), most, self.env.now + wait_seconds)
        self._look(poll)
        return poll.event

    def delete(self, count: int) -> None:
        """Delete messages in flight, in one call."""
        self.calls += 1
        self.in_flight -= count
        self._match()

    def give_back(self, jobs: Sequence[Job], after_seconds: float) -> None:
        """Make jobs of a worker that ended visible again, once their visibility timeout has passed."""
        if jobs:
            call_back(self.env.timeout(after_seconds), lambda: self._reappear(jobs))

    def started(self, job: Job) -> None:
        """Note that work on a job begins."""
        self.waits.append((job.sent_at, self.env.now - job.sent_at))

    def _reappear(self, jobs: Sequence[Job]) -> None:
        self.in_flight -= len(jobs)
        self.visible.extendleft(reversed(jobs))
        self._match()

    def _look(self, poll: _Poll) -> None:
        """Give a poll what there is, or let it wait; a poll that was given something before is over."""
        if poll.event.triggered:
            return
        left = poll.until - self.env.now
        if not self._give(poll) and left <= TOLERANCE:
            poll.event.succeed([])
        elif not poll.event.triggered:
            if not self._look_seconds:
                self._polls.append(poll)
            again = self.env.timeout(min(left, self._look_seconds or left))
            call_back(again, lambda: self._look(poll))

    def _match(self) -> None:
        while self._polls and self.visible and self.in_flight < self._limit:
            poll = self._polls.popleft()
            if not poll.event.triggered:
                self._give(poll)

    def _give(self, poll: _Poll) -> bool:
        count = min(poll.most, len(self.visible), self._limit - self.in_flight)
        if count <= 0:
            return False
        self.in_flight += count
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        poll.event.succeed([self.visible.popleft() for _ in range(count)])
        return True


def arrive(env: Environment, queue: Queue, jobs: Iterable[Job]) -> Steps:
    """Send each job when its time has come; `jobs` are in the order of their times."""
    for job in jobs:
        if job.sent_at > env.now:
            yield env.timeout(job.sent_at - env.now)
        queue.send(job)


def call_back(event: Event, action: Callable[[], None]) -> None:
    """Call `action` when the event happens."""
    event.callbacks.append(lambda _event: action())
