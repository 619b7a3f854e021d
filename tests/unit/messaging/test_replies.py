"""What a replier does when queues reject or AWS is in an outage; queues that work are in tests/acceptance."""

from __future__ import annotations

import logging
import threading
import time
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
    CredentialsRejected,
    MessageTooLong,
    QueueMissing,
    ReceiptHandleInvalid,
    Rejected,
    Throttled,
    Undelivered,
    Unreachable,
)
from courier.messaging.hooks import Hooks
from courier.messaging.in_flight import InFlightMessages
from courier.messaging.outbox import Finished, Outbox
from courier.messaging.protocol import Rejection, Reply, Request, Response, encode_reply
from courier.messaging.replies import Replier
from courier.messaging.states import State
from tests.support.clocks import FakeTime


class ReplierHarness:
    """A replier with its neighbors, whose queues do what a test says and note what was done, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[str, list[str]]] = []
        self.on_send: list[list[Failure] | Exception] = []
        #: What sending to other queues than the default one meets, forever.
        self.broken: dict[str, Exception] = {}
        self.on_acknowledge: list[list[Failure] | Exception] = []
        monkeypatch.setattr(Mailbox, "send", lambda mailbox, messages: self._send(mailbox, messages))  # noqa: PLW0108  binds
        monkeypatch.setattr(Mailbox, "acknowledge", self._note("acknowledged", self.on_acknowledge))
        monkeypatch.setattr(Mailbox, "release", self._note("released", []))
        monkeypatch.setattr(backoff, "delays", lambda: iter([0.0] * 1000))
        inbox = Mailbox(cast("Aws", None), "requestQueue")
        self.in_flight = InFlightMessages(inbox, capacity=10, ahead=1, visibility_seconds=10)
        self.outbox = Outbox(lambda: self.in_flight.unfinished)
        self.stopped = threading.Event()
        self.now = 1000.0
        self.replier = Replier(
            cast("Aws", SimpleNamespace(clock=SimpleNamespace(is_past=lambda moment: self.now > moment))),
            inbox=inbox,
            in_flight=self.in_flight,
            outbox=self.outbox,
            default="responseQueue",
            stopped=self.stopped,
        )

    def finish(
        self,
        name: str,
        reply: Reply | None = None,
        *,
        queue: str = "responseQueue",
        deadline: float | None = None,
        seconds_ago: float = 60.0,
    ) -> None:
        """Put one finished request into the outbox, received so long ago."""
        received = ReceivedMessage(
            message=Message(body=""),
            message_id=name,
            receipt_handle=name,
            receive_count=1,
            received_at=time.monotonic() - seconds_ago,
        )
        self.in_flight.admit([received], reserved=self.in_flight.reserve())
        self.in_flight.move(received, State.REPLIED, State.RECEIVED)
        self.outbox.put(
            Finished(
                received=received,
                reply_queue=queue,
                deadline=deadline,
                message=encode_reply(reply or Response(body=name, request_id=name)),
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

    def _send(self, mailbox: Mailbox, messages: list[Message]) -> list[Failure]:
        self.done.append((f"sent to {mailbox.name}", [message.body for message in messages]))
        if mailbox.name in self.broken:
            raise self.broken[mailbox.name]
        return _next(self.on_send)

    def _note(self, word: str, outcomes: list[list[Failure] | Exception]) -> Callable[..., list[Failure]]:
        def call(_mailbox: Mailbox, messages: list[ReceivedMessage]) -> list[Failure]:
            self.done.append((word, [received.receipt_handle for received in messages]))
            return _next(outcomes)

        return call


def _next(outcomes: list[list[Failure] | Exception]) -> list[Failure]:
    outcome = outcomes.pop(0) if outcomes else []
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def is_rejection(body: str, fact: str) -> bool:
    return body.startswith("?Error. ") and fact in body


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> ReplierHarness:
    return ReplierHarness(monkeypatch)


def test_an_answer_is_sent_before_its_request_is_acknowledged(harness: ReplierHarness) -> None:
    harness.finish("a")
    harness.finish("b")

    assert harness.run() == [("sent to responseQueue", ["a", "b"]), ("acknowledged", ["a", "b"])]
    assert harness.in_flight.is_idle


def test_a_send_that_fails_is_retried_and_nothing_acknowledged_before_it(harness: ReplierHarness) -> None:
    harness.on_send.extend([Unreachable("No network."), Unreachable("No network.")])
    harness.finish("a")

    assert [word for word, _ in harness.run()] == ["sent to responseQueue"] * 3 + ["acknowledged"]


def test_an_acknowledgement_that_fails_is_retried(harness: ReplierHarness) -> None:
    harness.on_acknowledge.append(Unreachable("No network."))
    harness.finish("a")

    assert [word for word, _ in harness.run()] == ["sent to responseQueue", "acknowledged", "acknowledged"]


def test_a_response_rejected_by_its_queue_is_not_acknowledged_but_becomes_a_rejection(harness: ReplierHarness) -> None:
    harness.on_send.append([Failure(index=1, error=MessageTooLong("Too long."))])
    harness.finish("a")
    harness.finish("b")

    done = harness.run()

    assert [word for word, _ in done] == ["sent to responseQueue", "acknowledged"] * 2
    assert [names for _, names in done[:2] + done[3:]] == [["a", "b"], ["a"], ["b"]]
    assert len(done[2][1]) == 1
    assert is_rejection(done[2][1][0], "could not be sent. Too long.")


def test_a_rejection_that_cannot_be_sent_gives_its_request_back(harness: ReplierHarness) -> None:
    harness.on_send.append([Failure(index=0, error=Undelivered("No."))])
    harness.finish("a", Rejection(reason="x", request_id="a"))

    assert harness.run() == [("sent to responseQueue", ["?Error. x"]), ("released", ["a"])]
    assert harness.in_flight.is_idle


def test_a_request_that_could_not_be_deleted_is_reported(
    harness: ReplierHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.on_acknowledge.append([Failure(index=0, error=Undelivered("No."))])
    harness.finish("a")
    harness.run()

    assert "will be received again: No." in caplog.text
    assert harness.in_flight.is_idle


def test_a_broken_reply_queue_holds_up_no_other(harness: ReplierHarness) -> None:
    harness.broken["responseQueue-a"] = Throttled("502")
    harness.finish("a", queue="responseQueue-a")
    harness.finish("b", queue="responseQueue-b")
    harness.finish("c")

    harness.run()

    assert [received.receipt_handle for received in harness.in_flight.everything()] == ["a"]
    assert ("acknowledged", ["b", "c"]) in harness.done
    assert [word for word, _ in harness.done].count("sent to responseQueue-a") == 1
    assert harness.in_flight.reserve() == 10  # what waits takes nobody's room


def test_further_answers_to_a_broken_queue_wait_without_a_call_and_all_are_sent_once_it_heals(
    harness: ReplierHarness,
) -> None:
    harness.broken["responseQueue-a"] = Throttled("502")
    for number in range(25):
        harness.in_flight._capacity = 100
        harness.finish(str(number), queue="responseQueue-a")
    harness.run()
    assert [len(bodies) for _, bodies in harness.done] == [10]

    assert [len(bodies) for _, bodies in harness.retry()] == [10]  # one batch tells whether it is well again
    harness.broken.clear()
    done = harness.retry()

    sent = [body for word, bodies in done if word == "sent to responseQueue-a" for body in bodies]
    acknowledged = [name for word, names in done if word == "acknowledged" for name in names]
    assert sorted(sent, key=int) == [str(number) for number in range(25)]
    assert sorted(acknowledged, key=int) == [str(number) for number in range(25)]
    assert harness.in_flight.is_idle


@pytest.mark.parametrize(
    "error", [Throttled("502"), Unreachable("No."), AwsError("Odd."), CredentialsRejected("Dead.")]
)
def test_an_answer_is_tried_until_its_deadline_and_then_its_request_is_deleted(
    harness: ReplierHarness, error: AwsError, caplog: pytest.LogCaptureFixture
) -> None:
    harness.broken["responseQueue-a"] = error
    harness.finish("a", queue="responseQueue-a", deadline=harness.now + 60)
    harness.run()
    harness.now += 60
    for _ in range(3):
        assert [word for word, _ in harness.retry()] == ["sent to responseQueue-a"]
    assert not harness.in_flight.is_idle

    harness.now += 1

    assert harness.retry() == [("acknowledged", ["a"])]
    assert harness.in_flight.is_idle
    assert "1 responses to responseQueue-a" in caplog.text
    assert "before their deadline" in caplog.text


@pytest.mark.parametrize("error", [QueueMissing("Gone."), AccessDenied("No.")])
def test_answers_are_dropped_where_their_queue_is_gone_or_closed_to_us(
    harness: ReplierHarness, error: AwsError, caplog: pytest.LogCaptureFixture
) -> None:
    harness.broken["responseQueue-a"] = error
    harness.finish("a", queue="responseQueue-a", deadline=harness.now + 60)

    assert harness.run() == [("sent to responseQueue-a", ["a"]), ("acknowledged", ["a"])]
    assert error.message in caplog.text
    assert not harness.replier._backlog._queues


def test_a_queue_that_is_unknown_while_its_request_is_young_may_be_new(harness: ReplierHarness) -> None:
    harness.on_send.append(QueueMissing("Not yet."))
    harness.finish("a", queue="responseQueue-a", deadline=harness.now + 60, seconds_ago=0.0)

    assert harness.run() == [("sent to responseQueue-a", ["a"])] * 2 + [("acknowledged", ["a"])]
    assert harness.in_flight.is_idle


def test_one_young_request_among_old_ones_is_enough_for_that(harness: ReplierHarness) -> None:
    harness.on_send.append(QueueMissing("Not yet."))
    harness.finish("a", queue="responseQueue-a", deadline=harness.now + 60)
    harness.finish("b", queue="responseQueue-a", deadline=harness.now + 60, seconds_ago=0.0)

    assert harness.run() == [("sent to responseQueue-a", ["a", "b"])] * 2 + [("acknowledged", ["a", "b"])]


@pytest.mark.parametrize("error", [QueueMissing("Gone."), AccessDenied("No."), AwsError("Odd.")])
def test_of_the_default_queue_nothing_is_dropped(harness: ReplierHarness, error: AwsError) -> None:
    harness.on_send.extend([error] * 3)
    harness.finish("a")

    assert [word for word, _ in harness.run()] == ["sent to responseQueue"] * 4 + ["acknowledged"]


def test_what_waits_for_a_broken_queue_leaves_room_for_other_requests(harness: ReplierHarness) -> None:
    harness.broken["responseQueue-a"] = Throttled("502")
    harness.in_flight._capacity = 2
    harness.finish("first", queue="responseQueue-a")
    harness.replier._dispatch(harness.outbox.take())
    harness.finish("second", queue="responseQueue-a")
    harness.replier._dispatch(harness.outbox.take())

    assert [word for word, _ in harness.done] == ["sent to responseQueue-a"]
    assert harness.in_flight.reserve() == 2
    assert len(harness.in_flight.everything()) == 2


@pytest.mark.parametrize(
    ("queue", "doing"), [("responseQueue-a", "(replying to responseQueue-a)"), ("responseQueue", "(replying)")]
)
def test_an_error_of_a_queue_is_reported_with_its_name_and_so_is_its_end(
    harness: ReplierHarness, queue: str, doing: str, caplog: pytest.LogCaptureFixture
) -> None:
    harness.broken[queue] = Throttled("502")
    harness.finish("a", queue=queue, deadline=harness.now + 60)
    harness.run()
    for _ in range(3):
        harness.retry()
    harness.broken.clear()

    harness.retry()

    assert caplog.text.count("Waiting and retrying") == 1
    assert caplog.text.count("AWS responds again") == 1
    assert caplog.text.count(doing) == 2


@pytest.mark.parametrize("end", [QueueMissing("Gone."), ZeroDivisionError(), None])
def test_a_queue_that_did_not_recover_is_not_reported_as_recovered(
    harness: ReplierHarness, end: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    harness.broken["responseQueue-a"] = Throttled("502")
    harness.finish("a", queue="responseQueue-a", deadline=harness.now + 60)
    harness.run()
    if end:
        harness.broken["responseQueue-a"] = end
    else:
        harness.now += 100  # nobody waits for it any more

    with suppress(ZeroDivisionError):
        harness.retry()

    assert not harness.replier._backlog._queues
    assert "AWS responds again" not in caplog.text


def test_a_call_that_is_too_long_is_made_one_by_one_and_who_is_too_long_is_reported_so(
    harness: ReplierHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.on_send.extend([MessageTooLong("Too long."), [], MessageTooLong("Still too long.")])
    harness.finish("a")
    harness.finish("b")

    done = harness.run()

    *calls, rejections = [names for word, names in done if word == "sent to responseQueue"]
    assert calls == [["a", "b"], ["a"], ["b"]]
    assert len(rejections) == 1
    assert is_rejection(rejections[0], "could not be sent. Still too long.")
    assert sorted(name for word, names in done if word == "acknowledged" for name in names) == ["a", "b"]
    assert "response to b rejected" in caplog.text
    assert "Still too long." in caplog.text


def test_a_finished_request_is_logged_with_what_programs_read(
    harness: ReplierHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    harness.finish("a")
    (received,) = harness.in_flight.everything()
    monkeypatch.setattr("courier.messaging.replies.time", FakeTime(received.received_at + 0.25004))
    with caplog.at_level(logging.INFO):
        harness.run()

    (record,) = [one for one in caplog.records if hasattr(one, "fields")]
    assert record.fields == {"request_id": "a", "kind": "numbers", "outcome": "ok", "milliseconds": 250.0}
    assert "request a numbers ok in 250.0 ms" in record.getMessage()


@pytest.mark.parametrize(("code", "reason"), [("negative", "negative"), ("", "invalid")])
def test_a_rejection_is_logged_with_its_reason_its_clients_name_and_its_trace(
    harness: ReplierHarness, caplog: pytest.LogCaptureFixture, code: str, reason: str
) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    harness.finish("a", Rejection(reason="No.", code=code, request_id="a"))
    (finished,) = harness.outbox.take()
    message = replace(finished.message, attributes={**finished.message.attributes, "traceparent": trace})
    harness.outbox.put(replace(finished, message=message, outcome="rejected", client="laptop"))
    with caplog.at_level(logging.INFO):
        harness.run()

    (record,) = [one for one in caplog.records if hasattr(one, "fields")]
    fields = {name: record.fields[name] for name in ("outcome", "reason", "name", "traceparent")}
    assert fields == {"outcome": "rejected", "reason": reason, "name": "laptop", "traceparent": trace}
    assert f"request a numbers rejected ({reason}) in " in record.getMessage()
    assert record.getMessage().endswith(f" ms for laptop in the trace {trace}")


def test_hooks_get_each_reply_with_its_request_and_how_long_it_took(
    harness: ReplierHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    replied: list[tuple[Request, Response]] = []
    rejected: list[tuple[Request, Rejected]] = []
    harness.replier._hooks = Hooks(
        on_replied=lambda request, response: replied.append((request, response)),
        on_rejected=lambda request, error: rejected.append((request, error)),
    )
    harness.finish("a")
    harness.finish("b", Rejection(reason="No.", code="negative"))
    harness.finish("c")
    first, second, unknown = harness.outbox.take()
    request = Request(body="1 2 3", kind="numbers")
    harness.outbox.put(replace(first, request=request), replace(second, request=request), unknown)
    monkeypatch.setattr("courier.messaging.replies.time", FakeTime(first.received.received_at + 0.25))

    harness.run()

    ((answered, response),) = replied
    assert (answered, response.body, response.seconds) == (replace(request, request_id="a"), "a", 0.25)
    ((asked, error),) = rejected
    assert (asked, error.message, error.reason) == (replace(request, request_id="b"), "No.", "negative")


def test_a_request_without_an_id_is_logged_by_its_messages(
    harness: ReplierHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.finish("a")
    (finished,) = harness.outbox.take()
    harness.outbox.put(replace(finished, request_id=""))
    with caplog.at_level(logging.INFO):
        harness.run()

    assert "request a numbers ok" in caplog.text


def test_a_delete_of_messages_that_are_no_longer_ours_is_not_retried(
    harness: ReplierHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.on_acknowledge.append(ReceiptHandleInvalid("Expired."))
    harness.finish("a")

    assert harness.run() == [("sent to responseQueue", ["a"]), ("acknowledged", ["a"])]
    assert harness.in_flight.is_idle
    assert "Expired." in caplog.text


def test_a_delete_that_cannot_succeed_for_now_is_reported_once_and_made_again(
    harness: ReplierHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.on_acknowledge.extend([QueueMissing("None.")] * 3)
    harness.finish("a")

    assert [word for word, _ in harness.run()] == ["sent to responseQueue"] + ["acknowledged"] * 4
    assert caplog.text.count("Waiting and retrying") == 1


def test_who_stops_while_a_delete_fails_leaves_its_request_to_others(
    harness: ReplierHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        harness.stopped.set()
        raise QueueMissing("None.")

    monkeypatch.setattr(Mailbox, "acknowledge", fail)
    harness.finish("a")

    harness.run()

    assert not harness.in_flight.is_idle


def test_a_request_that_cannot_be_given_back_is_reported(
    harness: ReplierHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Mailbox, "release", lambda *_: [Failure(index=0, error=Undelivered("Not that."))])
    harness.on_send.append([Failure(index=0, error=Undelivered("No."))])
    harness.finish("a", Rejection(reason="x", request_id="a"))

    harness.run()

    assert "could not be released: Not that." in caplog.text


def test_a_queue_that_breaks_and_then_is_gone_leaves_nothing_waiting(harness: ReplierHarness) -> None:
    harness.broken["responseQueue-a"] = Throttled("502")
    harness.finish("a", queue="responseQueue-a")
    harness.run()
    harness.broken["responseQueue-a"] = QueueMissing("Gone.")

    assert harness.retry() == [("sent to responseQueue-a", ["a"]), ("acknowledged", ["a"])]
    assert harness.in_flight.is_idle


def test_one_answer_that_spoils_its_batch_costs_the_others_nothing(harness: ReplierHarness) -> None:
    harness.on_send.extend([AwsError("Odd."), AwsError("Odd."), []])
    harness.finish("a")
    harness.finish("b")
    harness.outbox.close()
    harness.replier.work()

    assert harness.done[:3] == [
        ("sent to responseQueue", ["a", "b"]),
        ("sent to responseQueue", ["a"]),
        ("sent to responseQueue", ["b"]),
    ]
    assert ("acknowledged", ["b"]) in harness.done
    assert harness.retry() == [("sent to responseQueue", ["a"]), ("acknowledged", ["a"])]


def test_an_entry_that_fails_for_the_moment_is_sent_again_and_no_rejection(harness: ReplierHarness) -> None:
    harness.on_send.append([Failure(index=1, error=Throttled("Later."))])
    harness.finish("a")
    harness.finish("b")

    assert harness.run() == [
        ("sent to responseQueue", ["a", "b"]),
        ("acknowledged", ["a"]),
        ("sent to responseQueue", ["b"]),
        ("acknowledged", ["b"]),
    ]


def test_deletes_that_fail_for_the_moment_are_made_again(harness: ReplierHarness) -> None:
    harness.on_acknowledge.append([Failure(index=0, error=Throttled("Later."))])
    harness.finish("a")

    assert [word for word, _ in harness.run()] == ["sent to responseQueue", "acknowledged", "acknowledged"]


def test_a_message_that_is_not_ours_any_more_is_answered_all_the_same(
    harness: ReplierHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.on_acknowledge.append([Failure(index=0, error=ReceiptHandleInvalid("Expired."))])
    harness.finish("a")

    assert harness.run() == [("sent to responseQueue", ["a"]), ("acknowledged", ["a"])]
    assert harness.in_flight.is_idle
    assert caplog.text.count("Expired.") == 1


def test_a_bug_while_a_stalled_queue_is_tried_lets_go_of_what_it_held_and_keeps_the_rest(
    harness: ReplierHarness,
) -> None:
    harness.broken["responseQueue-a"] = Throttled("502")
    for number in range(12):
        harness.in_flight._capacity = 100
        harness.finish(str(number), queue="responseQueue-a")
    harness.run()
    harness.broken["responseQueue-a"] = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        harness.retry()

    assert len(harness.in_flight.everything()) == 2
    harness.broken.clear()
    harness.replier.work()
    assert harness.in_flight.is_idle


def test_once_stopped_nothing_is_tried_again_and_all_stays_in_flight(harness: ReplierHarness) -> None:
    harness.stopped.set()
    harness.finish("a")

    assert harness.run() == []
    assert not harness.in_flight.is_idle


def test_a_fault_of_its_own_lets_go_of_what_it_held(harness: ReplierHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Mailbox, "send", fail)
    harness.finish("a")

    with pytest.raises(ZeroDivisionError):
        harness.run()

    assert harness.in_flight.is_idle
