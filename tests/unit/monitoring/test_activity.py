from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from courier.aws.message import Message
from courier.aws.sqs import ReceivedMessage
from courier.errors import Reason, Rejected, Unreachable
from courier.messaging.protocol import Request, Response
from courier.messaging.states import Held, State
from courier.monitoring.activity import MOST_REASONS, OTHER, Activity


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def activity(clock: Clock) -> Activity:
    return Activity("numbers", clock)


def request(number: int = 0, **given: object) -> Request:
    return Request(body="secret", request_id=f"r{number}", kind="numbers", **given)  # type: ignore[arg-type]


def answer(activity: Activity, asked: Request, seconds: float = 0.03) -> None:
    activity.hooks.replied(asked, Response(body="secret", seconds=seconds))


def reject(activity: Activity, asked: Request, reason: str = "") -> None:
    activity.hooks.on_rejected(asked, Rejected("No.", reason=reason))


def test_requests_are_counted_by_outcome_and_time(activity: Activity, clock: Clock) -> None:
    answer(activity, request(1, sent_at=clock.at - 0.07, name="anna"))
    answer(activity, request(2))
    reject(activity, request(3))
    reject(activity, request(4, sent_at=clock.at - 2), Reason.TIMEOUT)
    activity.hooks.retried(request(5), Unreachable("Gone."))

    total = activity.total()

    assert (total.answered, total.rejected, activity.retries) == (2, {"invalid": 1, "timeout": 1}, 1)
    assert total.times == {"80": 1, "31.5": 1, "2000": 1}
    assert [one.name for one in activity.recent()] == ["anna", "", "", ""]
    assert [(one.id, one.outcome, one.milliseconds) for one in activity.recent()] == [
        ("r1", "ok", 70.0),
        ("r2", "ok", 30.0),
        ("r3", "invalid", None),
        ("r4", "timeout", 2000.0),
    ]


def test_a_clock_that_is_behind_makes_no_negative_time(activity: Activity, clock: Clock) -> None:
    answer(activity, request(1, sent_at=clock.at + 1), seconds=0.5)

    assert activity.recent()[0].milliseconds == 500


def test_only_the_last_minute_is_reported(activity: Activity, clock: Clock) -> None:
    for number in range(40):
        answer(activity, request(number))
        clock.at += 5

    found = activity.periods()

    assert len(found) <= 13
    assert sum(one.answered for one in found) <= 13
    clock.at += 100
    assert activity.periods() == ()
    assert activity.total().answered == 40


def test_a_handler_that_invents_reasons_does_not_fill_the_memory(activity: Activity) -> None:
    for number in range(1000):
        reject(activity, request(number), f"reason {number}")

    found = activity.total().rejected

    assert len(found) == MOST_REASONS + 1
    assert found[OTHER] == 1000 - MOST_REASONS


def test_what_is_in_flight_has_no_payload_and_no_check(activity: Activity, clock: Clock) -> None:
    def held(number: int, **attributes: str) -> Held:
        message = Message(body="secret", attributes={name.replace("_", "-"): text for name, text in attributes.items()})
        received = ReceivedMessage(
            message=message,
            message_id=f"m{number}",
            receipt_handle="",
            receive_count=1,
            received_at=time.monotonic() - number,
        )
        return Held(received=received, state=State.WORKING, since=0.0)

    held_now = [held(1, request_id="r1", Name="anna"), held(3), held(2, kind="ping")]
    activity.watch(SimpleNamespace(held=lambda: held_now))  # type: ignore[arg-type]

    found = activity.in_flight()

    assert [(one.id, one.kind, one.name, one.state) for one in found] == [
        ("m3", "numbers", "", "working"),
        ("r1", "numbers", "anna", "working"),
    ]
    assert clock.at - found[0].since == pytest.approx(3, abs=0.5)


def test_a_poll_is_noted(activity: Activity) -> None:
    assert activity.polled_at is None
    assert activity.seconds_since_poll() is None

    activity.hooks.polled(0)

    assert activity.polled_at
    assert (activity.seconds_since_poll() or 9) < 5
