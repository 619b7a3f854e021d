"""The failed entries of a batch, which no local AWS makes: a stand-in for boto3's client makes them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from courier.aws import Aws
from courier.errors import Busy, QueueMissing, ReceiptHandleInvalid, Undelivered, Unreachable
from courier.mailbox import BATCH_ATTEMPTS, Delivery, Mailbox
from courier.wire import Envelope


class FailingSqs:
    """Fails, of each batch, the bodies that it was told to, as often as it was told."""

    def __init__(self, failures: dict[str, int], *, sender_fault: bool = False, code: str = "Oops") -> None:
        self._failures = failures
        self._sender_fault = sender_fault
        self._code = code
        self.calls: list[list[str]] = []

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803  boto3's name
        return {"QueueUrl": f"http://queue/{QueueName}"}

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG002, N803
        return self._answer(Entries, "MessageBody")

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG002, N803
        return self._answer(Entries, "ReceiptHandle")

    def _answer(self, entries: list[dict[str, Any]], key: str) -> dict[str, Any]:
        self.calls.append([entry[key] for entry in entries])
        failed, done = [], []
        for entry in entries:
            if self._failures.get(entry[key], 0) > 0:
                self._failures[entry[key]] -= 1
                failed.append(
                    {"Id": entry["Id"], "SenderFault": self._sender_fault, "Code": self._code, "Message": "No."}
                )
            else:
                done.append({"Id": entry["Id"]})
        return {"Failed": failed, "Successful": done}


class FakeAws:
    region = "eu-west-3"

    def __init__(self, sqs: FailingSqs) -> None:
        self._sqs = sqs

    def sqs(self) -> FailingSqs:
        return self._sqs

    def endpoint(self) -> str:
        return "http://me:password@localhost:9841"

    def wait(self, seconds: float) -> None:
        assert 0 <= seconds <= 5


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.mailbox.backoff.delays", lambda: iter([0.0] * 100))


def mailbox(sqs: FailingSqs) -> Mailbox:
    return Mailbox(cast("Aws", FakeAws(sqs)), "queue")


def delivery(name: str) -> Delivery:
    return Delivery(envelope=Envelope(body=""), message_id=name, receipt_handle=name, receive_count=1)


def envelopes(bodies: str) -> list[Envelope]:
    return [Envelope(body=body) for body in bodies]


def test_entries_that_fail_are_sent_again_and_only_they() -> None:
    sqs = FailingSqs({"b": 2, "c": 1})

    assert mailbox(sqs).send(envelopes("abc")) == []
    assert sqs.calls == [["a", "b", "c"], ["b", "c"], ["b"]]


def test_between_two_tries_of_an_entry_there_is_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("courier.mailbox.backoff.delays", lambda: iter([0.1, 0.2, 0.4]))
    monkeypatch.setattr("courier.mailbox.threading", SimpleNamespace(Event=lambda: SimpleNamespace(wait=waits.append)))

    mailbox(FailingSqs({"b": 2})).send(envelopes("abc"))

    assert waits == [0.1, 0.2]


def test_an_entry_that_keeps_failing_is_told_by_its_place() -> None:
    sqs = FailingSqs({"m": 100})

    failures = mailbox(sqs).send(envelopes("abcdefghijklm"))

    assert [failure.index for failure in failures] == [12]
    assert type(failures[0].error) is Busy
    assert failures[0].is_passing
    assert "(Oops)" in failures[0].error.message
    assert len(sqs.calls) == 1 + BATCH_ATTEMPTS


def test_an_entry_that_is_our_fault_is_not_tried_again() -> None:
    sqs = FailingSqs({"b": 100}, sender_fault=True)

    (failure,) = mailbox(sqs).send(envelopes("abc"))

    assert failure.index == 1
    assert type(failure.error) is Undelivered
    assert not failure.is_passing
    assert len(sqs.calls) == 1


def test_an_entry_that_is_throttled_is_tried_again_whosever_fault_that_is() -> None:
    sqs = FailingSqs({"b": 1}, sender_fault=True, code="RequestThrottled")

    assert mailbox(sqs).send(envelopes("abc")) == []
    assert sqs.calls == [["a", "b", "c"], ["b"]]


def test_a_message_that_is_not_ours_any_more_is_told_from_one_that_is_refused() -> None:
    sqs = FailingSqs({"a": 100}, code="ReceiptHandleIsInvalid")

    (failure,) = mailbox(sqs).acknowledge([delivery("a")])

    assert type(failure.error) is ReceiptHandleInvalid
    assert not failure.is_passing
    assert len(sqs.calls) == 1


def test_deletes_that_fail_are_tried_again() -> None:
    sqs = FailingSqs({"b": 1})

    assert mailbox(sqs).acknowledge([delivery("a"), delivery("b")]) == []
    assert sqs.calls == [["a", "b"], ["b"]]


class PurgedLatelySqs(FailingSqs):
    """Refuses a purge as AWS does within a minute of another, which no local AWS does."""

    def purge_queue(self, QueueUrl: str) -> None:  # noqa: ARG002, N803
        code = "AWS.SimpleQueueService.PurgeQueueInProgress"
        raise ClientError({"Error": {"Code": code, "Message": "Only one in 60 seconds."}}, "PurgeQueue")


def test_a_purge_within_a_minute_of_another_is_told_and_no_error() -> None:
    assert mailbox(PurgedLatelySqs({})).purge() is False


class AnsweringSqs(FailingSqs):
    """Answers every call with the same, as something else than AWS does."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__({})
        self._same = answer

    def _answer(self, entries: list[dict[str, Any]], key: str) -> dict[str, Any]:  # noqa: ARG002
        return self._same

    def receive_message(self, **_: object) -> dict[str, Any]:
        return self._same

    def get_queue_attributes(self, **_: object) -> dict[str, Any]:
        return self._same


def test_an_entry_about_which_nothing_is_said_was_not_sent() -> None:
    sqs = AnsweringSqs({"Successful": [{"Id": "0"}, {"Id": "2"}]})

    assert [(one.index, one.is_passing) for one in mailbox(sqs).send(envelopes("abc"))] == [(1, True)]


@pytest.mark.parametrize("answer", [{}, {"Failed": [{}]}, {"Messages": [{}]}, {"Attributes": {}}])
def test_an_answer_that_is_not_as_awss_is_told_and_no_bug(answer: dict[str, Any]) -> None:
    box = mailbox(AnsweringSqs(answer))

    for call in (lambda: box.send(envelopes("a")), box.depth, box.max_message_bytes, box.created_at):
        with pytest.raises(Unreachable, match="does not answer as AWS does"):
            call()
    if "Messages" in answer:
        with pytest.raises(Unreachable, match="MessageId"):
            box.receive(wait_seconds=0, visibility_seconds=1)


def test_a_bug_in_reading_a_response_is_none_of_awss(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("courier.mailbox._delivery", fail)

    with pytest.raises(KeyError, match="ours"):
        mailbox(AnsweringSqs({"Messages": [{}]})).receive(wait_seconds=0, visibility_seconds=1)


class NoQueues(FailingSqs):
    """Knows no queue."""

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: ARG002, N803
        raise ClientError({"Error": {"Code": "QueueDoesNotExist", "Message": "No."}}, "GetQueueUrl")


def test_a_queue_that_is_missing_is_told_with_where_it_was_looked_for() -> None:
    with pytest.raises(QueueMissing, match="The queue queue does not exist") as raised:
        mailbox(NoQueues({})).find()

    assert "eu-west-3" in raised.value.message
    assert "http://***@localhost:9841" in raised.value.message
    assert "access" in raised.value.message
    assert "region" in raised.value.hint
