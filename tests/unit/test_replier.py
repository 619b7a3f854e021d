"""What a replier does when queues refuse or AWS is in trouble; queues that work are in tests/acceptance."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from courier import backoff
from courier.aws import Aws
from courier.custody import Custody
from courier.errors import MessageTooLong, Undelivered, Unreachable
from courier.mailbox import Delivery, Failure, Mailbox
from courier.outbox import Finished, Outbox
from courier.replier import Replier
from courier.wire import Answer, Envelope, Refusal, Reply, encode_reply


class Desk:
    """A replier with its neighbours, whose queues do what a test says and note what was done, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[str, list[str]]] = []
        self.on_send: list[list[Failure] | Exception] = []
        self.on_acknowledge: list[list[Failure] | Exception] = []
        monkeypatch.setattr(Mailbox, "send", lambda mailbox, envelopes: self._send(mailbox, envelopes))  # noqa: PLW0108  binds
        monkeypatch.setattr(Mailbox, "acknowledge", self._note("acknowledged", self.on_acknowledge))
        monkeypatch.setattr(Mailbox, "release", self._note("released", []))
        monkeypatch.setattr(backoff, "delays", lambda: iter([0.0] * 1000))
        self.outbox = Outbox()
        inbox = Mailbox(cast("Aws", None), "requestQueue")
        self.custody = Custody(inbox, capacity=10, visibility_seconds=10)
        self.stopped = threading.Event()
        self.replier = Replier(
            cast("Aws", None),
            inbox=inbox,
            custody=self.custody,
            outbox=self.outbox,
            default="responseQueue",
            stopped=self.stopped,
        )

    def finish(self, name: str, reply: Reply | None = None) -> None:
        """Put one finished request into the outbox."""
        delivery = Delivery(envelope=Envelope(body=""), message_id=name, receipt_handle=name, receive_count=1)
        self.custody.admit([delivery], reserved=self.custody.reserve())
        self.outbox.expect(1)
        self.outbox.put(
            Finished(
                delivery=delivery,
                reply_queue="responseQueue",
                envelope=encode_reply(reply or Answer(body=name, request_id=name)),
                request_id=name,
                kind="numbers",
                outcome="ok",
            )
        )

    def run(self) -> list[tuple[str, list[str]]]:
        """Let the replier work until the outbox is empty; return what it did."""
        self.outbox.close()
        self.replier.work()
        return self.done

    def _send(self, mailbox: Mailbox, envelopes: list[Envelope]) -> list[Failure]:
        self.done.append((f"sent to {mailbox.name}", [envelope.body for envelope in envelopes]))
        return _next(self.on_send)

    def _note(self, word: str, outcomes: list[list[Failure] | Exception]) -> Callable[..., list[Failure]]:
        def call(_mailbox: Mailbox, deliveries: list[Delivery]) -> list[Failure]:
            self.done.append((word, [delivery.receipt_handle for delivery in deliveries]))
            return _next(outcomes)

        return call


def _next(outcomes: list[list[Failure] | Exception]) -> list[Failure]:
    outcome = outcomes.pop(0) if outcomes else []
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


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

    assert desk.run() == [
        ("sent to responseQueue", ["a", "b"]),
        ("acknowledged", ["a"]),
        ("sent to responseQueue", ["?Error. The answer could not be sent. Too long."]),
        ("acknowledged", ["b"]),
    ]


def test_a_refusal_that_cannot_be_sent_gives_its_request_back(desk: Desk) -> None:
    desk.on_send.append([Failure(index=0, error=Undelivered("No."))])
    desk.finish("a", Refusal(reason="x", request_id="a"))

    assert desk.run() == [("sent to responseQueue", ["?Error. x"]), ("released", ["a"])]
    assert desk.custody.is_idle


def test_a_request_that_could_not_be_deleted_is_told(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.on_acknowledge.append([Failure(index=0, error=Undelivered("No."))])
    desk.finish("a")
    desk.run()

    assert "could not be deleted and will come again: No." in caplog.text
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
