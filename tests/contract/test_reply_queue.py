"""Reply queues of a client's own, against two local AWS."""

from __future__ import annotations

import secrets

import pytest

from courier.aws.message import Message
from courier.aws.session import Aws
from courier.aws.sqs import Mailbox
from courier.messaging import reply_queue
from courier.messaging.protocol import is_reply_queue
from courier.messaging.reply_queue import private_replies, sweep


@pytest.fixture
def shared(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    monkeypatch.setattr(reply_queue, "READY_SECONDS", 0.0)
    name = f"shared{secrets.token_hex(4)}"
    aws.sqs().create_queue(QueueName=name)
    return Mailbox(aws, name)


def names(aws: Aws, shared: Mailbox) -> list[str]:
    urls = aws.sqs().list_queues(QueueNamePrefix=shared.name).get("QueueUrls", [])
    return sorted(url.rpartition("/")[2] for url in urls)


def test_a_private_queue_is_one_that_workers_answer_to_and_is_gone_afterwards(aws: Aws, shared: Mailbox) -> None:
    with private_replies(aws, shared) as private:
        assert is_reply_queue(private.name, shared.name)
        private.send([Message(body="a")])
        (received,) = private.receive(wait_seconds=2, visibility_seconds=5)
        assert received.message.body == "a"

    assert names(aws, shared) == [shared.name]


def test_it_is_gone_also_when_its_client_fails(aws: Aws, shared: Mailbox) -> None:
    with pytest.raises(KeyboardInterrupt), private_replies(aws, shared):
        raise KeyboardInterrupt

    assert names(aws, shared) == [shared.name]


def test_leftovers_are_swept_by_age_and_young_ones_stay(
    aws: Aws, shared: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        aws.sqs().create_queue(QueueName=f"{shared.name}-left{number}")

    assert sweep(aws, shared.name) == 0
    monkeypatch.setattr(reply_queue, "STALE_SECONDS", -60)
    assert sweep(aws, shared.name) == 2

    assert names(aws, shared) == [shared.name]
