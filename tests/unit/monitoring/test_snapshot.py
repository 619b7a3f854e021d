"""What exists is read side by side; one thing that cannot be read concerns no other. On moto: tests/contract."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from courier.aws.inventory import BucketState, QueueState, TopicState
from courier.errors import AccessDenied, AwsError, Rejected, Unreachable
from courier.messaging.application import Application
from courier.messaging.reply_queue import STALE_SECONDS
from courier.monitoring.expected import Expected
from courier.monitoring.snapshot import Reader, ReplyQueues, attempt, own_address, read_queues
from tests.support.fakes import FakeAws, client_error
from tests.support.stubbed import StubbedAws

ACCOUNT = "123456789012"
NUMBERS = Application("numbers", requests="requests", replies="replies")
PLAIN = f"x-{ACCOUNT}-us-east-1"


def in_bucket(name: str) -> dict[str, str]:
    return {"Bucket": name, "ExpectedBucketOwner": ACCOUNT}


@pytest.fixture
def aws() -> Iterator[StubbedAws]:
    made = StubbedAws("sqs", "sts")
    yield made
    made.check_all_made()


def reader(aws: FakeAws, expected: Expected | None = None, given_bucket: str | None = None) -> Reader:
    return Reader(
        aws=aws,
        expected=expected or Expected(name="x"),
        applications=[NUMBERS],
        given_bucket=given_bucket,
        is_real=True,
        is_deep=False,
    )


@pytest.mark.parametrize("error", [AccessDenied("No."), Rejected("No."), Unreachable("Gone.")])
def test_an_error_of_aws_is_a_result_and_a_bug_is_none(error: AwsError | Rejected) -> None:
    def fail(what: Exception) -> str:
        raise what

    assert attempt(fail, error) is error
    assert attempt(str, 5) == "5"
    with pytest.raises(KeyError):
        attempt(fail, KeyError("a bug"))


def test_a_queue_that_cannot_be_read_concerns_no_other() -> None:
    aws = FakeAws()
    for name in ("a", "b"):
        aws.queues.create_queue(QueueName=name)

    def deny_b(given: Any) -> None:
        if given["QueueUrl"].endswith("/b"):
            raise client_error("AccessDenied")

    aws.queues.hooks["get_queue_attributes"] = deny_b

    found = read_queues(aws, ["b", "none", "a"])

    assert list(found) == ["b", "none", "a"]
    assert isinstance(found["b"], AccessDenied)
    assert found["none"] is None
    assert isinstance(found["a"], QueueState)


def test_the_first_bucket_that_exists_is_the_set_ups(aws: StubbedAws) -> None:
    for queue in ("requests", "replies", "requests-dead"):
        aws.queues.create_queue(QueueName=queue)
    aws.fails("s3", "head_bucket", "404")
    aws.returns("s3", "head_bucket", {}, in_bucket(PLAIN))
    aws.fails("s3", "get_bucket_tagging", "NoSuchTagSet")

    found = reader(aws).read()

    assert found.bucket == BucketState(name=PLAIN, owner=None, has_tags=False)
    assert (found.bucket_name, found.is_given_bucket, found.identity.account) == (PLAIN, False, ACCOUNT)
    assert all(isinstance(queue, QueueState) for queue in found.queues.values())
    # Not to be read.
    assert (found.alarms, found.topic, found.machines, found.details) == (None, None, None, None)


def test_of_a_bucket_that_is_not_there_the_name_is_the_last_that_was_looked_for(aws: StubbedAws) -> None:
    for _ in range(2):
        aws.fails("s3", "head_bucket", "404")

    found = reader(aws).read()

    assert (found.bucket, found.bucket_name) == (None, PLAIN)
    assert set(found.queues.values()) == {None}


def test_a_bucket_that_may_not_be_seen_is_an_error_and_the_next_is_not_tried(aws: StubbedAws) -> None:
    aws.fails("s3", "head_bucket", "403")

    assert isinstance(reader(aws).read().bucket, AwsError)


def test_a_given_bucket_is_looked_for_alone_and_with_whose_code_it_has(aws: StubbedAws) -> None:
    aws.returns("s3", "head_bucket", {}, in_bucket("mine"))
    aws.returns("s3", "get_bucket_tagging", {"TagSet": []}, in_bucket("mine"))
    code = {"Metadata": {"courier": "other", "courier-content": "abc"}}
    aws.returns("s3", "head_object", code, {**in_bucket("mine"), "Key": "deploy/current"})

    found = reader(aws, given_bucket="mine").read()

    assert found.is_given_bucket
    assert found.bucket == BucketState(name="mine", owner=None, has_tags=False, code_owner="other", code="abc")


def test_the_topic_is_read_only_if_there_are_alarms(aws: StubbedAws) -> None:
    expected = Expected(name="x", alarms="a b", topic="mail")
    alarm = {"AlarmName": "a", "StateValue": "OK", "StateReason": ""}
    for found in ({"MetricAlarms": [alarm]}, {}):
        aws.returns("cloudwatch", "describe_alarms", found, {"AlarmNames": ["a", "b"]})
    aws.fails("cloudwatch", "describe_alarms", "AccessDenied")
    for _ in range(6):
        aws.fails("s3", "head_bucket", "404")
    arn = f"arn:aws:sns:us-east-1:{ACCOUNT}:mail"
    aws.returns("sns", "list_subscriptions_by_topic", {"Subscriptions": []}, {"TopicArn": arn})

    one, without, denied = (reader(aws, expected).read() for _ in range(3))

    assert one.topic == TopicState(confirmed=0, pending=0)
    assert (without.alarms, without.topic) == ([], None)
    assert isinstance(denied.alarms, AccessDenied)
    assert denied.topic is None


def test_without_an_account_there_is_no_snapshot() -> None:
    aws = FakeAws()
    aws.account.services["sts"].fail("get_caller_identity", client_error("AccessDenied"))

    with pytest.raises(AccessDenied):
        reader(aws).read()


def test_only_private_reply_queues_are_counted_and_the_old_ones_are_stale() -> None:
    aws = FakeAws()
    private = [f"replies-{'ab12' * 4}", f"replies-{'ab12' * 8}"]
    for name in (*private, "replies", "replies-dead", "replies-ab12", f"replies2-{'ab12' * 4}", "requests"):
        aws.queues.create_queue(QueueName=name)
    aws.queues.queue(private[0]).created -= STALE_SECONDS + 1

    assert reader(aws)._reply_queues() == ReplyQueues(count=2, stale=1)
    aws.queues.fail("get_queue_attributes", *[client_error("AccessDenied")] * 2)
    assert reader(aws)._reply_queues() == ReplyQueues(count=2, stale=0)


# This machine's address


@contextmanager
def served(text: bytes) -> Iterator[str]:
    """Serve a page, and yield its URL."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, args=(0.001,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize(
    ("text", "address"),
    [(b"203.0.113.7\n", "203.0.113.7"), (b"<html>", None), (b"", None), (b"\xff\xfe", None), (b"203.0.113.7, x", None)],
)
def test_an_address_is_one_of_ipv4_and_anything_else_is_none(text: bytes, address: str | None) -> None:
    with served(text) as url:
        assert own_address(url) == address


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "no URL"])
def test_an_address_that_cannot_be_found_is_none(url: str) -> None:
    assert own_address(url) is None
