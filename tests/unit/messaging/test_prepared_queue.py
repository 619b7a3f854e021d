"""A reply queue that is created in the background, in memory; with requests it is in test_private_exchange."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from courier.aws.session import Aws
from courier.aws.sqs import Mailbox
from courier.cancellation import Cancellation
from courier.messaging import prepared_queue, reply_queue
from courier.messaging.prepared_queue import PreparedQueue
from courier.messaging.reply_queue import STALE_SECONDS
from tests.support.fakes import WAIT_LIMIT_SECONDS, FakeAws, client_error, no_network, until

SHARED = "responseQueue"


class Account(FakeAws):
    """An account with a shared reply queue, where creating another waits until a test allows it."""

    def __init__(self, cancellation: Cancellation | None = None) -> None:
        super().__init__(cancellation)
        self.queues.create_queue(QueueName=SHARED)
        self.begun, self.may_create = threading.Event(), threading.Event()
        self.may_create.set()
        self.queues.hooks["create_queue"] = self._create

    def find(self) -> tuple[Aws, Mailbox]:
        return self, Mailbox(self, SHARED)

    def private(self) -> list[str]:
        return [name for name in self.queues.names() if name != SHARED]

    def _create(self, _given: object) -> None:
        self.begun.set()
        self.may_create.wait(WAIT_LIMIT_SECONDS)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(prepared_queue, "START_SECONDS", 0.0)
    monkeypatch.setattr(reply_queue, "READY_SECONDS", 0.0)
    return Account()


def test_it_is_ready_once_it_was_created_and_gone_at_the_end(aws: Account) -> None:
    aws.may_create.clear()
    prepared = PreparedQueue(aws.find)
    assert aws.begun.wait(WAIT_LIMIT_SECONDS)
    assert (prepared.ready(), prepared.is_over) == (None, False)

    aws.may_create.set()
    found = prepared.ready(wait_seconds=WAIT_LIMIT_SECONDS)

    assert found
    assert [found.name] == aws.private()
    assert (prepared.is_over, prepared.is_denied) == (True, False)
    assert abs(time.time() - prepared.made_at) < 3600
    assert prepared.ready() is found
    prepared.end()
    assert (prepared.ready(), aws.private()) == (None, [])


def test_the_stale_ones_of_crashed_clients_go_once_it_is_there(aws: Account) -> None:
    aws.queues.create_queue(QueueName=f"{SHARED}-old")
    aws.queues.queue(f"{SHARED}-old").created = time.time() - STALE_SECONDS - 60

    prepared = PreparedQueue(aws.find)

    until(lambda: f"{SHARED}-old" not in aws.private())
    assert prepared.ready()
    prepared.end()


@pytest.mark.parametrize(("error", "is_denied"), [(client_error("AccessDenied"), True), (no_network(), False)])
def test_one_that_cannot_be_created_is_reported_once_and_whether_it_never_can(
    aws: Account, caplog: pytest.LogCaptureFixture, error: Exception, *, is_denied: bool
) -> None:
    caplog.set_level(logging.INFO)
    aws.queues.fail("create_queue", error)

    prepared = PreparedQueue(aws.find)

    assert prepared.ready(wait_seconds=WAIT_LIMIT_SECONDS) is None
    assert (prepared.is_over, prepared.is_denied) == (True, is_denied)
    assert caplog.text.count("responses come through the shared reply queue") == 1
    prepared.end()
    assert aws.private() == []


def test_a_client_that_ends_at_once_makes_no_call(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared_queue, "START_SECONDS", WAIT_LIMIT_SECONDS)
    aws.queues.calls.clear()

    prepared = PreparedQueue(aws.find)
    prepared.end()

    assert prepared.is_over
    assert aws.queues.operations == []


def test_a_client_that_ends_while_it_connects_creates_none(aws: Account) -> None:
    ended, finding = threading.Event(), threading.Event()

    def find() -> tuple[Aws, Mailbox]:
        finding.set()
        assert ended.wait(WAIT_LIMIT_SECONDS)
        return aws.find()

    prepared = PreparedQueue(find)
    assert finding.wait(WAIT_LIMIT_SECONDS)
    until_ended = threading.Thread(target=prepared.end)
    until_ended.start()
    until(prepared._ended.is_set)
    ended.set()
    until_ended.join(WAIT_LIMIT_SECONDS)

    assert prepared.is_over
    assert not aws.begun.is_set()


def test_a_client_that_ends_during_the_creation_waits_for_it_and_deletes_the_queue(aws: Account) -> None:
    aws.may_create.clear()
    prepared = PreparedQueue(aws.find)
    assert aws.begun.wait(WAIT_LIMIT_SECONDS)
    threading.Timer(0.02, aws.may_create.set).start()

    prepared.end()

    assert prepared.is_over
    assert (prepared.ready(), aws.private()) == (None, [])


def test_a_creation_that_outlasts_the_wait_of_its_client_deletes_the_queue_itself(
    aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_queue, "GRACE_SECONDS", 0.0)
    aws.may_create.clear()
    prepared = PreparedQueue(aws.find)
    assert aws.begun.wait(WAIT_LIMIT_SECONDS)

    prepared.end()
    assert not prepared.is_over
    aws.may_create.set()

    until(lambda: prepared.is_over)
    assert "delete_queue" in aws.queues.operations
    assert (prepared.ready(), aws.private()) == (None, [])


def test_a_queue_that_is_not_yet_usable_when_the_client_ends_is_deleted(
    aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_queue, "READY_SECONDS", WAIT_LIMIT_SECONDS)
    prepared = PreparedQueue(aws.find)
    until(aws.private)
    assert prepared.ready() is None

    prepared.end()

    assert prepared.is_over
    assert aws.private() == []


def test_a_canceled_client_deletes_it_too(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(prepared_queue, "START_SECONDS", 0.0)
    monkeypatch.setattr(reply_queue, "READY_SECONDS", 0.0)
    caplog.set_level(logging.DEBUG, "courier")
    cancellation = Cancellation()
    aws = Account(cancellation)
    prepared = PreparedQueue(aws.find)
    assert prepared.ready(wait_seconds=WAIT_LIMIT_SECONDS)

    cancellation.cancel()
    prepared.end()
    late = PreparedQueue(aws.find)

    assert late.ready(wait_seconds=WAIT_LIMIT_SECONDS) is None
    assert late.is_over
    late.end()
    assert aws.private() == []
    assert [one.getMessage() for one in caplog.records] == ["canceled before there was a reply queue"]


def test_no_program_is_kept_alive_by_it(aws: Account) -> None:
    aws.may_create.clear()
    before = {*threading.enumerate()}
    prepared = PreparedQueue(aws.find)
    assert aws.begun.wait(WAIT_LIMIT_SECONDS)

    (thread,) = (one for one in {*threading.enumerate()} - before if one.name == "reply-queue")

    assert thread.daemon
    aws.may_create.set()
    prepared.end()
