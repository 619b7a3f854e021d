"""Create an application's queues: for requests, replies and dead letters."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from courier.aws.credentials import CredentialRefresh
from courier.aws.responses import needed
from courier.aws.session import Aws, connect
from courier.aws.sqs import NEW_SECONDS, Mailbox
from courier.errors import AwsError, QueueMissing, WrongUsage
from courier.messaging.application import Application
from courier.messaging.config import WorkerConfig
from courier.messaging.reply_queue import READY_SECONDS

#: The attributes of the queues for requests and replies, the same as in create-queue.json. All but the retention are
#: for other programs: each call of this library has its own delay, poll and visibility timeout.
ATTRIBUTES = {
    "DelaySeconds": "1",
    "MessageRetentionPeriod": "3600",
    "ReceiveMessageWaitTimeSeconds": "1",
    "VisibilityTimeout": "1",
}
#: The shortest and the longest retention of SQS.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
RETENTION_SECONDS = (60, 1_209_600)
#: Dead letters are kept for the longest retention of SQS: 14 days.
DEAD_ATTRIBUTES = {"MessageRetentionPeriod": "1209600"}


def create_queues(
    application: Application, *, max_deliveries: int = WorkerConfig.max_deliveries, retention_seconds: int = 3600
) -> None:
    """Create the missing queues. May be called at every start: existing queues are not changed.

    Give `max_deliveries` to the WorkerConfig as well: at that delivery a worker rejects a request with the reason, and
    moves it to the dead-letter queue. SQS moves one that is received more often still: its client waits until its
    timeout. `retention_seconds` is how long SQS keeps a request or a reply that nobody receives; dead letters are kept
    for 14 days. Raises: WrongUsage; AwsError, also if a queue exists with other attributes.

    >>> from courier import Application, create_queues, testing
    >>> with testing.queues() as queues:
    ...     create_queues(Application("upper", requests="upperRequests", replies="upperReplies"))
    ...     print(queues.names())
    ['upperReplies', 'upperRequests', 'upperRequests-dead']
    """
    low, high = RETENTION_SECONDS
    if not low <= retention_seconds <= high:
        raise WrongUsage(f"retention_seconds is {retention_seconds!r}, and must be from {low:,} to {high:,}.")
    aws = connect(CredentialRefresh(seconds=0, tell=lambda _sentence: None, transient_seconds=2 * NEW_SECONDS))
    attributes = {**ATTRIBUTES, "MessageRetentionPeriod": str(retention_seconds)}
    replies = _create(aws, application.replies, attributes)
    dead = _create(aws, application.dead_letters, DEAD_ATTRIBUTES)
    arn = aws.retry(dead.attributes)["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": str(max_deliveries)})
    requests = _create(aws, application.requests, {**attributes, "RedrivePolicy": policy})
    if any(queue.is_new for queue in (replies, dead, requests)):
        aws.wait(READY_SECONDS)


def _create(aws: Aws, name: str, wanted: Mapping[str, str]) -> Mailbox:
    """Create a queue if it is missing. Raises: AwsError if it exists with other attributes."""
    queue = Mailbox(aws, name)
    try:
        there = queue.attributes()
    except QueueMissing:
        create: Callable[..., Any] = aws.sqs().create_queue
        doing = f"create the queue {name}"
        made = aws.call(doing, create, QueueName=name, Attributes=wanted)
        return Mailbox(aws, name, new_url=str(needed(doing, made, "QueueUrl")))
    different = {
        key: f"{key} is {there.get(key, 'not set')}, not {value}"
        for key, value in wanted.items()
        if _plain(there.get(key, "")) != _plain(value)
    }
    if different:
        changes = json.dumps({key: value for key, value in wanted.items() if key in different})
        hint = (
            "Call create_queues with the `max_deliveries` and `retention_seconds` of its creation, or change it: "
            f"aws sqs set-queue-attributes --queue-url $(aws sqs get-queue-url --queue-name {name} --query QueueUrl "
            f"--output text) --attributes {shlex.quote(changes)}"
        )
        raise AwsError(f"The queue {name} exists with other attributes: {'; '.join(different.values())}.", hint=hint)
    return queue


def _plain(value: str) -> object:
    """Return a comparable value: a redrive policy's numbers may be text or numbers."""
    if not value.startswith("{"):
        return value
    return {name: str(part) for name, part in json.loads(value).items()}
