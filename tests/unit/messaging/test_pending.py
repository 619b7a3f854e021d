"""Where questions come from, which of them wait, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from courier.errors import Rejected, ResponseTimeout
from courier.messaging.pending import (
    POLL_SECONDS,
    TAKE_SECONDS,
    Outgoing,
    OutgoingRequest,
    PendingRequests,
    Source,
    Waiting,
)
from courier.messaging.protocol import Response
from tests.support.clocks import FakeTime


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    made = FakeTime()
    monkeypatch.setattr("courier.messaging.pending.time", made)
    return made


def question(body: object) -> OutgoingRequest:
    return OutgoingRequest(body=str(body))


def test_a_question_is_light_unless_it_says_so() -> None:
    assert not OutgoingRequest(body="1").is_expensive


def test_questions_are_numbered_as_they_come_and_taken_no_more_than_are_wanted() -> None:
    source = Source(question(number) for number in range(5))

    assert source.take(3) == [(0, question(0)), (1, question(1)), (2, question(2))]
    assert not source.exhausted
    assert source.take(3) == [(3, question(3)), (4, question(4))]
    assert source.exhausted
    assert source.take(3) == []


def test_a_stream_that_ends_with_a_full_batch_is_found_to_be_exhausted_later() -> None:
    source = Source([question(1)])

    assert len(source.take(1)) == 1
    assert not source.exhausted
    assert source.take(1) == []
    assert source.exhausted


def test_errors_among_the_questions_are_numbered_with_them() -> None:
    error = Rejected("bad")

    assert Source([question(1), error, question(2)]).take(10) == [(0, question(1)), (1, error), (2, question(2))]


def test_a_pause_in_the_stream_ends_a_batch_and_takes_no_number() -> None:
    source = Source([question(1), None, question(2)])

    assert source.take(10) == [(0, question(1))]
    assert not source.exhausted
    assert source.take(10) == [(1, question(2))]


def test_a_slow_stream_is_gathered_for_a_moment_only(clock: FakeTime) -> None:
    def slowly() -> Iterator[Outgoing]:
        for number in range(10):
            clock.now += TAKE_SECONDS / 2
            yield question(number)

    source = Source(slowly())

    assert [number for number, _ in source.take(10)] == [0, 1]
    assert [number for number, _ in source.take(10)] == [2, 3]


def waiting(current: PendingRequests, clock: FakeTime, *names: str) -> None:
    for name in names:
        current.waiting[name] = Waiting(index=len(current.waiting), sent_at=clock.now)


def test_a_round_is_over_when_all_is_asked_answered_and_handed_out(clock: FakeTime) -> None:
    current = PendingRequests([question(1)], 5)
    assert not current.is_over
    current.source.take(10)
    assert current.is_over
    waiting(current, clock, "a")
    assert not current.is_over

    current.finish("a", Response(body="1"))

    assert not current.is_over
    del current.done[0]
    assert current.is_over


def test_an_outcome_has_its_place_and_the_time_that_it_took(clock: FakeTime) -> None:
    current = PendingRequests([], 5)
    waiting(current, clock, "a", "b")
    clock.now += 2

    current.finish("b", Response(body="2"))

    assert (current.done[1].request_id, current.done[1].seconds) == ("b", 2)
    assert current.done[1].result == Response(body="2")
    assert list(current.waiting) == ["a"]


def test_an_error_is_done_before_it_is_asked() -> None:
    current = PendingRequests([], 5)
    error = Rejected("bad")

    assert current.finish_errors([(0, question(0)), (1, error), (2, question(2))]) == [
        (0, question(0)),
        (2, question(2)),
    ]

    assert (current.done[1].result, current.done[1].seconds, current.done[1].request_id) == (error, 0.0, "")


def test_each_is_late_when_it_has_waited_so_long(clock: FakeTime) -> None:
    current = PendingRequests([], 5)
    waiting(current, clock, "a")
    clock.now += 2
    waiting(current, clock, "b")

    clock.now += 2.5
    assert current.late() == []
    clock.now += 0.5
    assert current.late() == ["a"]
    clock.now += 2
    assert current.late() == ["a", "b"]


def test_answers_to_others_make_nobody_patient_but_the_patient(clock: FakeTime) -> None:
    hurried, patient = PendingRequests([], 5), PendingRequests([], 5, is_expensive=True)
    for current in (hurried, patient):
        waiting(current, clock, "a", "b")
    clock.now += 4
    for current in (hurried, patient):
        current.finish("a", ResponseTimeout())
    clock.now += 1

    assert (hurried.late(), patient.late()) == (["b"], [])
    assert (hurried.first_deadline, patient.first_deadline) == (clock.now, clock.now + 4)
    clock.now += 4
    assert patient.late() == ["b"]


def test_the_first_deadline_is_that_of_the_longest_wait(clock: FakeTime) -> None:
    current = PendingRequests([], 5)
    waiting(current, clock, "a")
    clock.now += 1
    waiting(current, clock, "b")

    assert current.first_deadline == clock.now + 4


@pytest.mark.parametrize(
    ("timeout", "is_exhausted", "seconds"),
    [
        (60, True, POLL_SECONDS),
        (60, False, 1),
        (2, True, 2),
        (1.2, True, 2),  # whole seconds, not less than what is left
        (0.2, False, 1),
        (0, True, 0),
        (-3, True, 0),
    ],
)
def test_a_receive_waits_no_longer_than_there_is_something_to_wait_for(
    clock: FakeTime, timeout: float, seconds: int, *, is_exhausted: bool
) -> None:
    current = PendingRequests([question(1)], timeout)
    current.source.exhausted = is_exhausted
    waiting(current, clock, "a")

    assert current.wait_seconds == seconds
