"""Queues in memory, for tests of handlers: no network, no credentials, and faults on request.

Within `with testing.queues(...)`, every Worker, Requester and create_queues uses them instead of AWS. They behave like
SQS's standard queues, and pass the same contract tests as this project's AWS emulators.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from courier.aws.session import connected_to
from courier.messaging.application import Application
from courier.messaging.queues import create_queues
from courier.testing.account import Account, MemoryAws

__all__ = ["Queues", "queues"]


class Queues:
    """The queues in memory: inspect them, and inject faults."""

    def __init__(self, account: Account) -> None:
        self._queues = account.queues
        self._objects = account.objects

    def names(self) -> list[str]:
        """Return the names of the queues."""
        return self._queues.names()

    def bodies(self, queue: str) -> list[str]:
        """Return the bodies of all messages in a queue, visible or not."""
        return self._queues.bodies(queue)

    def objects(self, bucket: str) -> list[str]:
        """Return the names of all objects in a bucket."""
        return sorted(self._objects.buckets[bucket])

    def is_in_flight(self, queue: str) -> bool:
        """Whether a message of a queue is in flight."""
        return any(message.visible_at > self._queues.now() for message in self._queues.queue(queue).messages)

    def send(self, queue: str, *bodies: str, **attributes: str) -> None:
        """Send messages; attribute names have _ for -."""
        self._queues.put(queue, *bodies, **attributes)

    def advance(self, seconds: float) -> None:
        """Advance the clock of delays and visibility timeouts, not of deadlines."""
        self._queues.advance(seconds)

    def late(self, seconds: float, times: int = 1) -> None:
        """Delay the next messages by `seconds`."""
        self._queues.late += [seconds] * times

    def twice(self, times: int = 1) -> None:
        """Deliver the next messages twice, as SQS occasionally does."""
        self._queues.twice += times

    def lose_worker(self, queue: str, times: int = 1) -> None:
        """Lose the worker that receives a queue's next messages: they are visible again after their timeout."""
        self._queues.lost[queue] = self._queues.lost.get(queue, 0) + times

    def unavailable(self, times: int = 1) -> None:
        """Make the next calls to SQS fail with a transient error."""
        self._queues.unreachable += times


@contextmanager
def queues(*applications: Application) -> Iterator[Queues]:
    """Use queues in memory while the body runs; creates those of `applications`.

    >>> from courier import Application, Requester, Worker, testing
    >>> echo = Application("echo", requests="echoRequests", replies="echoReplies")
    >>> with testing.queues(echo) as queues, Worker(lambda request: request.body, echo):
    ...     queues.twice()
    ...     print(Requester(echo).request("hello").body)
    hello
    """
    account = Account()
    with connected_to(partial(MemoryAws, account)):
        try:
            for application in applications:
                create_queues(application)
                if application.bucket:
                    account.objects.create_bucket(Bucket=application.bucket)
            yield Queues(account)
        finally:
            account.queues.close()
