"""Private reply queues: made before they are needed, used while their client runs, and deleted with it."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from courier.aws.errors import call_aws
from courier.aws.responses import needed
from courier.aws.session import Aws
from courier.aws.sqs import Mailbox
from courier.cancellation import Canceled
from courier.errors import AwsError

log = logging.getLogger(__name__)

#: The retention of responses in a private queue, in seconds: its client is running.
RETENTION_SECONDS = 900
#: A queue must exist for a second before it may be used.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
READY_SECONDS = 1.0
#: A queue older than this was left by a client that crashed.
STALE_SECONDS = 6 * 3600
#: The most stale queues that a client deletes at once.
MAX_SWEPT = 20
#: The end of a private queue's name: when it was created, in seconds since the epoch as 8 hexadecimal digits, and 10
#: random ones. A sweep needs no call to find its age.
_END = re.compile(r"-([0-9a-f]{8})[0-9a-f]{10}\Z")


def create(aws: Aws, shared: Mailbox) -> Mailbox:
    """Create a private reply queue, `<shared>-<id>`. Raises: AwsError."""
    name = f"{shared.name}-{int(aws.clock.now()):08x}{secrets.token_hex(5)}"
    attributes = {"MessageRetentionPeriod": str(RETENTION_SECONDS)}
    make: Callable[..., Any] = aws.sqs().create_queue
    doing = f"create the reply queue {name}"
    made = call_aws(doing, make, QueueName=name, Attributes=attributes)
    return Mailbox(aws, name, new_url=str(needed(doing, made, "QueueUrl")))


@contextmanager
def private_replies(aws: Aws, shared: Mailbox) -> Iterator[Mailbox]:
    """Yield a new reply queue, and delete it afterwards, with stale queues of crashed clients.

    Yields `shared` itself if the queue cannot be created.
    """
    try:
        private = create(aws, shared)
    except AwsError as error:
        log.info("responses come through %s: %s", shared.name, error.message)
        yield shared
        return
    try:
        aws.wait(READY_SECONDS)
        yield private
    finally:
        with suppress(AwsError, Canceled):
            with aws.cleaning_up():
                private.delete()
            sweep(aws, shared.name)


def sweep(aws: Aws, shared: str) -> int:
    """Delete stale reply queues of crashed clients; return their number. Raises: AwsError."""
    swept = 0
    for name in _private_names(aws, shared):
        left = Mailbox(aws, name)
        with suppress(AwsError):  # another client may be sweeping, too
            if swept < MAX_SWEPT and time.time() - _created_at(left) > STALE_SECONDS:
                left.delete()
                swept += 1
    return swept


def _created_at(left: Mailbox) -> float:
    """Return when a private queue was created: by its name, or by its attributes where that is of another kind."""
    found = _END.search(left.name)
    return int(found[1], 16) if found else left.created_at()


def _private_names(aws: Aws, shared: str) -> list[str]:
    prefix = f"{shared}-"
    found = call_aws(f"list the queues {prefix}*", aws.sqs().list_queues, QueueNamePrefix=prefix, MaxResults=100)
    urls: list[str] = found.get("QueueUrls", [])
    return [url.rpartition("/")[2] for url in urls]
