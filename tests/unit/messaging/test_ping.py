"""A check for workers leaves nothing behind where it can, and costs no request a delivery."""

from __future__ import annotations

from typing import Any

import pytest

from courier.aws.message import Message
from courier.aws.sqs import Mailbox
from courier.errors import ResponseTimeout
from courier.messaging import ping
from courier.messaging.exchange import Exchange
from courier.messaging.message_attributes import REQUEST_ID
from courier.messaging.protocol import Response
from tests.support.fakes import FakeAws


@pytest.fixture
def aws() -> FakeAws:
    made = FakeAws()
    made.queues.waits = False
    for name in ("requests", "replies"):
        made.queues.create_queue(QueueName=name)
    return made


@pytest.fixture
def requests(aws: FakeAws) -> Mailbox:
    return Mailbox(aws, "requests")


def exchange(aws: FakeAws, requests: Mailbox) -> Exchange:
    return Exchange(requests=requests, replies=Mailbox(aws, "replies"), kind="numbers", clock=aws.clock, tell=print)


def send(requests: Mailbox, *ids: str) -> None:
    requests.send([Message(body="ping", attributes={REQUEST_ID: one}) for one in ids])


def test_a_ping_that_is_answered_is_not_looked_for(aws: FakeAws, requests: Mailbox) -> None:
    def answer(given: Any) -> None:
        is_of_client = given["QueueUrl"].endswith("replies")
        for one in requests.receive(wait_seconds=0, visibility_seconds=30) if is_of_client else ():
            aws.queues.put("replies", "pong", request_id=one.message.attributes[REQUEST_ID])
            requests.acknowledge([one])

    aws.queues.hooks["receive_message"] = lambda given: (
        None if given["QueueUrl"].endswith("requests") else answer(given)
    )

    outcome = ping.ping(exchange(aws, requests), requests, timeout_seconds=30)

    assert isinstance(outcome.result, Response)
    assert "get_queue_attributes" not in aws.queues.operations


def test_one_that_nobody_received_is_taken_back(aws: FakeAws, requests: Mailbox) -> None:
    outcome = ping.ping(exchange(aws, requests), requests, timeout_seconds=0.01)

    assert isinstance(outcome.result, ResponseTimeout)
    assert aws.queues.bodies("requests") == []


def test_one_that_waits_alone_is_gone(requests: Mailbox) -> None:
    send(requests, "mine")

    assert ping.take_back(requests, "mine")
    assert not ping.take_back(requests, "mine")  # nothing is there


@pytest.mark.parametrize("is_worked_on", [False, True])
def test_where_another_waits_or_is_worked_on_nothing_is_received(
    aws: FakeAws, requests: Mailbox, *, is_worked_on: bool
) -> None:
    send(requests, "other")
    if is_worked_on:
        requests.receive(wait_seconds=0, visibility_seconds=30)
    send(requests, "mine")
    aws.queues.calls.clear()

    assert not ping.take_back(requests, "mine")

    assert "receive_message" not in aws.queues.operations
    assert len(aws.queues.bodies("requests")) == 2


def test_another_that_came_in_between_is_visible_again_at_once(aws: FakeAws, requests: Mailbox) -> None:
    send(requests, "other")

    assert not ping.take_back(requests, "mine")

    (message,) = aws.queues.queue("requests").messages
    assert message.visible_at <= aws.queues.now()


def test_one_that_cannot_be_deleted_is_not_gone(aws: FakeAws, requests: Mailbox) -> None:
    send(requests, "mine")
    aws.queues.failing = lambda name, _entry: ("Oops", True) if name.startswith("delete") else None

    assert not ping.take_back(requests, "mine")
