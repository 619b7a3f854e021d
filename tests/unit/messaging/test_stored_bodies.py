"""Bodies that fit no message are in the bucket for as long as they are needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from courier import (
    Application,
    Rejected,
    Request,
    Requester,
    Response,
    ResponseTimeout,
    Worker,
    WorkerConfig,
    testing,
)
from courier.aws.sqs import MAX_BODY_BYTES
from courier.errors import AwsError, MalformedMessage, ObjectMissing
from courier.messaging.connection import ATTRIBUTES_BYTES
from courier.messaging.stored_bodies import StoredBodies
from courier.testing import Queues
from tests.support.fakes import FakeAws, until

ECHO = Application("echo", requests="echoRequests", replies="echoReplies")
LARGE = Application("echo", requests="echoRequests", replies="echoReplies", bucket="large")


def echo(request: Request) -> str:
    return request.body


@pytest.fixture
def queues() -> Iterator[Queues]:
    with testing.queues(LARGE) as made:
        yield made


@pytest.fixture
def aws() -> FakeAws:
    made = FakeAws()
    made.objects.create_bucket(Bucket="large")
    return made


@pytest.fixture
def bodies(aws: FakeAws) -> StoredBodies:
    return StoredBodies(aws, LARGE)


@pytest.mark.parametrize("body", ["x" * 8, "ä" * 4, "\U0001f600" * 2, ""])
def test_a_body_of_the_limit_stays_in_its_message(aws: FakeAws, bodies: StoredBodies, body: str) -> None:
    assert bodies.claim(body, max_body_bytes=8) == ""
    assert aws.objects.buckets["large"] == {}


def test_attributes_have_room_beside_a_body(bodies: StoredBodies) -> None:
    longest = MAX_BODY_BYTES - ATTRIBUTES_BYTES

    assert not bodies.claim("a" * longest)
    assert bodies.claim("a" * (longest + 1))


@pytest.mark.parametrize("body", ["x" * 9, "ä" * 5, "\U0001f600" * 3])
def test_a_longer_one_is_stored_under_the_applications_prefix(aws: FakeAws, bodies: StoredBodies, body: str) -> None:
    claim = bodies.claim(body, max_body_bytes=8)

    ((key, stored),) = aws.objects.buckets["large"].items()
    assert key == f"courier/echo/{claim}"
    assert stored.content.decode() == body
    assert bodies.redeemed(Request(body="", claim=claim, name="anna")) == Request(body=body, name="anna")
    assert list(aws.objects.buckets["large"]) == [key]  # the request may be received again


def test_a_response_that_was_read_is_deleted(aws: FakeAws, bodies: StoredBodies) -> None:
    claim = bodies.claim("x" * 9, max_body_bytes=8)

    assert bodies.redeem(Response(body="", claim=claim)) == Response(body="x" * 9)

    assert aws.objects.buckets["large"] == {}
    assert bodies.redeem(Response(body="whole")) == Response(body="whole")


def test_what_utf_8_cannot_encode_is_replaced_and_not_an_error(bodies: StoredBodies) -> None:
    claim = bodies.claim("\ud800" * 9, max_body_bytes=8)

    assert bodies.redeemed(Request(body="", claim=claim)).body == "?" * 9


def test_without_a_bucket_nothing_is_stored_fetched_or_deleted(aws: FakeAws) -> None:
    bodies = StoredBodies(aws, ECHO)

    assert bodies.claim("x" * 9, max_body_bytes=8) == ""
    with pytest.raises(MalformedMessage, match="in a bucket"):
        bodies.redeemed(Request(body="", claim="0" * 32))
    bodies.delete("0" * 32)
    assert aws.objects.operations == ["create_bucket"]


@pytest.mark.parametrize("claim", ["../secret", "0" * 31, "0" * 33, "A" * 32, "0" * 32 + "\n"])
def test_a_claim_that_is_none_names_no_object(aws: FakeAws, bodies: StoredBodies, claim: str) -> None:
    with pytest.raises(MalformedMessage, match="32 hexadecimal digits"):
        bodies.redeemed(Request(body="", claim=claim))

    assert aws.objects.operations == ["create_bucket"]


def test_a_body_that_was_deleted_is_missing_and_may_be_deleted_again(bodies: StoredBodies) -> None:
    bodies.delete("")
    claim = bodies.claim("x" * 9, max_body_bytes=8)
    bodies.delete(claim)
    bodies.delete(claim)

    with pytest.raises(ObjectMissing):
        bodies.redeemed(Request(body="", claim=claim))


# With a worker and a requester


def test_bodies_that_fit_no_message_are_stored_for_as_long_as_they_are_needed(queues: Queues) -> None:
    text = "ä" * 800_000
    with Worker(echo, LARGE), Requester(LARGE) as requester:
        assert requester.request(text).body == text
        many = list(requester.request_many([text, "short", text]))

    assert [one.body for one in many if isinstance(one, Response)] == [text, "short", text]
    assert queues.objects("large") == []


def test_what_is_canceled_or_unanswered_is_taken_back_too(queues: Queues) -> None:
    requester = Requester(LARGE, timeout=0.01)
    with pytest.raises(ResponseTimeout):
        requester.request("x" * 2_000_000)
    stream = requester.request_many(["x" * 2_000_000, "y"])
    next(stream)
    stream.close()

    assert queues.objects("large") == []


@pytest.mark.parametrize("is_batch", [False, True])
def test_a_dead_letter_keeps_its_stored_body_and_is_answered_when_it_is_sent_back(
    queues: Queues, *, is_batch: bool
) -> None:
    text = "x" * 2_000_000
    queues.lose_worker("echoRequests")
    with Worker(echo, LARGE, WorkerConfig(max_deliveries=2)):
        with Requester(LARGE) as requester:
            threading.Thread(target=lose_time, args=(queues,), daemon=True).start()
            (outcome,) = requester.request_many([text]) if is_batch else [rejection(requester, text)]
            assert isinstance(outcome, Rejected)
            assert outcome.reason == "dead"
            dead = requester.channel().dead

        assert len(queues.objects("large")) == 1
        assert dead.redrive(lambda call: call()) == 1
        until(lambda: queues.bodies("echoReplies"), "the response")

    assert len(queues.objects("large")) == 2  # of the request, and of the response that nobody took


def lose_time(queues: Queues) -> None:
    until(lambda: queues.is_in_flight("echoRequests"))
    queues.advance(60)


def rejection(requester: Requester, body: str) -> Rejected:
    with pytest.raises(Rejected) as raised:
        requester.request(body)
    return raised.value


def test_a_body_that_cannot_be_stored_is_the_error_of_its_request(queues: Queues) -> None:
    missing = Application("echo", requests="echoRequests", replies="echoReplies", bucket="missing")
    with Worker(echo, missing), Requester(missing) as requester:
        first, second = requester.request_many(["x" * 2_000_000, "y"])

    assert isinstance(first, AwsError)
    assert isinstance(second, Response)
    assert queues.objects("large") == []


@pytest.mark.parametrize(("claim", "words"), [("../secret", "32 hexadecimal digits"), ("0" * 32, "There is no '0000")])
def test_a_claim_of_what_is_not_there_is_rejected(queues: Queues, claim: str, words: str) -> None:
    with Worker(echo, LARGE):
        queues.send("echoRequests", "a", claim=claim)
        until(lambda: queues.bodies("echoReplies"))

    assert words in queues.bodies("echoReplies")[0]


def test_a_worker_without_the_bucket_says_so(queues: Queues) -> None:
    with Worker(echo, ECHO):
        queues.send("echoRequests", "a", claim="0" * 32)
        until(lambda: queues.bodies("echoReplies"))

    assert "The body is in a bucket. Give the application the bucket's name." in queues.bodies("echoReplies")[0]
