"""What a worker reports, written to each engine's bucket and read by what watches it."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from courier.aws.session import Aws
from courier.errors import BucketMissing, Rejected
from courier.messaging.application import Application
from courier.messaging.protocol import Request, Response
from courier.monitoring.activity import Activity
from courier.monitoring.live_reader import SWITCHED_OFF, LiveReader
from courier.monitoring.reporter import Reporter
from courier.monitoring.worker_status import WorkerStatus
from tests.support.fakes import until


@pytest.fixture
def bucket(aws: Aws) -> str:
    name = f"bucket-{secrets.token_hex(6)}"
    aws.s3().create_bucket(Bucket=name)
    return name


def application() -> Application:
    name = f"queue-{secrets.token_hex(4)}"
    return Application("numbers", requests=name, replies=f"{name}-replies")


def reader_of(aws: Aws, one: Application) -> LiveReader:
    return LiveReader(aws, [one], is_real=False, endpoint="http://here")


def send(aws: Aws, queue: str, count: int) -> None:
    url = aws.sqs().get_queue_url(QueueName=queue)["QueueUrl"]
    entries: list[Any] = [{"Id": str(number), "MessageBody": "secret", "DelaySeconds": 0} for number in range(count)]
    aws.sqs().send_message_batch(QueueUrl=url, Entries=entries)


def test_a_worker_reports_what_it_does_until_it_stops(aws: Aws, bucket: str) -> None:
    one, activity = application(), Activity("numbers", aws.clock.now)
    reader, worker = reader_of(aws, one), Reporter(activity, aws, bucket, program="numbers_worker.py", seconds=0.05)

    def found() -> list[WorkerStatus]:
        return reader.workers([f"{bucket}-none", bucket])

    assert found() == []
    worker.start()
    until(found, "a report")
    sent = aws.clock.now() - 0.07
    asked = Request(body="secret", request_id="r1", kind="numbers", sent_at=sent)
    activity.hooks.replied(asked, Response(body="secret", seconds=0.01))
    activity.hooks.on_rejected(asked, Rejected("secret", reason="timeout"))
    until(lambda: found()[0].answered, "a report of a request")

    live = reader.live([], found())

    (minute,) = live.last_minutes()
    assert (minute.answered, minute.rejected) == (1, {"timeout": 1})
    assert 70 <= (minute.p50 or 0) < 10_000
    assert [one.outcome for one in live.requests(10)] in (["ok", "timeout"], ["timeout", "ok"])
    assert "secret" not in json.dumps(live.as_json())
    worker.stop()
    assert found() == []
    assert reader.live([], found()).note == SWITCHED_OFF


def test_queues_are_counted_and_a_missing_one_is_said(aws: Aws) -> None:
    one = application()
    for queue in (one.requests, one.replies):
        aws.sqs().create_queue(QueueName=queue)
    send(aws, one.requests, 3)
    reader = reader_of(aws, one)

    reader.queues()
    requests, replies, dead = reader.queues()

    assert (requests.waiting, requests.in_flight, list(requests.history)) == (3, 0, [3, 3])
    assert (requests.oldest_seconds or -1) >= 0  # nothing leaves it
    assert (replies.waiting, replies.oldest_seconds) == (0, None)
    assert "does not exist" in dead.problem
    live = reader.live([requests, replies, dead], [])
    assert live.is_well is False
    assert live.dead_letters("numbers") is None
    aws.sqs().create_queue(QueueName=one.dead_letters)
    assert reader.queues()[2].problem == ""


def test_without_a_bucket_that_is_said(aws: Aws) -> None:
    with pytest.raises(BucketMissing):
        reader_of(aws, application()).workers([f"bucket-{secrets.token_hex(6)}"])


def test_what_is_no_report_is_ignored(aws: Aws, bucket: str) -> None:
    for name, body in {"a.json": b"{}", "b.json": b"\xff\x00", "c.json": b"x" * 200_000}.items():
        aws.s3().put_object(Bucket=bucket, Key=f"status/{name}", Body=body, ContentType="application/json", Metadata={})

    assert reader_of(aws, application()).workers([bucket]) == []
