from __future__ import annotations

import logging
import threading
import time

import pytest

from courier.errors import QueueMissing, Unreachable
from courier.outage import Outage


def test_trouble_is_told_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    stopped = threading.Event()
    stopped.set()  # so that no wait is waited
    outage = Outage("receiving", stopped)

    with caplog.at_level(logging.INFO):
        for _ in range(20):
            outage.wait_out(Unreachable("No network."))
        outage.over()
        outage.over()

    told = [record.getMessage() for record in caplog.records]
    assert told == ["No network. Waiting, and trying again. (receiving)", "AWS answers again after 0 s. (receiving)"]


def test_trouble_of_another_kind_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    stopped = threading.Event()
    stopped.set()
    outage = Outage("receiving", stopped)

    outage.wait_out(Unreachable("No network."))
    outage.wait_out(QueueMissing("No queue.", hint="Make one"))

    assert [record.getMessage()[:9] for record in caplog.records] == ["No networ", "No queue."]


def test_a_call_is_made_again_until_it_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.outage.backoff.delays", lambda: iter([0.0] * 100))
    outcomes = iter([Unreachable("a"), Unreachable("b"), None])
    told: list[str] = []

    def call() -> str:
        trouble = next(outcomes)
        if trouble:
            raise trouble
        return "done"

    outage = Outage("asking", threading.Event(), told.append)

    assert outage.persist(call, time.monotonic() + 60) == "done"
    assert told == ["a. Waiting, and trying again. (asking)", "AWS answers again after 0 s. (asking)"]


def test_trouble_that_does_not_pass_or_lasts_too_long_is_raised() -> None:
    def missing() -> None:
        raise QueueMissing

    def unreachable() -> None:
        raise Unreachable

    outage = Outage("asking", threading.Event(), print)

    with pytest.raises(QueueMissing):
        outage.persist(missing, time.monotonic() + 60)
    with pytest.raises(Unreachable):
        outage.persist(unreachable, time.monotonic() - 1)
