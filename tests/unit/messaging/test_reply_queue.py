"""A client's own reply queue, on queues in memory; with two local AWS it is in tests/contract."""

from __future__ import annotations

import logging
import time

import pytest

from courier.aws.sqs import Mailbox
from courier.cancellation import Canceled, Cancellation
from courier.errors import QueueMissing, Throttled
from courier.messaging import reply_queue
from courier.messaging.protocol import is_reply_queue
from courier.messaging.reply_queue import MAX_SWEPT, STALE_SECONDS, create, private_replies, sweep
from tests.support.fakes import FakeAws, client_error, no_network

SHARED = "responseQueue"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    monkeypatch.setattr(reply_queue, "READY_SECONDS", 0.0)
    made = FakeAws()
    made.queues.create_queue(QueueName=SHARED)
    return made


def leave(aws: FakeAws, name: str, age_seconds: float) -> str:
    """Make a queue that a client has left, long ago."""
    aws.queues.create_queue(QueueName=f"{SHARED}-{name}")
    aws.queues.queue(f"{SHARED}-{name}").created = time.time() - age_seconds
    return f"{SHARED}-{name}"


def test_it_is_one_that_workers_answer_to_and_is_gone_afterwards(aws: FakeAws) -> None:
    with private_replies(aws, Mailbox(aws, SHARED)) as private:
        assert is_reply_queue(private.name, SHARED)
        assert aws.queues.names() == [SHARED, private.name]
        assert int(aws.queues.queue(private.name).attributes["MessageRetentionPeriod"]) == 900

    assert aws.queues.names() == [SHARED]


def test_it_is_used_by_the_url_that_its_creation_gave_though_sqs_may_not_know_it_yet(aws: FakeAws) -> None:
    unknown = client_error("AWS.SimpleQueueService.NonExistentQueue")
    with private_replies(aws, Mailbox(aws, SHARED)) as private:
        aws.queues.calls.clear()
        aws.queues.fail("receive_message", unknown)
        with pytest.raises(Throttled, match="is not known everywhere in SQS yet") as raised:
            private.receive(wait_seconds=0, visibility_seconds=1)
        assert private.receive(wait_seconds=0, visibility_seconds=1) == []
        assert aws.queues.operations == ["receive_message"] * 2

        private._new_until = time.monotonic()
        aws.queues.fail("receive_message", unknown)
        with pytest.raises(QueueMissing):
            private.receive(wait_seconds=0, visibility_seconds=1)

    assert raised.value.is_transient


def test_no_two_clients_have_the_same(aws: FakeAws) -> None:
    shared = Mailbox(aws, SHARED)
    with private_replies(aws, shared) as one, private_replies(aws, shared) as other:
        assert one.name != other.name


def test_it_is_given_the_time_that_a_new_queue_needs(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_queue, "READY_SECONDS", 7.0)
    waited: list[float] = []
    monkeypatch.setattr(aws, "wait", waited.append)

    with private_replies(aws, Mailbox(aws, SHARED)):
        assert waited == [7.0]


def test_it_is_gone_also_when_its_client_is_canceled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_queue, "READY_SECONDS", 0.0)
    cancellation = Cancellation()
    aws = FakeAws(cancellation)
    aws.queues.create_queue(QueueName=SHARED)
    old = leave(aws, "old", STALE_SECONDS + 60)

    with pytest.raises(Canceled), private_replies(aws, Mailbox(aws, SHARED)) as private:
        cancellation.cancel()
        private.depth()

    assert aws.queues.names() == [SHARED, old]  # who is in a hurry sweeps nothing


def test_it_is_gone_also_when_its_client_fails(aws: FakeAws) -> None:
    with pytest.raises(KeyboardInterrupt), private_replies(aws, Mailbox(aws, SHARED)):
        raise KeyboardInterrupt

    assert aws.queues.names() == [SHARED]


@pytest.mark.parametrize("error", [client_error("AccessDenied"), no_network()])
def test_where_it_cannot_be_made_the_shared_one_serves(
    aws: FakeAws, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    shared = Mailbox(aws, SHARED)
    aws.queues.fail("create_queue", error)

    with caplog.at_level(logging.INFO), private_replies(aws, shared) as replies:
        assert replies is shared

    assert aws.queues.names() == [SHARED]
    assert SHARED in caplog.text


def test_one_that_cannot_be_deleted_is_left_to_others(aws: FakeAws) -> None:
    aws.queues.fail("delete_queue", no_network())

    with private_replies(aws, Mailbox(aws, SHARED)) as private:
        pass

    assert aws.queues.names() == [SHARED, private.name]


def test_leftovers_go_with_it(aws: FakeAws) -> None:
    leave(aws, "old", STALE_SECONDS + 60)

    with private_replies(aws, Mailbox(aws, SHARED)):
        pass

    assert aws.queues.names() == [SHARED]


def test_what_is_old_is_swept_and_what_is_young_or_others_stays(aws: FakeAws) -> None:
    leave(aws, "old", STALE_SECONDS + 60)
    young = leave(aws, "young", STALE_SECONDS - 60)
    for name in (f"{SHARED}2-old", "requestQueue"):
        aws.queues.create_queue(QueueName=name)
        aws.queues.queue(name).created = 0

    assert sweep(aws, SHARED) == 1
    assert aws.queues.names() == sorted([SHARED, young, f"{SHARED}2-old", "requestQueue"])


def test_the_age_of_a_queue_is_in_its_name(aws: FakeAws) -> None:
    shared = Mailbox(aws, SHARED)
    young, old = create(aws, shared), create(aws, shared)
    long_ago = f"{int(time.time()) - STALE_SECONDS - 60:08x}"
    renamed = f"{SHARED}-{long_ago}{old.name[-10:]}"
    aws.queues.create_queue(QueueName=renamed)
    aws.queues.calls.clear()

    assert sweep(aws, SHARED) == 1
    assert aws.queues.names() == sorted([SHARED, young.name, old.name])
    assert aws.queues.operations == ["list_queues", "get_queue_url", "delete_queue"]


def test_no_more_are_swept_at_once_than_one_client_should(aws: FakeAws) -> None:
    for number in range(MAX_SWEPT + 5):
        leave(aws, f"{number:02}", STALE_SECONDS + 60)

    assert sweep(aws, SHARED) == MAX_SWEPT
    assert sweep(aws, SHARED) == 5
    assert sweep(aws, SHARED) == 0
    assert aws.queues.names() == [SHARED]


def test_one_that_another_client_sweeps_is_passed_over(aws: FakeAws) -> None:
    for name in "abc":
        leave(aws, name, STALE_SECONDS + 60)
    aws.queues.fail("delete_queue", client_error("AWS.SimpleQueueService.NonExistentQueue"))

    assert sweep(aws, SHARED) == 2


def test_a_sweep_that_may_not_list_says_so(aws: FakeAws) -> None:
    aws.queues.fail("list_queues", client_error("AWS.SimpleQueueService.NonExistentQueue"))

    with pytest.raises(QueueMissing):
        sweep(aws, SHARED)
