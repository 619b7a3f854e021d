"""The failed entries of a batch, which no local AWS makes: a stand-in for boto3's client makes them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, cast

import pytest
from botocore.exceptions import ClientError

from courier.aws.message import Message
from courier.aws.session import Aws
from courier.aws.sqs import BATCH_ATTEMPTS, MAX_BODY_BYTES, Mailbox, ReceivedMessage
from courier.errors import (
    MessageTooLong,
    NoCredentials,
    QueueMissing,
    ReceiptHandleInvalid,
    Throttled,
    Undelivered,
    Unreachable,
)
from tests.support import fakes


class FailingSqs:
    """Fails the given bodies of each batch, each a given number of times."""

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
    monkeypatch.setattr("courier.aws.sqs.backoff.delays", lambda: iter([0.0] * 100))


def mailbox(sqs: FailingSqs) -> Mailbox:
    return Mailbox(cast("Aws", FakeAws(sqs)), "queue")


def delivery(name: str) -> ReceivedMessage:
    return ReceivedMessage(message=Message(body=""), message_id=name, receipt_handle=name, receive_count=1)


def messages(bodies: str) -> list[Message]:
    return [Message(body=body) for body in bodies]


@pytest.fixture
def memory() -> fakes.FakeAws:
    made = fakes.FakeAws()
    made.queues.create_queue(QueueName="queue", Attributes={"DelaySeconds": "30"})
    made.queues.waits = False
    return made


def test_messages_are_sent_by_tens_without_delay_and_with_their_group(memory: fakes.FakeAws) -> None:
    Mailbox(memory, "queue").send(
        [Message(body=str(number), attributes={"kind": "numbers"}) for number in range(23)], group="mine"
    )

    assert [len(given["Entries"]) for given in memory.queues.given("send_message_batch")] == [10, 10, 3]
    first, *_ = memory.queues.queue("queue").messages
    assert (first.body, first.group, first.attributes["kind"]["StringValue"]) == ("0", "mine", "numbers")
    assert first.due_at <= memory.queues.now()


def test_a_message_of_no_group_has_none(memory: fakes.FakeAws) -> None:
    Mailbox(memory, "queue").send([Message(body="a")])

    (entry,) = memory.queues.given("send_message_batch")[0]["Entries"]
    assert "MessageGroupId" not in entry


def test_nothing_to_do_is_no_call(memory: fakes.FakeAws) -> None:
    box = Mailbox(memory, "queue")

    assert box.send([]) + box.acknowledge([]) + box.release([]) + box.extend([], visibility_seconds=5) == []

    assert memory.queues.operations == ["create_queue"]


def test_nothing_to_release_needs_no_credentials(memory: fakes.FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> NoReturn:
        raise NoCredentials

    monkeypatch.setattr(memory, "sqs", missing)

    assert Mailbox(memory, "queue").release([]) == []


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([MAX_BODY_BYTES - 1, 1], [[MAX_BODY_BYTES - 1, 1]]),
        ([MAX_BODY_BYTES - 1, 2], [[MAX_BODY_BYTES - 1], [2]]),
        ([5, MAX_BODY_BYTES + 1, 6], [[5, 6]]),
    ],
)
def test_a_batch_holds_no_more_than_a_call_may(
    memory: fakes.FakeAws, sizes: list[int], batches: list[list[int]]
) -> None:
    failures = Mailbox(memory, "queue").send([Message(body="x" * size) for size in sizes])

    sent = memory.queues.given("send_message_batch")
    assert [[len(entry["MessageBody"]) for entry in given["Entries"]] for given in sent] == batches
    assert [failure.index for failure in failures] == [place for place, size in enumerate(sizes) if size > 1_048_576]
    assert all(isinstance(failure.error, MessageTooLong) for failure in failures)


def test_a_failure_in_a_later_call_has_its_place_among_all(memory: fakes.FakeAws) -> None:
    memory.queues.failing = lambda _, entry: ("Oops", True) if entry.get("MessageBody") == "14" else None

    failures = Mailbox(memory, "queue").send([Message(body=str(number)) for number in range(20)])

    assert [failure.index for failure in failures] == [14]


def test_a_delivery_is_what_was_received_and_when(memory: fakes.FakeAws) -> None:
    memory.queues.put("queue", "a", kind="numbers", foreign="")
    memory.queues.queue("queue").messages[0].receive_count = 4
    before = time.monotonic()

    (found,) = Mailbox(memory, "queue").receive(limit=3, wait_seconds=2, visibility_seconds=7)

    message = memory.queues.queue("queue").messages[0]
    assert found.message == Message(body="a", attributes={"kind": "numbers", "foreign": ""})
    assert (found.message_id, found.receipt_handle, found.receive_count) == (message.message_id, message.handle, 5)
    assert before <= found.received_at <= time.monotonic()
    (given,) = memory.queues.given("receive_message")
    assert (given["MaxNumberOfMessages"], given["WaitTimeSeconds"], given["VisibilityTimeout"]) == (3, 2, 7)


def test_ten_are_received_at_most(memory: fakes.FakeAws) -> None:
    memory.queues.put("queue", *"abcdefghijklm")

    assert len(Mailbox(memory, "queue").receive(wait_seconds=0, visibility_seconds=7)) == 10


def test_what_is_released_extended_or_deleted_is_done_by_tens(memory: fakes.FakeAws) -> None:
    box = Mailbox(memory, "queue")
    memory.queues.put("queue", *(str(number) for number in range(12)))
    held = [one for _ in range(2) for one in box.receive(wait_seconds=0, visibility_seconds=600)]

    assert box.extend(held, visibility_seconds=60) == []
    assert box.release(held[:1]) == []
    assert box.acknowledge(held[1:]) == []

    sizes = [len(given["Entries"]) for given in memory.queues.given("change_message_visibility_batch")]
    assert (sizes, box.depth().visible, box.depth().total) == ([10, 2, 1], 1, 1)


def test_a_depth_is_of_three_kinds(memory: fakes.FakeAws) -> None:
    box = Mailbox(memory, "queue")
    memory.queues.put("queue", *"abcdef")
    box.receive(limit=2, wait_seconds=0, visibility_seconds=60)
    memory.queues.queue("queue").messages[5].due_at += 60

    depth = box.depth()

    assert (depth.visible, depth.in_flight, depth.delayed, depth.total) == (3, 2, 1, 6)


def test_the_age_of_the_oldest_is_the_latest_that_was_measured(memory: fakes.FakeAws) -> None:
    now = datetime.now(UTC)
    memory.metrics.points = [
        {"Timestamp": now - timedelta(minutes=minutes), "Maximum": maximum}
        for minutes, maximum in ((4, 40.0), (0, 7.0), (2, 20.0), (30, 300.0))
    ]

    assert Mailbox(memory, "queue").oldest_seconds() == 7.0

    (given,) = memory.metrics.given("get_metric_statistics")
    assert (given["Namespace"], given["Dimensions"]) == ("AWS/SQS", [{"Name": "QueueName", "Value": "queue"}])
    assert (given["Period"], given["Statistics"]) == (60, ["Maximum"])


def test_of_what_is_long_ago_nothing_is_reported(memory: fakes.FakeAws) -> None:
    memory.metrics.points = [{"Timestamp": datetime.now(UTC) - timedelta(minutes=30), "Maximum": 1.0}]

    assert Mailbox(memory, "queue").oldest_seconds() is None


def test_without_the_right_to_cloudwatch_no_age_is_shown(memory: fakes.FakeAws) -> None:
    memory.metrics.fail("get_metric_statistics", fakes.client_error("AccessDenied"))

    assert Mailbox(memory, "queue").oldest_seconds() is None


def test_a_queue_tells_its_limit_and_its_age(memory: fakes.FakeAws) -> None:
    queue = memory.queues.queue("queue")
    queue.attributes["MaximumMessageSize"] = "5000"
    queue.created = 1234.0

    assert Mailbox(memory, "queue").max_message_bytes() == 5000
    assert Mailbox(memory, "queue").created_at() == 1234.0


def test_a_queue_that_is_deleted_is_gone(memory: fakes.FakeAws) -> None:
    Mailbox(memory, "queue").delete()

    assert memory.queues.names() == []
    with pytest.raises(QueueMissing):
        Mailbox(memory, "queue").find()


def test_its_address_is_looked_up_once(memory: fakes.FakeAws) -> None:
    box = Mailbox(memory, "queue")

    box.find()
    box.depth()
    box.send([Message(body="a")])

    assert memory.queues.operations.count("get_queue_url") == 1


def test_a_queue_that_is_purged_is_empty(memory: fakes.FakeAws) -> None:
    memory.queues.put("queue", "a")

    assert Mailbox(memory, "queue").purge()

    assert memory.queues.bodies("queue") == []


def test_what_fails_in_a_batch_is_waited_for_before_it_is_tried_again(
    memory: fakes.FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.aws.sqs.backoff.delays", lambda: iter([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    waited: list[float] = []
    monkeypatch.setattr(memory, "wait", waited.append)
    left = [1, 1]
    memory.queues.failing = lambda *_: ("Oops", False) if left and left.pop() else None

    assert Mailbox(memory, "queue").send([Message(body="a")]) == []

    assert waited == [1.0, 2.0]


def test_a_caller_that_gives_up_on_an_entry_does_not_wait_for_it(
    memory: fakes.FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.aws.sqs.backoff.delays", lambda: iter([1.0] * 100))
    waited: list[float] = []
    monkeypatch.setattr(memory, "wait", waited.append)
    memory.queues.failing = lambda *_: ("Oops", False)

    assert len(Mailbox(memory, "queue").send([Message(body="a")])) == 1

    assert sum(waited) == BATCH_ATTEMPTS - 1


def test_what_aws_says_of_a_message_is_passed_on(memory: fakes.FakeAws) -> None:
    memory.queues.failing = lambda *_: ("Oops", True)

    (failure,) = Mailbox(memory, "queue").send([Message(body="a")])

    assert "No. (Oops)" in failure.error.message


def test_a_message_that_does_not_say_how_often_it_came_has_come_once(
    memory: fakes.FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {"Messages": [{"MessageId": "m", "ReceiptHandle": "h", "Body": "a"}]}
    monkeypatch.setattr(memory.queues, "receive_message", lambda **_: message)

    (found,) = Mailbox(memory, "queue").receive(wait_seconds=0, visibility_seconds=5)

    assert found.receive_count == 1


def test_a_delete_that_fails_in_a_later_call_has_its_place_among_all(memory: fakes.FakeAws) -> None:
    box = Mailbox(memory, "queue")
    memory.queues.put("queue", *(str(number) for number in range(20)))
    held = [one for _ in range(2) for one in box.receive(wait_seconds=0, visibility_seconds=600)]
    memory.queues.failing = lambda _, entry: (
        ("Oops", True) if entry["ReceiptHandle"] == held[14].receipt_handle else None
    )

    assert [failure.index for failure in box.acknowledge(held)] == [14]


def test_entries_that_fail_are_sent_again_and_only_they() -> None:
    sqs = FailingSqs({"b": 2, "c": 1})

    assert mailbox(sqs).send(messages("abc")) == []
    assert sqs.calls == [["a", "b", "c"], ["b", "c"], ["b"]]


def test_between_two_tries_of_an_entry_there_is_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("courier.aws.sqs.backoff.delays", lambda: iter([0.1, 0.2, 0.4]))
    monkeypatch.setattr(FakeAws, "wait", lambda _aws, seconds: waits.append(seconds))

    mailbox(FailingSqs({"b": 2})).send(messages("abc"))

    assert waits == [0.1, 0.2]


def test_an_entry_that_keeps_failing_is_reported_by_its_place() -> None:
    sqs = FailingSqs({"m": 100})

    failures = mailbox(sqs).send(messages("abcdefghijklm"))

    assert [failure.index for failure in failures] == [12]
    assert type(failures[0].error) is Throttled
    assert failures[0].is_transient
    assert "(Oops)" in failures[0].error.message
    assert len(sqs.calls) == 1 + BATCH_ATTEMPTS


def test_an_entry_that_is_our_fault_is_not_tried_again() -> None:
    sqs = FailingSqs({"b": 100}, sender_fault=True)

    (failure,) = mailbox(sqs).send(messages("abc"))

    assert failure.index == 1
    assert type(failure.error) is Undelivered
    assert not failure.is_transient
    assert len(sqs.calls) == 1


def test_an_entry_that_is_throttled_is_tried_again_whosever_fault_that_is() -> None:
    sqs = FailingSqs({"b": 1}, sender_fault=True, code="RequestThrottled")

    assert mailbox(sqs).send(messages("abc")) == []
    assert sqs.calls == [["a", "b", "c"], ["b"]]


def test_a_message_that_is_no_longer_ours_is_distinguished_from_a_rejected_call() -> None:
    sqs = FailingSqs({"a": 100}, code="ReceiptHandleIsInvalid")

    (failure,) = mailbox(sqs).acknowledge([delivery("a")])

    assert type(failure.error) is ReceiptHandleInvalid
    assert not failure.is_transient
    assert len(sqs.calls) == 1


def test_deletes_that_fail_are_tried_again() -> None:
    sqs = FailingSqs({"b": 1})

    assert mailbox(sqs).acknowledge([delivery("a"), delivery("b")]) == []
    assert sqs.calls == [["a", "b"], ["b"]]


class PurgedLatelySqs(FailingSqs):
    """Rejects a purge as AWS does within a minute of another, which no local AWS does."""

    def purge_queue(self, QueueUrl: str) -> None:  # noqa: ARG002, N803
        code = "AWS.SimpleQueueService.PurgeQueueInProgress"
        raise ClientError({"Error": {"Code": code, "Message": "Only one in 60 seconds."}}, "PurgeQueue")


def test_a_purge_within_a_minute_of_another_is_reported_and_no_error() -> None:
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

    assert [(one.index, one.is_transient) for one in mailbox(sqs).send(messages("abc"))] == [(1, True)]


@pytest.mark.parametrize("answer", [{}, {"Failed": [{}]}, {"Messages": [{}]}, {"Attributes": {}}])
def test_an_answer_that_is_not_as_awss_is_reported_and_no_bug(answer: dict[str, Any]) -> None:
    box = mailbox(AnsweringSqs(answer))

    for call in (lambda: box.send(messages("a")), box.depth, box.max_message_bytes, box.created_at):
        with pytest.raises(Unreachable, match="response is not one of AWS"):
            call()
    if "Messages" in answer:
        with pytest.raises(Unreachable, match="MessageId"):
            box.receive(wait_seconds=0, visibility_seconds=1)


def test_a_bug_in_reading_a_response_is_not_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("courier.aws.sqs._received", fail)

    with pytest.raises(KeyError, match="ours"):
        mailbox(AnsweringSqs({"Messages": [{}]})).receive(wait_seconds=0, visibility_seconds=1)


class NoQueues(FailingSqs):
    """Knows no queue."""

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: ARG002, N803
        raise ClientError({"Error": {"Code": "QueueDoesNotExist", "Message": "No."}}, "GetQueueUrl")


def test_a_queue_that_is_missing_is_reported_with_where_it_was_looked_for() -> None:
    with pytest.raises(QueueMissing, match="The queue queue does not exist") as raised:
        mailbox(NoQueues({})).find()

    assert "eu-west-3" in raised.value.message
    assert "http://***@localhost:9841" in raised.value.message
    assert "access" in raised.value.message
    assert "region" in raised.value.hint
