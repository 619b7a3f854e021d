from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from courier.aws.message import Message
from courier.aws.sqs import ReceivedMessage
from courier.messaging.outbox import Finished, Outbox
from tests.support.clocks import FakeTime

LONG_SECONDS = 60


def finished(name: str) -> Finished:
    message = Message(body=name)
    received = ReceivedMessage(message=message, message_id=name, receipt_handle=name, receive_count=1)
    return Finished(
        received=received, reply_queue="responseQueue", message=message, request_id=name, kind="numbers", outcome="ok"
    )


class CountedOutbox(Outbox):
    """An outbox of a worker with a number of requests that have no reply yet."""

    def __init__(self, unfinished: int = 0) -> None:
        super().__init__(lambda: self.unfinished)
        self.unfinished = unfinished

    def finish(self, *names: str) -> None:
        for name in names:
            self.unfinished -= 1
            self.put(finished(name))


def names(batch: list[Finished]) -> list[str]:
    return [item.request_id for item in batch]


@pytest.fixture
def long_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time that no busy machine takes for a step."""
    monkeypatch.setattr("courier.messaging.outbox.LINGER_SECONDS", LONG_SECONDS)


@pytest.mark.usefixtures("long_linger")
def test_a_lone_answer_leaves_at_once() -> None:
    outbox = CountedOutbox(1)
    outbox.finish("a")

    started = time.monotonic()
    assert names(outbox.take()) == ["a"]
    assert time.monotonic() - started < LONG_SECONDS


@pytest.mark.usefixtures("long_linger")
def test_answers_that_others_will_follow_wait_for_them() -> None:
    outbox = CountedOutbox(2)
    outbox.finish("a")
    threading.Timer(0.05, outbox.finish, ["b"]).start()

    assert names(outbox.take()) == ["a", "b"]


@pytest.mark.usefixtures("long_linger")
def test_a_waiting_thread_is_woken_by_the_last_reply() -> None:
    outbox = CountedOutbox(3)
    outbox.finish("a")
    threading.Timer(0.05, outbox.finish, ["b", "c"]).start()

    started = time.monotonic()
    assert names(outbox.take()) == ["a", "b", "c"]
    assert time.monotonic() - started < LONG_SECONDS


@pytest.mark.usefixtures("long_linger")
def test_a_waiting_thread_is_woken_by_the_tenth_reply() -> None:
    outbox = CountedOutbox(100)
    for number in range(9):
        outbox.finish(str(number))
    threading.Timer(0.05, outbox.finish, ["9"]).start()

    started = time.monotonic()
    assert len(outbox.take()) == 10
    assert time.monotonic() - started < LONG_SECONDS


@pytest.mark.usefixtures("long_linger")
def test_a_waiting_thread_is_woken_by_the_close() -> None:
    outbox = CountedOutbox(2)
    outbox.finish("a")
    threading.Timer(0.05, outbox.close).start()

    started = time.monotonic()
    assert names(outbox.take()) == ["a"]
    assert time.monotonic() - started < LONG_SECONDS


def test_a_waiting_thread_is_woken_by_the_first_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.messaging.outbox.LINGER_SECONDS", 0)
    outbox = CountedOutbox(5)
    threading.Timer(0.05, outbox.finish, ["a"]).start()

    assert names(outbox.take()) == ["a"]


def test_an_answer_lingers_from_when_it_was_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    monkeypatch.setattr("courier.messaging.outbox.time", clock)
    monkeypatch.setattr("courier.messaging.outbox.LINGER_SECONDS", LONG_SECONDS)
    outbox = CountedOutbox(2)
    outbox.finish("a")
    clock.now += LONG_SECONDS  # nobody was there to take it

    started = time.monotonic()
    assert names(outbox.take()) == ["a"]
    assert time.monotonic() - started < LONG_SECONDS


def test_what_goes_out_instead_is_the_same_request_with_another_reply() -> None:
    changed = finished("a").instead(Message(body="other"))

    assert changed == replace(finished("a"), received=changed.received, message=Message(body="other"), outcome="failed")


def test_an_answer_does_not_wait_long_for_slow_ones() -> None:
    outbox = CountedOutbox(2)
    outbox.finish("a")

    assert names(outbox.take()) == ["a"]


def test_ten_leave_together_and_the_rest_follows() -> None:
    outbox = CountedOutbox(12)
    for number in range(12):
        outbox.finish(str(number))

    assert len(outbox.take()) == 10
    assert len(outbox.take()) == 2


@pytest.mark.usefixtures("long_linger")
def test_what_is_put_back_is_taken_again_and_nobody_waits_for_more() -> None:
    outbox = CountedOutbox()
    outbox.put(finished("a"), finished("b"))

    assert names(outbox.take()) == ["a", "b"]


def test_a_closed_outbox_gives_what_it_has_and_then_nothing() -> None:
    outbox = CountedOutbox(1)
    outbox.finish("a")
    outbox.close()

    assert names(outbox.take()) == ["a"]
    assert outbox.take() == []


def test_closing_ends_a_wait() -> None:
    outbox = CountedOutbox()
    threading.Timer(0.02, outbox.close).start()

    assert outbox.take() == []
