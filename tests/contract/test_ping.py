"""What a check for workers leaves in the request queue where none is running, on each engine."""

from __future__ import annotations

import secrets

import pytest

from courier.aws.message import Message
from courier.aws.session import Aws
from courier.aws.sqs import Mailbox
from courier.errors import AccessDenied, ResponseTimeout
from courier.messaging import ping
from courier.messaging.exchange import Exchange
from tests.support.place import ATTRIBUTES


@pytest.fixture
def exchange(aws: Aws, mailbox: Mailbox) -> Exchange:
    name = f"replies-{secrets.token_hex(6)}"
    aws.sqs().create_queue(QueueName=name, Attributes=ATTRIBUTES)
    return Exchange(requests=mailbox, replies=Mailbox(aws, name), kind="numbers", clock=aws.clock, tell=print)


def test_a_ping_that_nobody_answers_is_taken_back(exchange: Exchange, mailbox: Mailbox) -> None:
    outcome = ping.ping(exchange, mailbox, timeout_seconds=0.1)

    assert isinstance(outcome.result, ResponseTimeout)
    assert mailbox.depth().total == 0


def test_where_another_request_waits_it_stays_and_none_is_received(exchange: Exchange, mailbox: Mailbox) -> None:
    mailbox.send([Message(body="1 2 3")])

    ping.ping(exchange, mailbox, timeout_seconds=0.1)

    assert mailbox.depth().visible == 2
    received = [one for _ in range(2) for one in mailbox.receive(wait_seconds=1, visibility_seconds=30)]
    assert {one.message.body: one.receive_count for one in received} == {"1 2 3": 1, "ping": 1}


def test_another_request_that_is_received_in_its_place_is_released_at_once(mailbox: Mailbox) -> None:
    mailbox.send([Message(body="1 2 3")])

    assert not ping.take_back(mailbox, "another")

    assert [one.message.body for one in mailbox.receive(wait_seconds=1, visibility_seconds=30)] == ["1 2 3"]


def test_without_the_right_to_receive_it_stays(
    exchange: Exchange, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: object) -> None:
        raise AccessDenied("not allowed")

    monkeypatch.setattr(mailbox, "receive", denied)

    assert isinstance(ping.ping(exchange, mailbox, timeout_seconds=0.1).result, ResponseTimeout)
    assert mailbox.depth().visible == 1
