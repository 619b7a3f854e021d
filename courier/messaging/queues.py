"""Create an application's queues: for requests, for replies, and for requests that no worker could answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from courier.aws.credentials import CredentialRefresh
from courier.aws.errors import call_aws
from courier.aws.session import Aws, connect
from courier.aws.sqs import Mailbox
from courier.errors import AwsError, QueueMissing
from courier.messaging.application import Application
from courier.messaging.config import WorkerConfig
from courier.messaging.reply_queue import SETTLE_SECONDS

#: What the queues for requests and replies are made with, as create-queue.json says it for aws_setup.sh.
ATTRIBUTES = {
    "DelaySeconds": "1",
    "MessageRetentionPeriod": "3600",
    "ReceiveMessageWaitTimeSeconds": "1",
    "VisibilityTimeout": "1",
}
#: Dead letters stay as long as SQS keeps any message, in seconds: 14 days.
DEAD_ATTRIBUTES = {"MessageRetentionPeriod": "1209600"}


def create_queues(application: Application, *, max_deliveries: int = WorkerConfig.max_deliveries) -> None:
    """Create the queues that are missing. May be called at every start: what is there stays as it is.

    A request that is received more than `max_deliveries` times is moved to the dead-letter queue by SQS itself.
    Raises: AwsError, also if a queue is there with other attributes.

    >>> from courier import Application, create_queues, testing
    >>> with testing.queues() as queues:
    ...     create_queues(Application("upper", requests="upperRequests", replies="upperReplies"))
    ...     print(queues.names())
    ['upperReplies', 'upperRequests', 'upperRequests-dead']
    """
    aws = connect(CredentialRefresh(seconds=0, tell=lambda _sentence: None))
    made = _create(aws, Mailbox(aws, application.replies), ATTRIBUTES)
    dead = Mailbox(aws, application.dead_letters)
    made |= _create(aws, dead, DEAD_ATTRIBUTES)
    arn = dead.attributes()["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": str(max_deliveries)})
    made |= _create(aws, Mailbox(aws, application.requests), {**ATTRIBUTES, "RedrivePolicy": policy})
    if made:
        aws.wait(SETTLE_SECONDS)


def _create(aws: Aws, queue: Mailbox, wanted: Mapping[str, str]) -> bool:
    """Create a queue; return whether it was missing. Raises: AwsError if it is there and different."""
    try:
        there = queue.attributes()
    except QueueMissing:
        create: Callable[..., object] = aws.sqs().create_queue
        call_aws(f"create the queue {queue.name}", create, QueueName=queue.name, Attributes=wanted)
        return True
    different = [
        f"{name} is {there.get(name, 'not set')}, not {value}"
        for name, value in wanted.items()
        if _plain(there.get(name, "")) != _plain(value)
    ]
    if different:
        hint = "Delete the queue, choose another name, or give it these attributes."
        raise AwsError(f"The queue {queue.name} exists with other attributes: {'; '.join(different)}.", hint=hint)
    return False


def _plain(value: str) -> object:
    """Return a value as it can be compared: a redrive policy's numbers may come as text or as numbers."""
    if not value.startswith("{"):
        return value
    return {name: str(part) for name, part in json.loads(value).items()}
