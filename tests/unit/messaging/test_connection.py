"""What both clients share: their line to the workers, the requester that fits, and one outcome shown."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

import pytest

from courier.aws.credentials import CredentialRefresh
from courier.aws.sqs import MAX_BODY_BYTES
from courier.cancellation import Canceled, Cancellation
from courier.errors import (
    CourierError,
    MessageTooLong,
    QueueMissing,
    Rejected,
    ResponseTimeout,
    Unreachable,
)
from courier.messaging.application import Application
from courier.messaging.connection import (
    ATTRIBUTES_BYTES,
    CROWDED,
    SMALLEST_LIMIT,
    Connection,
    exchange_for,
    response_of,
)
from courier.messaging.exchange import OWN_WINDOW, SHARED_WINDOW, Exchange
from courier.messaging.pending import Outcome, Outgoing, OutgoingRequest
from courier.messaging.private_exchange import PrivateExchange
from courier.messaging.protocol import Rejection, Response
from tests.support.fakes import WAIT_LIMIT_SECONDS, FakeAws, client_error, no_network, until

REQUESTS, REPLIES = "requestQueue", "responseQueue"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    for name in (REQUESTS, REPLIES):
        made.queues.create_queue(QueueName=name)
    monkeypatch.setattr("courier.aws.session.Aws", lambda _refresh, _cancellation: made)
    monkeypatch.setattr("courier.aws.backoff.delays", lambda: repeat(0.001))
    monkeypatch.setattr("courier.messaging.reply_queue.READY_SECONDS", 0.0)
    made.queues.calls.clear()
    return made


NUMBERS = Application("numbers", requests=REQUESTS, replies=REPLIES)


def connection(notices: list[str] | None = None) -> Connection:
    tell = (notices if notices is not None else []).append
    return Connection(NUMBERS, credentials_seconds=5, tell=tell)


# The line


def test_a_line_is_opened_once_and_knows_its_queues(aws: FakeAws) -> None:
    made = connection()

    channel = made.channel()

    assert made.channel() is channel
    assert (channel.requests.name, channel.replies.name, channel.dead.name) == (REQUESTS, REPLIES, "requestQueue-dead")
    assert aws.queues.operations == ["get_queue_url", "get_queue_url"]
    assert made.aws() is aws


def test_calls_wait_for_new_keys_as_long_as_the_client_does(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def make(refresh: Any, cancellation: Cancellation) -> object:
        made.append(refresh)
        assert cancellation is opened.cancellation
        return object()

    monkeypatch.setattr("courier.aws.session.Aws", make)
    notices: list[str] = []
    opened = connection(notices)

    assert opened.aws() is opened.aws()

    (refresh,) = made
    refresh.tell("x")
    assert (refresh.seconds, notices) == (5, ["x"])


@pytest.mark.parametrize("name", [REQUESTS, REPLIES])
def test_a_queue_that_is_missing_is_said_when_the_line_is_opened(aws: FakeAws, name: str) -> None:
    aws.queues.delete_queue(QueueUrl=aws.queues.get_queue_url(QueueName=name)["QueueUrl"])

    with pytest.raises(QueueMissing, match=name):
        connection().channel()


def test_a_transient_error_is_retried_and_reported(aws: FakeAws) -> None:
    notices: list[str] = []
    aws.queues.fail("get_queue_url", *[no_network()] * 3)

    connection(notices).channel()

    assert len(notices) == 2


def test_an_error_that_outlasts_the_timeout_is_raised_and_the_next_call_tries_again(aws: FakeAws) -> None:
    aws.queues.fail("get_queue_url", no_network())
    made = connection()

    with pytest.raises(Unreachable):
        made.channel(opening_seconds=0)

    assert made.channel().requests.name == REQUESTS


def test_the_line_is_opened_ahead(aws: FakeAws) -> None:
    made = connection()
    others = {*threading.enumerate()}
    threads: set[threading.Thread] = set()
    aws.queues.hooks["get_queue_url"] = lambda _: threads.update(threading.enumerate())

    PrivateExchange(made).prepare()
    until(lambda: aws.queues.operations.count("create_queue") == 1)
    made.channel()
    assert threads - others
    assert all(thread.daemon for thread in threads - others)

    assert aws.queues.operations.count("get_queue_url") == 2


def test_what_fails_ahead_is_not_reported_and_retried_when_it_is_needed(aws: FakeAws) -> None:
    notices: list[str] = []
    aws.queues.fail("get_queue_url", client_error("AccessDenied"))
    made = connection(notices)

    PrivateExchange(made).prepare()
    until(lambda: aws.queues.operations)

    assert made.channel().requests.name == REQUESTS
    assert notices == []


def test_a_line_that_is_being_opened_can_be_canceled(aws: FakeAws) -> None:
    free = threading.Event()
    made = connection()

    def hold(_: object) -> None:
        made.cancellation.cancel()
        assert free.wait(WAIT_LIMIT_SECONDS)

    aws.queues.hooks["get_queue_url"] = hold

    with pytest.raises(Canceled):
        made.channel()

    free.set()


def test_a_canceled_call_is_not_retried(aws: FakeAws) -> None:
    made = connection()
    aws.queues.fail("get_queue_url", *[no_network()] * 1000)
    aws.queues.hooks["get_queue_url"] = lambda _: made.cancellation.cancel()

    with pytest.raises((Canceled, Unreachable)):  # whichever is met first
        made.channel(opening_seconds=1000)

    assert aws.queues.operations.count("get_queue_url") < 1000


def test_a_line_to_a_silent_aws_is_given_up_in_time(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.messaging.connection.SLACK_SECONDS", 0.0)
    free = threading.Event()
    aws.queues.hooks["get_queue_url"] = lambda _: free.wait(WAIT_LIMIT_SECONDS)

    def make(refresh: CredentialRefresh, cancellation: Cancellation) -> FakeAws:
        aws._refresh, aws._cancellation = refresh, cancellation
        return aws

    monkeypatch.setattr("courier.aws.session.Aws", make)
    made = Connection(NUMBERS, credentials_seconds=5, timeout_seconds=0.05, tell=print)

    with pytest.raises(Unreachable, match=r"find the queue requestQueue.*no response within 0\.05 s"):
        made.channel()

    free.set()


def test_a_transient_error_is_retried_no_longer_than_the_timeout(aws: FakeAws) -> None:
    aws.queues.fail("get_queue_url", *[no_network()] * 100_000)
    made = Connection(NUMBERS, credentials_seconds=5, timeout_seconds=0.05, tell=print)

    with pytest.raises(Unreachable, match="nowhere"):
        made.channel()


def test_what_is_canceled_ahead_is_not_reported(aws: FakeAws) -> None:
    made = connection()
    made.cancellation.cancel()

    PrivateExchange(made).prepare()

    until(lambda: not any(thread.name == "reply-queue" for thread in threading.enumerate()))
    assert aws.queues.operations == []


# How long a request may be


def test_what_is_short_needs_no_question(aws: FakeAws) -> None:
    small = SMALLEST_LIMIT - ATTRIBUTES_BYTES

    assert connection().max_body_bytes(small) == small
    assert aws.queues.operations == []


def test_what_is_longer_is_asked_of_the_queue_once(aws: FakeAws) -> None:
    aws.queues.queue(REQUESTS).attributes["MaximumMessageSize"] = "5000"
    made = connection()

    assert made.max_body_bytes(SMALLEST_LIMIT - ATTRIBUTES_BYTES + 1) == 5000 - ATTRIBUTES_BYTES
    assert made.max_body_bytes(10**6) == 5000 - ATTRIBUTES_BYTES
    assert aws.queues.operations.count("get_queue_attributes") == 1


def test_who_may_not_ask_takes_the_limit_of_sqs(aws: FakeAws) -> None:
    aws.queues.fail("get_queue_attributes", client_error("AccessDenied"))

    assert connection().max_body_bytes(10**6) == MAX_BODY_BYTES - ATTRIBUTES_BYTES


# The requester that fits


def questions(count: int, *, is_expensive: bool = False) -> list[Outgoing]:
    return [OutgoingRequest(body=str(number), is_expensive=is_expensive) for number in range(count)]


class Enough(Exception):
    """What was to be seen has been seen."""


def batches(aws: FakeAws, requester: Exchange, stream: Iterable[Outgoing]) -> list[int]:
    """Return in which batches a requester sends its questions, until it looks for answers."""

    def interrupt(_: object) -> None:
        raise Enough

    aws.queues.hooks["receive_message"] = interrupt
    with pytest.raises(Enough):
        list(requester.request_many(stream, timeout_seconds=5))
    return [len(given["Entries"]) for given in aws.queues.given("send_message_batch")]


def reply_queue(aws: FakeAws) -> str:
    """Return where the answers to what was sent are to go."""
    return str(aws.queues.queue(REQUESTS).messages[0].attributes["reply-to"]["StringValue"])


def test_few_questions_are_answered_by_the_shared_queue(aws: FakeAws) -> None:
    made = connection()
    stream = questions(SHARED_WINDOW)

    with exchange_for(made, stream) as (exchange, given):
        assert exchange is made.channel().exchange
        assert list(given) == stream

    assert "create_queue" not in aws.queues.operations


def test_many_are_answered_by_a_queue_of_their_own_and_more_at_once(aws: FakeAws) -> None:
    with exchange_for(connection(), questions(OWN_WINDOW + 50)) as (exchange, stream):
        sent = batches(aws, exchange, stream)
        name = reply_queue(aws)
        assert name in aws.queues.names()

    assert sent == [10] * (OWN_WINDOW // 10)
    assert name.startswith(f"{REPLIES}-")
    assert aws.queues.names() == [REQUESTS, REPLIES]


def test_no_more_than_few_are_under_way_by_the_shared_queue(aws: FakeAws) -> None:
    def stream() -> Iterator[Outgoing]:
        yield None
        yield from questions(100)

    with exchange_for(connection(), stream()) as (exchange, given):
        assert next(iter(given)) is None
        sent = batches(aws, exchange, given)

    assert (sum(sent), reply_queue(aws)) == (SHARED_WINDOW, REPLIES)


@pytest.mark.parametrize("ready", [0, 1, SHARED_WINDOW])
def test_those_that_do_not_stand_ready_do_not_count(aws: FakeAws, ready: int) -> None:
    stream = [*questions(ready), None, *questions(100)]

    with exchange_for(connection(), stream) as (_, given):
        assert list(given) == stream

    assert "create_queue" not in aws.queues.operations


def test_nothing_is_read_ahead_of_what_decides(aws: FakeAws) -> None:
    taken: list[int] = []

    def stream() -> Iterator[Outgoing]:
        for number, question in enumerate(questions(100)):
            taken.append(number)
            yield question

    with exchange_for(connection(), stream()):
        assert len(taken) == SHARED_WINDOW + 1
    assert aws.queues.operations


def test_one_expensive_question_travels_alone_and_is_answered_by_the_shared_queue(aws: FakeAws) -> None:
    stream: list[Outgoing] = [*questions(1, is_expensive=True), None, *questions(5)]

    with exchange_for(connection(), stream) as (exchange, given):
        sent = batches(aws, exchange, [one for one in given if one])

    assert (sent, reply_queue(aws)) == ([1] * 6, REPLIES)


def test_several_expensive_ones_are_answered_by_a_queue_of_their_own(aws: FakeAws) -> None:
    with exchange_for(connection(), questions(2, is_expensive=True)) as (exchange, stream):
        assert batches(aws, exchange, stream) == [1, 1]
        assert reply_queue(aws) != REPLIES


def test_one_expensive_question_among_many_is_reason_enough_to_send_each_alone(aws: FakeAws) -> None:
    mixed = [*questions(SHARED_WINDOW), *questions(1, is_expensive=True)]

    with exchange_for(connection(), mixed) as (exchange, stream):
        assert batches(aws, exchange, stream) == [1] * SHARED_WINDOW
        assert reply_queue(aws) != REPLIES


@pytest.mark.parametrize(("lying", "is_shared"), [(CROWDED, True), (CROWDED + 1, False)])
def test_a_crowded_queue_is_left_to_the_others(aws: FakeAws, lying: int, *, is_shared: bool) -> None:
    aws.queues.put(REPLIES, *(["theirs"] * lying))

    with exchange_for(connection(), questions(1)) as (exchange, stream):
        assert batches(aws, exchange, stream) == [1]
        assert (reply_queue(aws) == REPLIES) is is_shared


def test_who_may_not_look_into_the_queue_takes_it_as_it_is(aws: FakeAws) -> None:
    aws.queues.fail("get_queue_attributes", client_error("AccessDenied"))

    with exchange_for(connection(), questions(1)) as (exchange, stream):
        assert batches(aws, exchange, stream) == [1]
        assert reply_queue(aws) == REPLIES


def test_an_expensive_requester_on_a_queue_of_its_own_has_few_under_way(aws: FakeAws) -> None:
    channel = connection().channel()

    expensive = channel.make_exchange(channel.replies, is_expensive=True)

    assert batches(aws, expensive, questions(50, is_expensive=True)) == [1] * SHARED_WINDOW


# What becomes of one


def outcome(result: Response | Rejection | CourierError) -> Outcome:
    return Outcome(result=result, request_id="a", seconds=1.0)


def test_an_answer_is_returned() -> None:
    answer = Response(body="1")

    assert response_of(outcome(answer), worker="w.py") is answer


def test_a_rejection_is_raised_with_its_reason() -> None:
    with pytest.raises(Rejected, match="No such image") as raised:
        response_of(outcome(Rejection(reason="No such image.", code="corrupt")), worker="w.py")

    assert raised.value.reason == "corrupt"


def test_silence_is_raised_with_how_to_start_the_worker() -> None:
    with pytest.raises(ResponseTimeout, match="within 5 s") as raised:
        response_of(outcome(ResponseTimeout("No answer within 5 s.")), worker="numbers_worker.py")

    assert "numbers_worker.py" in raised.value.hint
    assert "purged" in raised.value.hint


def test_what_kept_a_question_from_being_asked_is_raised_as_it_is() -> None:
    error = MessageTooLong("Too long.")

    with pytest.raises(MessageTooLong) as raised:
        response_of(outcome(error), worker="w.py")

    assert raised.value is error
