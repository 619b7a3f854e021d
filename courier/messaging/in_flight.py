"""Messages in flight: each from its receipt to its deletion, with the heartbeat that keeps it invisible.

A message in flight stays invisible to other workers for as long as it is held, however long its work
takes, and no longer: one that is given back is another worker's within a second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from courier.aws.message import Message
from courier.aws.retry import Failure, Retrier
from courier.aws.sqs import MAX_BATCH, Mailbox, ReceivedMessage
from courier.errors import AwsError, CourierError, ReceiptHandleInvalid

log = logging.getLogger(__name__)

#: A heartbeat comes this many times in each visibility timeout, so that two may fail.
BEATS_PER_TIMEOUT = 3
#: The visibility timeout that a receive asks for, in seconds: a process that ends inside a long poll may
#: take one more batch with it, which is back after this time. The first heartbeat asks for the longer one.
FIRST_VISIBILITY_SECONDS = 3
#: SQS keeps a message invisible no longer than this after its receipt, and forgets the receipt handle then.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
LONGEST_SECONDS = 43_200
#: So many requests may wait for a reply queue that takes nothing without counting as in flight.
MAX_ASIDE = 1_000
#: So many expensive requests are in flight at most: one more waits while they are worked on.
MAX_EXPENSIVE = 2


class State(Enum):
    """Where a message is on its way from its receipt to its deletion."""

    #: It waits for a handler.
    RECEIVED = "received"
    WORKING = "working"
    #: Its work met something transient, and waits to be tried again.
    PAUSED = "paused"
    #: Its reply is being sent, and then it is deleted.
    REPLIED = "replied"
    #: Its reply waits for a queue that accepts nothing. It takes no room.
    ASIDE = "aside"


@dataclass(kw_only=True)
class _Record:
    delivery: ReceivedMessage
    is_expensive: bool
    renewed_at: float
    #: The visibility timeout that runs since then, in seconds.
    timeout_seconds: float
    #: Whether SQS has given it up for us: its receipt handle is no longer valid, and nothing renews it.
    is_lost: bool = False
    state: State = State.RECEIVED
    #: Since when it is in this state.
    since: float

    def is_due(self, now: float) -> bool:
        return not self.is_lost and now - self.renewed_at >= self.timeout_seconds / BEATS_PER_TIMEOUT

    def may_be_kept(self, seconds: float, now: float) -> bool:
        """Whether SQS lets it be renewed for so long; else it is another worker's soon, whatever we do."""
        return now - self.delivery.received_at + seconds <= LONGEST_SECONDS


class InFlightMessages:
    """The messages in a worker's hands, at most `capacity`, each with its state; safe for any number of threads.

    Of those that are expensive it takes no third one while it has two. Whether a message is expensive is known only
    when it is there, so that now and then a few too many are.
    """

    def __init__(
        self,
        inbox: Mailbox,
        *,
        capacity: int,
        visibility_seconds: int,
        is_expensive: Callable[[Message], bool] = lambda _message: False,
    ) -> None:
        self._inbox = inbox
        self._capacity = capacity
        self._is_expensive = is_expensive
        self._visibility_seconds = visibility_seconds
        self.first_visibility_seconds = min(FIRST_VISIBILITY_SECONDS, visibility_seconds)
        self._changed = threading.Condition()
        self._records: dict[str, _Record] = {}
        self._count: Counter[State] = Counter()
        self._reserved = 0
        #: Whether one of those that came last is expensive: the next ones are likely to be so, too.
        self._latest_is_expensive = False
        self._closed = False
        # The heartbeat ends on its own terms, and nothing waits: only what is told once is of use here.
        self._retrier = Retrier("renewing visibility timeouts", threading.Event())

    def reserve(self) -> int:
        """Wait for room and return how many messages may be received: 1 to 10, or 0 once closed.

        A worker that may hold many waits for room for ten, since a call for few costs as much. Where what it has
        is expensive, it takes one at a time: others may be idle.
        """
        least = min(MAX_BATCH, max(1, self._capacity // 2))
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or (self._room() >= least and self._expensive() < MAX_EXPENSIVE)
            )
            if self._closed:
                return 0
            is_alone = self._latest_is_expensive or self._expensive() > 0
            granted = 1 if is_alone else min(MAX_BATCH, self._room())
            self._reserved += granted
            return granted

    def admit(self, deliveries: Sequence[ReceivedMessage], *, reserved: int) -> bool:
        """Take `deliveries` in and give the rest of the reservation back; once closed, do neither."""
        now = time.monotonic()
        with self._changed:
            if self._closed:
                return False
            self._reserved -= reserved
            for delivery in deliveries:
                self._records[delivery.receipt_handle] = _Record(
                    delivery=delivery,
                    is_expensive=self._is_expensive(delivery.message),
                    renewed_at=now,
                    timeout_seconds=self.first_visibility_seconds,
                    since=now,
                )
            self._count[State.RECEIVED] += len(deliveries)
            if deliveries:
                self._latest_is_expensive = any(self._is_expensive(delivery.message) for delivery in deliveries)
            self._changed.notify_all()
            return True

    def unreserve(self, reserved: int) -> None:
        """Give a reservation back of which nothing is taken in."""
        with self._changed:
            self._reserved -= reserved
            self._changed.notify_all()

    def move(self, delivery: ReceivedMessage, after: State, *before: State) -> bool:
        """Move a message to another state; return whether it was in one of `before` (others may have moved it)."""
        with self._changed:
            record = self._records.get(delivery.receipt_handle)
            if record is None or record.state not in before:
                return False
            self._enter(record, after)
            return True

    def take_late(self, limit_seconds: float) -> list[ReceivedMessage]:
        """Return what is worked on for longer than this, as replied: its reply is the caller's to make."""
        limit = time.monotonic() - limit_seconds
        with self._changed:
            late = [one for one in self._records.values() if one.state is State.WORKING and one.since < limit]
            for record in late:
                self._enter(record, State.REPLIED)
        return [record.delivery for record in late]

    def set_aside(self, deliveries: Sequence[ReceivedMessage]) -> None:
        """Make room for others while these wait for a reply queue that takes nothing; they stay held."""
        with self._changed:
            found = [self._records.get(delivery.receipt_handle) for delivery in deliveries]
            replied = [record for record in found if record and record.state is State.REPLIED]
            for record in replied[: MAX_ASIDE - self._count[State.ASIDE]]:
                self._enter(record, State.ASIDE)
                # Its work is done, and its text may be long.
                record.delivery = replace(record.delivery, message=Message(body=""))
            self._changed.notify_all()

    def drop(self, deliveries: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
        """Let go of messages that were deleted, or are to be released; return those that were held until now."""
        with self._changed:
            dropped = [record for one in deliveries if (record := self._records.pop(one.receipt_handle, None))]
            self._count.subtract(record.state for record in dropped)
            self._changed.notify_all()
        return [record.delivery for record in dropped]

    def close(self) -> list[ReceivedMessage]:
        """Take nothing more in, and let go of what no handler has begun, which is returned; no one is given room."""
        with self._changed:
            self._closed = True
            unbegun = [one.delivery for one in self._records.values() if one.state is State.RECEIVED]
            return self.drop(unbegun)

    def wait_until_empty(self, timeout_seconds: float) -> bool:
        """Wait until nothing is held; return whether that came to be in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._records, timeout_seconds)

    def wait_until_nothing_comes(self, timeout_seconds: float) -> bool:
        """Wait until no receive is under way; return whether that came to be in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._reserved == 0, timeout_seconds)

    @property
    def unfinished(self) -> int:
        """How many have no reply yet."""
        return sum(self._count[state] for state in (State.RECEIVED, State.WORKING, State.PAUSED))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is held."""
        return not self._records

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held and nothing is being received."""
        with self._changed:
            return not self._records and self._reserved == 0

    def everything(self) -> list[ReceivedMessage]:
        """Return all that is held."""
        with self._changed:
            return [record.delivery for record in self._records.values()]

    def keep_alive(self, stopped: threading.Event) -> None:
        """Renew each visibility timeout when a third of it has passed, until `stopped` (a thread's work)."""
        while not stopped.wait(self.first_visibility_seconds / BEATS_PER_TIMEOUT / 2):
            self._beat()

    def _beat(self) -> None:
        now = time.monotonic()
        with self._changed:
            due = [
                one
                for one in self._records.values()
                if one.is_due(now) and one.may_be_kept(self._visibility_seconds, now)
            ]
        if not due:
            return
        try:
            failures = self._inbox.extend([one.delivery for one in due], visibility_seconds=self._visibility_seconds)
        except ReceiptHandleInvalid as error:
            failures = [Failure(index=index, error=error) for index in range(len(due))]
        except AwsError as error:
            self._retrier.note(error)
            return
        self._note(due, {failure.index: failure for failure in failures})

    def _note(self, due: Sequence[_Record], failures: Mapping[int, Failure]) -> None:
        """Note what was renewed. What failed is tried again no sooner than the others, or never if that is final."""
        now = time.monotonic()
        for index, record in enumerate(due):
            record.renewed_at = now
            if index not in failures:
                record.timeout_seconds = self._visibility_seconds
            elif not failures[index].is_transient:
                self._give_up(record, failures[index].error)
        transient = [failure.error for failure in failures.values() if failure.is_transient]
        if transient and isinstance(transient[0], AwsError):
            self._retrier.note(transient[0])
        else:
            self._retrier.over()

    def _give_up(self, record: _Record, error: CourierError) -> None:
        """End the heartbeat of a message; its work goes on, and its reply is sent: a client drops a second one."""
        record.is_lost = True
        if record.delivery.receipt_handle in self._records:  # and was not deleted meanwhile
            name = record.delivery.message_id
            log.warning("the visibility timeout of request %s can no longer be extended: %s", name, error.message)

    def _enter(self, record: _Record, state: State) -> None:
        self._count[record.state] -= 1
        self._count[state] += 1
        record.state, record.since = state, time.monotonic()

    def _room(self) -> int:
        return self._capacity - self._reserved - len(self._records) + self._count[State.ASIDE]

    def _expensive(self) -> int:
        return sum(one.is_expensive and one.state is not State.ASIDE for one in self._records.values())
