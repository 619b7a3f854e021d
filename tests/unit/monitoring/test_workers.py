"""A worker is asked whether it is there, and what keeps it from being asked is its state, not an error."""

from __future__ import annotations

import pytest

from courier import testing
from courier.errors import QueueMissing, ResponseTimeout
from courier.messaging.application import Application
from courier.messaging.worker import Worker
from courier.monitoring import workers

ECHO = Application("echo", requests="echoRequests", replies="echoReplies")


def test_a_worker_that_is_there_responds_and_its_handler_does_nothing() -> None:
    asked: list[object] = []
    with testing.queues(ECHO), Worker(lambda request: asked.append(request) or "", ECHO):  # type: ignore[func-returns-value]
        found = workers.ping(ECHO, tell=print)

    assert (found.application, found.error, asked) == (ECHO, None, [])
    assert found.seconds is not None
    assert 0 <= found.seconds < workers.PING_SECONDS


def test_silence_is_an_error_of_the_state_and_leaves_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PING_SECONDS", 0.01)
    with testing.queues(ECHO) as queues:
        found = workers.ping(ECHO, tell=print)

        assert queues.bodies(ECHO.requests) == []
    assert found.seconds is None
    assert isinstance(found.error, ResponseTimeout)


def test_a_queue_that_is_missing_is_an_error_of_the_state() -> None:
    with testing.queues():
        found = workers.ping(ECHO, tell=print)

    assert isinstance(found.error, QueueMissing)
