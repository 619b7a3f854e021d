"""A requester's private reply queue: when it is there, what replaces it, and what becomes of requests when it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping

import pytest

from courier import Application, Request, Requester, Worker, testing
from courier.aws.session import Aws
from courier.aws.sqs import Mailbox
from courier.messaging import private_exchange
from courier.messaging.prepared_queue import PreparedQueue
from courier.testing import Queues
from tests.support.fakes import WAIT_LIMIT_SECONDS, client_error, no_network, until

ECHO = Application("echo", requests="echoRequests", replies="echoReplies", program="echo.py")


def reply_to(request: Request) -> str:
    return request.reply_to


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queues]:
    monkeypatch.setattr("courier.messaging.reply_queue.READY_SECONDS", 0.0)
    monkeypatch.setattr("courier.messaging.prepared_queue.START_SECONDS", 0.0)
    for module in ("aws.sqs", "messaging.replies"):  # that a new queue is missing is no error for so long
        monkeypatch.setattr(f"courier.{module}.NEW_SECONDS", 0.0)
    with testing.queues(ECHO) as made:
        yield made


def private(queues: Queues) -> list[str]:
    return [name for name in queues.names() if name.startswith("echoReplies-")]


def created(queues: Queues) -> int:
    return sum(given["QueueName"].startswith("echoReplies-") for given in queues._queues.given("create_queue"))


def until_private(requester: Requester) -> str:
    """Return the private reply queue once requests use it."""
    until(lambda: requester.request("a").body != ECHO.replies, "a private reply queue")
    return requester.request("a").body


def test_a_prepared_queue_is_used_as_soon_as_it_is_there_and_gone_at_the_end(queues: Queues) -> None:
    may_create = threading.Event()
    queues._queues.hooks["create_queue"] = lambda _: may_create.wait(WAIT_LIMIT_SECONDS)
    with Worker(reply_to, ECHO):
        with Requester(ECHO) as requester:
            requester.prepare()
            assert [requester.request("a").body for _ in range(2)] == [ECHO.replies] * 2
            may_create.set()
            name = until_private(requester)
            many = {one.body for one in requester.request_many("ab" * 20)}  # type: ignore[union-attr]
            assert ([name], {name}) == (private(queues), many)
        assert private(queues) == []


@pytest.mark.usefixtures("queues")
def test_expensive_requests_through_it_are_sent_one_by_one(queues: Queues) -> None:
    with Worker(reply_to, ECHO), Requester(ECHO) as requester:
        requester.prepare()
        until_private(requester)
        before = len(queues._queues.given("send_message_batch"))
        list(requester.request_many("abc", expensive=True))
        to_workers = [
            one for one in queues._queues.given("send_message_batch")[before:] if ECHO.requests in one["QueueUrl"]
        ]

    assert [len(one["Entries"]) for one in to_workers] == [1, 1, 1]


def test_many_requests_wait_a_moment_for_one_that_is_being_prepared(queues: Queues) -> None:
    with Worker(reply_to, ECHO), Requester(ECHO) as requester:
        requester.prepare()
        used = {one.body for one in requester.request_many(["a", None, "b"])}  # type: ignore[union-attr]
        assert used == set(private(queues))


@pytest.mark.parametrize(("is_denied", "attempts"), [(True, 1), (False, 2)])
def test_without_it_the_shared_queue_serves_and_only_a_passing_error_is_tried_again(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, *, is_denied: bool, attempts: int
) -> None:
    monkeypatch.setattr(private_exchange, "AGAIN_SECONDS", 0.0)
    queues._queues.fail("create_queue", client_error("AccessDenied") if is_denied else no_network())
    with Worker(reply_to, ECHO), Requester(ECHO) as requester:
        requester.prepare()
        if is_denied:
            until(lambda: created(queues) == 1)
            assert {requester.request("a").body for _ in range(5)} == {ECHO.replies}
        else:
            until_private(requester)

    assert created(queues) == attempts
    assert private(queues) == []


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[PreparedQueue]:
    """Each attempt to prepare a queue."""
    made: list[PreparedQueue] = []

    class Counted(PreparedQueue):
        def __init__(self, find: Callable[[], tuple[Aws, Mailbox]]) -> None:
            made.append(self)
            super().__init__(find)

    monkeypatch.setattr(private_exchange, "PreparedQueue", Counted)
    return made


@pytest.mark.parametrize(("is_denied", "again_seconds"), [(True, 0.0), (False, 60.0)])
def test_no_second_attempt_is_made_where_it_is_in_vain_or_too_soon(
    queues: Queues,
    attempts: list[PreparedQueue],
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_denied: bool,
    again_seconds: float,
) -> None:
    monkeypatch.setattr(private_exchange, "AGAIN_SECONDS", again_seconds)
    queues._queues.fail("create_queue", client_error("AccessDenied") if is_denied else no_network())

    with Worker(reply_to, ECHO), Requester(ECHO) as requester:
        requester.prepare()
        until(lambda: attempts[0].is_over)
        assert {requester.request("a").body for _ in range(3)} == {ECHO.replies}

    assert len(attempts) == 1


def test_one_that_may_not_be_read_is_not_replaced_by_another_like_it(
    queues: Queues, attempts: list[PreparedQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_exchange, "AGAIN_SECONDS", 0.0)

    def deny(given: Mapping[str, str]) -> None:
        if "echoReplies-" in given["QueueUrl"]:
            raise client_error("AccessDenied")

    with Worker(reply_to, ECHO), Requester(ECHO, timeout=WAIT_LIMIT_SECONDS) as requester:
        requester.prepare()
        until_private(requester)
        queues._queues.hooks["receive_message"] = deny

        assert {requester.request("a").body for _ in range(4)} == {ECHO.replies}

    assert len(attempts) == 1


def test_one_that_is_old_before_it_is_used_is_deleted_instead(
    queues: Queues, attempts: list[PreparedQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Worker(reply_to, ECHO), Requester(ECHO) as requester:
        requester.prepare()
        until(lambda: attempts[0].is_over)
        assert len(private(queues)) == 1
        monkeypatch.setattr(private_exchange, "PRIVATE_SECONDS", -1.0)

        assert requester.request("a").body == ECHO.replies

        assert private(queues) == []


@pytest.mark.usefixtures("attempts")
def test_quick_requests_through_it_are_sent_together(queues: Queues) -> None:
    with Worker(reply_to, ECHO), Requester(ECHO) as requester:
        requester.prepare()
        until_private(requester)
        queues._queues.calls.clear()
        list(requester.request_many("abcdefghi"))
        sent = [one for one in queues._queues.given("send_message_batch") if ECHO.requests in one["QueueUrl"]]

    assert max(len(one["Entries"]) for one in sent) > 1


def test_one_that_is_being_created_at_the_end_is_deleted(queues: Queues) -> None:
    begun, may_create = threading.Event(), threading.Event()

    def create(_given: object) -> None:
        begun.set()
        may_create.wait(WAIT_LIMIT_SECONDS)

    queues._queues.hooks["create_queue"] = create
    requester = Requester(ECHO)
    requester.prepare()
    assert begun.wait(WAIT_LIMIT_SECONDS)
    threading.Timer(0.05, may_create.set).start()
    requester.close()

    until(lambda: "delete_queue" in queues._queues.operations)
    assert private(queues) == []


def test_an_old_one_is_replaced_in_the_background(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_exchange, "AGAIN_SECONDS", 0.0)
    with Worker(reply_to, ECHO), Requester(ECHO) as requester:
        requester.prepare()
        first = until_private(requester)
        monkeypatch.setattr(private_exchange, "PRIVATE_SECONDS", -1.0)
        requester.request("a")
        monkeypatch.setattr(private_exchange, "PRIVATE_SECONDS", 3600.0)
        second = until_private(requester)

        assert first != second
        assert private(queues) == [second]


def test_a_response_is_not_lost_with_its_queue_and_the_next_requests_have_another(
    queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_exchange, "AGAIN_SECONDS", 0.0)
    seen: list[Request] = []

    def vanish(request: Request) -> str:
        seen.append(request)
        if request.body == "vanish" and request.reply_to != ECHO.replies:
            (name,) = private(queues)
            queues._queues.delete_queue(QueueUrl=queues._queues.get_queue_url(QueueName=name)["QueueUrl"])
        return request.reply_to

    with Worker(vanish, ECHO), Requester(ECHO, timeout=WAIT_LIMIT_SECONDS) as requester:
        requester.prepare()
        first = until_private(requester)
        assert requester.request("vanish").body == ECHO.replies
        second = until_private(requester)

    again = [request for request in seen if request.body == "vanish"]
    assert [request.reply_to for request in again] == [first, ECHO.replies]
    assert again[0].request_id == again[1].request_id
    assert again[0].deadline == again[1].deadline
    assert second not in (first, ECHO.replies)
    assert private(queues) == []


def test_all_of_a_batch_is_answered_although_its_queue_vanishes_or_may_not_be_read(queues: Queues) -> None:
    bodies = list(map(str, range(30)))
    for error in ("AWS.SimpleQueueService.NonExistentQueue", "AccessDenied"):
        with Worker(lambda request: request.body, ECHO), Requester(ECHO, timeout=WAIT_LIMIT_SECONDS) as requester:
            stream = requester.request_many(bodies)
            found = [next(stream)]
            (name,) = private(queues)
            if error == "AccessDenied":
                queues._queues.fail("receive_message", client_error(error))
            else:
                queues._queues.delete_queue(QueueUrl=queues._queues.get_queue_url(QueueName=name)["QueueUrl"])
            found += stream
            assert [one.body for one in found] == bodies  # type: ignore[union-attr]


def test_a_request_inside_a_stream_does_not_lose_the_streams_responses(queues: Queues) -> None:
    release = threading.Event()

    def slow(request: Request) -> str:
        if request.body == "slow":
            release.wait(WAIT_LIMIT_SECONDS)
        return request.body

    bodies = [*map(str, range(30)), "slow"]
    with Worker(slow, ECHO), Requester(ECHO, timeout=WAIT_LIMIT_SECONDS) as requester:
        stream = requester.request_many(bodies)
        found = [next(stream)]
        (name,) = private(queues)
        queues._queues.delete_queue(QueueUrl=queues._queues.get_queue_url(QueueName=name)["QueueUrl"])
        assert requester.request("inside").body == "inside"
        release.set()
        found += stream

    assert [one.body for one in found] == bodies  # type: ignore[union-attr]
