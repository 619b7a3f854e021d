"""Bodies that are too large for a message, in a bucket in memory."""

from __future__ import annotations

import pytest

from courier.aws.sqs import MAX_BODY_BYTES
from courier.errors import MalformedMessage, ObjectMissing
from courier.messaging.application import Application
from courier.messaging.connection import ATTRIBUTES_BYTES
from courier.messaging.protocol import Request, Response
from courier.messaging.stored_bodies import StoredBodies
from tests.support.fakes import FakeAws

BUCKET, MISSING = "large", "0" * 32


@pytest.fixture
def aws() -> FakeAws:
    made = FakeAws()
    made.objects.create_bucket(Bucket=BUCKET)
    return made


def stored(aws: FakeAws, bucket: str = BUCKET) -> StoredBodies:
    return StoredBodies(aws, Application("echo", requests="echoRequests", replies="echoReplies", bucket=bucket))


def names(aws: FakeAws) -> list[str]:
    return sorted(aws.objects.buckets[BUCKET])


@pytest.mark.parametrize("body", ["a" * 12, "ä" * 6, "\U0001f600" * 3])
def test_a_body_that_fits_in_bytes_stays_in_its_message(aws: FakeAws, body: str) -> None:
    assert stored(aws).claim(body, max_body_bytes=12) == ""
    assert names(aws) == []


def test_attributes_have_room_beside_a_body(aws: FakeAws) -> None:
    longest = MAX_BODY_BYTES - ATTRIBUTES_BYTES

    assert not stored(aws).claim("a" * longest)
    assert stored(aws).claim("a" * (longest + 1))


@pytest.mark.parametrize("body", ["a" * 13, "ä" * 7, "\U0001f600" * 4])
def test_one_that_does_not_is_stored_under_its_claim_and_comes_back(aws: FakeAws, body: str) -> None:
    bodies = stored(aws)

    claim = bodies.claim(body, max_body_bytes=12)

    assert names(aws) == [f"courier/echo/{claim}"]
    request = Request(body="", request_id="a", claim=claim)
    assert bodies.redeemed(request) == Request(body=body, request_id="a")
    assert names(aws) == [f"courier/echo/{claim}"]  # a worker that is lost leaves it to the next
    assert bodies.redeem(Response(body="", request_id="a", claim=claim)) == Response(body=body, request_id="a")
    assert names(aws) == []  # a response is read once


def test_a_message_with_its_body_needs_no_bucket(aws: FakeAws) -> None:
    for bodies in (stored(aws, ""), stored(aws)):
        request, response = Request(body="a"), Response(body="b")
        assert bodies.redeemed(request) is request
        assert bodies.redeem(response) is response
        bodies.delete("")
    assert aws.objects.operations == ["create_bucket"]


def test_without_a_bucket_every_body_stays_and_a_claim_is_rejected_with_the_reason(aws: FakeAws) -> None:
    bodies = stored(aws, "")

    assert bodies.claim("a" * 100, max_body_bytes=12) == ""
    bodies.delete(MISSING)
    with pytest.raises(MalformedMessage, match="in a bucket") as raised:
        bodies.redeemed(Request(body="", claim=MISSING))
    assert "bucket's name" in raised.value.hint


def test_a_claim_is_hexadecimal_digits_and_of_an_object_that_exists(aws: FakeAws) -> None:
    bodies = stored(aws)
    for claim in ("../secret", MISSING.upper() + "A", MISSING[1:], "G" * 32):
        with pytest.raises(MalformedMessage, match="32 hexadecimal digits"):
            bodies.redeemed(Request(body="", claim=claim))
    with pytest.raises(ObjectMissing):
        bodies.redeem(Response(body="", claim=MISSING))


def test_half_a_character_is_replaced_as_in_a_message(aws: FakeAws) -> None:
    bodies = stored(aws)

    claim = bodies.claim("\ud800" + "a" * 12, max_body_bytes=12)

    assert bodies.redeemed(Request(body="", claim=claim)).body == "?" + "a" * 12
