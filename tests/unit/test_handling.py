"""What happens to one request; real queues are in tests/acceptance."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from courier.aws import Clock
from courier.deadletters import DeadLetters
from courier.errors import (
    AccessDenied,
    Busy,
    InputRefused,
    NoCredentials,
    NoRoom,
    ObjectMissing,
    Reason,
    Trouble,
    Unreachable,
)
from courier.handling import Handler, Handling, Made, Terms
from courier.mailbox import Delivery
from courier.outbox import Finished
from courier.wire import Answer, Envelope, Refusal, Reply, decode_reply

NOW = 1_000_000.0


class FakeDead:
    """Stands for the dead-letter queue."""

    def __init__(self) -> None:
        self.buried: list[str] = []

    def bury(self, delivery: Delivery, reason: str) -> None:
        assert "5 workers" in reason
        self.buried.append(delivery.message_id)


def handling(handler: Handler = lambda request: request.body.upper(), dead: FakeDead | None = None) -> Handling:
    terms = Terms(
        kind="numbers",
        inbox="requestQueue",
        default_reply="responseQueue",
        concurrency=1,
        capacity=10,
        poll_seconds=1,
        visibility_seconds=10,
        grace_seconds=1,
        max_deliveries=5,
        time_limit_seconds=60,
    )
    clock = SimpleNamespace(now=lambda: NOW, is_past=lambda moment: moment < NOW)
    return Handling(handler, terms, cast("Clock", clock), cast("DeadLetters", dead or FakeDead()))


def delivery(body: str = "abc", *, receive_count: int = 1, **attributes: str) -> Delivery:
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    return Delivery(
        envelope=Envelope(body=body, attributes=named),
        message_id="message",
        receipt_handle="handle",
        receive_count=receive_count,
    )


def reply(finished: Finished) -> Reply:
    return decode_reply(finished.envelope)


def raising(error: BaseException) -> Handler:
    def handler(_: Any) -> str:
        raise error

    return handler


def refused(finished: Finished) -> Refusal:
    found = reply(finished)
    assert isinstance(found, Refusal)
    return found


def test_an_answer_goes_to_its_asker_with_its_id_and_deadline() -> None:
    finished = handling().finish(delivery(request_id="r", reply_to="responseQueue-a", deadline=f"{NOW + 60:.3f}"))

    assert reply(finished) == Answer(body="ABC", request_id="r", deadline=NOW + 60)
    assert (finished.reply_queue, finished.deadline, finished.outcome) == ("responseQueue-a", NOW + 60, "ok")


def test_who_left_no_address_is_answered_in_the_default_queue_for_as_long_as_it_takes() -> None:
    finished = handling().finish(delivery())

    assert finished.reply_queue == "responseQueue"
    assert finished.deadline is None
    assert reply(finished).deadline is not None  # then others may clear it away


def test_who_left_no_deadline_but_a_queue_of_its_own_is_answered_for_some_minutes() -> None:
    finished = handling().finish(delivery(reply_to="responseQueue-a"))

    assert finished.deadline == NOW + 300


def test_details_travel_with_the_answer() -> None:
    finished = handling(lambda _: Made(body="x", details={"width": 3})).finish(delivery())

    assert reply(finished).details == {"width": 3}  # type: ignore[union-attr]


def test_a_ping_is_answered_without_the_handler() -> None:
    finished = handling(raising(ZeroDivisionError())).finish(delivery("ping", kind="ping"))

    assert reply(finished).body == "pong"  # type: ignore[union-attr]


def test_what_comes_too_late_is_not_done_and_answered_to_nobody() -> None:
    finished = handling(raising(AssertionError())).finish(delivery(deadline=f"{NOW - 1:.3f}"))

    assert (finished.reply_queue, finished.outcome) == ("", "expired")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputRefused("Too large.", reason=Reason.TOO_LARGE), "too_large"),
        (ObjectMissing("None."), ""),
        (AccessDenied("No."), ""),
        (NoCredentials("None."), ""),
    ],
)
def test_what_will_never_succeed_is_refused_with_its_reason(error: Exception, code: str) -> None:
    found = refused(handling(raising(error)).finish(delivery(request_id="r")))

    assert (found.reason, found.code, found.request_id) == (str(error), code, "r")


@pytest.mark.parametrize("error", [Busy(), Unreachable(), NoRoom()])
def test_what_may_succeed_later_is_no_refusal(error: Trouble) -> None:
    with pytest.raises(type(error)):
        handling(raising(error)).finish(delivery())


@pytest.mark.parametrize("bug", [KeyError("x"), AttributeError(), TypeError(), ValueError(), MemoryError()])
def test_a_bug_is_a_rejection_and_a_traceback(bug: Exception, caplog: pytest.LogCaptureFixture) -> None:
    finished = handling(raising(bug)).finish(delivery(request_id="r", reply_to="responseQueue-a"))

    assert "Internal error in the worker" in refused(finished).reason
    assert "request ID r" in refused(finished).reason
    assert (finished.reply_queue, finished.outcome) == ("responseQueue-a", "failed")
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize("made", [None, 5, Made(body="x", details={"x": object()})])
def test_an_answer_that_cannot_travel_is_a_bug_too(made: Any, caplog: pytest.LogCaptureFixture) -> None:
    found = refused(handling(lambda _: made).finish(delivery()))

    assert "Internal error in the worker" in found.reason
    assert "request ID message" in found.reason
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize(
    "attributes", [{"kind": "images"}, {"reply_to": "somebody-elses"}, {"version": "2"}, {"deadline": "soon"}]
)
def test_what_cannot_be_meant_for_this_worker_is_refused_in_the_default_queue(attributes: dict[str, Any]) -> None:
    finished = handling().finish(delivery(**attributes))

    assert refused(finished)
    assert finished.reply_queue == "responseQueue"


def test_what_no_worker_survives_is_put_aside_untried() -> None:
    dead = FakeDead()

    finished = handling(raising(AssertionError()), dead).finish(delivery(receive_count=5))
    handling(dead=dead).finish(delivery(receive_count=4))

    assert dead.buried == ["message"]
    assert (refused(finished).reason, finished.outcome) == (
        "The request was given up: 5 workers received it and none answered.",
        "dead",
    )


def test_work_that_takes_too_long_is_refused() -> None:
    finished = handling().give_up(delivery(request_id="r", reply_to="responseQueue-a"))

    assert refused(finished).code == "timeout"
    assert "60 s" in refused(finished).reason
    assert (finished.reply_queue, finished.outcome) == ("responseQueue-a", "timeout")
