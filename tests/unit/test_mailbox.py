"""The failed entries of a batch, which no local AWS makes: a stand-in for boto3's client makes them."""

from __future__ import annotations

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from courier.aws import Aws
from courier.mailbox import BATCH_ATTEMPTS, Delivery, Mailbox
from courier.wire import Envelope


class FailingSqs:
    """Fails, of each batch, the bodies that it was told to, as often as it was told."""

    def __init__(self, failures: dict[str, int], *, sender_fault: bool = False) -> None:
        self._failures = failures
        self._sender_fault = sender_fault
        self.calls: list[list[str]] = []

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803  boto3's name
        return {"QueueUrl": f"http://queue/{QueueName}"}

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG002, N803
        return self._answer(Entries, "MessageBody")

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG002, N803
        return self._answer(Entries, "ReceiptHandle")

    def _answer(self, entries: list[dict[str, Any]], key: str) -> dict[str, Any]:
        self.calls.append([entry[key] for entry in entries])
        failed = []
        for entry in entries:
            if self._failures.get(entry[key], 0) > 0:
                self._failures[entry[key]] -= 1
                failed.append({"Id": entry["Id"], "SenderFault": self._sender_fault, "Code": "Oops", "Message": "No."})
        return {"Failed": failed}


class FakeAws:
    def __init__(self, sqs: FailingSqs) -> None:
        self._sqs = sqs

    def sqs(self) -> FailingSqs:
        return self._sqs


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.mailbox.backoff.delays", lambda: iter([0.0] * 100))


def mailbox(sqs: FailingSqs) -> Mailbox:
    return Mailbox(cast("Aws", FakeAws(sqs)), "queue")


def envelopes(bodies: str) -> list[Envelope]:
    return [Envelope(body=body) for body in bodies]


def test_entries_that_fail_are_sent_again_and_only_they() -> None:
    sqs = FailingSqs({"b": 2, "c": 1})

    assert mailbox(sqs).send(envelopes("abc")) == []
    assert sqs.calls == [["a", "b", "c"], ["b", "c"], ["b"]]


def test_an_entry_that_keeps_failing_is_told_by_its_place() -> None:
    sqs = FailingSqs({"m": 100})

    failures = mailbox(sqs).send(envelopes("abcdefghijklm"))

    assert [failure.index for failure in failures] == [12]
    assert failures[0].error.message == "queue refused a message: No. (Oops)."
    assert len(sqs.calls) == 1 + BATCH_ATTEMPTS


def test_an_entry_that_is_our_fault_is_not_tried_again() -> None:
    sqs = FailingSqs({"b": 100}, sender_fault=True)

    assert [failure.index for failure in mailbox(sqs).send(envelopes("abc"))] == [1]
    assert len(sqs.calls) == 1


def test_deletes_that_fail_are_tried_again() -> None:
    sqs = FailingSqs({"b": 1})
    held = [
        Delivery(envelope=Envelope(body=""), message_id=name, receipt_handle=name, receive_count=1) for name in "ab"
    ]

    assert mailbox(sqs).acknowledge(held) == []
    assert sqs.calls == [["a", "b"], ["b"]]


class PurgedLatelySqs(FailingSqs):
    """Refuses a purge as AWS does within a minute of another, which no local AWS does."""

    def purge_queue(self, QueueUrl: str) -> None:  # noqa: ARG002, N803
        code = "AWS.SimpleQueueService.PurgeQueueInProgress"
        raise ClientError({"Error": {"Code": code, "Message": "Only one in 60 seconds."}}, "PurgeQueue")


def test_a_purge_within_a_minute_of_another_is_told_and_no_error() -> None:
    assert mailbox(PurgedLatelySqs({})).purge() is False
