"""The dead-letter queue: requests that no worker could answer, to be seen, counted and sent back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from courier.aws.message import Message
from courier.aws.retry import Failure
from courier.aws.sqs import Mailbox, ReceivedMessage
from courier.errors import AwsError, CourierError, MessageTooLong, Undelivered
from courier.messaging.protocol import DEADLINE, REPLY_TO

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The attribute that says why a request was put aside.
REASON = "reason"
#: How long letters that are only looked at stay hidden from others, in seconds.
LOOK_SECONDS = 5


class Outlast(Protocol):
    """What makes a call again while its errors are transient."""

    def __call__(self, call: Callable[[], T], /) -> T:
        """Return what the call returns."""


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One request that was put aside."""

    message_id: str
    body: str
    reason: str


class DeadLetters:
    """The dead-letter queue of one request queue."""

    def __init__(self, requests: Mailbox, dead: Mailbox) -> None:
        self._requests = requests
        self._dead = dead

    @property
    def name(self) -> str:
        """The dead-letter queue's name."""
        return self._dead.name

    def bury(self, delivery: ReceivedMessage, reason: str) -> None:
        """Put a copy of a request aside; its own message is still to be acknowledged.

        Where it cannot be, for want of the queue, the right or the space, that is logged.
        Raises: AwsError that passes.
        """
        given = {name: value for name, value in delivery.message.attributes.items() if value}
        plain = replace(delivery.message, attributes=given)
        failure = self._refusal(replace(plain, attributes={**given, REASON: reason}))
        if isinstance(failure, Undelivered | MessageTooLong):
            # What fills a message to its last bytes has no room for a reason.
            failure = self._refusal(plain)
        if failure:
            name = delivery.message_id
            log.error("request %s could not be moved to the dead-letter queue: %s", name, failure.sentence)

    def _refusal(self, letter: Message) -> CourierError | None:
        """Send a letter; return why it is not accepted, None if it is. Raises: AwsError that passes."""
        try:
            failures = self._dead.send([letter])
        except AwsError as error:
            failures = [Failure(index=0, error=error)]
        if failures and failures[0].is_transient:
            raise failures[0].error
        return failures[0].error if failures else None

    def look(self) -> list[DeadLetter]:
        """Return some of the letters, and leave them where they are. Raises: AwsError."""
        deliveries = self._dead.receive(wait_seconds=1, visibility_seconds=LOOK_SECONDS)
        with suppress(AwsError):  # What is not released comes back by itself.
            self._dead.release(deliveries)
        return [
            DeadLetter(
                message_id=delivery.message_id,
                body=delivery.message.body,
                reason=delivery.message.attributes.get(REASON, "received too often"),
            )
            for delivery in deliveries
        ]

    def count(self) -> int:
        """Return how many letters there are, approximately. Raises: AwsError."""
        return self._dead.depth().total

    def redrive(self, outlast: Outlast) -> int:
        """Send all letters back to the request queue, each call by `outlast`; return how many. Raises: AwsError.

        Their askers have long gone, so the answers go to the default response queue, and the requests have
        no deadline any more. A letter is deleted only after its request was accepted.
        """
        moved = 0
        receive = partial(self._dead.receive, wait_seconds=1, visibility_seconds=LOOK_SECONDS)
        while deliveries := outlast(receive):
            failures = outlast(partial(self._requests.send, [_revived(one.message) for one in deliveries]))
            failed = {failure.index for failure in failures}
            sent = [one for index, one in enumerate(deliveries) if index not in failed]
            outlast(partial(self._dead.acknowledge, sent))
            moved += len(sent)
        return moved


def _revived(message: Message) -> Message:
    left_out = {REASON, DEADLINE, REPLY_TO}
    kept = {name: value for name, value in message.attributes.items() if value and name not in left_out}
    return Message(body=message.body, attributes=kept)
