"""What the images worker does before its first request; requests are in the acceptance tests."""

from __future__ import annotations

import logging
import os

import pytest

from courier.errors import NoRoom
from courier.images import handler
from courier.images.handler import ImageHandler
from courier.sandbox import SandboxFault


class FakeSandbox:
    def __init__(self, found: str | Exception) -> None:
        self._found = found

    def has_network(self) -> bool:
        if isinstance(self._found, Exception):
            raise self._found
        return self._found == "network"


@pytest.mark.parametrize(
    ("found", "level", "said"),
    [
        ("none", logging.INFO, "image processes have no network"),
        ("network", logging.WARNING, "image processes have a network"),
        (SandboxFault("It did not start."), logging.ERROR, "no image process could be started"),
        (NoRoom(), logging.ERROR, "no image process could be started"),
    ],
)
def test_the_log_says_at_the_start_whether_images_reach_a_network(
    found: str | Exception, level: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    images = ImageHandler.__new__(ImageHandler)
    images._sandbox = FakeSandbox(found)  # type: ignore[assignment]

    images.prepare()

    ((_, logged, text),) = caplog.record_tuples
    assert logged == level
    assert text.startswith(said)


def test_there_is_a_process_a_core_as_far_as_memory_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)

    for fit, count in ((1.9, 1), (2.5, 2), (float("inf"), 4)):
        monkeypatch.setattr(handler, "processes_that_fit", lambda _megabytes, fit=fit: fit)
        assert handler.concurrency() == count
