"""Which requests are parked and for how long, without a worker's threads; with them it is in test_worker."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import cast

import pytest

from courier.aws.message import Message
from courier.aws.sqs import Mailbox, ReceivedMessage
from courier.errors import ServiceError, Throttled
from courier.messaging.in_flight import InFlightMessages
from courier.messaging.outbox import Finished
from courier.messaging.parking import CHECK_SECONDS, LONGEST_PAUSE_SECONDS, Parked, Parking
from courier.messaging.processor import Processor
from courier.messaging.states import State
from tests.support.clocks import FakeTime

PAUSE_SECONDS = 8.0


class Down(ServiceError):
    """The dictionary is down."""

    is_transient = True


class FakeProcessor:
    """Fails with an error, and says how long a request may be retried."""

    def __init__(self) -> None:
        self.error: Exception | None = Down()
        self.left = 100.0

    def finish(self, received: ReceivedMessage) -> Finished:
        if self.error:
            raise self.error
        return finished(received, "ok")

    def seconds_to_retry(self, _received: ReceivedMessage) -> float:
        return self.left

    def give_up_retrying(self, received: ReceivedMessage, error: ServiceError) -> Finished:
        return finished(received, error.sentence)


class FakeCondition:
    """A condition whose waits only move the clock, and call `each`."""

    def __init__(self, clock: FakeTime) -> None:
        self.clock = clock
        self.waits: list[float] = []
        self.notified = 0
        self.each: Callable[[], object] = lambda: None

    def __enter__(self) -> None:
        """Hold no lock: there is one thread."""

    def __exit__(self, *_: object) -> None:
        """Hold no lock."""

    def wait(self, timeout: float) -> bool:
        assert timeout > 0
        self.waits.append(timeout)
        self.clock.now += timeout
        self.each()
        return True

    def notify_all(self) -> None:
        self.notified += 1


def finished(received: ReceivedMessage, outcome: str) -> Finished:
    return Finished(
        received=received,
        reply_queue="responseQueue",
        deadline=None,
        message=Message(body="x"),
        request_id="",
        kind="numbers",
        outcome=outcome,
    )


def delivery(name: str) -> ReceivedMessage:
    return ReceivedMessage(message=Message(body=name), message_id=name, receipt_handle=name, receive_count=1)


class Todo:
    """Stands for the worker's queue: notes when each request is put into it."""

    def __init__(self, clock: FakeTime) -> None:
        self.clock = clock
        self.put_at: list[tuple[float, str]] = []

    def put(self, received: ReceivedMessage) -> None:
        self.put_at.append((self.clock.now, received.message_id))


class House:
    """A parking with what it needs, and a clock that moves only in its waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = FakeTime()
        self.caps: list[tuple[int, float]] = []
        monkeypatch.setattr("courier.messaging.parking.time", self.clock)
        monkeypatch.setattr("courier.aws.backoff.delay", self._delay)
        self.processor = FakeProcessor()
        self.in_flight = InFlightMessages(cast("Mailbox", None), capacity=20, ahead=10, visibility_seconds=1)
        self.parking = Parking(self.in_flight, cast("Processor", self.processor))
        self.changed = FakeCondition(self.clock)
        self.parking._changed = cast("threading.Condition", self.changed)

    def _delay(self, failures: int, *, cap_seconds: float) -> float:
        self.caps.append((failures, cap_seconds))
        return PAUSE_SECONDS * failures

    def working(self, name: str) -> ReceivedMessage:
        received = delivery(name)
        self.in_flight.admit([received], reserved=self.in_flight.reserve())
        assert self.in_flight.move(received, State.WORKING, State.RECEIVED)
        return received

    def park(self, name: str) -> ReceivedMessage:
        received = self.working(name)
        with pytest.raises(Parked):
            self.parking.finish(received)
        return received

    def resumed(self, seconds: float) -> list[tuple[float, str]]:
        """Let `seconds` pass, and return which requests were resumed, each with when."""
        stopped, start = threading.Event(), self.clock.now
        todo = Todo(self.clock)
        self.changed.each = lambda: stopped.set() if self.clock.now - start >= seconds else None
        self.parking.resume(cast("queue.SimpleQueue[ReceivedMessage]", todo), stopped)
        return [(at - start, name) for at, name in todo.put_at]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    return House(monkeypatch)


def test_a_request_that_is_finished_is_not_parked(house: House) -> None:
    house.processor.error = None

    assert house.parking.finish(house.working("a")).outcome == "ok"
    assert house.resumed(CHECK_SECONDS) == []


@pytest.mark.parametrize("error", [Throttled("Slow down."), ValueError("a bug")])
def test_an_error_that_concerns_all_requests_is_the_workers(house: House, error: Exception) -> None:
    house.processor.error = error

    with pytest.raises(type(error)):
        house.parking.finish(house.working("a"))

    assert house.changed.notified == 0


def test_a_request_is_resumed_after_its_pause_and_waits_longer_each_time(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    received = house.park("a")
    assert house.resumed(PAUSE_SECONDS + CHECK_SECONDS) == [(PAUSE_SECONDS, "a")]
    assert house.in_flight.move(received, State.WORKING, State.PARKED)
    with pytest.raises(Parked):
        house.parking.finish(received)

    assert house.resumed(3 * PAUSE_SECONDS) == [(2 * PAUSE_SECONDS, "a")]

    assert house.caps == [(1, LONGEST_PAUSE_SECONDS), (2, LONGEST_PAUSE_SECONDS)]
    assert caplog.messages == ["request a is retried: The dictionary is down."]


def test_requests_are_resumed_in_the_order_of_their_times(house: House) -> None:
    house.park("a")
    house.clock.now += 1.0
    house.park("b")
    house.processor.left = 3.0
    house.park("c")
    house.park("d")

    assert house.resumed(20.0) == [(3.0, "c"), (3.0, "d"), (7.0, "a"), (8.0, "b")]
    assert house.changed.notified == 4
    assert max(house.changed.waits) <= CHECK_SECONDS


def test_the_last_attempt_comes_when_the_time_is_up_and_then_the_request_is_rejected(house: House) -> None:
    house.processor.left = 1.0
    received = house.park("a")
    assert house.resumed(5.0) == [(1.0, "a")]
    assert house.in_flight.move(received, State.WORKING, State.PARKED)

    for left in (0.0, -1.0):
        house.processor.left = left
        assert house.parking.finish(received).outcome == "The dictionary is down."


def test_a_request_that_is_no_longer_the_workers_is_not_parked(house: House) -> None:
    with pytest.raises(Down):
        house.parking.finish(delivery("gone"))

    assert house.resumed(CHECK_SECONDS) == []


def test_nothing_is_resumed_once_it_is_stopped(house: House) -> None:
    house.park("a")
    house.clock.now += 2 * PAUSE_SECONDS
    stopped = threading.Event()
    stopped.set()
    todo: queue.SimpleQueue[ReceivedMessage] = queue.SimpleQueue()

    house.parking.resume(todo, stopped)

    assert todo.empty()
