"""Private reply queues: made before they are needed, used while their client runs, and deleted with it."""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from courier.aws.errors import call_aws
from courier.aws.responses import needed
from courier.aws.session import Aws
from courier.aws.sqs import Mailbox
from courier.cancellation import GRACE_SECONDS, Canceled
from courier.errors import AccessDenied, AwsError, CourierError

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
_END = re.compile(r"-([0-9a-f]{8})[0-9a-f]{10}")


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


class PreparedQueue:
    """A private reply queue that is created in the background, with the stale ones of crashed clients swept.

    `find` returns the connection and the shared reply queue; it may take long.
    """

    def __init__(self, find: Callable[[], tuple[Aws, Mailbox]]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._over = threading.Event()
        self._is_creating = False
        self._made: tuple[Aws, Mailbox] | None = None
        self._ready: Mailbox | None = None
        #: When the queue was created, in seconds since the epoch.
        self.made_at = 0.0
        #: Whether this client may not create queues.
        self.is_denied = False
        self._thread = threading.Thread(target=self._prepare, name="reply-queue", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether the attempt has ended, with or without a queue."""
        return self._over.is_set()

    def ready(self, *, wait_seconds: float = 0.0) -> Mailbox | None:
        """Return the queue once it may be used; wait for it that long."""
        self._over.wait(wait_seconds)
        return self._ready

    def end(self) -> None:
        """Delete the queue, also one that is being created."""
        self._ended.set()
        with self._lock:
            is_creating = self._is_creating
        if is_creating:
            self._thread.join(GRACE_SECONDS)
        self._delete()

    def _prepare(self) -> None:
        try:
            self._create()
        except CourierError as error:
            self.is_denied = isinstance(error, AccessDenied)
            log.info("responses come through the shared reply queue: %s", error.message)
        except Canceled:
            log.debug("canceled before there was a reply queue")
        finally:
            self._over.set()
        if self._ready is not None and self._made is not None:
            aws, private = self._made
            with suppress(AwsError, Canceled):
                sweep(aws, _END.sub("", private.name))

    def _create(self) -> None:
        aws, shared = self._find()
        with self._lock:
            if self._ended.is_set():
                return
            self._is_creating = True
        try:
            self.made_at = time.time()
            self._made = aws, create(aws, shared)
        finally:
            self._is_creating = False
        private = self._made[1]
        if self._ended.wait(READY_SECONDS):
            self._delete()
        else:
            self._ready = private

    def _delete(self) -> None:
        with self._lock:
            made, self._made, self._ready = self._made, None, None
        if made is not None:
            aws, private = made
            with suppress(AwsError, Canceled), aws.cleaning_up():
                private.delete()


def sweep(aws: Aws, shared_name: str) -> int:
    """Delete stale reply queues of crashed clients; return their number. Raises: AwsError."""
    swept = 0
    for name in _private_names(aws, shared_name):
        left = Mailbox(aws, name)
        with suppress(AwsError):  # another client may be sweeping, too
            if swept < MAX_SWEPT and time.time() - _created_at(left) > STALE_SECONDS:
                left.delete()
                swept += 1
    return swept


def _created_at(left: Mailbox) -> float:
    """Return when a private queue was created: by its name, or by its attributes where that is of another kind."""
    found = _END.search(left.name)
    return int(found[1], 16) if found and found.end() == len(left.name) else left.created_at()


def _private_names(aws: Aws, shared_name: str) -> list[str]:
    prefix = f"{shared_name}-"
    found = call_aws(f"list the queues {prefix}*", aws.sqs().list_queues, QueueNamePrefix=prefix, MaxResults=100)
    urls: list[str] = found.get("QueueUrls", [])
    return [url.rpartition("/")[2] for url in urls]
