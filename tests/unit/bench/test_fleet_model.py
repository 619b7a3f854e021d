from __future__ import annotations

import heapq
import math
import random
import statistics

import pytest
from simpy import Environment

from bench.fleet_model import Cpu, Credits, Service, Worker
from bench.fleet_queue import Job, Queue, arrive

#: One request at a time, whose work is sleep, and calls that take no time: a server of queueing theory.
SERVER = Service(concurrency=1, capacity=1, is_sleep=True)


def poisson(rate: float, work_seconds: float, count: int) -> list[Job]:
    chosen, now, jobs = random.Random(5), 0.0, []
    for _ in range(count):
        now += chosen.expovariate(rate)
        jobs.append(Job(sent_at=now, work_seconds=chosen.expovariate(1 / work_seconds)))
    return jobs


def erlang_c(servers: int, load: float) -> float:
    """Return the mean wait of M/M/c, in mean service times; `load` is the arrivals in one of them."""
    waiting = load**servers / math.factorial(servers) * servers / (servers - load)
    chance = waiting / (sum(load**k / math.factorial(k) for k in range(servers)) + waiting)
    return chance / (servers - load)


def run(jobs: list[Job], workers: int, service: Service = SERVER, queue: Queue | None = None) -> Queue:
    env = Environment() if queue is None else queue.env
    queue = queue or Queue(env)
    cpu = Cpu(env, cores=workers)
    for _ in range(workers):
        Worker(env, queue, service, cpu)
    env.process(arrive(env, queue, jobs))
    env.run(until=jobs[-1].sent_at + 1000)
    return queue


def waits(queue: Queue) -> list[float]:
    return [wait for _, wait in queue.waits]


def first_come_first_served(jobs: list[Job], servers: int) -> list[float]:
    """Return the waits of a line before `servers`, by its recursion."""
    free, found = [0.0] * servers, []
    for job in jobs:
        start = max(job.sent_at, heapq.heappop(free))
        heapq.heappush(free, start + job.work_seconds)
        found.append(start - job.sent_at)
    return found


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (2, 1.2), (5, 3.0)])
def test_workers_without_overhead_make_requests_wait_as_erlang_says(servers: int, load: float) -> None:
    jobs = poisson(rate=load, work_seconds=1.0, count=50_000)
    waited = first_come_first_served(jobs, servers)
    few = 3_000

    assert statistics.fmean(waited) == pytest.approx(erlang_c(servers, load), rel=0.05)
    assert waits(run(jobs[:few], servers)) == pytest.approx(waited[:few], abs=1e-6)


def test_the_same_arrivals_give_the_same_run() -> None:
    first, second = (run(poisson(rate=1.6, work_seconds=1.0, count=500), 2).waits for _ in range(2))

    assert first == second


def test_beyond_the_in_flight_limit_workers_get_nothing() -> None:
    jobs = poisson(rate=1.6, work_seconds=1.0, count=2_000)

    limited = run(jobs, 5, queue=Queue(Environment(), limit=2))
    free = run(jobs, 5)

    assert (limited.most_in_flight, free.most_in_flight) == (2, 5)
    assert statistics.fmean(waits(limited)) == pytest.approx(statistics.fmean(waits(run(jobs, 2))), rel=1e-6)


def test_a_poll_that_finds_nothing_at_the_limit_gets_what_a_deletion_makes_room_for() -> None:
    env = Environment()
    queue = Queue(env, limit=1)
    queue.send(Job(sent_at=0, work_seconds=0))
    queue.send(Job(sent_at=0, work_seconds=0))
    first, second = queue.receive(10, 20), queue.receive(10, 20)
    env.run(until=5)

    assert (len(first.value or []), second.triggered) == (1, False)

    queue.delete(1)

    assert len(second.value or []) == 1


def test_an_empty_poll_ends_when_its_time_has_passed() -> None:
    env = Environment()
    poll = Queue(env).receive(10, 9)
    env.run(until=poll)

    assert (env.now, poll.value) == (9, [])


def test_a_queue_that_looks_now_and_then_gives_a_message_at_its_next_look() -> None:
    env = Environment()
    queue = Queue(env, look_seconds=0.1)
    poll = queue.receive(10, 9)
    env.process(arrive(env, queue, [Job(sent_at=0.25, work_seconds=0)]))
    env.run(until=poll)

    assert env.now == pytest.approx(0.3)


def test_a_backlog_takes_three_calls_for_ten_requests() -> None:
    jobs = [Job(sent_at=0, work_seconds=0.001) for _ in range(1000)]

    queue = run(jobs, 1, Service(concurrency=4, capacity=100, send_seconds=0.01, delete_seconds=0.01))

    # The empty polls after the work, of 9 s each, come on top.
    assert queue.calls - 1000 // 9 == pytest.approx(300, abs=8)


def test_what_a_killed_worker_held_is_worked_on_after_the_visibility_timeout() -> None:
    env = Environment()
    queue, cpu = Queue(env), Cpu(env, cores=2)
    doomed = Worker(env, queue, SERVER, cpu)
    env.process(arrive(env, queue, [Job(sent_at=1, work_seconds=60)]))
    env.run(until=5)
    Worker(env, queue, SERVER, cpu)
    doomed.kill()
    env.run(until=100)

    assert queue.waits == [(1, 0), (1, 4 + SERVER.visibility_seconds)]
    assert queue.in_flight == 0


def test_handlers_in_one_process_share_a_core_and_those_in_processes_do_not() -> None:
    jobs = [Job(sent_at=0, work_seconds=1) for _ in range(4)]
    started = []
    for is_in_process in (True, False):
        env = Environment()
        queue, cpu = Queue(env), Cpu(env, cores=4)
        Worker(env, queue, Service(concurrency=4, capacity=4, is_in_process=is_in_process), cpu)
        env.process(arrive(env, queue, jobs))
        env.run(until=1.5)
        started.append(cpu.used)

    assert started == [pytest.approx(1.5, abs=0.21), pytest.approx(4)]


def test_without_credits_work_takes_as_long_as_they_take_to_be_earned() -> None:
    env = Environment()
    cpu = Cpu(env, cores=2, credit=Credits(rate=0.2, most=1000, balance=10))
    done = [env.process(cpu.run(10)), env.process(cpu.run(10))]
    env.run(until=env.all_of(done))

    assert env.now == pytest.approx((20 - 10) / 0.2, rel=0.02)
