"""What is put aside, and what is not lost when it cannot be; real queues are in tests/acceptance."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import cast

import pytest

from courier.deadletters import REASON, DeadLetters
from courier.errors import AccessDenied, AwsTrouble, Busy, MessageTooLong, Undelivered, Unreachable
from courier.mailbox import Delivery, Mailbox
from courier.outage import Failure
from courier.wire import Envelope


class FakeQueue:
    """Stands for a queue that refuses what it is told to, or holds letters."""

    name = "requestQueue-dead"

    def __init__(self, *refusals: Exception | None, letters: Sequence[Delivery] = ()) -> None:
        self._refusals = list(refusals)
        self._letters = list(letters)
        self.sent: list[Envelope] = []
        self.acknowledged: list[Delivery] = []

    def send(self, envelopes: Sequence[Envelope]) -> list[Failure]:
        refusal = self._refusals.pop(0) if self._refusals else None
        if isinstance(refusal, MessageTooLong | Undelivered | Busy):
            return [Failure(index=0, error=refusal)]
        if refusal:
            raise refusal
        self.sent += envelopes
        return []

    def receive(self, *, wait_seconds: int, visibility_seconds: int) -> list[Delivery]:
        assert wait_seconds + visibility_seconds > 0
        found, self._letters = self._letters[:10], self._letters[10:]
        return found

    def acknowledge(self, deliveries: Sequence[Delivery]) -> list[Failure]:
        self.acknowledged += deliveries
        return []


def letter(name: str = "a", **attributes: str) -> Delivery:
    envelope = Envelope(body=name, attributes=attributes)
    return Delivery(envelope=envelope, message_id=name, receipt_handle=name, receive_count=5)


def letters(requests: FakeQueue, dead: FakeQueue) -> DeadLetters:
    return DeadLetters(cast("Mailbox", requests), cast("Mailbox", dead))


def test_a_request_is_put_aside_with_its_reason_and_without_what_sqs_would_refuse() -> None:
    dead = FakeQueue()

    letters(FakeQueue(), dead).bury(letter(kind="numbers", foreign=""), "Too often.")

    assert dead.sent == [Envelope(body="a", attributes={"kind": "numbers", REASON: "Too often."})]


def test_a_request_that_fills_its_message_is_put_aside_without_the_reason() -> None:
    dead = FakeQueue(MessageTooLong())

    letters(FakeQueue(), dead).bury(letter(), "Too often.")

    assert dead.sent == [Envelope(body="a", attributes={})]


@pytest.mark.parametrize("refusals", [[Undelivered("No."), Undelivered("No.")], [AccessDenied("No.")]])
def test_what_cannot_be_kept_is_told(refusals: list[Exception], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        letters(FakeQueue(), FakeQueue(*refusals)).bury(letter("lost"), "Too often.")

    assert "request lost was given up and is not kept: No." in caplog.text


def test_passing_trouble_is_the_callers_to_wait_out() -> None:
    with pytest.raises(Unreachable):
        letters(FakeQueue(), FakeQueue(Unreachable())).bury(letter(), "Too often.")


def test_a_letter_that_cannot_be_sent_back_stays() -> None:
    one, other = letter("one"), letter("other")
    dead = FakeQueue(letters=[one, other])

    moved = letters(FakeQueue(Undelivered("No.")), dead).redrive()

    assert moved == 1
    assert dead.acknowledged == [other]


@pytest.mark.parametrize("error", [Busy("Later."), Unreachable("No.")])
def test_what_cannot_be_put_aside_for_the_moment_is_not_given_up(error: AwsTrouble) -> None:
    dead = FakeQueue(error)

    with pytest.raises(type(error)):
        letters(FakeQueue(), dead).bury(letter(), "Too often.")

    assert dead.sent == []
