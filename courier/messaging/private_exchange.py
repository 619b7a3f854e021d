"""A requester's private reply queue: prepared in the background, or made for many requests, and replaced in time."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from courier.errors import AccessDenied
from courier.messaging.connection import Connection
from courier.messaging.prepared_queue import PreparedQueue

if TYPE_CHECKING:
    from courier.aws.session import Aws
    from courier.aws.sqs import Mailbox
    from courier.messaging.exchange import Exchange

#: A private reply queue is replaced after this time, long before it counts as stale, in seconds.
PRIVATE_SECONDS = 3600.0
#: The least time between two attempts to prepare a private reply queue, in seconds.
AGAIN_SECONDS = 60.0


class PrivateExchange:
    """The exchange with a requester's private reply queue, while there is one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._exchange: Exchange | None = None
        #: When its queue was created, in seconds since the epoch: a machine that sleeps stops the monotonic clock.
        self._since = 0.0
        self._held = ExitStack()
        self._prepared: PreparedQueue | None = None
        #: When a queue may be prepared, in monotonic time; never, unless `prepare` was called.
        self._prepare_from = math.inf

    def prepare(self) -> None:
        """Begin to create a queue in the background. Later, one that is gone or too old is replaced the same way."""
        self._prepare_from = 0.0
        self._prepare_if_due()

    def keep(self, exchange: Exchange, held: ExitStack) -> None:
        """Keep an exchange with a private queue, which the end of `held` deletes."""
        self._exchange, self._since = exchange, time.time()
        self._held.push(held)

    def close(self) -> None:
        """Delete the queue, if there is one."""
        self._exchange = self._prepared = None
        self._held.close()

    def renew(self) -> None:
        """Give up a queue that is gone, or so old that it may soon count as stale."""
        if self._exchange is None:
            return
        lost = self._exchange.lost
        if lost is not None or _is_old(self._since):
            self._prepare_from = math.inf if isinstance(lost, AccessDenied) else self._prepare_from
            self.close()

    def exchange(self, *, wait_seconds: float) -> Exchange | None:
        """Return the exchange, if there is one; wait so long for a queue that is being prepared. Raises: AwsError."""
        if self._exchange is None:
            self._prepare_if_due()
            self._take_prepared(wait_seconds)
        return self._exchange

    def _prepare_if_due(self) -> None:
        now = time.monotonic()
        if self._prepared is not None or now < self._prepare_from:
            return

        def find() -> tuple[Aws, Mailbox]:
            channel = self._connection.channel(opening_seconds=0)
            return self._connection.aws(), channel.replies

        self._prepare_from = now + AGAIN_SECONDS
        self._prepared = PreparedQueue(find)
        self._held.callback(self._prepared.end)

    def _take_prepared(self, wait_seconds: float) -> None:
        if self._prepared is None:
            return
        if box := self._prepared.ready(wait_seconds=wait_seconds):
            if _is_old(self._prepared.made_at):
                self.close()
                return
            self._exchange = self._connection.channel().make_exchange(box, is_expensive=False)
            self._since, self._prepared = self._prepared.made_at, None
        elif self._prepared.is_over:
            self._prepare_from = math.inf if self._prepared.is_denied else self._prepare_from
            self.close()


def _is_old(created_at: float) -> bool:
    return time.time() - created_at > PRIVATE_SECONDS
