"""What a person who waits sees, on a terminal and elsewhere, and what that costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from courier import Application
from courier.aws.sqs import Depth
from courier.cli import waiting
from courier.cli.waiting import describe, how_to_start, informed, workers_watched
from courier.messaging.connection import Connection
from tests.support.fakes import FakeAws, client_error, until
from tests.support.screens import Screen

NUMBERS = Application("numbers", requests="requestQueue", replies="responseQueue", program="numbers_worker.py")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    for name in (NUMBERS.requests, NUMBERS.replies):
        made.queues.create_queue(QueueName=name)
    monkeypatch.setattr("courier.aws.session.Aws", lambda *_: made)
    monkeypatch.setattr(made, "endpoint", lambda: "http://127.0.0.1:4566")
    for name, seconds in (("LONG", 0.01), ("TICK", 0.01), ("ASK", 0.05), ("NOBODY", 0.1)):
        monkeypatch.setattr(waiting, f"{name}_SECONDS", seconds)
    return made


def opened() -> Connection:
    made = Connection(NUMBERS, credentials_seconds=0, tell=print)
    made.channel()
    return made


def waited(screen: Screen, connection: Connection, enough: Callable[[], object]) -> str:
    """Wait until that is enough; return what was shown."""
    with informed(screen.terminal, "Waiting", connection):
        until(enough)
    return screen.err.getvalue()


def asked(aws: FakeAws) -> int:
    return aws.queues.operations.count("get_queue_attributes")


def test_without_a_live_line_each_fact_is_shown_once(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.queues.put(NUMBERS.requests, "1", "2", "3")
    monkeypatch.setattr(waiting, "NOBODY_SECONDS", 1.0)
    screen = Screen()

    lines = waited(screen, opened(), lambda: "start one" in screen.err.getvalue()).splitlines()

    assert [line.partition(" s")[2] for line in lines[:2]] == ["", ": at most 2 ahead, 0 in progress"]
    assert "start one with ./run_local.sh up" in lines[2]
    assert len(lines) == 3
    assert screen.shown == ""


def test_in_the_live_line_it_is_shown_again_and_again(aws: FakeAws) -> None:
    aws.queues.put(NUMBERS.requests, "1", "2")
    seen: list[str] = []
    screen, connection = Screen(), opened()
    shown = waiting._Report(screen.terminal, "Waiting", seen.append, lambda: waiting._depth(connection), lambda: "help")
    until(lambda: seen and "no worker has taken anything: help" in seen[-1])
    shown.end()
    count = len(seen)

    assert any("at most 1 ahead" in text for text in seen)
    assert all(text.startswith("Waiting, ") for text in seen)
    assert screen.err.getvalue() == ""
    assert len(seen) == count


def test_what_a_worker_has_taken_is_not_said_to_have_none(aws: FakeAws) -> None:
    connection = opened()
    aws.queues.put(NUMBERS.requests, "1", "2")
    connection.channel().requests.receive(limit=1, wait_seconds=0, visibility_seconds=600)

    shown = waited(Screen(), connection, lambda: asked(aws) >= 4)

    assert "at most 0 ahead, 1 in progress" in shown
    assert "no worker" not in shown


def test_aws_is_asked_every_few_seconds_and_not_before(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    moments: list[float] = []
    aws.queues.hooks["get_queue_attributes"] = lambda _: moments.append(time.monotonic())
    begun = time.monotonic()

    waited(Screen(), opened(), lambda: len(moments) >= 3)

    assert all(later - sooner >= waiting.ASK_SECONDS for sooner, later in pairwise([begun, *moments]))
    monkeypatch.setattr(waiting, "LONG_SECONDS", 60.0)
    screen = Screen()
    with informed(screen.terminal, "Waiting", opened()):
        pass
    assert screen.err.getvalue() == ""


def test_a_batch_that_no_worker_takes_says_so_once(aws: FakeAws) -> None:
    aws.queues.put(NUMBERS.requests, "1", "2", "3")
    screen = Screen()

    with workers_watched(screen.terminal, opened()):
        until(screen.err.getvalue)
        until(lambda: "workers" not in [thread.name for thread in threading.enumerate()])

    assert screen.err.getvalue().count("\n") == 1
    assert "start one with ./run_local.sh up" in screen.err.getvalue()


def test_a_batch_that_is_worked_on_is_not_disturbed(aws: FakeAws) -> None:
    aws.queues.put(NUMBERS.requests, "1", "2", "3")
    screen, connection = Screen(), opened()

    with workers_watched(screen.terminal, connection) as heard:
        aws.queues.hooks["get_queue_attributes"] = lambda _: heard()
        until(lambda: asked(aws) >= 4)
    connection.channel().requests.receive(limit=1, wait_seconds=0, visibility_seconds=600)
    aws.queues.hooks["get_queue_attributes"] = lambda _: None
    with workers_watched(screen.terminal, connection):
        looks = asked(aws)
        until(lambda: asked(aws) >= looks + 4)

    assert screen.err.getvalue() == ""


def test_without_the_permission_to_ask_only_the_time_is_shown(aws: FakeAws) -> None:
    aws.queues.fail("get_queue_attributes", *[client_error("AccessDenied")] * 100)
    screen = Screen()

    shown = waited(screen, opened(), lambda: asked(aws) >= 3)

    assert len(shown.splitlines()) == 1


def test_a_call_that_hangs_delays_nobody(aws: FakeAws) -> None:
    free = threading.Event()
    aws.queues.hooks["get_queue_attributes"] = lambda _: free.wait(60)

    waited(Screen(), opened(), lambda: asked(aws) == 1)  # ends although that call has not

    free.set()


def test_an_empty_queue_has_its_own_words() -> None:
    assert "purged" in describe(Depth(visible=0, in_flight=0, delayed=0))
    assert "no worker has taken it" in describe(Depth(visible=1, in_flight=0, delayed=0))
    assert describe(Depth(visible=1_001, in_flight=3, delayed=0)) == "at most 1,000 ahead, 3 in progress"


@pytest.mark.parametrize(
    ("endpoint", "command"),
    [
        ("http://127.0.0.1:4566", "./run_local.sh up"),
        ("http://localhost:4566", "./run_local.sh up"),
        ("http://[::1]:4566", "./run_local.sh up"),
        ("https://sqs.us-east-1.amazonaws.com", "./aws_setup.sh start"),
    ],
)
def test_how_a_worker_is_started_depends_on_the_set_up(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, endpoint: str, command: str
) -> None:
    monkeypatch.setattr(aws, "endpoint", lambda: endpoint)

    assert command in how_to_start(opened())
    monkeypatch.setattr("courier.aws.errors.IS_CHECKOUT", False)
    assert "operator" in how_to_start(opened())
