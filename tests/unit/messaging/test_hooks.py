"""Hooks hear of each request, and what goes wrong in one concerns no request."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from courier import Application, Hooks, Rejected, Request, Requester, Response, Worker, testing
from courier.errors import ServiceError
from courier.messaging.protocol import Rejection
from courier.testing import Queues
from tests.support.fakes import WAIT_LIMIT_SECONDS, until

ECHO = Application("echo", requests="echoRequests", replies="echoReplies")


def echo(request: Request) -> Response:
    if request.body == "no":
        raise Rejected("No.", hint="Say yes.", reason="negative")
    return Response(body=request.body)


@pytest.fixture
def queues() -> Iterator[Queues]:
    with testing.queues(ECHO) as made:
        yield made


def test_each_event_calls_its_own_hook_with_what_it_is_about() -> None:
    calls: list[tuple[object, ...]] = []
    hooks = Hooks(
        on_received=lambda *what: calls.append(("received", *what)),
        on_replied=lambda *what: calls.append(("replied", *what)),
        on_rejected=lambda _request, error: calls.append(("rejected", type(error), error.message, error.reason)),
        on_retry=lambda *what: calls.append(("retry", *what)),
        on_polled=lambda *what: calls.append(("polled", *what)),
    )
    request, response, error = Request(body="a"), Response(body="b"), ServiceError("Not now.")

    hooks.received(request)
    hooks.retried(request, error)
    hooks.polled(0)
    hooks.replied(request, response)
    hooks.replied(request, Rejection(reason="No.", code="negative"))

    assert calls == [
        ("received", request),
        ("retry", request, error),
        ("polled", 0),
        ("replied", request, response),
        ("rejected", Rejected, "No.", "negative"),
    ]


def test_hooks_hear_of_each_request_once_and_break_nothing(queues: Queues, caplog: pytest.LogCaptureFixture) -> None:
    events: list[tuple[str, ...]] = []

    class Passing(ServiceError):
        is_transient = True

    failures = [Passing("Not now.")]

    def unsure(request: Request) -> Response:
        if failures:
            raise failures.pop()
        return echo(request)

    def on_replied(request: Request, response: Response) -> None:
        events.append(("replied", request.body, response.body, request.request_id))
        assert response.seconds > 0
        raise ZeroDivisionError

    hooks = Hooks(
        on_received=lambda request: events.append(("received", request.body)),
        on_replied=on_replied,
        on_rejected=lambda request, error: events.append(("rejected", request.body, error.reason)),
        on_retry=lambda request, error: events.append(("retry", request.body, str(error))),
    )
    with Worker(unsure, ECHO, hooks=hooks), Requester(ECHO) as requester:
        requester.request("a")
        list(requester.request_many(["no"]))
        queues.send("echoRequests", "manually")
        until(lambda: len(events) == 8, "all that hooks are reported")

    assert events[:3] == [("received", "a"), ("retry", "a", "Not now."), ("received", "a")]
    assert events[3][:3] == ("replied", "a", "a")
    assert events[4:7] == [("received", "no"), ("rejected", "no", "negative"), ("received", "manually")]
    assert events[7][:3] == ("replied", "manually", "manually")
    assert events[7][3]
    assert "a hook failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.usefixtures("queues")
def test_a_worker_that_has_stopped_has_called_its_hooks_for_every_reply() -> None:
    called: list[str] = []

    def on_replied(request: Request, _: Response) -> None:
        pause = threading.Event()
        pause.wait(0.2)  # as a hook that sends a metric somewhere
        called.append(request.body)

    with Worker(echo, ECHO, hooks=Hooks(on_replied=on_replied)), Requester(ECHO) as requester:
        requester.request("a")

    assert called == ["a"]


@pytest.mark.usefixtures("queues")
def test_a_hook_may_stop_its_worker() -> None:
    stopped = threading.Event()

    def on_replied(*_: object) -> None:
        worker.stop()
        stopped.set()

    worker = Worker(echo, ECHO, hooks=Hooks(on_replied=on_replied))
    worker.start()
    Requester(ECHO).request("a")

    assert stopped.wait(WAIT_LIMIT_SECONDS)


class Ends(BaseException):
    """Ends a thread that does not expect it."""


@pytest.mark.usefixtures("queues")
def test_a_hook_that_raises_anything_stops_no_response() -> None:
    def fail(*_: object) -> None:
        raise Ends

    hooks = Hooks(on_received=fail, on_replied=fail, on_rejected=fail)
    with Worker(echo, ECHO, hooks=hooks):
        outcomes = list(Requester(ECHO).request_many(["a", "no"] * 8))

    assert [type(outcome) for outcome in outcomes] == [Response, Rejected] * 8
