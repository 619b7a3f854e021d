from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from simpy import Environment

from bench.fleet_model import Service
from bench.fleet_queue import Job, Queue, arrive
from bench.fleet_scaling import Group, Machine, Policy

ONE_CORE = Machine(name="one core", cores=1)
#: Seconds of a core for each request, one after another.
SERVICE = Service(concurrency=1, capacity=1)
POLICY = Policy(backlog=10, least=1, most=4)


def overloaded(policy: Policy, until: float, count: int = 3000, work_seconds: float = 1.0) -> tuple[Group, Queue]:
    """Run a group on which all requests arrive at once."""
    env = Environment()
    queue = Queue(env)
    group = Group(env, policy, ONE_CORE, [(queue, SERVICE, 1)])
    env.process(arrive(env, queue, [Job(sent_at=1, work_seconds=work_seconds) for _ in range(count)]))
    env.run(until=until)
    return group, queue


def test_more_instances_come_after_three_periods_and_the_lag_of_the_metric() -> None:
    group, _ = overloaded(POLICY, until=1000)

    assert [one.launched_at for one in group.instances[1:]] == [240, 240, 240]
    assert group.most == 4


def test_an_instance_works_only_once_it_has_booted() -> None:
    _, queue = overloaded(POLICY, until=1000)
    begun = sorted(sent_at + wait for sent_at, wait in queue.waits)

    before = sum(moment < 540 for moment in begun)
    after = sum(moment >= 540 for moment in begun)
    assert before == pytest.approx(539, abs=2)
    assert after == pytest.approx(4 * 460, abs=8)


def test_during_the_warm_up_a_new_instance_is_no_reason_to_start_more() -> None:
    # 25 to 30 wait for one instance: three would be enough.
    env = Environment()
    queue = Queue(env)
    group = Group(env, replace(POLICY, most=10), ONE_CORE, [(queue, SERVICE, 1)])
    jobs = [Job(sent_at=at, work_seconds=1) for at in [0.5] * 30 + [float(second) for second in range(1, 500)]]
    env.process(arrive(env, queue, jobs))
    env.run(until=500)

    assert len(group.instances) == 3


def test_idle_instances_end_one_by_one_down_to_the_least() -> None:
    group, queue = overloaded(POLICY, until=6000)

    ended = sorted(one.ended_at for one in group.instances if one.ended_at is not None)
    assert len(queue.waits) == 3000
    assert len(ended) == 3
    assert [later - earlier for earlier, later in pairwise(ended)] == [60, 60]
    assert max(sent_at + wait for sent_at, wait in queue.waits) + 15 * 60 < ended[0]


def test_an_instance_that_works_is_protected_from_scale_in() -> None:
    # Few requests wait, so the group would shrink, but each is long.
    policy = replace(POLICY, backlog=2, periods_in=3)
    _, protected = overloaded(policy, until=8_000, count=12, work_seconds=900)
    _, unprotected = overloaded(replace(policy, is_protecting=False), until=8_000, count=12, work_seconds=900)

    assert (len(protected.waits), protected.in_flight) == (12, 0)
    assert len(unprotected.waits) > 12


def test_instances_are_paid_from_their_launch_to_their_end() -> None:
    group, _ = overloaded(replace(POLICY, periods_in=10_000), until=1000)

    assert group.seconds() == 1000 + 3 * (1000 - 240)
