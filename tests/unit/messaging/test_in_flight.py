from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from courier.aws.message import Message
from courier.aws.retry import Failure
from courier.aws.sqs import Mailbox, ReceivedMessage
from courier.errors import AwsError, ReceiptHandleInvalid, Throttled, Undelivered, Unreachable
from courier.messaging.in_flight import LONGEST_SECONDS, InFlightMessages
from courier.messaging.states import Held, State
from tests.support.clocks import FakeTime, Ticks


class FakeInbox:
    """Stands for a queue: records what is extended, and fails on demand. Real queues are in tests/contract."""

    def __init__(self, visibility_seconds: int = 1) -> None:
        self.visibility_seconds = visibility_seconds
        self.meanwhile: Callable[[], object] = lambda: None
        self.extended: list[list[str]] = []
        self.errors: list[Exception | list[Failure]] = []
        self.beat = threading.Event()

    def extend(self, messages: Sequence[ReceivedMessage], *, visibility_seconds: int) -> list[Failure]:
        assert visibility_seconds == self.visibility_seconds
        self.meanwhile()
        self.extended.append([received.receipt_handle for received in messages])
        self.beat.set()
        outcome = self.errors.pop(0) if self.errors else []
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def delivery(name: str) -> ReceivedMessage:
    return ReceivedMessage(message=Message(body=name), message_id=name, receipt_handle=name, receive_count=1)


def in_flight(inbox: FakeInbox, capacity: int = 20, ahead: int | None = None) -> InFlightMessages:
    ahead = capacity // 2 if ahead is None else ahead
    return InFlightMessages(cast("Mailbox", inbox), capacity=capacity, ahead=ahead, visibility_seconds=1)


def replied(held: InFlightMessages, messages: Sequence[ReceivedMessage]) -> None:
    """Take messages in whose replies are being sent."""
    held.admit(messages, reserved=held.reserve())
    for one in messages:
        assert held.move(one, State.REPLIED, State.RECEIVED)


def beat(held: InFlightMessages, inbox: FakeInbox, times: int) -> None:
    """Run the heartbeat until it came `times`."""
    stopped = threading.Event()
    thread = threading.Thread(target=held.keep_alive, args=(stopped,))
    thread.start()
    for _ in range(times):
        assert inbox.beat.wait(60)
        inbox.beat.clear()
    stopped.set()
    thread.join(60)
    assert not thread.is_alive()


def test_room_is_given_by_tens_and_taken_back() -> None:
    held = in_flight(FakeInbox(), capacity=25)

    assert held.reserve() == 10
    assert held.reserve() == 10
    held.admit([delivery("a")], reserved=10)
    assert held.reserve() == 10


def test_one_that_may_hold_few_gets_what_room_there_is() -> None:
    held = in_flight(FakeInbox(), capacity=2)
    held.admit([delivery("a")], reserved=held.reserve())

    assert held.reserve() == 1


def test_one_expensive_request_leaves_room_for_one_more_and_two_for_none() -> None:
    held = InFlightMessages(
        cast("Mailbox", FakeInbox()),
        capacity=100,
        ahead=99,
        visibility_seconds=1,
        is_expensive=lambda message: message.body.startswith("expensive"),
    )
    first, second = delivery("expensive"), delivery("expensive too")

    assert held.reserve() == 10
    held.admit([first], reserved=10)
    assert held.reserve() == 1
    held.admit([second], reserved=1)
    threading.Timer(0.05, held.drop, [[first]]).start()
    assert held.reserve() == 1  # once the first is done, and no sooner
    assert not held.is_empty
    held.unreserve(1)
    held.drop([second])
    assert held.reserve() == 1  # the next are likely to be expensive, too
    held.admit([delivery("light")], reserved=1)
    assert held.reserve() == 10


def test_a_full_worker_waits_until_something_is_dropped() -> None:
    held = in_flight(FakeInbox(), capacity=1)
    one = delivery("a")
    held.admit([one], reserved=held.reserve())
    threading.Timer(0.05, held.drop, [[one]]).start()

    assert held.reserve() == 1


def test_a_closed_worker_gives_no_room_and_takes_nothing_in() -> None:
    held = in_flight(FakeInbox())
    reserved = held.reserve()
    held.close()

    assert held.reserve() == 0
    assert not held.admit([delivery("a")], reserved=reserved)
    assert not held.wait_until_nothing_comes(0)
    held.unreserve(reserved)
    assert held.wait_until_nothing_comes(0)
    assert held.is_empty


def test_what_is_being_received_counts_as_not_empty() -> None:
    held = in_flight(FakeInbox())
    reserved = held.reserve()

    assert held.is_idle
    assert not held.is_empty
    held.admit([], reserved=reserved)
    assert held.is_empty


def test_the_heartbeat_goes_on_for_as_long_as_something_is_held() -> None:
    inbox = FakeInbox()
    held = in_flight(inbox)
    held.admit([delivery("a"), delivery("b")], reserved=held.reserve())

    beat(held, inbox, 3)

    assert inbox.extended[:3] == [["a", "b"]] * 3


class Renewed:
    """A queue that records when it hides which messages for how long, and fails on demand."""

    def __init__(self, clock: FakeTime) -> None:
        self._clock = clock
        self._began = clock.now
        self.beats: list[tuple[float, list[str], int]] = []
        self.failing: dict[str, int] = {}
        self.takes_seconds = 0.0

    def extend(self, messages: Sequence[ReceivedMessage], *, visibility_seconds: int) -> list[Failure]:
        names = [received.receipt_handle for received in messages]
        self.beats.append((self._clock.now - self._began, names, visibility_seconds))
        self._clock.now += self.takes_seconds
        failures = []
        for index, name in enumerate(names):
            if self.failing.get(name, 0) > 0:
                self.failing[name] -= 1
                failures.append(Failure(index=index, error=Throttled("Later.")))
        return failures


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    made = FakeTime()
    for module in ("in_flight", "slow_calls"):
        monkeypatch.setattr(f"courier.messaging.{module}.time", made)
    return made


def held_on(queue: Renewed, clock: FakeTime, *names: str, visibility_seconds: int = 30) -> InFlightMessages:
    held = InFlightMessages(cast("Mailbox", queue), capacity=20, ahead=10, visibility_seconds=visibility_seconds)
    messages = [replace(delivery(name), received_at=clock.now) for name in names]
    assert held.admit(messages, reserved=held.reserve())
    return held


def test_the_first_renewal_comes_in_a_third_of_the_short_timeout_and_the_next_in_one_of_the_long(
    clock: FakeTime,
) -> None:
    queue = Renewed(clock)
    held = held_on(queue, clock, "a")

    held.keep_alive(Ticks(60, clock))

    assert queue.beats == [(1.0, ["a"], 30), (11.0, ["a"], 30), (21.0, ["a"], 30)]


def test_a_short_timeout_is_requested_as_it_is(clock: FakeTime) -> None:
    queue = Renewed(clock)
    held = held_on(queue, clock, "a", visibility_seconds=2)

    stopped = Ticks(4, clock)
    held.keep_alive(stopped)

    assert held.first_visibility_seconds == 2
    assert stopped.waits[0] == pytest.approx(1 / 3)
    assert [names for _, names, _ in queue.beats] == [["a"], ["a"]]


def test_while_calls_are_slow_a_receive_hides_messages_for_as_long_as_a_heartbeat_does(clock: FakeTime) -> None:
    queue = Renewed(clock)
    held = held_on(queue, clock, "a")
    assert held.first_visibility_seconds == 3

    queue.takes_seconds = 2.0
    held.keep_alive(Ticks(4, clock))

    assert queue.beats[0] == (1.0, ["a"], 30)  # it may have come to SQS with the short one
    assert held.first_visibility_seconds == 30


def test_one_that_could_not_be_renewed_is_tried_again_before_its_short_timeout_ends(clock: FakeTime) -> None:
    queue = Renewed(clock)
    queue.failing = {"b": 1}
    held = held_on(queue, clock, "a", "b", "c")

    held.keep_alive(Ticks(24, clock))

    assert queue.beats == [(1.0, ["a", "b", "c"], 30), (2.0, ["b"], 30), (11.0, ["a", "c"], 30), (12.0, ["b"], 30)]


def test_a_message_is_renewed_for_as_long_as_sqs_lets_it_be_held(clock: FakeTime) -> None:
    queue = Renewed(clock)
    held = held_on(queue, clock, "a")
    held.keep_alive(Ticks(2, clock))
    clock.now += LONGEST_SECONDS - 30 - 2  # with this timeout, SQS's longest time is over to the second

    held.keep_alive(Ticks(1, clock))
    held.keep_alive(Ticks(60, clock))

    assert [round(at) for at, _, _ in queue.beats] == [1, LONGEST_SECONDS - 30]


def test_nothing_is_renewed_before_its_time(clock: FakeTime) -> None:
    queue = Renewed(clock)
    held = held_on(queue, clock, "a")

    held.keep_alive(Ticks(0, clock))

    assert queue.beats == []


def granted_or_closed(held: InFlightMessages) -> int:
    """Return what is granted at once, or 0 if it has to be waited for."""
    threading.Timer(0.05, held.close).start()
    return held.reserve()


@pytest.mark.parametrize(
    ("capacity", "holding", "granted"),
    [(1, 0, 1), (1, 1, 0), (2, 1, 1), (8, 4, 4), (8, 5, 0), (20, 10, 10), (20, 11, 0), (100, 90, 10), (100, 91, 0)],
)
def test_room_is_waited_for_until_there_is_enough(capacity: int, holding: int, granted: int) -> None:
    held = in_flight(FakeInbox(), capacity=capacity)
    held.admit([delivery(str(number)) for number in range(holding)], reserved=0)

    assert granted_or_closed(held) == granted


@pytest.mark.parametrize(
    ("capacity", "ahead", "holding", "granted"),
    [(4, 0, 3, 1), (4, 0, 4, 0), (16, 0, 15, 1), (5, 2, 4, 0), (5, 2, 3, 2)],
)
def test_a_free_handler_never_waits_for_room_for_more(capacity: int, ahead: int, holding: int, granted: int) -> None:
    held = in_flight(FakeInbox(), capacity, ahead)
    held.admit([delivery(str(number)) for number in range(holding)], reserved=0)

    assert granted_or_closed(held) == granted


def test_what_is_reserved_is_no_room_until_it_is_given_back() -> None:
    held = in_flight(FakeInbox(), capacity=20)

    assert held.reserve() + held.reserve() == 20
    threading.Timer(0.05, held.unreserve, [10]).start()
    assert held.reserve() == 10


def test_nothing_is_granted_beyond_what_is_reserved() -> None:
    held = in_flight(FakeInbox(), capacity=20)
    held.reserve()
    held.reserve()

    assert granted_or_closed(held) == 0


def test_a_thread_that_waits_for_room_is_woken_by_an_unused_reservation_and_by_a_request_set_aside() -> None:
    held = in_flight(FakeInbox(), capacity=10)
    threading.Timer(0.05, held.admit, [[]], {"reserved": held.reserve()}).start()
    assert held.reserve() == 10
    held.unreserve(10)
    ten = [delivery(str(number)) for number in range(10)]
    replied(held, ten)
    threading.Timer(0.05, held.stall, [ten]).start()
    assert held.reserve() == 10


def test_one_expensive_request_among_others_has_the_next_come_one_by_one() -> None:
    held = InFlightMessages(
        cast("Mailbox", FakeInbox()),
        capacity=100,
        ahead=99,
        visibility_seconds=1,
        is_expensive=lambda message: message.body == "expensive",
    )
    expensive, cheap = delivery("expensive"), delivery("cheap")

    held.admit([expensive], reserved=held.reserve())
    held.admit([cheap], reserved=held.reserve())
    assert held.reserve() == 1
    held.unreserve(1)
    held.drop([expensive, cheap])
    held.admit([expensive, cheap], reserved=held.reserve())
    held.drop([expensive, cheap])
    assert held.reserve() == 1


def test_what_was_dropped_is_not_renewed() -> None:
    inbox = FakeInbox()
    held = in_flight(inbox)
    held.admit([delivery("a"), delivery("b")], reserved=held.reserve())
    held.drop([delivery("a")])

    beat(held, inbox, 1)

    assert inbox.extended[0] == ["b"]


class Hours:
    """A clock that is set manually."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = float(round(time.monotonic()))  # sums of such numbers are exact
        monkeypatch.setattr("courier.messaging.in_flight.time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    return Hours(monkeypatch)


def test_each_is_renewed_when_a_third_of_its_timeout_has_passed_and_no_sooner(hours: Hours) -> None:
    inbox = FakeInbox(visibility_seconds=30)
    held = InFlightMessages(cast("Mailbox", inbox), capacity=20, ahead=10, visibility_seconds=30)
    held.admit([delivery("a")], reserved=held.reserve())

    renewed_at = []
    for second in range(25):
        before = len(inbox.extended)
        held._beat()
        renewed_at += [second] * (len(inbox.extended) - before)
        hours.now += 1

    assert renewed_at == [1, 11, 21]  # the first timeout is short


def test_a_heartbeat_in_an_outage_is_reported_once_and_comes_again(
    hours: Hours, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = FakeInbox()
    inbox.errors = [Unreachable("No network.")] * 3
    held = in_flight(inbox)
    held.admit([delivery("a")], reserved=held.reserve())

    for _ in range(5):
        hours.now += 1
        held._beat()

    assert inbox.extended == [["a"]] * 5
    assert caplog.text.count("No network.") == 1
    assert caplog.text.count("AWS responds again") == 1


def test_one_that_fails_for_the_moment_is_tried_again_as_soon_as_before(
    hours: Hours, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = FakeInbox(visibility_seconds=30)
    inbox.errors = [[Failure(index=0, error=Throttled("Later."))]]
    held = InFlightMessages(cast("Mailbox", inbox), capacity=20, ahead=10, visibility_seconds=30)
    held.admit([delivery("a"), delivery("b")], reserved=held.reserve())

    for _ in range(3):
        hours.now += 1
        held._beat()

    assert inbox.extended == [["a", "b"], ["a"]]  # b was renewed for longer; a was tried again, and is renewed now
    assert caplog.text.count("Later.") == 1
    assert caplog.text.count("AWS responds again") == 1


@pytest.mark.parametrize("error", [ReceiptHandleInvalid("Expired."), Undelivered("Twelve hours are over.")])
def test_the_heartbeat_of_a_message_that_is_not_ours_any_more_ends_at_once(
    hours: Hours, caplog: pytest.LogCaptureFixture, error: AwsError
) -> None:
    inbox = FakeInbox()
    inbox.errors = [[Failure(index=0, error=error)]]
    held = in_flight(inbox)
    held.admit([delivery("a"), delivery("b")], reserved=held.reserve())

    for _ in range(3):
        hours.now += 1
        held._beat()

    assert inbox.extended == [["a", "b"], ["b"], ["b"]]
    assert caplog.text.count(error.message) == 1
    assert "request a" in caplog.text
    assert [one.message_id for one in held.everything()] == ["a", "b"]  # its work goes on, and its reply is sent


def test_a_call_rejected_for_a_receipt_handle_ends_the_heartbeat_too(
    hours: Hours, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = FakeInbox()
    inbox.errors = [ReceiptHandleInvalid("Expired.")]
    held = in_flight(inbox)
    held.admit([delivery("a")], reserved=held.reserve())

    for _ in range(3):
        hours.now += 1
        held._beat()

    assert inbox.extended == [["a"]]
    assert caplog.text.count("Expired.") == 1


def test_a_message_that_was_deleted_during_its_heartbeat_is_nothing_to_tell(
    hours: Hours, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = FakeInbox()
    inbox.errors = [[Failure(index=0, error=ReceiptHandleInvalid("Gone."))]]
    held = in_flight(inbox)
    held.admit([delivery("a")], reserved=held.reserve())
    inbox.meanwhile = lambda: held.drop([delivery("a")])

    hours.now += 1
    held._beat()

    assert caplog.text == ""


def test_what_waits_for_its_reply_queue_takes_no_room_and_is_kept(hours: Hours) -> None:
    inbox = FakeInbox()
    held = in_flight(inbox, capacity=10)
    ten = [delivery(str(number)) for number in range(10)]
    replied(held, ten)

    held.stall(ten)

    assert {one.message.body for one in held.everything()} == {""}  # it may be long, and is of no use any more
    assert held.reserve() == 10
    hours.now += 1
    held._beat()
    assert inbox.extended == [[one.receipt_handle for one in ten]]
    assert not held.is_idle


def test_what_has_no_reply_yet_is_not_set_aside() -> None:
    held = in_flight(FakeInbox(), capacity=10)
    one, other = delivery("a"), delivery("b")
    held.admit([one, other], reserved=held.reserve())
    held.move(other, State.WORKING, State.RECEIVED)

    held.stall([one, other, delivery("gone")])

    assert held.unfinished == 2
    assert [len(found.message.body) for found in held.everything()] == [1, 1]


def test_the_number_of_replies_that_wait_for_their_queue_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.messaging.in_flight.MAX_STALLED", 5)
    held = in_flight(FakeInbox(), capacity=10)
    ten = [delivery(str(number)) for number in range(10)]
    replied(held, ten)

    held.stall(ten[:3])
    held.stall(ten)

    assert held.reserve() == 5


def test_parked_messages_take_no_room_up_to_a_limit_and_are_unfinished_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("courier.messaging.in_flight.MAX_PARKED", 3)
    held = in_flight(FakeInbox(), capacity=4)
    messages = [delivery(str(number)) for number in range(4)]
    held.admit(messages, reserved=held.reserve())
    for one in messages:
        assert held.move(one, State.WORKING, State.RECEIVED)

    assert [held.park(one) for one in messages] == [1, 1, 1, 1]

    assert (held.unfinished, held.is_idle) == (0, False)
    assert held.reserve() == 3
    assert held.park(messages[0]) == 0  # it is parked
    assert held.move(messages[0], State.WORKING, State.PARKED)
    assert held.park(messages[0]) == 2
    assert held.close() == messages
    assert held.park(messages[1]) == 0


def test_a_message_moves_once_from_each_state_and_is_unfinished_until_its_reply() -> None:
    held = in_flight(FakeInbox())
    one, other = delivery("a"), delivery("b")
    held.admit([one, other], reserved=held.reserve())
    assert held.unfinished == 2

    assert held.move(one, State.WORKING, State.RECEIVED)
    assert not held.move(one, State.WORKING, State.RECEIVED)
    assert held.unfinished == 2
    assert held.move(one, State.REPLIED, State.WORKING)
    assert not held.move(one, State.RECEIVED, State.WORKING)
    assert held.unfinished == 1
    assert held.drop([other, other]) == [other]
    assert not held.move(other, State.WORKING, State.RECEIVED)
    assert held.unfinished == 0
    assert held.everything() == [one]


def test_each_message_is_shown_with_its_state_and_since_when(hours: Hours) -> None:
    held = in_flight(FakeInbox())
    begun, waiting = delivery("a"), delivery("b")
    held.admit([begun, waiting], reserved=held.reserve())
    received_at = hours.now
    hours.now += 5
    held.move(begun, State.WORKING, State.RECEIVED)

    assert held.held() == [
        Held(received=begun, state=State.WORKING, since=received_at + 5),
        Held(received=waiting, state=State.RECEIVED, since=received_at),
    ]


def test_what_no_handler_has_begun_is_given_out_when_it_is_closed() -> None:
    held = in_flight(FakeInbox())
    begun, replied, unbegun, paused = (delivery(name) for name in "abcd")
    held.admit([begun, replied, unbegun, paused], reserved=held.reserve())
    for one in (begun, replied, paused):
        held.move(one, State.WORKING, State.RECEIVED)
    held.move(replied, State.REPLIED, State.WORKING)
    held.move(paused, State.PAUSED, State.WORKING)

    assert held.close() == [unbegun]

    assert held.everything() == [begun, replied, paused]
    assert held.unfinished == 2
    assert held.close() == []


def test_work_is_late_beyond_its_limit_and_no_sooner_and_once(hours: Hours) -> None:
    held = in_flight(FakeInbox())
    first, second, waiting = messages = [delivery(name) for name in "abc"]
    held.admit(messages, reserved=held.reserve())
    hours.now += 100
    held.move(first, State.WORKING, State.RECEIVED)
    hours.now += 1
    held.move(second, State.WORKING, State.RECEIVED)

    hours.now += 59
    assert held.take_late(60) == []  # at its limit, the first is still in time
    hours.now += 0.5
    assert held.take_late(60) == [first]
    assert held.take_late(60) == []
    assert not held.move(first, State.REPLIED, State.WORKING)
    assert held.unfinished == 2
    held.move(second, State.PAUSED, State.WORKING)  # it is to be tried again: what it waits does not count
    hours.now += 1000
    assert held.take_late(60) == []
    assert held.move(second, State.WORKING, State.RECEIVED, State.PAUSED)
    assert held.take_late(60) == []
    assert held.move(waiting, State.WORKING, State.RECEIVED)


def test_what_sqs_lets_nobody_hold_longer_is_not_renewed() -> None:
    inbox = FakeInbox()
    held = in_flight(inbox)
    old = replace(delivery("old"), received_at=time.monotonic() - LONGEST_SECONDS + 0.5)
    held.admit([old, delivery("new")], reserved=held.reserve())

    beat(held, inbox, 2)

    assert inbox.extended[:2] == [["new"]] * 2
    assert old in held.everything()  # its work goes on, and its answer will be sent


def test_waiting_ends_when_nothing_is_held_any_more() -> None:
    held = in_flight(FakeInbox())
    one = delivery("a")
    held.admit([one], reserved=held.reserve())

    assert not held.wait_until_empty(0.01)
    threading.Timer(0.02, held.drop, [[one]]).start()
    assert held.wait_until_empty(5)
    assert held.everything() == []
