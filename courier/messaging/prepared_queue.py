"""A private reply queue that is prepared in the background, for a client that a person waits for.

What talks to AWS is imported in the background, too: it takes longer than a menu's first prompt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from courier.cancellation import GRACE_SECONDS, Canceled
from courier.errors import AccessDenied, AwsError, CourierError

if TYPE_CHECKING:
    from courier.aws.session import Aws
    from courier.aws.sqs import Mailbox

log = logging.getLogger(__name__)

#: How long after it was requested a queue begins to be prepared, in seconds: the imports for that would take the
#: processor from a menu's first prompt.
START_SECONDS = 0.25


class PreparedQueue:
    """A private reply queue that is created in the background, with the stale ones of crashed clients swept.

    `find` returns the connection and the shared reply queue; it may take long.
    """

    def __init__(self, find: Callable[[], tuple[Aws, Mailbox]]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._over = threading.Event()
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
        """Delete the queue, also one that is being created.

        Waits for the imports in the background, too: a program that exits during them can hang at its end.
        """
        self._ended.set()
        if not self.is_over:
            self._thread.join(GRACE_SECONDS)
        self._delete()

    def _prepare(self) -> None:
        swept: tuple[Aws, str] | None = None
        try:
            if not self._ended.wait(START_SECONDS):
                swept = self._create()
        except CourierError as error:
            self.is_denied = isinstance(error, AccessDenied)
            log.info("responses come through the shared reply queue: %s", error.message)
        except Canceled:
            log.debug("canceled before there was a reply queue")
        finally:
            self._over.set()
        if swept:
            from courier.messaging import reply_queue

            with suppress(AwsError, Canceled):
                reply_queue.sweep(*swept)

    def _create(self) -> tuple[Aws, str] | None:
        """Create the queue; return where stale ones can be swept, once it may be used."""
        aws, shared = self._find()
        from courier.messaging import reply_queue

        if self._ended.is_set():
            return None
        self.made_at = time.time()
        private = reply_queue.create(aws, shared)
        self._made = aws, private
        if self._ended.wait(reply_queue.READY_SECONDS):
            self._delete()
            return None
        self._ready = private
        return aws, shared.name

    def _delete(self) -> None:
        with self._lock:
            made, self._made, self._ready = self._made, None, None
        if made is not None:
            aws, private = made
            with suppress(AwsError, Canceled), aws.cleaning_up():
                private.delete()
