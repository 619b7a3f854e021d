"""What becomes of one request, and of what is no request; with all its threads it is in test_worker."""

from __future__ import annotations

import time
from asyncio import CancelledError
from typing import Any

import pytest

from courier.aws.message import Message
from courier.aws.session import Clock
from courier.aws.sqs import ReceivedMessage
from courier.errors import MessageTooLong, NoRoom, QueueMissing, Reason, Rejected, Throttled, Unreachable
from courier.messaging.application import Application
from courier.messaging.config import WorkerConfig
from courier.messaging.outbox import Finished
from courier.messaging.processor import Handler, Processor
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


def handling(aws: FakeAws, handler: Handler = echo, *, max_deliveries: int = 5) -> Processor:
    config = WorkerConfig(max_deliveries=max_deliveries, time_limit_seconds=2.5)
    return Processor(aws, handler, NUMBERS, config)


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
