"""What a replier does when queues refuse or AWS is in trouble; queues that work are in tests/acceptance."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from courier.aws import backoff
from courier.aws.message import Message
from courier.aws.retry import Failure
from courier.aws.session import Aws
from courier.aws.sqs import Mailbox, ReceivedMessage
from courier.errors import (
    AccessDenied,
    AwsError,
    CredentialsRefused,
    MessageTooLong,
    QueueMissing,
    ReceiptHandleInvalid,
    Throttled,
    Undelivered,
    Unreachable,
)
from courier.messaging.in_flight import InFlightMessages
from courier.messaging.outbox import Finished, Outbox
from courier.messaging.protocol import Answer, Rejection, Reply, encode_reply
from courier.messaging.replies import Replier
from tests.support.clocks import FakeTime


class Desk:
    """A replier with its neighbours, whose queues do what a test says and note what was done, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[str, list[str]]] = []
        self.on_send: list[list[Failure] | Exception] = []
        #: What sending to other queues than the default one meets, for ever.
        self.broken: dict[str, Exception] = {}
        self.on_acknowledge: list[list[Failure] | Exception] = []
        monkeypatch.setattr(Mailbox, "send", lambda mailbox, envelopes: self._send(mailbox, envelopes))  # noqa: PLW0108  binds
        monkeypatch.setattr(Mailbox, "acknowledge", self._note("acknowledged", self.on_acknowledge))
        monkeypatch.setattr(Mailbox, "release", self._note("released", []))
        monkeypatch.setattr(backoff, "delays", lambda: iter([0.0] * 1000))
        self.outbox = Outbox()
        inbox = Mailbox(cast("Aws", None), "requestQueue")
        self.custody = InFlightMessages(inbox, capacity=10, visibility_seconds=10)
        self.stopped = threading.Event()
        self.now = 1000.0
        self.replier = Replier(
            cast("Aws", SimpleNamespace(clock=SimpleNamespace(is_past=lambda moment: self.now > moment))),
            inbox=inbox,
            custody=self.custody,
            outbox=self.outbox,
            default="responseQueue",
            stopped=self.stopped,
        )

    def finish(
        self, name: str, reply: Reply | None = None, *, queue: str = "responseQueue", deadline: float | None = None
    ) -> None:
        """Put one finished request into the outbox."""
        delivery = ReceivedMessage(envelope=Message(body=""), message_id=name, receipt_handle=name, receive_count=1)
        self.custody.admit([delivery], reserved=self.custody.reserve())
        self.outbox.expect(1)
        self.outbox.put(
            Finished(
                delivery=delivery,
                reply_queue=queue,
                deadline=deadline,
                envelope=encode_reply(reply or Answer(body=name, request_id=name)),
                request_id=name,
                kind="numbers",
                outcome="ok",
            )
        )

    def run(self) -> list[tuple[str, list[str]]]:
        """Let the replier work until the outbox is empty, and what waits has been tried; return what it did."""
        self.outbox.close()
        self.replier.work()
        while self.replier._backlog._queues and not self.broken:
            self.retry()
        return self.done

    def retry(self) -> list[tuple[str, list[str]]]:
        """Have what waits tried once, and sent if it can be; return what was done."""
        before = len(self.done)
        if due := self.replier._backlog.take_due(10):
            self.replier._retry(*due)
        self.replier.work()
        return self.done[before:]

    def _send(self, mailbox: Mailbox, envelopes: list[Message]) -> list[Failure]:
        self.done.append((f"sent to {mailbox.name}", [envelope.body for envelope in envelopes]))
        if mailbox.name in self.broken:
            raise self.broken[mailbox.name]
        return _next(self.on_send)

    def _note(self, word: str, outcomes: list[list[Failure] | Exception]) -> Callable[..., list[Failure]]:
        def call(_mailbox: Mailbox, deliveries: list[ReceivedMessage]) -> list[Failure]:
            self.done.append((word, [delivery.receipt_handle for delivery in deliveries]))
            return _next(outcomes)

        return call


def _next(outcomes: list[list[Failure] | Exception]) -> list[Failure]:
    outcome = outcomes.pop(0) if outcomes else []
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def is_refusal(body: str, fact: str) -> bool:
    return body.startswith("?Error. ") and fact in body


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_an_answer_is_sent_before_its_request_is_acknowledged(desk: Desk) -> None:
    desk.finish("a")
    desk.finish("b")

    assert desk.run() == [("sent to responseQueue", ["a", "b"]), ("acknowledged", ["a", "b"])]
    assert desk.custody.is_idle


def test_a_send_that_meets_trouble_is_made_again_and_nothing_acknowledged_before_it(desk: Desk) -> None:
    desk.on_send.extend([Unreachable("No network."), Unreachable("No network.")])
    desk.finish("a")

    assert [word for word, _ in desk.run()] == ["sent to responseQueue"] * 3 + ["acknowledged"]


def test_an_acknowledgement_that_meets_trouble_is_made_again(desk: Desk) -> None:
    desk.on_acknowledge.append(Unreachable("No network."))
    desk.finish("a")

    assert [word for word, _ in desk.run()] == ["sent to responseQueue", "acknowledged", "acknowledged"]


def test_an_answer_refused_by_its_queue_is_not_acknowledged_but_refused_in_words(desk: Desk) -> None:
    desk.on_send.append([Failure(index=1, error=MessageTooLong("Too long."))])
    desk.finish("a")
    desk.finish("b")

    done = desk.run()

    assert [word for word, _ in done] == ["sent to responseQueue", "acknowledged"] * 2
    assert [names for _, names in done[:2] + done[3:]] == [["a", "b"], ["a"], ["b"]]
    assert len(done[2][1]) == 1
    assert is_refusal(done[2][1][0], "could not be sent. Too long.")


def test_a_refusal_that_cannot_be_sent_gives_its_request_back(desk: Desk) -> None:
    desk.on_send.append([Failure(index=0, error=Undelivered("No."))])
    desk.finish("a", Rejection(reason="x", request_id="a"))

    assert desk.run() == [("sent to responseQueue", ["?Error. x"]), ("released", ["a"])]
    assert desk.custody.is_idle


def test_a_request_that_could_not_be_deleted_is_told(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.on_acknowledge.append([Failure(index=0, error=Undelivered("No."))])
    desk.finish("a")
    desk.run()

    assert "will come again: No." in caplog.text
    assert desk.custody.is_idle


def test_a_broken_reply_queue_holds_up_no_other(desk: Desk) -> None:
    desk.broken["responseQueue-a"] = Throttled("502")
    desk.finish("a", queue="responseQueue-a")
    desk.finish("b", queue="responseQueue-b")
    desk.finish("c")

    desk.run()

    assert [delivery.receipt_handle for delivery in desk.custody.everything()] == ["a"]
    assert ("acknowledged", ["b", "c"]) in desk.done
    assert [word for word, _ in desk.done].count("sent to responseQueue-a") == 1
    assert desk.custody.reserve() == 10  # what waits takes nobody's room


def test_further_answers_to_a_broken_queue_wait_without_a_call_and_all_are_sent_once_it_heals(desk: Desk) -> None:
    desk.broken["responseQueue-a"] = Throttled("502")
    for number in range(25):
        desk.custody._capacity = 100
        desk.finish(str(number), queue="responseQueue-a")
    desk.run()
    assert [len(bodies) for _, bodies in desk.done] == [10]

    assert [len(bodies) for _, bodies in desk.retry()] == [10]  # one batch tells whether it is well again
    desk.broken.clear()
    done = desk.retry()

    sent = [body for word, bodies in done if word == "sent to responseQueue-a" for body in bodies]
    acknowledged = [name for word, names in done if word == "acknowledged" for name in names]
    assert sorted(sent, key=int) == [str(number) for number in range(25)]
    assert sorted(acknowledged, key=int) == [str(number) for number in range(25)]
    assert desk.custody.is_idle


@pytest.mark.parametrize("error", [Throttled("502"), Unreachable("No."), AwsError("Odd."), CredentialsRefused("Dead.")])
def test_an_answer_is_tried_until_its_deadline_and_then_its_request_is_deleted(
    desk: Desk, error: AwsError, caplog: pytest.LogCaptureFixture
) -> None:
    desk.broken["responseQueue-a"] = error
    desk.finish("a", queue="responseQueue-a", deadline=desk.now + 60)
    desk.run()
    desk.now += 60
    for _ in range(3):
        assert [word for word, _ in desk.retry()] == ["sent to responseQueue-a"]
    assert not desk.custody.is_idle

    desk.now += 1

    assert desk.retry() == [("acknowledged", ["a"])]
    assert desk.custody.is_idle
    assert "1 answers to responseQueue-a" in caplog.text
    assert "before their deadline" in caplog.text


@pytest.mark.parametrize("error", [QueueMissing("Gone."), AccessDenied("No.")])
def test_answers_are_dropped_where_their_queue_is_gone_or_closed_to_us(
    desk: Desk, error: AwsError, caplog: pytest.LogCaptureFixture
) -> None:
    desk.broken["responseQueue-a"] = error
    desk.finish("a", queue="responseQueue-a", deadline=desk.now + 60)

    assert desk.run() == [("sent to responseQueue-a", ["a"]), ("acknowledged", ["a"])]
    assert error.message in caplog.text
    assert not desk.replier._backlog._queues


@pytest.mark.parametrize("error", [QueueMissing("Gone."), AccessDenied("No."), AwsError("Odd.")])
def test_of_the_default_queue_nothing_is_dropped(desk: Desk, error: AwsError) -> None:
    desk.on_send.extend([error] * 3)
    desk.finish("a")

    assert [word for word, _ in desk.run()] == ["sent to responseQueue"] * 4 + ["acknowledged"]


def test_what_waits_for_a_broken_queue_leaves_room_for_other_requests(desk: Desk) -> None:
    desk.broken["responseQueue-a"] = Throttled("502")
    desk.custody._capacity = 2
    desk.finish("first", queue="responseQueue-a")
    desk.replier._dispatch(desk.outbox.take())
    desk.finish("second", queue="responseQueue-a")
    desk.replier._dispatch(desk.outbox.take())

    assert [word for word, _ in desk.done] == ["sent to responseQueue-a"]
    assert desk.custody.reserve() == 2
    assert len(desk.custody.everything()) == 2


@pytest.mark.parametrize(
    ("queue", "doing"), [("responseQueue-a", "(answering to responseQueue-a)"), ("responseQueue", "(answering)")]
)
def test_trouble_with_a_queue_is_told_by_its_name_and_so_is_its_end(
    desk: Desk, queue: str, doing: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.broken[queue] = Throttled("502")
    desk.finish("a", queue=queue, deadline=desk.now + 60)
    desk.run()
    for _ in range(3):
        desk.retry()
    desk.broken.clear()

    desk.retry()

    assert caplog.text.count("Waiting, and trying again") == 1
    assert caplog.text.count("AWS answers again") == 1
    assert caplog.text.count(doing) == 2


@pytest.mark.parametrize("end", [QueueMissing("Gone."), ZeroDivisionError(), None])
def test_a_queue_that_did_not_heal_is_not_told_to_answer_again(
    desk: Desk, end: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    desk.broken["responseQueue-a"] = Throttled("502")
    desk.finish("a", queue="responseQueue-a", deadline=desk.now + 60)
    desk.run()
    if end:
        desk.broken["responseQueue-a"] = end
    else:
        desk.now += 100  # nobody waits for it any more

    with suppress(ZeroDivisionError):
        desk.retry()

    assert not desk.replier._backlog._queues
    assert "AWS answers again" not in caplog.text


def test_a_call_that_is_too_long_is_made_one_by_one_and_who_is_too_long_is_told_so(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.on_send.extend([MessageTooLong("Too long."), [], MessageTooLong("Still too long.")])
    desk.finish("a")
    desk.finish("b")

    done = desk.run()

    *calls, refusals = [names for word, names in done if word == "sent to responseQueue"]
    assert calls == [["a", "b"], ["a"], ["b"]]
    assert len(refusals) == 1
    assert is_refusal(refusals[0], "could not be sent. Still too long.")
    assert sorted(name for word, names in done if word == "acknowledged" for name in names) == ["a", "b"]
    assert "answer to b refused" in caplog.text
    assert "Still too long." in caplog.text


def test_a_finished_request_is_logged_with_what_programs_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk.finish("a")
    (delivery,) = desk.custody.everything()
    monkeypatch.setattr("courier.messaging.replies.time", FakeTime(delivery.received_at + 0.25))
    with caplog.at_level(logging.INFO):
        desk.run()

    (record,) = [one for one in caplog.records if hasattr(one, "fields")]
    assert record.fields == {"request_id": "a", "kind": "numbers", "outcome": "ok", "milliseconds": 250.0}
    assert "request a numbers ok in 250.0 ms" in record.getMessage()


def test_a_request_without_an_id_is_logged_by_its_messages(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.finish("a")
    (finished,) = desk.outbox.take()
    desk.outbox.put_back([replace(finished, request_id="")])
    with caplog.at_level(logging.INFO):
        desk.run()

    assert "request a numbers ok" in caplog.text


def test_a_delete_that_is_refused_because_nothing_is_ours_any_more_is_not_made_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.on_acknowledge.append(ReceiptHandleInvalid("Expired."))
    desk.finish("a")

    assert desk.run() == [("sent to responseQueue", ["a"]), ("acknowledged", ["a"])]
    assert desk.custody.is_idle
    assert "Expired." in caplog.text


def test_a_delete_that_cannot_succeed_for_now_is_told_once_and_made_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.on_acknowledge.extend([QueueMissing("None.")] * 3)
    desk.finish("a")

    assert [word for word, _ in desk.run()] == ["sent to responseQueue"] + ["acknowledged"] * 4
    assert caplog.text.count("Waiting, and trying again") == 1


def test_who_stops_while_a_delete_fails_leaves_its_request_to_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        desk.stopped.set()
        raise QueueMissing("None.")

    monkeypatch.setattr(Mailbox, "acknowledge", fail)
    desk.finish("a")

    desk.run()

    assert not desk.custody.is_idle


def test_a_request_that_cannot_be_given_back_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Mailbox, "release", lambda *_: [Failure(index=0, error=Undelivered("Not that."))])
    desk.on_send.append([Failure(index=0, error=Undelivered("No."))])
    desk.finish("a", Rejection(reason="x", request_id="a"))

    desk.run()

    assert "could not be released: Not that." in caplog.text


def test_a_queue_that_breaks_and_then_is_gone_leaves_nothing_waiting(desk: Desk) -> None:
    desk.broken["responseQueue-a"] = Throttled("502")
    desk.finish("a", queue="responseQueue-a")
    desk.run()
    desk.broken["responseQueue-a"] = QueueMissing("Gone.")

    assert desk.retry() == [("sent to responseQueue-a", ["a"]), ("acknowledged", ["a"])]
    assert desk.custody.is_idle


def test_one_answer_that_spoils_its_batch_costs_the_others_nothing(desk: Desk) -> None:
    desk.on_send.extend([AwsError("Odd."), AwsError("Odd."), []])
    desk.finish("a")
    desk.finish("b")
    desk.outbox.close()
    desk.replier.work()

    assert desk.done[:3] == [
        ("sent to responseQueue", ["a", "b"]),
        ("sent to responseQueue", ["a"]),
        ("sent to responseQueue", ["b"]),
    ]
    assert ("acknowledged", ["b"]) in desk.done
    assert desk.retry() == [("sent to responseQueue", ["a"]), ("acknowledged", ["a"])]


def test_an_entry_that_fails_for_the_moment_is_sent_again_and_no_refusal(desk: Desk) -> None:
    desk.on_send.append([Failure(index=1, error=Throttled("Later."))])
    desk.finish("a")
    desk.finish("b")

    assert desk.run() == [
        ("sent to responseQueue", ["a", "b"]),
        ("acknowledged", ["a"]),
        ("sent to responseQueue", ["b"]),
        ("acknowledged", ["b"]),
    ]


def test_deletes_that_fail_for_the_moment_are_made_again(desk: Desk) -> None:
    desk.on_acknowledge.append([Failure(index=0, error=Throttled("Later."))])
    desk.finish("a")

    assert [word for word, _ in desk.run()] == ["sent to responseQueue", "acknowledged", "acknowledged"]


def test_a_message_that_is_not_ours_any_more_is_answered_all_the_same(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.on_acknowledge.append([Failure(index=0, error=ReceiptHandleInvalid("Expired."))])
    desk.finish("a")

    assert desk.run() == [("sent to responseQueue", ["a"]), ("acknowledged", ["a"])]
    assert desk.custody.is_idle
    assert caplog.text.count("Expired.") == 1


def test_a_bug_while_a_stalled_queue_is_tried_lets_go_of_what_it_held_and_keeps_the_rest(desk: Desk) -> None:
    desk.broken["responseQueue-a"] = Throttled("502")
    for number in range(12):
        desk.custody._capacity = 100
        desk.finish(str(number), queue="responseQueue-a")
    desk.run()
    desk.broken["responseQueue-a"] = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        desk.retry()

    assert len(desk.custody.everything()) == 2
    desk.broken.clear()
    desk.replier.work()
    assert desk.custody.is_idle


def test_once_stopped_nothing_is_tried_again_and_all_stays_in_custody(desk: Desk) -> None:
    desk.stopped.set()
    desk.finish("a")

    assert desk.run() == []
    assert not desk.custody.is_idle


def test_a_fault_of_its_own_lets_go_of_what_it_held(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Mailbox, "send", fail)
    desk.finish("a")

    with pytest.raises(ZeroDivisionError):
        desk.run()

    assert desk.custody.is_idle
