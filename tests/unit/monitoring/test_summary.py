"""A worker's log has a line a minute of what was finished since the last."""

from __future__ import annotations

import logging
import threading

import pytest

from courier.errors import Rejected
from courier.messaging.protocol import Request, Response
from courier.monitoring import summary
from courier.monitoring.activity import Activity
from courier.monitoring.summary import Summary, in_milliseconds, in_words, rejections
from tests.support.fakes import until


@pytest.fixture
def activity() -> Activity:
    return Activity("numbers", lambda: 1_000_000.0)


@pytest.fixture(autouse=True)
def _all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def answer(activity: Activity, seconds: float, count: int = 1) -> None:
    for _ in range(count):
        activity.hooks.replied(Request(body="x"), Response(body="x", seconds=seconds))


def reject(activity: Activity, reason: str) -> None:
    activity.hooks.on_rejected(Request(body="x"), Rejected("No.", reason=reason))


def test_the_log_has_a_line_a_minute_only_if_there_was_work(
    activity: Activity, caplog: pytest.LogCaptureFixture
) -> None:
    one = Summary(activity)
    one.write()
    answer(activity, 0.075, 240)
    for reason in ("invalid", "invalid", "timeout"):
        reject(activity, reason)
    one.write()
    one.write()

    assert caplog.messages == ["last minute: 240 answered, 3 rejected (2 invalid, 1 timeout), p95 80 ms"]


def test_a_line_has_nothing_of_the_minute_before(activity: Activity, caplog: pytest.LogCaptureFixture) -> None:
    one = Summary(activity)
    answer(activity, 30, 100)
    reject(activity, "timeout")
    one.write()
    answer(activity, 0.004, 2)
    one.write()

    assert caplog.messages[1:] == ["last minute: 2 answered, 0 rejected, p95 4 ms"]


def test_a_minute_of_rejections_alone_has_a_line_without_times(
    activity: Activity, caplog: pytest.LogCaptureFixture
) -> None:
    reject(activity, "invalid")
    Summary(activity).write()

    assert caplog.messages == ["last minute: 0 answered, 1 rejected (1 invalid)"]


def test_it_writes_again_and_again_until_it_is_stopped(
    activity: Activity, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "SECONDS", 0.001)
    one = Summary(activity)
    one.start()
    for count in (1, 2):
        answer(activity, 0.01)
        until(lambda count=count: len(caplog.messages) == count, f"line {count}")  # type: ignore[misc]
    one.stop()

    until(lambda: not any(thread.name == "summary" for thread in threading.enumerate()), "the end of its thread")


def test_reasons_are_by_number_and_name_and_those_of_a_handler_are_escaped() -> None:
    assert rejections({"b": 1, "a": 1, "c": 1_000}) == "1,002 rejected (1,000 c, 1 a, 1 b)"
    assert "\x1b" not in rejections({"\x1b[31m": 1})
    assert in_words(1_000, {}, None) == "1,000 answered, 0 rejected"


@pytest.mark.parametrize(
    ("value", "text"), [(0.4, "0 ms"), (9_999, "9,999 ms"), (10_000, "10 s"), (4_000_000, "4,000 s")]
)
def test_long_times_are_in_seconds(value: float, text: str) -> None:
    assert in_milliseconds(value) == text
