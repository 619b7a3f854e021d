"""What a client does with the answers that it meets, its own and others'; real queues are in tests/acceptance."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from courier.aws.message import Message
from courier.aws.retry import Failure
from courier.aws.session import Clock
from courier.aws.sqs import Mailbox, ReceivedMessage
from courier.cancellation import Canceled, Cancellation
from courier.errors import MessageTooLong, QueueMissing, Rejected, RequestCanceled, ResponseTimeout, Unreachable
from courier.messaging import exchange
from courier.messaging.exchange import HOLD_SECONDS, Exchange
from courier.messaging.pending import Outgoing, OutgoingRequest
from courier.messaging.protocol import PING, Request, Response, decode_request, encode_reply
from tests.support.clocks import FakeTime


class FakeQueues:
    """A request queue that a test answers for, and a response queue that it fills. First in, first out."""

    def __init__(self, answer: Callable[[Request], list[Response]]) -> None:
        self._answer = answer
        self.sent: list[Request] = []
        self.waiting: list[ReceivedMessage] = []
        self.released: list[str] = []
        self.deleted: list[str] = []
        self.errors: list[Exception] = []
        self.failures: list[Failure] = []
        #: How long each receive was to wait, and what goes wrong with a release.
        self.waits: list[int] = []
        self.on_release: list[Exception | list[Failure]] = []
        self.before_receive: Callable[[], object] = lambda: None

    name = "responseQueue"

    def send(self, messages: Sequence[Message], *, group: str) -> list[Failure]:
        assert group
        self._fail()
        for message in messages:
            request = decode_request(message)
            self.sent.append(request)
            for answer in self._answer(request):
                self.put(answer)
        failures, self.failures = self.failures, []
        return failures

    def put(self, answer: Response, receive_count: int = 1) -> None:
        number = f"{answer.request_id}#{len(self.waiting)}"
        message = encode_reply(answer)
        self.waiting.append(
            ReceivedMessage(message=message, message_id=number, receipt_handle=number, receive_count=receive_count)
        )

    def receive(self, *, wait_seconds: int, visibility_seconds: int) -> list[ReceivedMessage]:
        assert 0 <= wait_seconds <= 20
        assert visibility_seconds == 2
        self.waits.append(wait_seconds)
        self.before_receive()
        self._fail()
        taken, self.waiting = self.waiting[:10], self.waiting[10:]
        return [replace(received, receive_count=received.receive_count + 1) for received in taken]

    def release(self, messages: Sequence[ReceivedMessage]) -> list[Failure]:
        outcome = self.on_release.pop(0) if self.on_release and messages else []
        if isinstance(outcome, Exception):
            raise outcome
        self.released += [decode_request(one.message).request_id for one in messages]
        self.waiting = [*messages, *self.waiting]
        return outcome

    def acknowledge(self, messages: Sequence[ReceivedMessage]) -> list[Failure]:
        self.deleted += [decode_request(one.message).request_id for one in messages]
        return []

    def _fail(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


def body(request: Request) -> list[Response]:
    return [Response(body=request.body, request_id=request.request_id, deadline=request.deadline)]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PAUSE_SECONDS", (0.0, 0.001))
    monkeypatch.setattr("courier.aws.retry.backoff.delays", lambda: iter([0.0] * 1000))


def requester(queues: FakeQueues, notices: list[str] | None = None, window: int = 100) -> Exchange:
    box = cast("Mailbox", queues)
    tell = (notices if notices is not None else []).append
    return Exchange(requests=box, replies=box, kind="numbers", clock=Clock(), tell=tell, window=window)


def answers(made: Exchange, questions: list[Outgoing]) -> list[str]:
    return [
        outcome.result.body if isinstance(outcome.result, Response) else type(outcome.result).__name__
        for outcome in made.request_many(questions, timeout_seconds=5)
    ]


def question(number: int) -> OutgoingRequest:
    return OutgoingRequest(body=f"{number}")


def test_a_request_says_who_asks_what_and_until_when() -> None:
    queues = FakeQueues(body)
    requester(queues).request(OutgoingRequest(body="1", options={"a": "b"}), timeout_seconds=5)

    (request,) = queues.sent
    assert (request.kind, request.reply_to, request.options) == ("numbers", "responseQueue", {"a": "b"})
    assert request.deadline == pytest.approx(time.time() + 5, abs=1)
    assert queues.deleted == [request.request_id]


class Pauses(Cancellation):
    """Notes each pause, which takes no time."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return self.is_canceled


def pausing(queues: FakeQueues, pauses: Pauses, **more: Any) -> Exchange:
    box = cast("Mailbox", queues)
    return Exchange(requests=box, replies=box, kind="numbers", clock=Clock(), tell=print, cancellation=pauses, **more)


def theirs(queues: FakeQueues, count: int, receive_count: int = 1, name: str = "theirs") -> list[str]:
    """Put answers of others, who wait for them, in front of what comes."""
    names = [f"{name}{number}" for number in range(count)]
    for one in names:
        queues.put(Response(body="x", request_id=one, deadline=time.time() + 60), receive_count)
    return names


def test_a_ping_asks_whether_a_worker_is_there() -> None:
    queues = FakeQueues(body)

    outcome = requester(queues).ping(timeout_seconds=5)

    assert isinstance(outcome.result, Response)
    assert [request.kind for request in queues.sent] == [PING]


def test_an_outcome_says_which_request_it_was_and_how_long_it_took() -> None:
    queues = FakeQueues(body)

    outcome = requester(queues).request(question(1), timeout_seconds=5)

    assert outcome.request_id == queues.sent[0].request_id
    assert 0 <= outcome.seconds < 5


def test_a_question_may_have_a_kind_of_its_own() -> None:
    queues = FakeQueues(body)

    requester(queues).request(OutgoingRequest(body="1", kind="other"), timeout_seconds=5)

    assert queues.sent[0].kind == "other"


def test_answers_to_a_caller_that_stopped_early_are_deleted_when_they_are_met() -> None:
    queues = FakeQueues(lambda request: body(request) if request.body == "0" else [])
    made = requester(queues)
    outcomes = made.request_many([question(number) for number in range(3)], timeout_seconds=5)
    next(outcomes)
    outcomes.close()
    left = [request.request_id for request in queues.sent[1:]]
    for one in left:
        queues.put(Response(body="late", request_id=one, deadline=time.time() + 60))
    queues._answer = body

    assert answers(made, [question(9)]) == ["9"]

    assert set(left) <= set(queues.deleted)
    assert queues.released == []


def test_no_more_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "REMEMBERED", 3)
    queues = FakeQueues(lambda _: [])
    made = requester(queues)
    list(made.request_many([question(number) for number in range(5)], timeout_seconds=0.01))
    ids = [request.request_id for request in queues.sent]
    for one in ids:
        queues.put(Response(body="late", request_id=one, deadline=time.time() + 60))
    queues._answer = body

    answers(made, [question(9)])

    assert queues.released == ids[:2]
    assert set(ids[2:]) <= set(queues.deleted)


def test_no_more_than_a_window_is_under_way() -> None:
    queues = FakeQueues(body)
    under_way: list[int] = []
    queues.before_receive = lambda: under_way.append(len(queues.waiting))

    assert len(answers(requester(queues, window=13), [question(number) for number in range(40)])) == 40

    assert under_way[0] == max(under_way) == 13


def test_what_is_done_and_not_yet_due_takes_room_in_the_window() -> None:
    queues = FakeQueues(lambda request: body(request) if request.body != "0" else [])
    sent: list[int] = []
    queues.before_receive = lambda: sent.append(len(queues.sent))
    outcomes = requester(queues, window=5).request_many([question(number) for number in range(50)], timeout_seconds=0.2)

    assert isinstance(next(outcomes).result, ResponseTimeout)

    assert max(sent) == 5


def test_an_answer_does_not_wait_for_a_stream_that_pauses() -> None:
    queues = FakeQueues(body)
    found: list[str] = []

    def stream() -> Iterator[Outgoing]:
        yield question(1)
        while not found:
            yield None
        yield question(2)

    for outcome in requester(queues).request_many(stream(), timeout_seconds=5):
        assert isinstance(outcome.result, Response)
        found.append(outcome.result.body)

    assert found == ["1", "2"]


@pytest.mark.parametrize(("is_expensive", "seconds"), [(False, 5), (True, 9)])
def test_answers_to_others_give_time_to_expensive_questions_only(
    monkeypatch: pytest.MonkeyPatch, seconds: float, *, is_expensive: bool
) -> None:
    clock = FakeTime()
    for module in ("messaging.exchange", "messaging.pending", "aws.retry"):
        monkeypatch.setattr(f"courier.{module}.time", clock)
    queues = FakeQueues(lambda _: [])
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        clock.now += 1
        if looks == 4:
            queues.put(Response(body="1", request_id=queues.sent[0].request_id))

    queues.before_receive = look
    questions = [OutgoingRequest(body=text, is_expensive=is_expensive) for text in "12"]

    first, second = pausing(queues, Pauses()).request_many(questions, timeout_seconds=5, is_expensive=is_expensive)

    assert (first.seconds, second.seconds) == (4, seconds)
    assert isinstance(second.result, ResponseTimeout)


def test_a_request_lives_as_long_as_its_client_waits_and_an_expensive_one_as_long_as_all_of_them() -> None:
    queues = FakeQueues(body)
    box = cast("Mailbox", queues)

    requester(queues).request(question(1), timeout_seconds=5)
    asking = Exchange(requests=box, replies=box, kind="numbers", clock=Clock(), tell=print, window=20)
    asking.is_expensive = True
    asking.request(OutgoingRequest(body="2", is_expensive=True), timeout_seconds=5)

    cheap, expensive = (request.deadline or 0 for request in queues.sent)
    assert cheap == pytest.approx(time.time() + 5, abs=3)
    assert expensive == pytest.approx(time.time() + 100, abs=3)


@pytest.mark.parametrize(("receive_count", "factor"), [(1, 1), (8, 1), (16, 2), (32, 4), (1000, 4)])
def test_the_more_often_others_answers_were_received_the_longer_is_the_pause(
    receive_count: int, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "PAUSE_SECONDS", (3.0, 3.0))
    queues, pauses = FakeQueues(lambda _: []), Pauses()
    theirs(queues, 2, receive_count - 1)  # each receive counts one more
    calls = 0

    def answer_late() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            queues.waiting = []
            queues.put(Response(body="1", request_id=queues.sent[0].request_id))

    queues.before_receive = answer_late

    assert answers(pausing(queues, pauses), [question(1)]) == ["1"]

    assert pauses.waits == [3.0 * factor]


def test_where_nothing_was_received_nothing_is_paused() -> None:
    queues, pauses = FakeQueues(lambda _: []), Pauses()

    assert answers(pausing(queues, pauses), []) == []
    outcome = pausing(queues, pauses).request(question(1), timeout_seconds=0.01)

    assert isinstance(outcome.result, ResponseTimeout)
    assert pauses.waits == []


def test_whole_batches_of_what_nobody_fetches_are_kept_aside_and_looked_behind_at_once() -> None:
    queues, pauses = FakeQueues(body), Pauses()
    names = theirs(queues, 25, 50)

    assert answers(pausing(queues, pauses), [question(1)]) == ["1"]

    assert queues.waits == [5, 0, 0]
    assert pauses.waits == []
    assert sorted(queues.released) == sorted(names)


@pytest.mark.parametrize(("count", "receive_count"), [(9, 50), (10, 3)])
def test_few_or_fresh_answers_of_others_are_released_at_once(count: int, receive_count: int) -> None:
    queues, pauses = FakeQueues(lambda _: []), Pauses()
    names = theirs(queues, count, receive_count)
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            assert queues.released == names
            queues.waiting = []
            queues.put(Response(body="1", request_id=queues.sent[0].request_id))

    queues.before_receive = look

    assert answers(pausing(queues, pauses), [question(1)]) == ["1"]

    assert len(pauses.waits) == 1


def test_what_is_kept_aside_is_given_back_in_time_for_its_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    monkeypatch.setattr("courier.messaging.exchange.time", clock)
    monkeypatch.setattr("courier.messaging.pending.time", clock)
    queues, pauses = FakeQueues(lambda _: []), Pauses()
    receives = 0

    def crowd() -> None:
        nonlocal receives
        receives += 1
        clock.now += HOLD_SECONDS / 2
        theirs(queues, 10, 50, name=f"theirs{receives}-")
        queues.waiting = [replace(one, received_at=clock.now) for one in queues.waiting[-10:]]

    queues.before_receive = crowd

    outcome = pausing(queues, pauses).request(question(1), timeout_seconds=3)

    assert isinstance(outcome.result, ResponseTimeout)
    assert len(queues.released) == 10 * receives
    # The third time they come after what is aside, that is released, and so on.
    assert queues.waits[:5] == [3, 0, 0, 2, 0]


def test_even_a_queue_full_of_others_answers_is_looked_through_for_so_long_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeTime()
    monkeypatch.setattr("courier.messaging.exchange.time", clock)
    monkeypatch.setattr("courier.messaging.pending.time", clock)
    queues, pauses = FakeQueues(lambda _: []), Pauses()
    began = clock.now

    def crowd() -> None:
        clock.now += 0.5
        queues.waiting = []
        theirs(queues, 10)

    queues.before_receive = crowd

    outcome = pausing(queues, pauses).request(question(1), timeout_seconds=5)

    assert isinstance(outcome.result, ResponseTimeout)
    assert clock.now - began == 5 + exchange.VISIBILITY_SECONDS + 0.5


def test_what_was_kept_aside_is_given_back_also_when_the_call_fails() -> None:
    queues, pauses = FakeQueues(lambda _: []), Pauses()
    names = theirs(queues, 10, 50)
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise QueueMissing

    queues.before_receive = look

    with pytest.raises(QueueMissing):
        answers(pausing(queues, pauses), [question(1)])

    assert queues.released == names


def test_an_answer_is_not_lost_over_what_cannot_be_released(caplog: pytest.LogCaptureFixture) -> None:
    notices: list[str] = []
    queues = FakeQueues(body)
    theirs(queues, 2)
    queues.on_release = [[Failure(index=0, error=MessageTooLong("No."))]]

    with caplog.at_level(logging.INFO):
        assert answers(requester(queues, notices), [question(1)]) == ["1"]
    theirs(queues, 2)
    queues.on_release = [Unreachable("No network.")]
    assert answers(requester(queues, notices), [question(2)]) == ["2"]

    assert "becomes visible again" in caplog.text
    assert any("No network." in one for one in notices)


def test_a_request_is_sent_again_for_as_long_as_its_client_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    for module in ("messaging.exchange", "messaging.pending", "aws.retry"):
        monkeypatch.setattr(f"courier.{module}.time", clock)
    queues = FakeQueues(body)
    tries = 0

    def fail() -> None:
        nonlocal tries
        tries += 1
        clock.now += 1
        raise Unreachable

    monkeypatch.setattr(queues, "_fail", fail)

    with pytest.raises(Unreachable):
        list(pausing(queues, Pauses()).request_many([question(1)], timeout_seconds=5))

    assert tries == 5


def test_once_canceled_nothing_more_is_asked_or_looked_for() -> None:
    queues = FakeQueues(lambda _: [])
    asking = requester(queues)
    queues.before_receive = asking.cancel

    found = list(asking.request_many([question(1), question(2)], timeout_seconds=5))

    assert [type(one.result) for one in found] == [RequestCanceled, RequestCanceled]
    assert len(queues.waits) == 1
    assert list(asking.request_many([question(3)], timeout_seconds=5)) == []
    assert len(queues.sent) == 2


def test_who_is_canceled_gives_nothing_back_any_more() -> None:
    queues, pauses = FakeQueues(lambda _: []), Pauses()
    theirs(queues, 10, 50)
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            pauses.cancel()
            raise Canceled

    queues.before_receive = look

    (outcome,) = pausing(queues, pauses).request_many([question(1)], timeout_seconds=5)

    assert isinstance(outcome.result, RequestCanceled)
    assert queues.released == []  # their visibility timeout is short


def test_late_answers_to_what_was_canceled_are_deleted_when_they_are_met() -> None:
    queues, pauses = FakeQueues(lambda _: []), Pauses()
    made = pausing(queues, pauses)
    queues.before_receive = pauses.cancel
    list(made.request_many([question(1)], timeout_seconds=5))
    late = queues.sent[0].request_id
    queues.put(Response(body="late", request_id=late, deadline=time.time() + 60))
    pauses.reset()
    queues.before_receive = lambda: None
    queues._answer = body

    assert answers(made, [question(2)]) == ["2"]

    assert late in queues.deleted
    assert queues.released == []


def test_an_answer_that_others_wait_for_is_not_deleted_for_having_no_deadline_or_a_late_one() -> None:
    queues = FakeQueues(body)
    now = time.time()
    for name, deadline in (("none", None), ("soon", now + 30), ("just-over", now - 1), ("over", now - 60)):
        queues.put(Response(body="x", request_id=name, deadline=deadline))

    assert answers(requester(queues), [question(1)]) == ["1"]

    assert queues.released == ["none", "soon", "just-over"]
    assert "over" in queues.deleted


def test_answers_come_in_the_order_of_their_questions_whatever_the_queues() -> None:
    queues = FakeQueues(body)

    def put_first(answer: Response, receive_count: int = 1) -> None:  # noqa: ARG001  as it is called
        message = encode_reply(answer)
        first = ReceivedMessage(message=message, message_id=answer.body, receipt_handle=answer.body, receive_count=1)
        queues.waiting.insert(0, first)

    queues.put = put_first  # type: ignore[method-assign]

    assert answers(requester(queues, window=7), [question(number) for number in range(35)]) == [
        str(number) for number in range(35)
    ]


def test_others_answers_are_released_and_dead_ones_deleted() -> None:
    queues = FakeQueues(body)
    queues.put(Response(body="x", request_id="theirs", deadline=time.time() + 60))
    queues.put(Response(body="x", request_id="dead", deadline=time.time() - 60))
    queues.put(Response(body="x", request_id="no-deadline"))

    assert answers(requester(queues), [question(1)]) == ["1"]

    assert queues.released == ["theirs", "no-deadline"]
    assert sorted(queues.deleted) == sorted(["dead", queues.sent[0].request_id])


def test_whole_batches_of_others_answers_are_looked_behind_and_all_given_back() -> None:
    queues = FakeQueues(body)
    for number in range(45):
        queues.put(Response(body="x", request_id=f"theirs{number}", deadline=time.time() + 60))

    assert answers(requester(queues), [question(1)]) == ["1"]

    assert set(queues.released) == {f"theirs{number}" for number in range(45)}
    assert len(queues.waiting) == 45


def test_a_second_answer_to_the_same_request_is_dropped() -> None:
    queues = FakeQueues(lambda request: body(request) * 2)
    made = requester(queues)

    assert answers(made, [question(1)]) == ["1"]
    assert answers(made, [question(2)]) == ["2"]

    assert len(queues.deleted) == 4
    assert queues.released == []


def test_a_late_response_to_a_canceled_request_is_dropped() -> None:
    queues = FakeQueues(lambda _: [])
    made = requester(queues)
    first = made.request(question(1), timeout_seconds=0.01)
    queues.put(Response(body="late", request_id=queues.sent[0].request_id, deadline=time.time() + 60))
    queues._answer = body

    assert isinstance(first.result, ResponseTimeout)
    assert answers(made, [question(2)]) == ["2"]
    assert queues.released == []


def test_errors_and_pauses_among_the_questions_keep_their_place() -> None:
    queues = FakeQueues(body)

    found = answers(requester(queues), [question(1), Rejected("bad"), None, question(3)])

    assert found == ["1", "Rejected", "3"]


def test_a_request_that_a_queue_rejects_is_an_error_and_the_others_go_on() -> None:
    queues = FakeQueues(lambda request: body(request) if request.body != "2" else [])
    queues.failures = [Failure(index=1, error=MessageTooLong("Too long."))]

    assert answers(requester(queues), [question(1), question(2), question(3)]) == ["1", "MessageTooLong", "3"]


def test_a_transient_error_is_retried_and_reported_once() -> None:
    notices: list[str] = []
    queues = FakeQueues(body)
    queues.errors = [Unreachable("No network.")] * 4

    assert answers(requester(queues, notices), [question(1)]) == ["1"]
    assert len(notices) == 2
    assert len({request.request_id for request in queues.sent}) == 1


def test_a_permanent_error_is_raised() -> None:
    queues = FakeQueues(body)
    queues.errors = [QueueMissing("No queue.")]

    with pytest.raises(QueueMissing):
        answers(requester(queues), [question(1)])


def test_expensive_questions_travel_alone() -> None:
    calls: list[int] = []
    under_way: list[int] = []

    class Counting(FakeQueues):
        def send(self, messages: Sequence[Message], *, group: str) -> list[Failure]:
            calls.append(len(messages))
            failures = super().send(messages, group=group)
            under_way.append(len(self.waiting))
            return failures

    queues = Counting(body)
    box = cast("Mailbox", queues)
    asking = Exchange(requests=box, replies=box, kind="numbers", clock=Clock(), tell=print)
    asking.is_expensive = True
    questions = [OutgoingRequest(body=str(number), is_expensive=True) for number in range(30)]

    found = [outcome.result for outcome in asking.request_many(questions, timeout_seconds=5)]

    assert [isinstance(one, Response) and one.body for one in found] == [str(number) for number in range(30)]
    assert calls == [1] * 30
    assert max(under_way) == 20


def test_expensive_questions_are_given_up_only_when_nothing_at_all_is_answered() -> None:
    class Slow(FakeQueues):
        def receive(self, **_: int) -> list[ReceivedMessage]:
            threading.Event().wait(0.15)
            taken, self.waiting = self.waiting[:1], self.waiting[1:]
            return taken

    box = cast("Mailbox", Slow(lambda request: body(request) if request.body != "never" else []))
    asking = Exchange(requests=box, replies=box, kind="numbers", clock=Clock(), tell=print)
    asking.is_expensive = True
    questions = [OutgoingRequest(body=text, is_expensive=True) for text in ("1", "2", "3", "never")]

    found = [type(outcome.result) for outcome in asking.request_many(questions, timeout_seconds=0.4)]

    assert found == [Response, Response, Response, ResponseTimeout]


def test_what_is_wrong_with_the_first_question_is_reported_before_anything_is_received() -> None:
    queues = FakeQueues(body)
    outcomes = requester(queues).request_many([Rejected("bad"), question(1)], timeout_seconds=5)

    assert isinstance(next(outcomes).result, Rejected)
    assert (len(queues.sent), queues.waits) == (1, [])
    assert isinstance(next(outcomes).result, Response)


def test_canceling_gives_every_question_that_was_taken_an_outcome() -> None:
    queues = FakeQueues(lambda _request: [])
    asking = requester(queues)

    def questions() -> Iterator[Outgoing]:
        yield question(0)
        yield Rejected("bad")
        asking.cancel()  # a signal between taking and sending
        yield question(2)

    found = [type(outcome.result) for outcome in asking.request_many(questions(), timeout_seconds=5)]

    assert found == [RequestCanceled, Rejected, RequestCanceled]
    assert answers(asking, [question(3)]) == []
