"""What moves to the dead-letter queue, and what is not lost when it cannot; real queues are in tests/acceptance."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import pytest

from courier.aws.message import Message
from courier.aws.retry import Failure
from courier.aws.sqs import Mailbox, ReceivedMessage
from courier.errors import AccessDenied, AwsError, MessageTooLong, Throttled, Undelivered, Unreachable
from courier.messaging.application import DEAD_SUFFIX
from courier.messaging.dead_letters import REASON, DeadLetters
from tests.support.fakes import FakeAws, no_network

T = TypeVar("T")


class FakeQueue:
    """Stands for a queue that rejects on demand, or holds letters."""

    name = "requestQueue-dead"

    def __init__(self, *rejections: Exception | None, letters: Sequence[ReceivedMessage] = ()) -> None:
        self._rejections = list(rejections)
        self._letters = list(letters)
        self.sent: list[Message] = []
        self.acknowledged: list[ReceivedMessage] = []

    def send(self, messages: Sequence[Message]) -> list[Failure]:
        rejection = self._rejections.pop(0) if self._rejections else None
        if isinstance(rejection, MessageTooLong | Undelivered | Throttled):
            return [Failure(index=0, error=rejection)]
        if rejection:
            raise rejection
        self.sent += messages
        return []

    def receive(self, *, wait_seconds: int, visibility_seconds: int) -> list[ReceivedMessage]:
        assert wait_seconds + visibility_seconds > 0
        found, self._letters = self._letters[:10], self._letters[10:]
        return found

    def acknowledge(self, messages: Sequence[ReceivedMessage]) -> list[Failure]:
        self.acknowledged += messages
        return []


def letter(name: str = "a", **attributes: str) -> ReceivedMessage:
    message = Message(body=name, attributes=attributes)
    return ReceivedMessage(message=message, message_id=name, receipt_handle=name, receive_count=5)


def letters(requests: FakeQueue, dead: FakeQueue) -> DeadLetters:
    return DeadLetters(cast("Mailbox", requests), cast("Mailbox", dead))


def test_a_dead_letter_has_the_reason_and_nothing_that_sqs_would_reject() -> None:
    dead = FakeQueue()

    letters(FakeQueue(), dead).move(letter(kind="numbers", foreign=""), "Too often.")

    assert dead.sent == [Message(body="a", attributes={"kind": "numbers", REASON: "Too often."})]


def test_a_dead_letter_that_fills_its_message_has_no_reason() -> None:
    dead = FakeQueue(MessageTooLong())

    letters(FakeQueue(), dead).move(letter(), "Too often.")

    assert dead.sent == [Message(body="a", attributes={})]


@pytest.mark.parametrize(
    "rejections", [[Undelivered("No."), Undelivered("No.", hint="Ask.")], [AccessDenied("No.", hint="Ask.")]]
)
def test_what_cannot_be_kept_is_reported(rejections: list[Exception], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        letters(FakeQueue(), FakeQueue(*rejections)).move(letter("lost"), "Too often.")

    assert "request lost" in caplog.text
    assert "moved to the dead-letter queue: No. Ask." in caplog.text


def test_a_transient_error_is_the_callers_to_retry() -> None:
    with pytest.raises(Unreachable):
        letters(FakeQueue(), FakeQueue(Unreachable())).move(letter(), "Too often.")


def once(call: Callable[[], T], /) -> T:
    return call()


@pytest.fixture
def aws() -> FakeAws:
    made = FakeAws()
    for name in ("requestQueue", "requestQueue-dead"):
        made.queues.create_queue(QueueName=name)
    made.queues.waits = False
    return made


def dead_letters(aws: FakeAws) -> DeadLetters:
    return DeadLetters(Mailbox(aws, "requestQueue"), Mailbox(aws, "requestQueue" + DEAD_SUFFIX))


def test_letters_are_looked_at_counted_and_left(aws: FakeAws) -> None:
    aws.queues.put("requestQueue-dead", "1", reason="Too often.")
    aws.queues.put("requestQueue-dead", "2")
    letters = dead_letters(aws)

    found = letters.peek()

    assert [(one.body, one.reason) for one in found] == [("1", "Too often."), ("2", "received too often")]
    assert found[0].message_id == aws.queues.queue("requestQueue-dead").messages[0].message_id
    assert letters.count() == 2
    assert len(letters.peek()) == 2  # they were hidden from nobody
    assert letters.name == "requestQueue-dead"


def test_all_letters_go_back_without_their_clients_attributes(aws: FakeAws) -> None:
    aws.queues.put(
        "requestQueue-dead", *"abc", kind="numbers", reason="Too often.", deadline="5", reply_to="responseQueue-gone"
    )
    aws.queues.put("requestQueue-dead", *(f"{number}" for number in range(20)))

    assert dead_letters(aws).redrive(once) == 23

    assert aws.queues.bodies("requestQueue-dead") == []
    first, *_ = sent = aws.queues.queue("requestQueue").messages
    assert sorted(one.body for one in sent) == sorted([*"abc", *(f"{number}" for number in range(20))])
    assert {name: value["StringValue"] for name, value in first.attributes.items()} == {"kind": "numbers"}


def test_a_letter_is_deleted_only_after_its_request_was_accepted(aws: FakeAws) -> None:
    aws.queues.put("requestQueue-dead", "a")
    aws.queues.fail("send_message_batch", no_network())

    with pytest.raises(Unreachable):
        dead_letters(aws).redrive(once)

    assert aws.queues.bodies("requestQueue-dead") == ["a"]


def test_an_attribute_without_a_value_that_sqs_would_reject_is_left_out(aws: FakeAws) -> None:
    aws.queues.put("requestQueue-dead", "a", kind="numbers", foreign="")

    assert dead_letters(aws).redrive(once) == 1

    assert list(aws.queues.queue("requestQueue").messages[0].attributes) == ["kind"]


def test_a_permanent_error_is_not_retried(caplog: pytest.LogCaptureFixture) -> None:
    dead = FakeQueue(AccessDenied("No."), AccessDenied("Not again."))

    letters(FakeQueue(), dead).move(letter(), "Too often.")

    assert "No." in caplog.text
    assert "Not again." not in caplog.text


def test_a_letter_that_cannot_be_sent_back_stays() -> None:
    one, other = letter("one"), letter("other")
    dead = FakeQueue(letters=[one, other])

    moved = letters(FakeQueue(Undelivered("No.")), dead).redrive(once)

    assert moved == 1
    assert dead.acknowledged == [other]


@pytest.mark.parametrize("error", [Throttled("Later."), Unreachable("No.")])
def test_a_move_to_the_dead_letter_queue_that_fails_for_the_moment_is_not_given_up(error: AwsError) -> None:
    dead = FakeQueue(error)

    with pytest.raises(type(error)):
        letters(FakeQueue(), dead).move(letter(), "Too often.")

    assert dead.sent == []
