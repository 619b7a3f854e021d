"""What `watch` says while AWS does not respond."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from courier.cli import watch
from courier.cli.watch import Poller, Watch
from courier.monitoring.live_reader import LiveReader
from tests.support.fakes import until


class Reader:
    """Returns the note of what it is to show."""

    def live(self, _queues: object, _workers: object, note: str) -> str:
        return note


def test_a_frozen_aws_is_noticed_and_so_is_its_return(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SILENT_SECONDS", 0.05)
    free = threading.Event()
    queues: Poller[Any] = Poller(lambda: free.wait(60), 0.01)
    workers: Poller[Any] = Poller(list, 60)
    workers.first.set()
    one = Watch(reader=cast("LiveReader", Reader()), queues=queues, workers=workers)

    queues.start()
    until(lambda: "has not responded for" in str(one.live()))
    free.set()
    until(lambda: str(one.live()) == "")
    queues.stop()

    seen = one.changes
    until(lambda: one.changes != seen)  # the clock goes on
