"""What the engine relies on of a queue, held against two local AWS."""

from __future__ import annotations

import json
import secrets
import time

import pytest

from courier.aws.message import Message
from courier.aws.session import Aws
from courier.aws.sqs import MAX_BODY_BYTES, Mailbox, ReceivedMessage
from courier.errors import MessageTooLong, QueueMissing
from tests.support.fakes import FakeAws
from tests.support.place import ATTRIBUTES, wait_for


def receive(mailbox: Mailbox, limit: int = 10, wait: int = 2, visibility: int = 30) -> list[ReceivedMessage]:
    return mailbox.receive(limit=limit, wait_seconds=wait, visibility_seconds=visibility)


def receive_all(mailbox: Mailbox, count: int) -> list[ReceivedMessage]:
    found: list[ReceivedMessage] = []

    def more() -> bool:
        found.extend(receive(mailbox, wait=1))
        return len(found) >= count

    wait_for(more, what=f"{count} messages")
    return found


def test_a_message_arrives_as_it_was_sent_and_without_the_queues_delay(aws: Aws) -> None:
    name = f"queue-{secrets.token_hex(6)}"
    aws.sqs().create_queue(QueueName=name, Attributes={**ATTRIBUTES, "DelaySeconds": "30"})
    mailbox = Mailbox(aws, name)
    message = Message(body="1,5,22\tä\n", attributes={"request-id": "a", "kind": "numbers"})

    mailbox.send([message])

    (received,) = receive(mailbox, wait=5)
    assert received.message == message
    assert received.receive_count == 1


def test_messages_of_one_group_are_received_side_by_side_and_say_so(mailbox: Mailbox, aws: Aws) -> None:
    mailbox.send([Message(body=body) for body in "abc"], group="mine")

    found = [*receive(mailbox, limit=1), *receive(mailbox, limit=1)]
    raw = aws.sqs().receive_message(QueueUrl=mailbox._url(), MessageSystemAttributeNames=["MessageGroupId"])

    assert len(found) == 2
    assert raw["Messages"][0]["Attributes"]["MessageGroupId"] == "mine"


def test_more_than_ten_are_sent_and_all_arrive(mailbox: Mailbox) -> None:
    bodies = [f"{number}" for number in range(23)]

    assert mailbox.send([Message(body=body) for body in bodies]) == []

    found = receive_all(mailbox, 23)
    assert sorted(received.message.body for received in found) == sorted(bodies)
    assert mailbox.acknowledge(found) == []
    assert mailbox.depth().total == 0


def test_a_batch_of_long_messages_is_split_by_size(mailbox: Mailbox) -> None:
    bodies = [letter * 400_000 for letter in "abcde"]

    assert mailbox.send([Message(body=body) for body in bodies]) == []

    assert sorted(received.message.body for received in receive_all(mailbox, 5)) == bodies


def test_a_message_of_exactly_the_limit_passes_and_one_byte_more_does_not(mailbox: Mailbox) -> None:
    failures = mailbox.send(
        [Message(body="x" * (MAX_BODY_BYTES + 1)), Message(body="y" * MAX_BODY_BYTES), Message(body="z")]
    )

    assert [failure.index for failure in failures] == [0]
    assert isinstance(failures[0].error, MessageTooLong)
    assert {received.message.body[0] for received in receive_all(mailbox, 2)} == {"y", "z"}


def test_what_is_received_is_hidden_until_its_time_is_over(mailbox: Mailbox) -> None:
    mailbox.send([Message(body="a")])

    assert len(receive(mailbox, visibility=2)) == 1
    assert receive(mailbox, wait=0) == []
    (again,) = receive(mailbox, wait=5)
    assert again.receive_count == 2


def test_what_is_released_is_there_at_once(mailbox: Mailbox) -> None:
    mailbox.send([Message(body="a")])
    held = receive(mailbox, visibility=600)

    assert mailbox.release(held) == []

    assert len(receive(mailbox, wait=2)) == 1


def test_what_is_extended_stays_hidden(mailbox: Mailbox) -> None:
    mailbox.send([Message(body="a")])
    held = receive(mailbox, visibility=1)

    assert mailbox.extend(held, visibility_seconds=600) == []

    assert receive(mailbox, wait=2) == []
    assert mailbox.depth().in_flight == 1


def test_what_is_acknowledged_never_comes_back(mailbox: Mailbox) -> None:
    mailbox.send([Message(body="a")])

    mailbox.acknowledge(receive(mailbox, visibility=1))

    assert receive(mailbox, wait=2) == []
    assert mailbox.depth().total == 0


def test_an_empty_queue_is_waited_for_as_long_as_asked(mailbox: Mailbox, aws: Aws) -> None:
    if isinstance(aws, FakeAws):
        aws.queues.waits = True
    started = time.monotonic()

    assert receive(mailbox, wait=1) == []
    assert time.monotonic() - started >= 0.9


def test_a_purge_empties_the_queue(mailbox: Mailbox) -> None:
    mailbox.send([Message(body="a")] * 3)

    assert mailbox.purge()

    wait_for(lambda: mailbox.depth().total == 0)
    assert receive(mailbox, wait=0) == []


def test_a_queue_that_is_not_there_is_said_with_what_creates_it(aws: Aws) -> None:
    nowhere = Mailbox(aws, "no-such-queue")

    with pytest.raises(QueueMissing, match="The queue no-such-queue does not exist") as raised:
        nowhere.find()

    assert "./aws_setup.sh queues" in raised.value.hint


def test_a_queue_that_is_created_later_is_found(aws: Aws) -> None:
    late = Mailbox(aws, f"late-{time.monotonic_ns()}")
    with pytest.raises(QueueMissing):
        late.send([Message(body="a")])

    aws.sqs().create_queue(QueueName=late.name)

    late.send([Message(body="a")])
    assert len(receive(late)) == 1


def test_aws_tells_its_time(mailbox: Mailbox, aws: Aws) -> None:
    mailbox.find()

    assert aws.clock.now() == pytest.approx(time.time(), abs=3)


def test_what_is_received_too_often_is_moved_to_the_dead_letter_queue(mailbox: Mailbox, aws: Aws) -> None:
    dead = Mailbox(aws, f"{mailbox.name}-dead")
    aws.sqs().create_queue(QueueName=dead.name)
    policy = json.dumps({"deadLetterTargetArn": dead.attributes()["QueueArn"], "maxReceiveCount": "2"})
    name = f"{mailbox.name}-guarded"
    aws.sqs().create_queue(QueueName=name, Attributes={**ATTRIBUTES, "RedrivePolicy": policy})
    guarded = Mailbox(aws, name)
    guarded.send([Message(body="a", attributes={"kind": "numbers"})])

    for count in (1, 2):
        (found,) = receive(guarded)
        assert found.receive_count == count
        guarded.release([found])

    assert receive(guarded, wait=1) == []
    assert [one.message for one in receive(dead)] == [Message(body="a", attributes={"kind": "numbers"})]


def test_a_message_may_be_sent_with_a_delay(aws: Aws) -> None:
    name = f"queue-{secrets.token_hex(6)}"
    url = aws.sqs().create_queue(QueueName=name, Attributes=ATTRIBUTES)["QueueUrl"]
    entries = [
        {"Id": "0", "MessageBody": "late", "DelaySeconds": 1},
        {"Id": "1", "MessageBody": "now", "DelaySeconds": 0},
    ]
    aws.sqs().send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]
    mailbox = Mailbox(aws, name)

    first = receive(mailbox)
    second = receive(mailbox, wait=5)

    assert [one.message.body for one in (*first, *second)] == ["now", "late"]


def test_the_attributes_of_a_queue_are_those_that_it_was_made_with(mailbox: Mailbox) -> None:
    found = mailbox.attributes()

    assert {name: found[name] for name in ATTRIBUTES} == ATTRIBUTES
    assert found["QueueArn"].endswith(f":{mailbox.name}")
