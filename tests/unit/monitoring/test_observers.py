"""What observes a worker begins before it and ends after it; what costs something only if it is switched on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from courier import testing
from courier.errors import Rejected
from courier.messaging.application import Application
from courier.messaging.protocol import Request
from courier.messaging.requester import Requester
from courier.messaging.worker import Worker
from courier.monitoring.observers import Observers
from courier.settings import Settings
from tests.support.fakes import FakeAws, until

ECHO = Application("echo", requests="echoRequests", replies="echoReplies", bucket="bucket")


class Noted:
    """An observer that notes what is called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")


def test_they_count_what_a_worker_does_and_see_what_it_holds() -> None:
    observers, more, seen = Observers(ECHO, Settings(), FakeAws()), Noted(), list[str]()

    def echo(request: Request) -> str:
        seen.extend(one.id for one in observers.activity.in_flight())
        if request.body == "no":
            raise Rejected("No.", reason="negative")
        return request.body

    with testing.queues(ECHO), Worker(echo, ECHO, hooks=observers.hooks) as worker:
        observers.start(worker, more)
        outcomes = list(Requester(ECHO).request_many(["a", "no"]))
        until(lambda: sum(observers.activity.total().rejected.values()), "the rejection")
        observers.stop()

    total = observers.activity.total()
    assert (len(outcomes), total.answered, total.rejected) == (2, 1, {"negative": 1})
    assert len(set(seen)) == 2
    assert more.calls == ["start", "stop"]


@pytest.mark.parametrize(("seconds", "is_written"), [(0, False), (1, True)])
def test_a_worker_reports_its_status_only_if_that_is_switched_on(seconds: int, *, is_written: bool) -> None:
    aws = FakeAws()
    aws.objects.create_bucket(Bucket="bucket")
    settings = Settings(status_seconds=seconds, bucket="bucket")
    observers = Observers(ECHO, settings, aws)
    with testing.queues(ECHO):
        observers.start(Worker(lambda request: request.body, ECHO, hooks=observers.hooks))
    if is_written:
        until(lambda: aws.objects.buckets["bucket"], "a report")
    observers.stop()

    until(done_with(aws), "its removal")
    assert bool(aws.objects.given("put_object")) is is_written


def done_with(aws: FakeAws) -> Callable[[], bool]:
    return lambda: not aws.objects.buckets["bucket"]
