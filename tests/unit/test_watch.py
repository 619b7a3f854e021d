from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from courier import watch
from courier.mailbox import Delivery
from courier.watch import Watch
from courier.wire import Envelope


def delivery(name: str) -> Delivery:
    return Delivery(envelope=Envelope(body=""), message_id=name, receipt_handle=name, receive_count=1)


def test_work_that_ended_in_time_is_its_workers_to_finish() -> None:
    made = Watch(time_limit_seconds=60)
    made.begin(delivery("a"))

    assert made.end(delivery("a"))
    assert not made.end(delivery("a"))


def test_work_past_its_limit_is_given_up_once_and_then_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.01)
    made = Watch(time_limit_seconds=0.05)
    stopped, given_up = threading.Event(), threading.Semaphore(0)
    late: list[str] = []

    def give_up(one: Delivery) -> None:
        late.append(one.message_id)
        given_up.release()

    made.begin(delivery("a"))
    thread = threading.Thread(target=made.look, args=(stopped, give_up))
    thread.start()
    assert given_up.acquire(timeout=5)
    stopped.set()
    thread.join(5)

    assert late == ["a"]
    assert not made.end(delivery("a"))


def test_work_within_its_limit_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: now))
    made = Watch(time_limit_seconds=60)
    made.begin(delivery("a"))

    now += 59
    assert made._late() == []
    now += 2
    assert [one.message_id for one in made._late()] == ["a"]
