"""Track messages in flight, from receipt to deletion, with a heartbeat that keeps them invisible.

A message stays invisible to other workers as long as this worker holds it, however long its work takes. A released
message is visible within a second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from courier.aws.message import Message
from courier.aws.retry import Failure, Retrier
from courier.aws.sqs import MAX_BATCH, Mailbox, ReceivedMessage
from courier.errors import AwsError, CourierError, ReceiptHandleInvalid
from courier.messaging.config import FIRST_VISIBILITY_SECONDS
from courier.messaging.log_names import name_of
from courier.messaging.slow_calls import SlowCalls
from courier.messaging.states import Held, State

log = logging.getLogger(__name__)

#: The number of heartbeats in a visibility timeout: two may fail.
BEATS_PER_TIMEOUT = 3
#: The longest time that SQS keeps a received message invisible; the receipt handle then becomes invalid.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
LONGEST_SECONDS = 43_200
#: The most requests that may wait for a stalled reply queue without counting towards the capacity.
MAX_STALLED = 1_000
#: The most parked requests that do not count towards the capacity; each holds its body. With more, a service that all
#: requests need is probably down: the worker receives fewer, and they wait in the queue.
MAX_PARKED = 100
#: The most expensive requests in flight: enough to have one more ready.
MAX_EXPENSIVE = 2


@dataclass(kw_only=True)
class _Record:
    received: ReceivedMessage
    is_expensive: bool
    renewed_at: float
    #: The visibility timeout since then, in seconds.
    timeout_seconds: float
    #: Whether its receipt handle is no longer valid: the heartbeat has ended.
    is_lost: bool = False
    state: State = State.RECEIVED
    #: How often its handler had a transient error.
    failures: int = 0
    #: When it entered this state.
    since: float

    def is_due(self, now: float) -> bool:
        return not self.is_lost and now - self.renewed_at >= self.timeout_seconds / BEATS_PER_TIMEOUT

    def may_be_kept(self, seconds: float, now: float) -> bool:
        """Whether SQS allows renewing it for `seconds`; else it becomes visible to other workers."""
        return now - self.received.received_at + seconds <= LONGEST_SECONDS


class InFlightMessages:
    """The messages that a worker holds, at most `capacity`, `ahead` of them more than it handles. Thread-safe.

    At most `MAX_EXPENSIVE` of them should be expensive; since that is known only after the receipt, there may
    occasionally be a few more.
    """

    def __init__(
        self,
        inbox: Mailbox,
        *,
        capacity: int,
        ahead: int,
        visibility_seconds: int,
        is_expensive: Callable[[Message], bool] = lambda _message: False,
    ) -> None:
        self._inbox = inbox
        self._capacity = capacity
        self._least = min(MAX_BATCH, max(1, ahead))
        self._is_expensive = is_expensive
        self._visibility_seconds = visibility_seconds
        self._first_seconds = min(FIRST_VISIBILITY_SECONDS, visibility_seconds)
        self.slow_calls = SlowCalls()
        self._changed = threading.Condition()
        self._records: dict[str, _Record] = {}
        self._count: Counter[State] = Counter()
        self._reserved = 0
        #: Whether the latest batch had an expensive message: the next batch probably has, too.
        self._latest_is_expensive = False
        self._closed = False
        # The heartbeat does not wait for it: only its reporting is used.
        self._retrier = Retrier("renewing visibility timeouts", threading.Event())

    @property
    def first_visibility_seconds(self) -> int:
        """The visibility timeout of a receive: short, or that of a message in flight while calls to SQS are slow."""
        return self._visibility_seconds if self.slow_calls.are_recent else self._first_seconds

    def reserve(self) -> int:
        """Wait for capacity and return the number of messages to receive: 1 to 10, or 0 once closed.

        A worker that holds many messages ahead of its handlers waits for room for ten, since a call for few costs as
        much; no handler is idle meanwhile. A worker with an expensive message receives one at a time, since other
        workers may be idle.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or (self._room() >= self._least and self._expensive() < MAX_EXPENSIVE)
            )
            if self._closed:
                return 0
            is_alone = self._latest_is_expensive or self._expensive() > 0
            granted = 1 if is_alone else min(MAX_BATCH, self._room())
            self._reserved += granted
            return granted

    def admit(self, messages: Sequence[ReceivedMessage], *, reserved: int) -> bool:
        """Add `messages` and end their reservation; return False, and do neither, once closed."""
        now = time.monotonic()
        with self._changed:
            if self._closed:
                return False
            self._reserved -= reserved
            for received in messages:
                self._records[received.receipt_handle] = _Record(
                    received=received,
                    is_expensive=self._is_expensive(received.message),
                    renewed_at=now,
                    timeout_seconds=self._first_seconds,
                    since=now,
                )
            self._count[State.RECEIVED] += len(messages)
            if messages:
                self._latest_is_expensive = any(self._is_expensive(received.message) for received in messages)
            self._changed.notify_all()
            return True

    def unreserve(self, reserved: int) -> None:
        """End a reservation without messages."""
        with self._changed:
            self._reserved -= reserved
            self._changed.notify_all()

    def move(self, received: ReceivedMessage, after: State, *before: State) -> bool:
        """Move a message to the state `after`, if it is in one of `before`; return whether it was."""
        with self._changed:
            record = self._records.get(received.receipt_handle)
            if record is None or record.state not in before:
                return False
            self._enter(record, after)
            return True

    def park(self, received: ReceivedMessage) -> int:
        """Park a message that is being worked on; return how often that was done, or 0 if it is not, or once closed."""
        with self._changed:
            record = self._records.get(received.receipt_handle)
            if self._closed or record is None or record.state is not State.WORKING:
                return 0
            record.failures += 1
            self._enter(record, State.PARKED)
            self._changed.notify_all()
            return record.failures

    def take_late(self, limit_seconds: float) -> list[ReceivedMessage]:
        """Mark messages beyond the time limit as replied, and return them: the caller must reply."""
        limit = time.monotonic() - limit_seconds
        with self._changed:
            late = [one for one in self._records.values() if one.state is State.WORKING and one.since < limit]
            for record in late:
                self._enter(record, State.REPLIED)
        return [record.received for record in late]

    def stall(self, messages: Sequence[ReceivedMessage]) -> None:
        """Free the capacity of messages whose replies wait for a stalled queue; they stay held."""
        with self._changed:
            found = [self._records.get(received.receipt_handle) for received in messages]
            replied = [record for record in found if record and record.state is State.REPLIED]
            for record in replied[: MAX_STALLED - self._count[State.STALLED]]:
                self._enter(record, State.STALLED)
                # Its work is done; free the memory of its body.
                record.received = replace(record.received, message=Message(body=""))
            self._changed.notify_all()

    def drop(self, messages: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
        """Remove messages that were deleted, or will be released; return those that were held."""
        with self._changed:
            dropped = [record for one in messages if (record := self._records.pop(one.receipt_handle, None))]
            self._count.subtract(record.state for record in dropped)
            self._changed.notify_all()
        return [record.received for record in dropped]

    def close(self) -> list[ReceivedMessage]:
        """Stop admitting messages; remove and return those that no handler is working on."""
        with self._changed:
            self._closed = True
            waiting = (State.RECEIVED, State.PARKED)
            return self.drop([one.received for one in self._records.values() if one.state in waiting])

    def wait_until_empty(self, timeout_seconds: float) -> bool:
        """Wait until nothing is held; return False on timeout."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._records, timeout_seconds)

    def wait_until_nothing_comes(self, timeout_seconds: float) -> bool:
        """Wait until no receive is in progress; return False on timeout."""
        with self._changed:
            return self._changed.wait_for(lambda: self._reserved == 0, timeout_seconds)

    @property
    def unfinished(self) -> int:
        """The number of messages without a reply."""
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

    def held(self) -> list[Held]:
        """Return every message that is held, with its state."""
        with self._changed:
            return [Held(received=one.received, state=one.state, since=one.since) for one in self._records.values()]

    def everything(self) -> list[ReceivedMessage]:
        """Return all messages that are held."""
        with self._changed:
            return [record.received for record in self._records.values()]

    def keep_alive(self, stopped: threading.Event) -> None:
        """Renew each visibility timeout when a third of it has passed, until `stopped` is set."""
        while not stopped.wait(self._first_seconds / BEATS_PER_TIMEOUT / 2):
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
            with self.slow_calls.timing():
                held = [one.received for one in due]
                failures = self._inbox.extend(held, visibility_seconds=self._visibility_seconds)
        except ReceiptHandleInvalid as error:
            failures = [Failure(index=index, error=error) for index in range(len(due))]
        except AwsError as error:
            self._retrier.record(error)
            return
        self._note(due, {failure.index: failure for failure in failures})

    def _note(self, due: Sequence[_Record], failures: Mapping[int, Failure]) -> None:
        """Record what was renewed. A transient failure is retried at the next heartbeat, a final one never."""
        now = time.monotonic()
        for index, record in enumerate(due):
            record.renewed_at = now
            if index not in failures:
                record.timeout_seconds = self._visibility_seconds
            elif not failures[index].is_transient:
                self._give_up(record, failures[index].error)
        transient = [failure.error for failure in failures.values() if failure.is_transient]
        if transient and isinstance(transient[0], AwsError):
            self._retrier.record(transient[0])
        else:
            self._retrier.succeeded()

    def _give_up(self, record: _Record, error: CourierError) -> None:
        """End the heartbeat of a message. Its work continues and its reply is sent: a client drops duplicates."""
        record.is_lost = True
        if record.received.receipt_handle in self._records:  # and was not deleted meanwhile
            name = name_of(record.received)
            log.warning("the visibility timeout of request %s can no longer be extended: %s", name, error.message)

    def _enter(self, record: _Record, state: State) -> None:
        self._count[record.state] -= 1
        self._count[state] += 1
        record.state, record.since = state, time.monotonic()

    def _room(self) -> int:
        aside = self._count[State.STALLED] + min(self._count[State.PARKED], MAX_PARKED)
        return self._capacity - self._reserved - len(self._records) + aside

    def _expensive(self) -> int:
        aside = (State.STALLED, State.PARKED)
        return sum(one.is_expensive and one.state not in aside for one in self._records.values())
