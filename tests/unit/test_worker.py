"""The worker's loop over queues in memory; real ones, and real processes, are in tests/acceptance."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from courier import backoff, watch, worker
from courier.aws import Aws
from courier.errors import Busy, QueueMissing, Trouble, Unreachable
from courier.handling import Handler, Terms
from courier.mailbox import Delivery, Mailbox
from courier.outage import Failure
from courier.wire import Envelope
from courier.worker import Worker
from tests.support.place import wait_for

TERMS = Terms(
    kind="numbers",
    inbox="requestQueue",
    default_reply="responseQueue",
    concurrency=2,
    capacity=20,
    poll_seconds=1,
    visibility_seconds=10,
    grace_seconds=0.2,
    max_deliveries=5,
    time_limit_seconds=60,
)


class Queues:
    """Takes the place of Mailbox's calls; notes what is done, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lock = threading.Condition()
        self.waiting: list[str] = []
        self.done: list[tuple[str, str]] = []
        self.on_receive: list[BaseException] = []
        self.receives = 0
        monkeypatch.setattr(Mailbox, "receive", lambda _box, **how: self._receive(**how))
        monkeypatch.setattr(Mailbox, "send", lambda box, envelopes: self._send(box, envelopes))  # noqa: PLW0108  binds
        for word in ("acknowledge", "release"):
            monkeypatch.setattr(Mailbox, word, self._note(word))
        monkeypatch.setattr(Mailbox, "extend", lambda *_, **__: [])
        monkeypatch.setattr(backoff, "delays", lambda: iter([0.0] * 10_000))

    def post(self, *bodies: str) -> None:
        with self.lock:
            self.waiting += bodies
            self.lock.notify_all()

    def words(self, word: str) -> list[str]:
        return [name for done, name in self.done if done == word]

    def _receive(self, *, limit: int, wait_seconds: int, visibility_seconds: int) -> list[Delivery]:
        assert 1 <= limit <= 10
        assert visibility_seconds == 3
        with self.lock:
            self.receives += 1
            if self.on_receive:
                raise self.on_receive.pop(0)
            self.lock.wait_for(lambda: self.waiting, min(wait_seconds, 0.05))
            bodies, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return [
            Delivery(envelope=Envelope(body=body), message_id=body, receipt_handle=body, receive_count=1)
            for body in bodies
        ]

    def _send(self, box: Mailbox, envelopes: Sequence[Envelope]) -> list[Failure]:
        self.done += [(f"sent to {box.name}", envelope.body) for envelope in envelopes]
        return []

    def _note(self, word: str) -> Callable[..., list[Failure]]:
        def call(_box: Mailbox, deliveries: Sequence[Delivery]) -> list[Failure]:
            self.done += [(word, delivery.message_id) for delivery in deliveries]
            return []

        return call


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Queues:
    return Queues(monkeypatch)


@pytest.fixture
def start(queues: Queues) -> Iterator[Callable[..., Worker]]:  # noqa: ARG001  its calls must be in place
    made: list[Worker] = []

    def go(handler: Handler = lambda request: request.body.upper(), **terms: Any) -> Worker:
        clock = SimpleNamespace(now=lambda: 0.0, is_past=lambda _moment: False)
        aws = SimpleNamespace(stopping=threading.Event(), clock=clock)
        one = Worker(cast("Aws", aws), handler, replace(TERMS, **terms))
        made.append(one)
        one.start()
        return one

    yield go
    for one in made:
        one.stop(give_up=lambda: True)
        assert one._custody.wait_until_nothing_comes(30)


def test_a_request_is_answered_and_then_acknowledged(queues: Queues, start: Callable[..., Worker]) -> None:
    start()
    queues.post("a")

    wait_for(lambda: queues.words("acknowledge"))

    assert queues.done == [("sent to responseQueue", "A"), ("acknowledge", "a")]


def test_every_request_of_many_is_answered_once(queues: Queues, start: Callable[..., Worker]) -> None:
    start()
    names = [f"r{number}" for number in range(100)]
    queues.post(*names)

    wait_for(lambda: len(queues.words("acknowledge")) == 100)

    assert sorted(queues.words("sent to responseQueue")) == sorted(name.upper() for name in names)
    assert queues.words("release") == []


@pytest.mark.parametrize("error", [Unreachable("No."), Busy("502"), QueueMissing("None.")])
def test_a_receive_that_fails_is_made_again_and_told_once(
    queues: Queues, start: Callable[..., Worker], caplog: pytest.LogCaptureFixture, error: Trouble
) -> None:
    queues.on_receive = [error] * 5
    start()
    queues.post("a")

    wait_for(lambda: queues.words("acknowledge"))

    assert caplog.text.count("Waiting, and trying again. (receiving)") == 1
    assert "Traceback" not in caplog.text


def test_a_bug_in_receiving_is_logged_as_one_and_the_worker_goes_on(
    queues: Queues, start: Callable[..., Worker], caplog: pytest.LogCaptureFixture
) -> None:
    queues.on_receive = [KeyError("ours")]
    start()
    queues.post("a")

    wait_for(lambda: queues.words("acknowledge"))

    assert "KeyError: 'ours'" in caplog.text
    assert "Waiting, and trying again" not in caplog.text


def test_a_bug_in_the_work_is_a_rejection_and_costs_others_nothing(
    queues: Queues, start: Callable[..., Worker], caplog: pytest.LogCaptureFixture
) -> None:
    def handler(request: Any) -> str:
        return str({"b": 1}[request.body])

    start(handler)
    queues.post("a", "b")

    wait_for(lambda: len(queues.words("acknowledge")) == 2)

    first, second = sorted(queues.words("sent to responseQueue"), key=len)
    assert first == "1"
    assert "Internal error in the worker" in second
    assert "KeyError" in caplog.text


def test_work_that_meets_a_transient_error_is_done_again(queues: Queues, start: Callable[..., Worker]) -> None:
    outcomes = iter([Busy("502"), Unreachable("No.")])

    def handler(request: Any) -> str:
        for error in outcomes:
            raise error
        return str(request.body)

    start(handler)
    queues.post("a")

    wait_for(lambda: queues.words("acknowledge"))
    assert queues.words("sent to responseQueue") == ["a"]


def test_work_past_its_time_limit_is_refused_and_its_late_answer_dropped(
    queues: Queues, start: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.01)
    go_on = threading.Event()

    def handler(request: Any) -> str:
        if request.body == "slow":
            go_on.wait(30)
        return str(request.body)

    start(handler, time_limit_seconds=0.1, concurrency=1)
    queues.post("slow")
    wait_for(lambda: queues.words("acknowledge") == ["slow"])
    queues.post("next")  # another thread has its place
    wait_for(lambda: queues.words("acknowledge") == ["slow", "next"])
    go_on.set()

    refusal, answer = queues.words("sent to responseQueue")
    assert "0.1 s" in refusal
    assert answer == "next"


def test_a_stop_finishes_what_was_begun_and_gives_the_rest_back(queues: Queues, start: Callable[..., Worker]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def handler(request: Any) -> str:
        begun.set()
        go_on.wait(30)
        return str(request.body)

    one = start(handler, concurrency=1, grace_seconds=30)
    queues.post("a", "b", "c")
    assert begun.wait(30)
    wait_for(lambda: not queues.waiting)
    threading.Timer(0.2, go_on.set).start()

    assert one.stop()

    assert queues.words("acknowledge") == ["a"]
    assert sorted(queues.words("release")) == ["b", "c"]


def test_what_is_not_finished_in_time_is_given_back(queues: Queues, start: Callable[..., Worker]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def handler(request: Any) -> str:
        begun.set()
        go_on.wait(30)
        return str(request.body)

    one = start(handler)
    queues.post("a")
    assert begun.wait(30)

    assert not one.stop()

    assert queues.words("release") == ["a"]
    go_on.set()
    assert queues.words("acknowledge") == []


def test_an_empty_queue_ends_a_worker_that_was_told_so(
    queues: Queues, start: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "EMPTY_SECONDS", 0)
    queues.post("a", "b")
    one = start(stop_when_empty=True)

    one.wait()

    assert sorted(queues.words("acknowledge")) == ["a", "b"]
