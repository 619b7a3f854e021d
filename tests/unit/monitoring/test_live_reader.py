"""What goes on is read again and again, with as few calls as that needs. On each engine: tests/contract."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from courier.errors import AccessDenied, BucketMissing
from courier.monitoring import live_reader
from courier.monitoring.live import QueueNow
from courier.monitoring.live_reader import SWITCHED_OFF, LiveReader
from courier.monitoring.worker_status import MOST_BYTES, WorkerStatus
from tests.support.fakes import FakeAws, client_error, no_network
from tests.support.live import NUMBERS, worker

PATH = "status/w1.json"


class Hours:
    """A clock that a test sets, in place of this machine's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.monotonic()
        monkeypatch.setattr("courier.monitoring.live_reader.time.monotonic", lambda: self.now)


@pytest.fixture
def aws() -> FakeAws:
    made = FakeAws()
    for queue in (NUMBERS.requests, NUMBERS.replies, NUMBERS.dead_letters):
        made.queues.create_queue(QueueName=queue)
    return made


@pytest.fixture
def reader(aws: FakeAws) -> LiveReader:
    return reader_of(aws)


def reader_of(aws: FakeAws, *, is_real: bool = False) -> LiveReader:
    return LiveReader(aws, [NUMBERS], is_real=is_real, endpoint="http://here")


def report(aws: FakeAws, one: WorkerStatus, bucket: str = "bucket", key: str = PATH) -> None:
    aws.objects.create_bucket(Bucket=bucket)
    aws.objects.put_object(Bucket=bucket, Key=key, Body=one.encode().encode())


def requests(reader: LiveReader) -> QueueNow:
    return reader.queues()[0]


# Queues


def test_queues_have_their_roles_and_their_addresses_are_looked_up_once(aws: FakeAws, reader: LiveReader) -> None:
    reader.queues()
    found = reader.queues()

    assert [(one.name, one.role, one.application) for one in found] == [
        (NUMBERS.requests, "requests", "numbers"),
        (NUMBERS.replies, "replies", "numbers"),
        (NUMBERS.dead_letters, "dead", "numbers"),
    ]
    assert aws.queues.operations.count("get_queue_url") == 3


def test_a_queue_that_was_deleted_is_found_once_it_is_there_again(aws: FakeAws, reader: LiveReader) -> None:
    aws.queues.put(NUMBERS.requests, "1")
    reader.queues()
    aws.queues.delete_queue(QueueUrl=aws.queues.get_queue_url(QueueName=NUMBERS.requests)["QueueUrl"])

    assert requests(reader).problem == "does not exist"

    aws.queues.create_queue(QueueName=NUMBERS.requests)
    found = requests(reader)
    assert (found.problem, list(found.history)) == ("", [1, 0])


def test_a_problem_of_one_queue_is_its_own_and_one_of_the_network_the_same_for_all(
    aws: FakeAws, reader: LiveReader
) -> None:
    def deny_replies(given: Any) -> None:
        if given["QueueUrl"].endswith(f"/{NUMBERS.replies}"):
            raise client_error("AccessDenied")

    aws.queues.hooks["get_queue_attributes"] = deny_replies
    found = reader.queues()
    assert [bool(one.problem) for one in found] == [False, True, False]
    assert NUMBERS.replies in found[1].problem

    aws.queues.fail("get_queue_attributes", *[no_network()] * 3)
    aws.queues.fail("get_queue_url", no_network())
    (problem,) = {one.problem for one in reader.queues()}
    assert problem.startswith("AWS cannot be reached. ")


# The age of the oldest message


def test_what_nothing_leaves_is_as_old_as_that_was_seen(
    aws: FakeAws, reader: LiveReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = Hours(monkeypatch)
    for queue in (NUMBERS.requests, NUMBERS.replies):
        aws.queues.put(queue, "1", "2")
    ages = []
    for _ in range(3):
        ages.append(requests(reader).oldest_seconds)
        hours.now += 10

    assert ages == [0, 10, 20]
    assert reader.queues()[1].oldest_seconds is None  # of replies, nobody asks

    aws.queues.queue(NUMBERS.requests).messages.pop()
    assert requests(reader).oldest_seconds is None  # one has left it
    hours.now += 10
    requests(reader)
    hours.now += 5
    assert requests(reader).oldest_seconds == 15 - 10


def test_what_is_in_flight_is_worked_on(aws: FakeAws, reader: LiveReader) -> None:
    aws.queues.put(NUMBERS.requests, "1", "2")
    url = aws.queues.get_queue_url(QueueName=NUMBERS.requests)["QueueUrl"]
    sqs: Any = aws.sqs()
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)

    assert requests(reader).oldest_seconds is None


def test_cloudwatch_is_asked_once_a_minute_and_the_greater_age_counts(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = Hours(monkeypatch)
    reader = reader_of(aws, is_real=True)
    aws.metrics.points = [{"Timestamp": datetime.now(UTC), "Maximum": 50.0}]
    assert requests(reader).oldest_seconds is None
    aws.queues.put(NUMBERS.requests, "1")
    ages = []
    for seconds in (59, 1, 0):
        ages.append(requests(reader).oldest_seconds)
        hours.now += seconds

    assert ages == [50, 59, 60]
    assert len(aws.metrics.given("get_metric_statistics")) == 2


def test_a_local_aws_has_no_metrics(aws: FakeAws, reader: LiveReader) -> None:
    aws.queues.put(NUMBERS.requests, "1")

    requests(reader)

    assert aws.metrics.calls == []


# Workers


def test_a_report_is_read_again_only_once_it_has_changed(aws: FakeAws, reader: LiveReader) -> None:
    report(aws, worker(1))
    assert reader.workers(["bucket"]) == reader.workers(["bucket"]) == [worker(1)]
    assert aws.objects.operations.count("get_object") == 1

    report(aws, worker(1, answered=8))

    assert [one.answered for one in reader.workers(["bucket"])] == [8]


def test_a_worker_that_stops_between_the_listing_and_the_reading_is_gone(aws: FakeAws, reader: LiveReader) -> None:
    report(aws, worker(1))
    report(aws, worker(3), key="status/w3.json")

    def stop(given: Any) -> None:
        if given["Key"] == PATH:
            aws.objects.buckets["bucket"].pop(PATH, None)

    aws.objects.hooks["get_object"] = stop

    assert [one.id for one in reader.workers(["bucket"])] == ["w3"]


def test_a_large_object_is_not_read(aws: FakeAws, reader: LiveReader) -> None:
    aws.objects.create_bucket(Bucket="bucket")
    aws.objects.put_object(Bucket="bucket", Key=PATH, Body=b"x" * (MOST_BYTES + 1))

    assert reader.workers(["bucket"]) == []
    assert aws.objects.operations.count("get_object") == 0


def test_the_first_bucket_that_exists_is_read_from_then_on(aws: FakeAws, reader: LiveReader) -> None:
    with pytest.raises(BucketMissing, match="second"):
        reader.workers(["first", "second"])
    report(aws, worker(1), bucket="second")
    reader.workers(["first", "second"])
    aws.objects.calls.clear()

    assert reader.workers(["first", "second"]) == [worker(1)]
    assert [given["Bucket"] for given in aws.objects.given("list_objects_v2")] == ["second"]


def test_a_bucket_that_was_deleted_is_looked_for_under_all_its_names(aws: FakeAws, reader: LiveReader) -> None:
    report(aws, worker(1), bucket="second")
    reader.workers(["first", "second"])
    del aws.objects.buckets["second"]
    report(aws, worker(3), bucket="first")

    assert reader.workers(["first", "second"]) == [worker(3)]


def test_a_bucket_that_may_not_be_read_is_an_error(aws: FakeAws, reader: LiveReader) -> None:
    aws.objects.fail("list_objects_v2", client_error("AccessDenied"))

    with pytest.raises(AccessDenied):
        reader.workers(["first", "second"])


# All of it


def test_without_a_worker_a_note_says_how_to_see_one_unless_another_says_more(
    aws: FakeAws, reader: LiveReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws.clock, "now", lambda: 2000.0)

    assert reader.live([], []).note == SWITCHED_OFF
    assert reader.live([], [worker(1)]).note == ""
    assert reader.live([], [worker(1)], "Denied.").note == "Denied."
    stale = replace(worker(1), written_at=1900.0)
    assert (reader.live([], [stale]).workers, reader.live([], [stale]).note) == ([], SWITCHED_OFF)


def test_requests_of_workers_that_have_stopped_are_remembered_the_latest_of_them(
    aws: FakeAws, reader: LiveReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws.clock, "now", lambda: 2000.0)
    monkeypatch.setattr(live_reader, "MOST_REMEMBERED", 4)

    reader.live([], [worker(1)])
    found = reader.live([], [])

    assert [one.at for one in found.requests(10)] == [1995, 1994, 1993, 1992]
    assert found.last_minutes()[0].answered == 0


def test_whose_credentials_these_are_is_asked_once(aws: FakeAws, reader: LiveReader) -> None:
    for _ in range(2):
        assert reader.live([], []).account == "123456789012"

    assert len(aws.account.services["sts"].calls) == 1
