"""The client's side: what it returns and raises, which reply queue it takes, and what it leaves."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from courier import (
    Application,
    Hooks,
    Rejected,
    Request,
    Requester,
    Response,
    ResponseTimeout,
    Worker,
    testing,
)
from courier.errors import MessageTooLong, RequestCanceled, WrongUsage
from courier.testing import Queues
from tests.support.fakes import WAIT_LIMIT_SECONDS, no_network

ECHO = Application("echo", requests="echoRequests", replies="echoReplies", program="echo.py")
LARGE = Application("echo", requests="echoRequests", replies="echoReplies", bucket="large")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def echo(request: Request) -> Response:
    if request.body == "no":
        raise Rejected("No.", hint="Say yes.", reason="negative")
    return Response(body=request.body, details={"options": dict(request.options)}, traceparent="forged")


@pytest.fixture
def queues() -> Iterator[Queues]:
    with testing.queues(LARGE) as made:
        yield made


def private(queues: Queues) -> list[str]:
    return [name for name in queues.names() if name.startswith("echoReplies-")]


@pytest.mark.usefixtures("queues")
def test_a_request_has_its_response_with_its_details_and_its_time() -> None:
    with Worker(echo, ECHO):
        found = Requester(ECHO).request(Request(body="a", options={"x": "1"}))

    assert (found.body, found.details) == ("a", {"options": {"x": "1"}})
    assert found.seconds > 0


@pytest.mark.usefixtures("queues")
def test_a_rejection_is_raised_with_the_handlers_message_hint_and_reason() -> None:
    with Worker(echo, ECHO), pytest.raises(Rejected) as raised:
        Requester(ECHO).request("no")

    assert (raised.value.message, raised.value.hint, raised.value.reason) == ("No.", "Say yes.", "negative")


@pytest.mark.usefixtures("queues")
def test_silence_is_raised_with_how_to_start_a_worker() -> None:
    with pytest.raises(ResponseTimeout) as raised:
        Requester(ECHO, timeout=0.01).request("a")

    assert "python echo.py" in raised.value.hint


def test_a_requester_that_was_canceled_sends_nothing_more(queues: Queues) -> None:
    with Worker(echo, ECHO):
        requester = Requester(ECHO)
        requester.request("a")
        requester.cancellation.cancel()
        with pytest.raises(RequestCanceled):
            requester.request("b")

    assert queues.bodies("echoRequests") == []


@pytest.mark.usefixtures("queues")
def test_outcomes_come_in_order_whatever_they_are() -> None:
    with Worker(echo, ECHO):
        found = list(Requester(ECHO).request_many(["a", "no", None, Rejected("Not even sent."), "x" * 2_000_000, "b"]))

    kinds = [Response, Rejected, Rejected, MessageTooLong, Response]
    assert [type(one) for one in found] == kinds
    assert str(found[2]) == "Not even sent."
    assert isinstance(found[3], MessageTooLong)
    assert "`bucket`" in found[3].hint


def test_many_requests_have_a_reply_queue_of_their_own_until_the_end_of_the_block(queues: Queues) -> None:
    with Worker(echo, ECHO):
        with Requester(ECHO) as requester:
            for _ in range(2):
                assert len(list(requester.request_many(map(str, range(30))))) == 30
                assert len(private(queues)) == 1
            assert requester.request("one more").body == "one more"
        assert private(queues) == []


def test_without_a_block_it_ends_with_the_stream_also_one_that_is_left_early(queues: Queues) -> None:
    with Worker(echo, ECHO):
        requester = Requester(ECHO)
        stream = requester.request_many(map(str, range(30)))
        assert isinstance(next(stream), Response)
        inner = requester.request("inside")
        assert len(private(queues)) == 1
        stream.close()

    assert inner.body == "inside"
    assert private(queues) == []


def test_a_reply_queue_of_its_own_is_not_kept_forever(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.messaging.private_exchange.PRIVATE_SECONDS", 0.0)
    with Worker(echo, ECHO), Requester(ECHO) as requester:
        list(requester.request_many(map(str, range(30))))
        (first,) = private(queues)
        list(requester.request_many(map(str, range(30))))
        (second,) = private(queues)

    assert first != second


def test_a_few_requests_one_by_one_look_at_the_shared_queue_once(queues: Queues) -> None:
    with Worker(echo, ECHO), Requester(ECHO) as requester:
        assert [requester.request(body).body for body in "abc"] == list("abc")

    assert queues._queues.operations.count("get_queue_attributes") - created_with(queues) == 1


def created_with(queues: Queues) -> int:
    """Return how many looks at attributes the creation of the queues took."""
    return sum(given["AttributeNames"] == ["All"] for given in queues._queues.given("get_queue_attributes"))


# Traces


@pytest.mark.usefixtures("queues")
@pytest.mark.parametrize(("sent", "body"), [(TRACE, "a"), (TRACE, "no"), ("", "a")])
def test_a_trace_goes_there_and_back_and_into_the_log(sent: str, body: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "courier")
    events: list[str] = []
    hooks = Hooks(on_received=lambda request: events.append(request.traceparent))
    with Worker(echo, ECHO, hooks=hooks), Requester(ECHO) as requester:
        (found,) = requester.request_many([Request(body=body, traceparent=sent)])

    assert events == [sent]
    assert not isinstance(found, Response) or found.traceparent == sent
    assert (f"in the trace {TRACE}" in caplog.text) == bool(sent)


@pytest.mark.usefixtures("queues")
def test_what_is_no_trace_is_passed_over() -> None:
    with Worker(echo, ECHO):
        assert Requester(ECHO).request(Request(body="a", traceparent="00-no-trace-01")).traceparent == ""


@pytest.mark.usefixtures("queues")
def test_every_request_carries_the_clients_name_that_has_no_other() -> None:
    with Worker(lambda request: str(request.name), ECHO):
        named, unnamed = Requester(ECHO, name="laptop"), Requester(ECHO)
        requests = (Request(body="a"), Request(body="a", name="other"))
        assert [named.request(request).body for request in requests] == ["laptop", "other"]
        assert [unnamed.request(request).body for request in requests] == ["None", "other"]


def test_an_outage_is_reported_to_the_function_that_was_given_for_it_or_in_the_log(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    reports: list[str] = []
    with Worker(echo, ECHO):
        for tell in (reports.append, None):
            queues._queues.fail("send_message_batch", no_network())
            assert Requester(ECHO, tell=tell, timeout=WAIT_LIMIT_SECONDS).request("a").body == "a"

    assert "retrying" in reports[0]
    assert reports[0] in caplog.text


def test_many_requests_are_sent_together_unless_they_are_expensive(queues: Queues) -> None:
    with Worker(echo, ECHO), Requester(ECHO) as requester:
        list(requester.request_many("abcdefghi"))
        sent = [one for one in queues._queues.given("send_message_batch") if ECHO.requests in one["QueueUrl"]]

    assert max(len(one["Entries"]) for one in sent) > 1


@pytest.mark.usefixtures("queues")
def test_long_options_leave_less_room_for_a_body() -> None:
    request = Request(body="a" * 960_000, options={"x": "y" * 100_000})

    with Worker(lambda found: f"{len(found.body)} {len(found.options['x'])}", LARGE), Requester(LARGE) as requester:
        assert requester.request(request).body == "960000 100000"


# What is sent


@pytest.mark.usefixtures("queues")
def test_what_is_no_request_is_a_type_error_and_shifts_no_outcome() -> None:
    with Worker(echo, ECHO):
        requester = Requester(ECHO)
        for wrong in (5, None, b"x"):
            with pytest.raises(TypeError, match=type(wrong).__name__):
                requester.request(wrong)  # type: ignore[arg-type]
        outcomes = requester.request_many(["a", 7, "c"])  # type: ignore[list-item]
        with pytest.raises(TypeError, match="int"):
            list(outcomes)


@pytest.mark.usefixtures("queues")
@pytest.mark.parametrize(("body", "fact"), [("", "empty"), ("b\ud800", "U+D800"), ("a\x00", "Character 2 ")])
def test_a_body_that_sqs_does_not_accept_is_the_outcome_of_its_request_alone(body: str, fact: str) -> None:
    with Worker(echo, ECHO):
        first, wrong, last = Requester(ECHO).request_many(["a", body, "c"])

    assert [outcome.body for outcome in (first, last) if isinstance(outcome, Response)] == ["a", "c"]
    assert isinstance(wrong, Rejected)
    assert fact in wrong.message
    for response in ("", "\ud800", "\ufffe"):
        with Worker(lambda _request, made=response: made, LARGE):  # type: ignore[misc]
            outcome = next(Requester(ECHO).request_many(["a"]))
        assert isinstance(outcome, Response if response else Rejected)
        assert response or "response is empty" in str(outcome)


@pytest.mark.usefixtures("queues")
@pytest.mark.parametrize("code", ["", "\ud800", 5, "z" * (2 << 20)])
def test_a_rejection_of_any_length_and_reason_arrives(code: str) -> None:
    def reject(_request: Request) -> str:
        raise Rejected("y" * (2 << 20), reason=code)

    with Worker(reject, ECHO), pytest.raises(Rejected, match=r"^yyy") as raised:
        Requester(ECHO).request("a")

    assert len(raised.value.message) < 1 << 20


@pytest.mark.usefixtures("queues")
def test_details_that_leave_no_room_reject_the_request_and_store_nothing(queues: Queues) -> None:
    with Worker(lambda _request: Response(body="x", details={"a": "b" * (1 << 20)}), LARGE):
        outcome = next(Requester(LARGE).request_many(["a"]))

    assert isinstance(outcome, Rejected)
    assert "details" in outcome.message
    assert queues.objects("large") == []


@pytest.mark.usefixtures("queues")
def test_a_worker_runs_once() -> None:
    worker = Worker(echo, ECHO)
    with worker, pytest.raises(WrongUsage, match="once"):
        worker.start()
    with pytest.raises(WrongUsage, match="once"):
        worker.start()
