"""What a ping leaves in the request queue, in memory; with local AWS it is in tests/contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from courier.aws.sqs import Mailbox
from courier.errors import ResponseTimeout
from courier.messaging import ping
from courier.messaging.exchange import Exchange
from courier.messaging.ping import take_back
from courier.messaging.protocol import Response
from tests.support.fakes import FakeAws, client_error

REQUESTS, REPLIES = "requestQueue", "responseQueue"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    monkeypatch.setattr(ping, "LOOK_SECONDS", 0)
    made = FakeAws()
    for name in (REQUESTS, REPLIES):
        made.queues.create_queue(QueueName=name)
    return made


def send_ping(aws: FakeAws) -> object:
    requests, replies = Mailbox(aws, REQUESTS), Mailbox(aws, REPLIES)
    exchange = Exchange(requests=requests, replies=replies, kind="numbers", clock=aws.clock, tell=print)
    return ping.ping(exchange, requests, timeout_seconds=0.05).result


def answer(aws: FakeAws) -> None:
    """Reply to the next request as a worker does, once it was sent."""

    def reply(given: Mapping[str, Any]) -> None:
        attributes = given["Entries"][0]["MessageAttributes"]
        aws.queues.put(REPLIES, "pong", request_id=attributes["request-id"]["StringValue"], status="ok")

    aws.queues.hooks["send_message_batch"] = reply


def test_a_ping_without_a_response_is_taken_back(aws: FakeAws) -> None:
    assert isinstance(send_ping(aws), ResponseTimeout)

    assert aws.queues.bodies(REQUESTS) == []


def test_a_worker_that_responds_deletes_its_request_itself(aws: FakeAws) -> None:
    answer(aws)

    assert isinstance(send_ping(aws), Response)

    assert aws.queues.bodies(REQUESTS) == ["ping"]


def test_a_client_that_may_not_receive_requests_leaves_it_to_its_deadline(aws: FakeAws) -> None:
    def only_replies(given: Mapping[str, object]) -> None:
        if REQUESTS in str(given["QueueUrl"]):
            raise client_error("AccessDenied")

    aws.queues.hooks["receive_message"] = only_replies

    assert isinstance(send_ping(aws), ResponseTimeout)
    assert aws.queues.bodies(REQUESTS) == ["ping"]


def test_where_another_request_waits_none_is_received(aws: FakeAws) -> None:
    aws.queues.put(REQUESTS, "1 2 3", request_id="other")
    aws.queues.put(REQUESTS, "ping", request_id="mine")

    assert not take_back(Mailbox(aws, REQUESTS), "mine")

    assert "receive_message" not in aws.queues.operations
    assert aws.queues.bodies(REQUESTS) == ["1 2 3", "ping"]


def test_a_ping_that_a_worker_has_received_is_left_to_it(aws: FakeAws) -> None:
    requests = Mailbox(aws, REQUESTS)
    aws.queues.put(REQUESTS, "ping", request_id="mine")
    assert requests.receive(wait_seconds=0, visibility_seconds=30)
    aws.queues.calls.clear()

    assert not take_back(requests, "mine")

    assert "receive_message" not in aws.queues.operations


def test_another_request_that_has_just_come_is_not_received_with_it(aws: FakeAws) -> None:
    requests = Mailbox(aws, REQUESTS)
    aws.queues.put(REQUESTS, "ping", request_id="mine")
    aws.queues.hooks["receive_message"] = lambda _: aws.queues.put(REQUESTS, "1 2 3", request_id="other")

    assert take_back(requests, "mine")

    aws.queues.hooks.clear()
    (other,) = requests.receive(wait_seconds=0, visibility_seconds=1)
    assert (other.message.body, other.receive_count) == ("1 2 3", 1)


@pytest.mark.parametrize(("request_id", "left"), [("mine", []), ("other", ["ping"])])
def test_it_is_gone_only_if_it_was_the_one(aws: FakeAws, request_id: str, left: list[str]) -> None:
    requests = Mailbox(aws, REQUESTS)
    aws.queues.put(REQUESTS, "ping", request_id=request_id)

    assert take_back(requests, "mine") is (request_id == "mine")

    assert aws.queues.bodies(REQUESTS) == left
    visible = requests.receive(wait_seconds=0, visibility_seconds=1)  # another one is released at once
    assert [one.message.body for one in visible] == left


def test_one_that_could_not_be_deleted_is_not_gone(aws: FakeAws) -> None:
    requests = Mailbox(aws, REQUESTS)
    aws.queues.put(REQUESTS, "ping", request_id="mine")
    aws.queues.failing = lambda operation, _entry: ("ReceiptHandleIsInvalid", True) if "elete" in operation else None

    assert take_back(requests, "mine") is False
