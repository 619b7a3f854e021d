"""The queues in memory that users test their handlers with, and their faults."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

import courier
from courier import testing
from courier.errors import AwsError
from tests.support.fakes import until

ECHO = courier.Application("echo", requests="echoRequests", replies="echoReplies")


def echo(request: courier.Request) -> str:
    return request.body


def test_a_worker_and_a_requester_use_them_and_nothing_is_left() -> None:
    with testing.queues(ECHO) as queues:
        assert queues.names() == ["echoReplies", "echoRequests", "echoRequests-dead"]
        with courier.Worker(echo, ECHO), courier.Requester(ECHO, timeout=60) as requester:
            bodies = [str(number) for number in range(50)]
            found = [one.body for one in requester.request_many(bodies) if isinstance(one, courier.Response)]
            assert found == bodies
            assert len(queues.names()) == 4
        assert len(queues.names()) == 3
        assert [queues.bodies(name) for name in queues.names()] == [[], [], []]


def test_what_is_sent_manually_is_answered_where_all_look() -> None:
    with testing.queues(ECHO) as queues, courier.Worker(echo, ECHO):
        queues.send(ECHO.requests, "one", "two")
        until(lambda: sorted(queues.bodies(ECHO.replies)) == ["one", "two"])


def test_what_arrives_late_is_answered_late() -> None:
    with testing.queues(ECHO) as queues, courier.Worker(echo, ECHO):
        queues.late(1_000)
        queues.send(ECHO.requests, "late", "now")
        until(lambda: queues.bodies(ECHO.replies) == ["now"])
        assert queues.bodies(ECHO.requests) == ["late"]
        queues.advance(1_000)
        until(lambda: queues.bodies(ECHO.replies) == ["now", "late"])


def test_what_arrives_twice_is_worked_on_twice_and_answered_once() -> None:
    done: Counter[str] = Counter()

    def note(request: courier.Request) -> str:
        done[request.request_id] += 1
        return request.body

    with testing.queues(ECHO) as queues, courier.Worker(note, ECHO), courier.Requester(ECHO) as requester:
        queues.twice()
        assert [requester.request(body).body for body in ("a", "b")] == ["a", "b"]
        until(lambda: sorted(done.values()) == [1, 2])


def test_what_a_lost_worker_took_comes_back_to_another() -> None:
    with testing.queues(ECHO) as queues:
        queues.send(ECHO.requests, "a")
        queues.lose_worker(ECHO.requests)
        with courier.Worker(echo, ECHO):
            until(lambda: queues.is_in_flight(ECHO.requests))
            queues.advance(60)
            until(lambda: queues.bodies(ECHO.replies) == ["a"])


def test_what_every_worker_is_lost_over_becomes_a_dead_letter() -> None:
    config = courier.WorkerConfig(max_deliveries=2)
    with testing.queues(ECHO) as queues:
        queues.send(ECHO.requests, "poison")
        queues.lose_worker(ECHO.requests)
        with courier.Worker(echo, ECHO, config):
            until(lambda: queues.is_in_flight(ECHO.requests))
            queues.advance(60)
            until(lambda: queues.bodies(ECHO.dead_letters) == ["poison"])


def test_calls_that_reach_nobody_are_made_again() -> None:
    with testing.queues(ECHO) as queues, courier.Worker(echo, ECHO), courier.Requester(ECHO, timeout=60) as requester:
        queues.unavailable(3)
        assert requester.request("a").body == "a"


def test_a_bucket_is_there_for_what_fits_no_message() -> None:
    large = courier.Application("large", requests="largeRequests", replies="largeReplies", bucket="large")
    text = "ä" * 1_000_000
    with testing.queues(large), courier.Worker(echo, large), courier.Requester(large) as requester:
        assert requester.request(text).body == text


def test_everything_is_as_before_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with testing.queues(ECHO), courier.Worker(echo, ECHO):
        before = threading.active_count()

    with pytest.raises(AwsError):
        courier.Requester(ECHO, timeout=0.1).request("a")
    until(lambda: threading.active_count() < before)
