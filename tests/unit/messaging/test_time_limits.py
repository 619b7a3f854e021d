from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from courier.aws.message import Message
from courier.aws.sqs import ReceivedMessage
from courier.messaging import time_limits
from courier.messaging.time_limits import TimeLimits
from tests.support.clocks import FakeTime, Ticks


def delivery(name: str) -> ReceivedMessage:
    return ReceivedMessage(message=Message(body=""), message_id=name, receipt_handle=name, receive_count=1)


def test_work_that_ended_in_time_is_its_workers_to_finish() -> None:
    made = TimeLimits(time_limit_seconds=60)
    made.begin(delivery("a"))

    assert made.end(delivery("a"))
    assert not made.end(delivery("a"))


def looked(made: TimeLimits, clock: FakeTime, times: int) -> list[str]:
    """Return what is given up in so many looks."""
    late: list[str] = []
    made.look(Ticks(times, clock), lambda one: late.append(one.message_id))
    return late


def test_work_is_given_up_at_the_first_look_beyond_its_limit_and_no_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    monkeypatch.setattr("courier.messaging.time_limits.time", clock)
    made = TimeLimits(time_limit_seconds=4 * time_limits.LOOK_SECONDS)
    made.begin(delivery("early"))
    clock.now += time_limits.LOOK_SECONDS
    made.begin(delivery("late"))

    assert looked(made, clock, 3) == []  # at its limit, the first is still in time
    clock.now -= time_limits.LOOK_SECONDS  # the wait that ends a round of looks takes time, too
    assert looked(made, clock, 1) == ["early"]
    assert made.end(delivery("late"))


def test_work_that_ends_while_it_is_looked_at_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    monkeypatch.setattr("courier.messaging.time_limits.time", clock)
    made = TimeLimits(time_limit_seconds=0)
    for name in "ab":
        made.begin(delivery(name))
    late: list[str] = []

    def give_up(one: ReceivedMessage) -> None:
        late.append(one.message_id)
        made.end(delivery("b"))

    made.look(Ticks(3, clock), give_up)

    assert late == ["a"]


def test_work_past_its_limit_is_given_up_once_and_then_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "LOOK_SECONDS", 0.01)
    made = TimeLimits(time_limit_seconds=0.05)
    stopped, given_up = threading.Event(), threading.Semaphore(0)
    late: list[str] = []

    def give_up(one: ReceivedMessage) -> None:
        late.append(one.message_id)
        given_up.release()

    made.begin(delivery("a"))
    thread = threading.Thread(target=made.look, args=(stopped, give_up))
    thread.start()
    assert given_up.acquire(timeout=60)
    stopped.set()
    thread.join(60)

    assert late == ["a"]
    assert not made.end(delivery("a"))


def test_work_within_its_limit_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time_limits, "time", SimpleNamespace(monotonic=lambda: now))
    made = TimeLimits(time_limit_seconds=60)
    made.begin(delivery("a"))

    now += 59
    assert made._late() == []
    now += 2
    assert [one.message_id for one in made._late()] == ["a"]
