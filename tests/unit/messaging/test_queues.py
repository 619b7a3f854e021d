"""An application's queues: created once, as create-queue.json says, and never changed."""

from __future__ import annotations

import json
import re

import pytest

from courier import testing
from courier.errors import AwsError, WrongUsage
from courier.messaging.application import Application
from courier.messaging.queues import ATTRIBUTES, create_queues
from tests.support.fakes import client_error
from tests.support.place import ATTRIBUTES as FILE

ECHO = Application("echo", requests="echoRequests", replies="echoReplies")


def test_the_attributes_are_those_of_create_queue_json() -> None:
    assert ATTRIBUTES == FILE


def test_what_sqs_cannot_deliver_goes_to_the_dead_letters() -> None:
    with testing.queues() as queues:
        create_queues(ECHO, max_deliveries=3)
        policy = json.loads(queues._queues.queue(ECHO.requests).attributes["RedrivePolicy"])

    assert policy["maxReceiveCount"] == "3"
    assert policy["deadLetterTargetArn"].endswith(":echoRequests-dead")


def test_again_changes_nothing_and_says_what_is_different() -> None:
    with testing.queues() as queues:
        create_queues(ECHO)
        create_queues(ECHO)
        assert queues._queues.operations.count("create_queue") == 3
        with pytest.raises(
            AwsError, match=r"echoRequests exists with other attributes: RedrivePolicy is .* not"
        ) as raised:
            create_queues(ECHO, max_deliveries=9)

    assert "aws sqs set-queue-attributes" in raised.value.hint
    (changes,) = re.findall(r"--attributes '(.*)'", raised.value.hint)
    assert json.loads(json.loads(changes)["RedrivePolicy"])["maxReceiveCount"] == "9"


def test_what_nobody_receives_is_kept_as_long_as_is_chosen() -> None:
    with testing.queues() as queues:
        create_queues(ECHO, retention_seconds=86_400)
        kept = [queues._queues.queue(name).attributes["MessageRetentionPeriod"] for name in queues.names()]

        with pytest.raises(WrongUsage, match="retention_seconds is 59, and must be from 60 to"):
            create_queues(ECHO, retention_seconds=59)

    assert kept == ["86400", "86400", "1209600"]


def test_what_was_just_created_and_is_not_known_everywhere_is_waited_for() -> None:
    missing = client_error("AWS.SimpleQueueService.NonExistentQueue")
    no_target = client_error("InvalidParameterValue", "Reason: Dead letter target does not exist.")
    with testing.queues() as queues:
        service = queues._queues
        service.hooks["create_queue"] = lambda given: (
            service.fail("get_queue_attributes", missing) if given["QueueName"] == ECHO.dead_letters else None
        )
        service.fail("create_queue", no_target)

        create_queues(ECHO)

        assert sorted(service.names()) == ["echoReplies", "echoRequests", "echoRequests-dead"]
        assert service.operations.count("create_queue") == 4
        assert "get_queue_attributes" in service.operations
        assert not service._faults["get_queue_attributes"]
