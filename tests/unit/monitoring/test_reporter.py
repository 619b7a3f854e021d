from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from courier.messaging.protocol import Request, Response
from courier.monitoring.activity import Activity
from courier.monitoring.reporter import Reporter, beat_of
from courier.testing.s3 import Stored
from tests.support.fakes import FakeAws, client_error, until

BUCKET = "bucket"


class Reporting:
    """A reporter on a bucket in memory."""

    def __init__(self) -> None:
        self.aws = FakeAws()
        self.objects = self.aws.objects
        self.objects.create_bucket(Bucket=BUCKET)
        self.activity = Activity("numbers", self.aws.clock.now)
        self.reporter = Reporter(self.activity, self.aws, BUCKET, program="numbers_worker.py", seconds=0.001)

    @property
    def writes(self) -> int:
        return len(self.objects.given("put_object"))

    def work(self) -> None:
        self.activity.hooks.replied(Request(body="x", request_id="r"), Response(body="x", seconds=0.1))


@pytest.fixture
def reporting() -> Iterator[Reporting]:
    made = Reporting()
    yield made
    made.reporter.stop()


def test_without_a_change_nothing_is_written_before_the_next_beat(
    reporting: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporting.reporter._report()
    reporting.activity.hooks.polled(0)  # is no change
    reporting.reporter._report()
    assert reporting.writes == 1
    reporting.work()
    reporting.reporter._report()
    assert reporting.writes == 2

    now = reporting.aws.clock.now()
    monkeypatch.setattr(reporting.activity, "now", lambda: now + 16)
    reporting.reporter._report()

    assert reporting.writes == 3


def test_a_failure_is_logged_once_and_the_next_report_replaces_it(
    reporting: Reporting, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.aws.backoff.delays", lambda: iter(lambda: 0.001, None))
    denied = [client_error("AccessDenied", "No.", "PutObject")] * 5
    reporting.objects.fail("put_object", *denied)
    reporting.objects.fail("put_object", ZeroDivisionError())
    reporting.objects.fail("list_objects_v2", client_error("AccessDenied", "No.", "ListObjectsV2"))
    monkeypatch.setattr("courier.monitoring.reporter.LONGEST_BEAT", 0.001)

    with caplog.at_level(logging.INFO):
        reporting.reporter.start()
        until(lambda: reporting.objects.buckets[BUCKET], "a report after the failures")

    texts = [record.getMessage() for record in caplog.records]
    assert len([text for text in texts if "reporting the status" in text and "retrying" in text]) == 1
    assert len([text for text in texts if "internal error" in text]) == 1


def test_stopping_removes_the_object_and_waits_for_nothing_that_hangs(
    reporting: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.monitoring.reporter.STOP_SECONDS", 0.05)
    reporting.reporter.start()
    until(lambda: reporting.objects.buckets[BUCKET], "a report")
    reporting.reporter.stop()
    until(lambda: not reporting.objects.buckets[BUCKET], "its removal")

    hanging, freed = Reporting(), threading.Event()
    hanging.objects.hooks["put_object"] = lambda _given: freed.wait(60)
    hanging.reporter.start()
    until(lambda: hanging.writes, "a write that hangs")
    hanging.work()  # no request waits for it
    hanging.reporter.stop()
    freed.set()


def test_what_killed_workers_left_is_removed_at_the_next_start(reporting: Reporting) -> None:
    old, new = (datetime.now(UTC) - timedelta(hours=hours) for hours in (25, 1))
    stored: dict[str, Any] = reporting.objects.buckets[BUCKET]
    stored["status/old.json"] = Stored(content=b"{}", modified=old)
    stored["status/new.json"] = Stored(content=b"{}", modified=new)
    stored["images/old.png"] = Stored(content=b"", modified=old)

    reporting.reporter._sweep()

    assert sorted(stored) == ["images/old.png", "status/new.json"]


def test_a_beat_is_slow_where_reports_cost_something() -> None:
    assert [beat_of(seconds) for seconds in (0.1, 1, 2, 10, 60, 600)] == [15, 15, 30, 60, 60, 600]
