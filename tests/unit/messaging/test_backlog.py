from __future__ import annotations

import threading

import pytest

from courier.aws import backoff
from courier.aws.message import Message
from courier.aws.sqs import ReceivedMessage
from courier.errors import Throttled
from courier.messaging.backlog import Backlog
from courier.messaging.outbox import Finished


def finished(name: str) -> Finished:
    received = ReceivedMessage(message=Message(body=name), message_id=name, receipt_handle=name, receive_count=1)
    return Finished(
        received=received,
        reply_queue="q",
        message=Message(body=name),
        request_id=name,
        kind="numbers",
        outcome="ok",
    )


@pytest.fixture
def backlog(monkeypatch: pytest.MonkeyPatch) -> Backlog:
    monkeypatch.setattr(backoff, "delays", lambda: iter([0.0] * 100))
    return Backlog(threading.Event())


def stall(backlog: Backlog, name: str, *replies: str) -> None:
    backlog.stall(name, f"answering to {name}", [finished(reply) for reply in replies], Throttled("502"))


def names(replies: list[Finished]) -> list[str]:
    return [reply.request_id for reply in replies]


def test_only_a_stalled_queue_is_waited_for(backlog: Backlog) -> None:
    stall(backlog, "q", "a")

    assert backlog.join("q", [finished("b")])
    assert not backlog.join("other", [finished("c")])


def test_what_waits_is_taken_in_its_order_by_one_thread_at_a_time(backlog: Backlog) -> None:
    stall(backlog, "q", "a")
    backlog.join("q", [finished("b")])

    due = backlog.take_due(10)

    assert due is not None
    assert (due[0], names(due[1])) == ("q", ["a", "b"])
    assert backlog.take_due(0) is None
    backlog.join("q", [finished("c")])
    assert backlog.take_due(0.01) is None
    backlog.postpone("q", [finished("a"), finished("b")], Throttled("502"))
    again = backlog.take_due(10)
    assert again is not None
    assert names(again[1]) == ["a", "b", "c"]


def test_a_queue_that_is_being_tried_is_not_given_to_a_second_thread_when_a_late_call_fails_too(
    backlog: Backlog,
) -> None:
    stall(backlog, "q", "a")
    backlog.take_due(10)

    stall(backlog, "q", "b")

    assert backlog.take_due(0.01) is None
    assert names(backlog.clear("q", is_well=True)) == ["b"]


def test_a_queue_is_not_tried_before_its_time_and_each_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "delays", lambda: iter([1000.0]))
    backlog = Backlog(threading.Event())
    stall(backlog, "slow", "a")
    monkeypatch.setattr(backoff, "delays", lambda: iter([0.0]))
    stall(backlog, "fast", "b")

    due = backlog.take_due(10)

    assert due is not None
    assert due[0] == "fast"
    assert backlog.take_due(0.01) is None


def test_what_is_stalled_meanwhile_ends_a_wait(backlog: Backlog) -> None:
    threading.Timer(0.02, stall, [backlog, "q", "a"]).start()

    assert backlog.take_due(30) is not None


def test_a_queue_that_is_well_again_gives_up_what_came_meanwhile(
    backlog: Backlog, caplog: pytest.LogCaptureFixture
) -> None:
    stall(backlog, "q", "a")
    backlog.take_due(10)
    backlog.join("q", [finished("b")])

    assert names(backlog.clear("q", is_well=True)) == ["b"]
    assert not backlog.join("q", [finished("c")])
    assert caplog.text.count("502") == 1
    assert "responds again" in caplog.text


def test_nothing_is_due_once_the_worker_has_stopped() -> None:
    stopped = threading.Event()
    backlog = Backlog(stopped)
    stall(backlog, "q", "a")
    stopped.set()

    assert backlog.take_due(30) is None
