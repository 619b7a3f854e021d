"""The dead-letter queue: move failed requests there, list and count them, and send them back."""

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
from courier.messaging.log_names import name_of
from courier.messaging.message_attributes import DEADLINE, REPLY_TO

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The attribute with the reason why a request was moved to the dead-letter queue.
REASON = "reason"
#: The visibility timeout of dead letters that are only listed, in seconds.
PEEK_SECONDS = 5


class Retry(Protocol):
    """Retries a call after transient errors."""

    def __call__(self, call: Callable[[], T], /) -> T:
        """Return the result of the call."""


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A request in the dead-letter queue."""

    message_id: str
    body: str
    reason: str


class DeadLetters:
    """The dead-letter queue of a request queue."""

    def __init__(self, requests: Mailbox, dead: Mailbox) -> None:
        self._requests = requests
        self._dead = dead

    @property
    def name(self) -> str:
        """The dead-letter queue's name."""
        return self._dead.name

    def move(self, received: ReceivedMessage, reason: str) -> None:
        """Send a copy of a request to the dead-letter queue; the caller still has to delete the request.

        Logs a final error, such as a missing queue or permission. Raises: AwsError, if transient.
        """
        given = {name: value for name, value in received.message.attributes.items() if value}
        plain = replace(received.message, attributes=given)
        failure = self._try_send(replace(plain, attributes={**given, REASON: reason}))
        if isinstance(failure, Undelivered | MessageTooLong):
            # A message of the maximum size has no room for a reason.
            failure = self._try_send(plain)
        if failure:
            name = name_of(received)
            log.error("request %s could not be moved to the dead-letter queue: %s", name, failure.sentence)

    def _try_send(self, letter: Message) -> CourierError | None:
        """Send a dead letter; return the final error, None if it was accepted. Raises: AwsError, if transient."""
        try:
            failures = self._dead.send([letter])
        except AwsError as error:
            failures = [Failure(index=0, error=error)]
        if failures and failures[0].is_transient:
            raise failures[0].error
        return failures[0].error if failures else None

    def peek(self) -> list[DeadLetter]:
        """Return some of the dead letters, which stay in the queue. Raises: AwsError."""
        messages = self._dead.receive(wait_seconds=1, visibility_seconds=PEEK_SECONDS)
        with suppress(AwsError):  # An unreleased message becomes visible after its timeout.
            self._dead.release(messages)
        return [
            DeadLetter(
                message_id=received.message_id,
                body=received.message.body,
                reason=received.message.attributes.get(REASON, "received too often"),
            )
            for received in messages
        ]

    def count(self) -> int:
        """Return the approximate number of dead letters. Raises: AwsError."""
        return self._dead.depth().total

    def redrive(self, call: Retry) -> int:
        """Send all dead letters back to the request queue, each call by `call`; return their number. Raises: AwsError.

        Their clients have stopped waiting, so the requests lose their deadline, and the responses go to the default
        response queue. A dead letter is deleted only after its request was accepted.
        """
        moved = 0
        receive = partial(self._dead.receive, wait_seconds=1, visibility_seconds=PEEK_SECONDS)
        while messages := call(receive):
            failures = call(partial(self._requests.send, [_without_deadline(one.message) for one in messages]))
            failed = {failure.index for failure in failures}
            sent = [one for index, one in enumerate(messages) if index not in failed]
            call(partial(self._dead.acknowledge, sent))
            moved += len(sent)
        return moved


def _without_deadline(message: Message) -> Message:
    left_out = {REASON, DEADLINE, REPLY_TO}
    kept = {name: value for name, value in message.attributes.items() if value and name not in left_out}
    return Message(body=message.body, attributes=kept)
