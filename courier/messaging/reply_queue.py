"""A private reply queue for a client that has many requests in flight."""

from __future__ import annotations

import logging
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


@contextmanager
def private_replies(aws: Aws, shared: Mailbox) -> Iterator[Mailbox]:
    """Yield a new reply queue, `<shared>-<id>`, and delete it afterwards, with stale queues of crashed clients.

    Yields `shared` itself if the queue cannot be created.
    """
    name = f"{shared.name}-{secrets.token_hex(8)}"
    try:
        attributes = {"MessageRetentionPeriod": str(RETENTION_SECONDS)}
        create: Callable[..., Any] = aws.sqs().create_queue
        doing = f"create the reply queue {name}"
        made = call_aws(doing, create, QueueName=name, Attributes=attributes)
        private = Mailbox(aws, name, new_url=str(needed(doing, made, "QueueUrl")))
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


def sweep(aws: Aws, shared_name: str) -> int:
    """Delete stale reply queues of crashed clients; return their number. Raises: AwsError."""
    swept = 0
    for name in _private_names(aws, shared_name):
        left = Mailbox(aws, name)
        with suppress(AwsError):  # another client may be sweeping, too
            if swept < MAX_SWEPT and time.time() - left.created_at() > STALE_SECONDS:
                left.delete()
                swept += 1
    return swept


def _private_names(aws: Aws, shared_name: str) -> list[str]:
    prefix = f"{shared_name}-"
    found = call_aws(f"list the queues {prefix}*", aws.sqs().list_queues, QueueNamePrefix=prefix, MaxResults=100)
    urls: list[str] = found.get("QueueUrls", [])
    return [url.rpartition("/")[2] for url in urls]
