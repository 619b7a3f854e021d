from __future__ import annotations

import logging
import threading

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
    assert told == ["No network. Waiting, and trying again. (receiving)", "AWS answers again after 0 s (receiving)"]


def test_trouble_of_another_kind_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    stopped = threading.Event()
    stopped.set()
    outage = Outage("receiving", stopped)

    outage.wait_out(Unreachable("No network."))
    outage.wait_out(QueueMissing("No queue.", hint="Make one"))

    assert [record.getMessage()[:9] for record in caplog.records] == ["No networ", "No queue."]
