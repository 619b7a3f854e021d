"""A model of workers in SimPy, on a queue: what waits, for how long, and what that takes of processors and calls.

It has the worker's own rules: room for messages in flight, receivers that help under load, replies in batches, the
request deleted last. Times are in seconds. A run has no chance in it but what its arrivals bring: the same arrivals
give the same run.

Simplified: each process polls for itself, and not in turns; a heartbeat costs nothing; work waits in line for a core,
in slices, and not by Linux's scheduler.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from simpy import Environment, Event

from bench.fleet_queue import TOLERANCE, Job, Queue, Steps, call_back
from courier.aws.sqs import MAX_BATCH
from courier.messaging.config import FIRST_VISIBILITY_SECONDS, WorkerConfig, idle_poll_seconds
from courier.messaging.outbox import LINGER_SECONDS
from courier.messaging.worker import BUSY_POLL_SECONDS, RECEIVERS

#: The longest turn on a core, in seconds: long work shares it with short work, as Linux has them share.
SLICE_SECONDS = 0.05


@dataclass(kw_only=True)
class Credits:
    """CPU credits of a burstable instance in `standard` mode, in seconds of a core.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html
    """

    #: What is earned in a second, for all cores together: 0.2 for a t3.micro.
    rate: float
    #: The most that can be kept.
    most: float
    balance: float = 0.0
    _at: float = 0.0

    def spend(self, seconds: float, now: float) -> float:
        """Return how long work of `seconds` takes that begins at `now`: longer without credits."""
        self.balance = min(self.most, self.balance + self.rate * max(0.0, now - self._at)) - seconds
        self._at = max(self._at, now)
        return seconds if self.balance >= 0 else max(seconds, -self.balance / self.rate)


@dataclass
class Lane:
    """What only one thread can have: a process's interpreter."""

    free_at: float = 0.0


class Cpu:
    """The cores of an instance. Work waits in line for one, and lets others pass after `SLICE_SECONDS`."""

    def __init__(self, env: Environment, cores: int, credit: Credits | None = None) -> None:
        self._env = env
        self._free = [0.0] * cores
        self._credit = credit
        #: Seconds of work done.
        self.used = 0.0

    def run(self, seconds: float, lane: Lane | None = None) -> Steps:
        """Work for that long, on a core and, if there is one, in the lane."""
        while seconds > TOLERANCE:
            part = min(seconds, SLICE_SECONDS)
            seconds -= part
            yield self._env.timeout(self.turn(part, lane))

    def turn(self, seconds: float, lane: Lane | None = None) -> float:
        """Take the next turn on a core, and in the lane; return how long it is from now until that ends."""
        start = max(self._env.now, heapq.heappop(self._free), lane.free_at if lane else 0.0)
        end = start + (self._credit.spend(seconds, start) if self._credit else seconds)
        heapq.heappush(self._free, end)
        if lane:
            lane.free_at = end
        self.used += seconds
        return end - self._env.now


@dataclass(frozen=True, kw_only=True)
class Service:
    """What a worker of an application is, and what its requests take, in seconds."""

    concurrency: int
    capacity: int
    #: Processor time of a call to AWS.
    call_cpu_seconds: float = 0.0
    #: What each call takes beside that.
    receive_seconds: float = 0.0
    send_seconds: float = 0.0
    delete_seconds: float = 0.0
    #: Whether a job's work is sleep, and needs no core.
    is_sleep: bool = False
    #: Whether handlers compute in the worker's own process, of which one core is the most; images have processes.
    is_in_process: bool = True
    visibility_seconds: float = WorkerConfig().visibility_seconds
    idle_poll_seconds: float = idle_poll_seconds(WorkerConfig())


class Worker:
    """A worker process: receivers, handlers and repliers, as `courier.messaging.worker` has them."""

    def __init__(self, env: Environment, queue: Queue, service: Service, cpu: Cpu) -> None:
        self._env = env
        self._queue = queue
        self._service = service
        self._cpu = cpu
        self._lane = Lane()
        self._is_alive = True
        self._is_under_load = self._has_timer = False
        self._reserved = self._unfinished = 0
        self._held: set[Job] = set()
        self._todo: deque[Job] = deque()
        self._outbox: deque[tuple[float, Job]] = deque()
        self._idle: deque[Event] = deque()
        self._helpers: list[Event] = []
        self._no_room: list[Event] = []
        #: When it last had something in flight.
        self.busy_at = env.now
        for number in range(RECEIVERS):
            env.process(self._receive(is_helper=number > 0))
        for _ in range(service.concurrency):
            env.process(self._handle())

    @property
    def is_busy(self) -> bool:
        """Whether it holds a message."""
        return bool(self._held)

    def kill(self) -> None:
        """End it at once: what it holds is visible again after its visibility timeout."""
        self._is_alive = False
        self._queue.give_back(list(self._held), self._service.visibility_seconds)
        self._held.clear()

    # Receivers

    def _receive(self, *, is_helper: bool) -> Steps:
        service = self._service
        least = min(MAX_BATCH, max(1, service.capacity - service.concurrency))
        while self._is_alive:
            while is_helper and not self._is_under_load:
                yield self._wait(self._helpers)
            while self._room() < least:
                yield self._wait(self._no_room)
            granted = min(MAX_BATCH, self._room())
            self._reserved += granted
            yield self._call(service.receive_seconds / 2)
            poll = self._queue.receive(granted, 0 if is_helper else self._poll_seconds())
            yield poll
            if service.receive_seconds:
                yield self._env.timeout(service.receive_seconds / 2)
            self._reserved -= granted
            self._admit(poll.value or [])

    def _admit(self, jobs: Sequence[Job]) -> None:
        if not self._is_alive:
            self._queue.give_back(jobs, FIRST_VISIBILITY_SECONDS)
            return
        self._is_under_load = len(jobs) == MAX_BATCH
        self._held.update(jobs)
        self._unfinished += len(jobs)
        self._todo.extend(jobs)
        for _ in range(min(len(jobs), len(self._idle))):
            self._idle.popleft().succeed()
        if self._is_under_load:
            _wake(self._helpers)
        _wake(self._no_room)

    def _poll_seconds(self) -> float:
        return BUSY_POLL_SECONDS if self._held else self._service.idle_poll_seconds

    def _room(self) -> int:
        return self._service.capacity - self._reserved - len(self._held)

    # Handlers

    def _handle(self) -> Steps:
        while self._is_alive:
            if not self._todo:
                waiting = self._env.event()
                self._idle.append(waiting)
                yield waiting
                continue
            job = self._todo.popleft()
            self._queue.started(job)
            if self._service.is_sleep:
                yield self._env.timeout(job.work_seconds)
            else:
                yield from self._cpu.run(job.work_seconds, self._lane if self._service.is_in_process else None)
            self._unfinished -= 1
            self._outbox.append((self._env.now, job))
            self._post()

    # Repliers

    def _post(self) -> None:
        """Send what is due: ten replies, all if no more are coming, or those that have waited for `LINGER_SECONDS`."""
        while self._outbox and self._is_due():
            batch = [self._outbox.popleft()[1] for _ in range(min(MAX_BATCH, len(self._outbox)))]
            self._reply(batch)
        if self._outbox and not self._has_timer:
            self._has_timer = True
            left = self._outbox[0][0] + LINGER_SECONDS - self._env.now
            call_back(self._env.timeout(left), self._end_timer)

    def _is_due(self) -> bool:
        waited = self._env.now - self._outbox[0][0]
        return len(self._outbox) >= MAX_BATCH or self._unfinished == 0 or waited >= LINGER_SECONDS - TOLERANCE

    def _end_timer(self) -> None:
        self._has_timer = False
        self._post()

    def _reply(self, batch: Sequence[Job]) -> None:
        self._queue.calls += 1  # to the reply queue
        call_back(self._call(self._service.send_seconds), lambda: self._acknowledge(batch))

    def _acknowledge(self, batch: Sequence[Job]) -> None:
        call_back(self._call(self._service.delete_seconds), lambda: self._forget(batch))

    def _forget(self, batch: Sequence[Job]) -> None:
        if self._is_alive:
            self._queue.delete(len(batch))
            self._held.difference_update(batch)
            self.busy_at = self._env.now
            _wake(self._no_room)

    # Calls

    def _call(self, seconds: float) -> Event:
        return self._env.timeout(self._cpu.turn(self._service.call_cpu_seconds, self._lane) + seconds)

    def _wait(self, waiting: list[Event]) -> Event:
        event = self._env.event()
        waiting.append(event)
        return event


def _wake(waiting: list[Event]) -> None:
    for event in waiting:
        event.succeed()
    waiting.clear()
