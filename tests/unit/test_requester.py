"""What a client does with the answers that it meets, its own and others'; real queues are in tests/acceptance."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import cast

import pytest

from courier import requester
from courier.aws import Clock
from courier.errors import InputRefused, MessageTooLong, NoAnswer, QueueMissing, RequestCanceled, Unreachable
from courier.inquiry import Asked, Question
from courier.mailbox import Delivery, Failure, Mailbox
from courier.requester import Requester
from courier.wire import Answer, Envelope, Request, decode_request, encode_reply


class FakeQueues:
    """A request queue that a test answers for, and a response queue that it fills. First in, first out."""

    def __init__(self, answer: Callable[[Request], list[Answer]]) -> None:
        self._answer = answer
        self.sent: list[Request] = []
        self.waiting: list[Delivery] = []
        self.released: list[str] = []
        self.deleted: list[str] = []
        self.troubles: list[Exception] = []
        self.failures: list[Failure] = []

    name = "responseQueue"

    def send(self, envelopes: Sequence[Envelope], *, group: str) -> list[Failure]:
        assert group
        self._fail()
        for envelope in envelopes:
            request = decode_request(envelope)
            self.sent.append(request)
            for answer in self._answer(request):
                self.put(answer)
        failures, self.failures = self.failures, []
        return failures

    def put(self, answer: Answer) -> None:
        number = f"{answer.request_id}#{len(self.waiting)}"
        self.waiting.append(
            Delivery(envelope=encode_reply(answer), message_id=number, receipt_handle=number, receive_count=1)
        )

    def receive(self, *, wait_seconds: int, visibility_seconds: int) -> list[Delivery]:
        assert 0 <= wait_seconds <= 20
        assert visibility_seconds == 2
        self._fail()
        taken, self.waiting = self.waiting[:10], self.waiting[10:]
        return [replace(delivery, receive_count=delivery.receive_count + 1) for delivery in taken]

    def release(self, deliveries: Sequence[Delivery]) -> list[Failure]:
        self.released += [decode_request(one.envelope).request_id for one in deliveries]
        self.waiting = [*deliveries, *self.waiting]
        return []

    def acknowledge(self, deliveries: Sequence[Delivery]) -> list[Failure]:
        self.deleted += [decode_request(one.envelope).request_id for one in deliveries]
        return []

    def _fail(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)


def body(request: Request) -> list[Answer]:
    return [Answer(body=request.body, request_id=request.request_id, deadline=request.deadline)]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requester, "PAUSE_SECONDS", (0.0, 0.001))
    monkeypatch.setattr("courier.outage.backoff.delays", lambda: iter([0.0] * 1000))


def asker(queues: FakeQueues, told: list[str] | None = None, window: int = 100) -> Requester:
    box = cast("Mailbox", queues)
    tell = (told if told is not None else []).append
    return Requester(requests=box, replies=box, kind="numbers", clock=Clock(), tell=tell, window=window)


def answers(made: Requester, questions: list[Asked]) -> list[str]:
    return [
        outcome.result.body if isinstance(outcome.result, Answer) else type(outcome.result).__name__
        for outcome in made.ask_many(questions, timeout_seconds=5)
    ]


def question(number: int) -> Question:
    return Question(body=f"{number}")


def test_a_request_says_who_asks_what_and_until_when() -> None:
    queues = FakeQueues(body)
    asker(queues).ask(Question(body="1", options={"a": "b"}), timeout_seconds=5)

    (request,) = queues.sent
    assert (request.kind, request.reply_to, request.options) == ("numbers", "responseQueue", {"a": "b"})
    assert request.deadline == pytest.approx(time.time() + 5, abs=1)
    assert queues.deleted == [request.request_id]


def test_answers_come_in_the_order_of_their_questions_whatever_the_queues() -> None:
    queues = FakeQueues(body)
    queues.put = lambda answer: queues.waiting.insert(  # type: ignore[method-assign]
        0,
        Delivery(envelope=encode_reply(answer), message_id=answer.body, receipt_handle=answer.body, receive_count=1),
    )

    assert answers(asker(queues, window=7), [question(number) for number in range(35)]) == [
        str(number) for number in range(35)
    ]


def test_others_answers_are_released_and_dead_ones_deleted() -> None:
    queues = FakeQueues(body)
    queues.put(Answer(body="x", request_id="theirs", deadline=time.time() + 60))
    queues.put(Answer(body="x", request_id="dead", deadline=time.time() - 60))
    queues.put(Answer(body="x", request_id="no-deadline"))

    assert answers(asker(queues), [question(1)]) == ["1"]

    assert queues.released == ["theirs", "no-deadline"]
    assert sorted(queues.deleted) == sorted(["dead", queues.sent[0].request_id])


def test_whole_batches_of_others_answers_are_looked_behind_and_all_given_back() -> None:
    queues = FakeQueues(body)
    for number in range(45):
        queues.put(Answer(body="x", request_id=f"theirs{number}", deadline=time.time() + 60))

    assert answers(asker(queues), [question(1)]) == ["1"]

    assert set(queues.released) == {f"theirs{number}" for number in range(45)}
    assert len(queues.waiting) == 45


def test_a_second_answer_to_the_same_request_is_dropped() -> None:
    queues = FakeQueues(lambda request: body(request) * 2)
    made = asker(queues)

    assert answers(made, [question(1)]) == ["1"]
    assert answers(made, [question(2)]) == ["2"]

    assert len(queues.deleted) == 4
    assert queues.released == []


def test_a_late_answer_to_a_request_that_was_left_off_is_dropped() -> None:
    queues = FakeQueues(lambda _: [])
    made = asker(queues)
    first = made.ask(question(1), timeout_seconds=0.01)
    queues.put(Answer(body="late", request_id=queues.sent[0].request_id, deadline=time.time() + 60))
    queues._answer = body

    assert isinstance(first.result, NoAnswer)
    assert answers(made, [question(2)]) == ["2"]
    assert queues.released == []


def test_errors_and_pauses_among_the_questions_keep_their_place() -> None:
    queues = FakeQueues(body)

    found = answers(asker(queues), [question(1), InputRefused("bad"), None, question(3)])

    assert found == ["1", "InputRefused", "3"]


def test_a_question_that_a_queue_refuses_is_an_error_and_the_others_go_on() -> None:
    queues = FakeQueues(lambda request: body(request) if request.body != "2" else [])
    queues.failures = [Failure(index=1, error=MessageTooLong("Too long."))]

    assert answers(asker(queues), [question(1), question(2), question(3)]) == ["1", "MessageTooLong", "3"]


def test_passing_trouble_is_outlasted_and_told_once() -> None:
    told: list[str] = []
    queues = FakeQueues(body)
    queues.troubles = [Unreachable("No network.")] * 4

    assert answers(asker(queues, told), [question(1)]) == ["1"]
    assert len(told) == 2
    assert len({request.request_id for request in queues.sent}) == 1


def test_trouble_that_does_not_pass_is_raised() -> None:
    queues = FakeQueues(body)
    queues.troubles = [QueueMissing("No queue.")]

    with pytest.raises(QueueMissing):
        answers(asker(queues), [question(1)])


def test_heavy_questions_travel_alone_and_few_at_first() -> None:
    calls: list[int] = []
    under_way: list[int] = []

    class Counting(FakeQueues):
        def send(self, envelopes: Sequence[Envelope], *, group: str) -> list[Failure]:
            calls.append(len(envelopes))
            failures = super().send(envelopes, group=group)
            under_way.append(len(self.waiting))
            return failures

    queues = Counting(body)
    box = cast("Mailbox", queues)
    asking = Requester(requests=box, replies=box, kind="numbers", clock=Clock(), tell=print, is_heavy=True)
    questions = [Question(body=str(number), is_heavy=True) for number in range(30)]

    found = [outcome.result for outcome in asking.ask_many(questions, timeout_seconds=5)]

    assert [isinstance(one, Answer) and one.body for one in found] == [str(number) for number in range(30)]
    assert calls == [1] * 30
    assert under_way[:4] == [1, 2, 3, 4]
    assert 4 < max(under_way) <= 20


def test_heavy_questions_are_given_up_only_when_nothing_at_all_is_answered() -> None:
    class Slow(FakeQueues):
        def receive(self, **_: int) -> list[Delivery]:
            threading.Event().wait(0.15)
            taken, self.waiting = self.waiting[:1], self.waiting[1:]
            return taken

    box = cast("Mailbox", Slow(lambda request: body(request) if request.body != "never" else []))
    asking = Requester(requests=box, replies=box, kind="numbers", clock=Clock(), tell=print, is_heavy=True)
    questions = [Question(body=text, is_heavy=True) for text in ("1", "2", "3", "never")]

    found = [type(outcome.result) for outcome in asking.ask_many(questions, timeout_seconds=0.4)]

    assert found == [Answer, Answer, Answer, NoAnswer]


def test_canceling_gives_every_question_that_was_taken_an_outcome() -> None:
    queues = FakeQueues(lambda _request: [])
    asking = asker(queues)

    def questions() -> Iterator[Asked]:
        yield question(0)
        yield InputRefused("bad")
        asking.cancel()  # a signal between taking and sending
        yield question(2)

    found = [type(outcome.result) for outcome in asking.ask_many(questions(), timeout_seconds=5)]

    assert found == [RequestCanceled, InputRefused, RequestCanceled]
    assert answers(asking, [question(3)]) == []
