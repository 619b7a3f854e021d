"""The library as a user has it: an application of a few lines, on the local AWS."""

from __future__ import annotations

import pytest

import courier
from courier.errors import AwsError
from tests.support.place import ATTRIBUTES, Place

#: Its applications have names of their own, as the documentation, which may be in use elsewhere.
pytestmark = pytest.mark.emulator


def upper(request: courier.Request) -> str:
    if not request.body.strip():
        raise courier.Rejected("Nothing to upper-case.", hint="Send some text.")
    return request.body.upper()


UPPER = courier.Application("upper", requests="upperRequests", replies="upperReplies")


@pytest.fixture
def account(bare_place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An account with nothing in it, which this process uses."""
    for name, value in bare_place.env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return bare_place


def test_the_program_of_the_readme_answers_rejects_and_gives_up(account: Place) -> None:
    courier.create_queues(UPPER)
    with courier.Worker(upper, UPPER), courier.Requester(UPPER, timeout=60) as requester:
        assert requester.request("hello").body == "HELLO"
        with pytest.raises(courier.Rejected, match=r"Nothing to upper-case\.\nSend some text\."):
            requester.request(" ")
        lines = [f"line {number}" for number in range(30)]
        outcomes = list(requester.request_many([*lines, " "]))
        assert [one.body for one in outcomes if isinstance(one, courier.Response)] == [one.upper() for one in lines]
        assert isinstance(outcomes[-1], courier.Rejected)
        private = [url for url in account.client("sqs").list_queues()["QueueUrls"] if "upperReplies-" in url]
        assert len(private) == 1
    assert not [url for url in account.client("sqs").list_queues()["QueueUrls"] if "upperReplies-" in url]
    with pytest.raises(courier.ResponseTimeout, match="upperReplies within"):
        courier.Requester(UPPER, timeout=0.5).request("hello")


def test_queues_are_those_of_create_queue_json_and_stay_as_they_are(account: Place) -> None:
    courier.create_queues(UPPER)
    courier.create_queues(UPPER)

    sqs = account.client("sqs")
    for queue in (UPPER.requests, UPPER.replies):
        found = sqs.get_queue_attributes(QueueUrl=account.url(queue), AttributeNames=["All"])["Attributes"]
        assert {name: found[name] for name in ATTRIBUTES} == ATTRIBUTES
        assert ("RedrivePolicy" in found) == (queue == UPPER.requests)
    dead = sqs.get_queue_attributes(QueueUrl=account.url(UPPER.dead_letters), AttributeNames=["All"])["Attributes"]
    assert dead["MessageRetentionPeriod"] == "1209600"


def test_a_queue_that_is_there_and_different_is_named_with_the_difference(account: Place) -> None:
    account.client("sqs").create_queue(QueueName="upperReplies", Attributes={**ATTRIBUTES, "DelaySeconds": "7"})

    with pytest.raises(AwsError, match="upperReplies exists with other attributes: DelaySeconds is 7, not 1"):
        courier.create_queues(UPPER)


def test_bodies_that_fit_no_message_go_through_the_bucket_and_leave_nothing(account: Place) -> None:
    account.create_bucket()
    large = courier.Application("upper", requests="upperRequests", replies="upperReplies", bucket=account.bucket)
    courier.create_queues(large)
    text = "words " * 300_000

    with courier.Worker(upper, large), courier.Requester(large) as requester:
        assert requester.request(text).body == text.upper()

    assert "Contents" not in account.client("s3").list_objects_v2(Bucket=account.bucket)


@pytest.mark.usefixtures("account")
def test_without_a_bucket_a_body_that_is_too_long_is_rejected_with_the_limit() -> None:
    courier.create_queues(UPPER)

    with pytest.raises(courier.Rejected, match=r"1,500,\d{3} bytes.* 1,048,576"):
        courier.Requester(UPPER).request("x" * 1_500_000)


def test_a_message_sent_manually_is_answered_in_the_shared_queue(account: Place) -> None:
    courier.create_queues(UPPER)
    with courier.Worker(upper, UPPER):
        account.post("upperRequests", "manually")
        (reply,) = account.collect("upperReplies")

    assert reply["Body"] == "MANUALLY"
