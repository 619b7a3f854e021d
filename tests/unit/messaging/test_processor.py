"""What becomes of one request, and of what is no request; with all its threads it is in test_worker."""

from __future__ import annotations

import time
from asyncio import CancelledError
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from courier.aws.message import Message
from courier.aws.session import Clock
from courier.aws.sqs import ReceivedMessage
from courier.errors import MessageTooLong, NoRoom, QueueMissing, Reason, Rejected, ServiceError, Throttled, Unreachable
from courier.messaging.application import Application
from courier.messaging.config import WorkerConfig
from courier.messaging.hooks import Hooks
from courier.messaging.outbox import Finished
from courier.messaging.processor import MAX_CODE, MAX_REASON, REPLY_SECONDS, Handler, Processor
from courier.messaging.protocol import (
    DEFAULT_LIFETIME_SECONDS,
    PING,
    PONG,
    Rejection,
    Request,
    Response,
    decode_reply,
    encode_request,
)
from tests.support.fakes import FakeAws, no_network

DEAD = "requestQueue-dead"
NUMBERS = Application("numbers", requests="requestQueue", replies="responseQueue")


@pytest.fixture
def aws() -> FakeAws:
    made = FakeAws()
    made.queues.create_queue(QueueName=DEAD)
    return made


def echo(request: Request) -> str:
    return f"<{request.body}>"


def handling(
    aws: FakeAws, handler: Handler = echo, *, max_deliveries: int = 5, bucket: str = "", hooks: Hooks | None = None
) -> Processor:
    config = WorkerConfig(max_deliveries=max_deliveries, time_limit_seconds=2.5)
    return Processor(aws, handler, replace(NUMBERS, bucket=bucket), config, hooks)


def test_no_message_is_expensive_unless_the_configuration_says_so(aws: FakeAws) -> None:
    assert not handling(aws)._config.is_expensive(Message(body="x"))


def delivered(request: Request | Message, receive_count: int = 1) -> ReceivedMessage:
    message = encode_request(request) if isinstance(request, Request) else request
    return ReceivedMessage(message=message, message_id="m", receipt_handle="h", receive_count=receive_count)


def reply(finished: Finished) -> Response | Rejection:
    return decode_reply(finished.message)


def test_an_answer_has_its_requests_id_deadline_and_queue(aws: FakeAws) -> None:
    deadline = float(round(time.time())) + 60
    received = delivered(Request(body="1", request_id="a", reply_to="responseQueue-x", deadline=deadline))

    finished = handling(aws).finish(received)

    assert reply(finished) == Response(body="<1>", request_id="a", deadline=deadline)
    assert finished.received is received
    assert (finished.reply_queue, finished.request_id, finished.kind) == ("responseQueue-x", "a", "numbers")
    assert finished.outcome == "ok"


def test_what_was_sent_manually_is_answered_to_the_default_queue_for_some_minutes(aws: FakeAws) -> None:
    finished = handling(aws).finish(delivered(Message(body="1")))

    answer = reply(finished)
    assert (finished.reply_queue, answer.request_id) == ("responseQueue", "")
    assert answer.deadline == pytest.approx(time.time() + DEFAULT_LIFETIME_SECONDS, abs=30)


def test_a_response_in_the_shared_queue_is_never_too_late(aws: FakeAws) -> None:
    assert handling(aws).finish(delivered(Message(body="1"))).deadline is None


def test_who_left_no_deadline_but_a_queue_of_its_own_is_answered_for_some_minutes(aws: FakeAws) -> None:
    finished = handling(aws).finish(delivered(Request(body="1", reply_to="responseQueue-x")))

    assert finished.deadline == pytest.approx(time.time() + DEFAULT_LIFETIME_SECONDS, abs=30)


def test_an_answer_is_of_no_use_after_its_requests_deadline(aws: FakeAws) -> None:
    deadline = float(round(time.time())) + 60

    assert handling(aws).finish(delivered(Request(body="1", deadline=deadline))).deadline == deadline


@pytest.mark.parametrize("made", [None, 5, Response(body="x", details={"x": object()})])
def test_an_answer_that_cannot_travel_is_a_bug(aws: FakeAws, made: Any, caplog: pytest.LogCaptureFixture) -> None:
    finished = handling(aws, lambda _: made).finish(delivered(Message(body="1")))

    assert finished.outcome == "failed"
    assert isinstance(reply(finished), Rejection)
    assert "Traceback" in caplog.text


def test_a_handler_may_tell_more_than_a_body(aws: FakeAws) -> None:
    made = handling(aws, lambda _: Response(body="1", details={"frames": 3}))

    answer = reply(made.finish(delivered(Request(body=""))))

    assert isinstance(answer, Response)
    assert (answer.body, answer.details) == ("1", {"frames": 3})


@pytest.mark.parametrize("kind", ["", "numbers"])
def test_a_request_of_its_kind_or_of_none_is_handled(aws: FakeAws, kind: str) -> None:
    assert handling(aws).finish(delivered(Request(body="1", kind=kind))).outcome == "ok"


def test_a_ping_is_answered_without_the_handler(aws: FakeAws) -> None:
    def fail(_: Request) -> str:
        raise AssertionError

    finished = handling(aws, fail).finish(delivered(Request(body="x", kind=PING)))

    assert reply(finished).request_id == ""
    assert isinstance(reply(finished), Response)
    assert finished.message.body == PONG


def rejected(finished: Finished) -> Rejection:
    assert finished.outcome == "rejected"
    found = reply(finished)
    assert isinstance(found, Rejection)
    return found


def test_a_request_of_another_kind_is_rejected_by_name(aws: FakeAws) -> None:
    found = rejected(handling(aws).finish(delivered(Request(body="1", request_id="a", kind="images"))))

    assert "'images'" in found.reason
    assert "numbers" in found.reason
    assert found.request_id == "a"


def test_nothing_is_answered_to_a_queue_that_is_no_response_queue(
    aws: FakeAws, caplog: pytest.LogCaptureFixture
) -> None:
    finished = handling(aws).finish(delivered(Request(body="1", reply_to="requestQueue")))

    assert "'requestQueue'" in rejected(finished).reason
    assert finished.reply_queue == "responseQueue"
    assert "rejected a request" in caplog.text


def test_a_request_that_cannot_be_decoded_is_rejected_to_the_client_it_names(aws: FakeAws) -> None:
    attributes = {"request-id": "a", "reply-to": "responseQueue-x", "deadline": "soon"}

    finished = handling(aws).finish(delivered(Message(body="1", attributes=attributes)))

    assert "deadline" in rejected(finished).reason
    assert (finished.request_id, finished.reply_queue) == ("a", "responseQueue-x")


@pytest.mark.parametrize(("reason", "code"), [(Reason.CORRUPT, "corrupt"), ("", "")])
def test_a_handlers_rejection_is_passed_on_in_a_sentence_and_a_word(aws: FakeAws, reason: str, code: str) -> None:
    def reject(_: Request) -> str:
        raise Rejected("Not so.", hint="Like this.", reason=reason)

    found = rejected(handling(aws, reject).finish(delivered(Request(body="1"))))

    assert (found.reason, found.code) == ("Not so. Like this.", code)


def test_a_permanent_error_is_a_rejection(aws: FakeAws) -> None:
    def fail(_: Request) -> str:
        raise QueueMissing("No bucket.")

    assert "No bucket." in rejected(handling(aws, fail).finish(delivered(Request(body="1")))).reason


@pytest.mark.parametrize("error", [Unreachable, NoRoom, Throttled])
def test_a_transient_error_is_the_callers_to_retry(aws: FakeAws, error: type[Exception]) -> None:
    def fail(_: Request) -> str:
        raise error

    with pytest.raises(error):
        handling(aws, fail).finish(delivered(Request(body="1")))


@pytest.mark.parametrize("kind", [KeyError, TypeError, ValueError, MemoryError, SystemExit, CancelledError])
def test_a_bug_is_logged_with_its_traceback_and_rejected_without(
    aws: FakeAws, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Request) -> str:
        raise kind("secret")

    finished = handling(aws, fail).finish(delivered(Request(body="1", request_id="abc")))

    found = reply(finished)
    assert isinstance(found, Rejection)
    assert finished.outcome == "failed"
    assert "secret" not in found.reason
    assert "log" in found.reason
    assert "request abc failed" in caplog.text
    assert kind.__name__ in caplog.text
    assert "abc" in found.reason


def test_a_bug_over_a_request_without_an_id_is_logged_by_its_messages(
    aws: FakeAws, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Request) -> str:
        raise KeyError

    handling(aws, fail).finish(delivered(Message(body="1")))

    assert "request m failed" in caplog.text


def test_a_late_outcome_is_reported_to_nobody(aws: FakeAws) -> None:
    asked: list[Request] = []

    def note(request: Request) -> str:
        asked.append(request)
        return ""

    finished = handling(aws, note).finish(delivered(Request(body="1", deadline=time.time() - 60)))

    assert (asked, finished.outcome, finished.reply_queue) == ([], "expired", "")


def test_the_time_that_counts_is_that_of_aws(aws: FakeAws) -> None:
    class Ahead(Clock):
        def now(self) -> float:
            return time.time() + 3600

    aws.clock = Ahead()

    assert handling(aws).finish(delivered(Request(body="1", deadline=time.time() + 60))).outcome == "expired"


@pytest.mark.parametrize(("receive_count", "outcome"), [(1, "ok"), (4, "ok"), (5, "dead"), (6, "dead")])
def test_a_request_received_too_often_goes_to_the_dead_letter_queue_untried(
    aws: FakeAws, receive_count: int, outcome: str
) -> None:
    finished = handling(aws).finish(delivered(Request(body="1", request_id="a"), receive_count))

    assert finished.outcome == outcome
    assert aws.queues.bodies(DEAD) == (["1"] if outcome == "dead" else [])
    if outcome == "dead":
        found = reply(finished)
        assert isinstance(found, Rejection)
        assert str(receive_count) in found.reason
        assert aws.queues.queue(DEAD).messages[0].attributes["reason"]["StringValue"] == found.reason


def test_a_move_to_the_dead_letter_queue_that_fails_is_retried(aws: FakeAws) -> None:
    aws.queues.fail("send_message_batch", no_network())

    with pytest.raises(Unreachable):
        handling(aws).finish(delivered(Request(body="1"), 5))


def test_an_answer_that_is_too_long_is_a_rejection_of_the_handlers(aws: FakeAws) -> None:
    def fail(_: Request) -> str:
        raise MessageTooLong

    assert rejected(handling(aws, fail).finish(delivered(Request(body="1"))))


def test_what_takes_too_long_is_rejected_with_the_limit(aws: FakeAws) -> None:
    request = Request(body="1", request_id="a", reply_to="responseQueue-x", deadline=5.0)

    finished = handling(aws).give_up(delivered(request))

    found = reply(finished)
    assert isinstance(found, Rejection)
    assert "2.5 s" in found.reason
    assert (found.code, found.request_id, found.deadline) == ("timeout", "a", 5.0)
    assert (finished.outcome, finished.reply_queue) == ("timeout", "responseQueue-x")


def test_a_handler_that_returns_no_text_is_named_in_the_log(aws: FakeAws, caplog: pytest.LogCaptureFixture) -> None:
    finished = handling(aws, lambda _request: None).finish(delivered(Request(body="1")))  # type: ignore[arg-type,return-value]

    assert isinstance(reply(finished), Rejection)
    assert "The handler returned NoneType: it must return str or Response." in caplog.text


# Retries


def test_a_request_is_retried_until_shortly_before_its_deadline(aws: FakeAws) -> None:
    class Fixed(Clock):
        def now(self) -> float:
            return 1000.0

    aws.clock = Fixed()

    assert handling(aws).seconds_to_retry(delivered(Request(body="1", deadline=1060.0))) == 60 - REPLY_SECONDS


def test_without_a_deadline_it_is_retried_for_some_minutes_after_its_receipt(aws: FakeAws) -> None:
    received = replace(delivered(Message(body="1")), received_at=time.monotonic() - 100)

    left = handling(aws).seconds_to_retry(received)

    assert left == pytest.approx(DEFAULT_LIFETIME_SECONDS - 100, abs=30)


def test_a_request_that_was_retried_in_vain_is_kept_with_the_reason(aws: FakeAws) -> None:
    finished = handling(aws).give_up_retrying(delivered(Request(body="1", request_id="a")), Unreachable("No network."))

    found = reply(finished)
    assert isinstance(found, Rejection)
    assert (finished.outcome, found.code, found.request_id) == ("dead", "dead", "a")
    assert "No network." in found.reason
    assert aws.queues.bodies(DEAD) == ["1"]
    assert aws.queues.queue(DEAD).messages[0].attributes["reason"]["StringValue"] == found.reason


# Replies that need more than they have


def test_what_is_too_large_for_a_message_goes_through_the_bucket_both_ways(aws: FakeAws) -> None:
    aws.objects.create_bucket(Bucket="large")
    body = "x" * (2**20 + 1)
    finished = handling(aws, lambda _: body, bucket="large").finish(delivered(Request(body="1")))

    answer = reply(finished)
    assert isinstance(answer, Response)
    assert (answer.body, f"courier/numbers/{answer.claim}" in aws.objects.buckets["large"]) == (answer.claim, True)
    again = handling(aws, lambda request: str(len(request.body)), bucket="large")
    assert again.finish(delivered(Request(body="-", claim=answer.claim))).message.body == str(len(body))


def test_an_empty_response_is_a_rejection_that_says_what_a_handler_must_return(aws: FakeAws) -> None:
    found = rejected(handling(aws, lambda _: "").finish(delivered(Request(body="1"))))

    assert (found.code, found.hint) == ("failed", "Its handler must return at least one character.")


def test_details_that_leave_no_room_for_a_body_are_a_rejection(aws: FakeAws) -> None:
    made = Response(body="1", details={"many": "x" * 2**20})

    assert "too many details" in rejected(handling(aws, lambda _: made).finish(delivered(Request(body="1")))).reason


def test_a_reply_is_a_part_of_its_requests_trace(aws: FakeAws) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    for kind in ("numbers", "images"):
        finished = handling(aws).finish(delivered(Request(body="1", kind=kind, traceparent=trace)))
        assert reply(finished).traceparent == trace


@pytest.mark.parametrize(("length", "is_whole"), [(MAX_REASON - 6, True), (MAX_REASON - 5, False)])
def test_a_reason_that_is_too_long_is_cut_and_loses_its_hint(aws: FakeAws, length: int, *, is_whole: bool) -> None:
    def reject(_: Request) -> str:
        raise Rejected("x" * (length - 1) + ".", hint="Hint.", reason="c" * (MAX_CODE + 1))

    found = rejected(handling(aws, reject).finish(delivered(Request(body="1"))))

    assert found.reason.endswith("Hint." if is_whole else "…")
    assert len(found.reason) == (MAX_REASON if is_whole else MAX_REASON + 1)
    assert found.hint == ("Hint." if is_whole else "")
    assert found.code == "c" * MAX_CODE


# Hooks


class Noted:
    """The requests that a processor's hooks got."""

    def __init__(self) -> None:
        self.received: list[Request] = []
        self.retried: list[tuple[Request, Exception]] = []
        self.hooks = Hooks(
            on_received=self.received.append, on_retry=lambda request, error: self.retried.append((request, error))
        )


def test_hooks_get_a_request_with_an_id_and_when_it_was_sent(aws: FakeAws) -> None:
    noted = Noted()
    received = replace(delivered(Message(body="1")), sent_at=5.0)

    finished = handling(aws, hooks=noted.hooks).finish(received)

    assert [(request.request_id, request.sent_at) for request in noted.received] == [("m", 5.0)]
    assert finished.request is not None
    assert (finished.request.body, finished.request.sent_at) == ("1", 5.0)
    assert handling(aws).finish(received).request is None


@pytest.mark.parametrize("request_", [Request(body="x", kind=PING), Request(body="1", deadline=1.0)])
def test_hooks_get_no_pings_and_no_requests_that_nobody_waits_for(aws: FakeAws, request_: Request) -> None:
    noted = Noted()

    finished = handling(aws, hooks=noted.hooks).finish(delivered(request_))

    assert (noted.received, finished.request) == ([], None)


@pytest.mark.parametrize(("error", "is_retried"), [(Throttled("Later."), True), (QueueMissing("None."), False)])
def test_hooks_get_the_errors_after_which_a_request_is_retried(
    aws: FakeAws, error: ServiceError, *, is_retried: bool
) -> None:
    def fail(_: Request) -> str:
        raise error

    noted = Noted()
    for hooks in (noted.hooks, None):
        with pytest.raises(Throttled) if is_retried else nullcontext():
            handling(aws, fail, hooks=hooks).finish(delivered(Request(body="1", request_id="a")))

    assert [(request.request_id, found) for request, found in noted.retried] == ([("a", error)] if is_retried else [])
