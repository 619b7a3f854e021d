"""Send replies in batches of ten, then delete the requests they answer.

The replies of a stalled queue wait in the backlog, each until its deadline, and do not delay other queues. They are
dropped only if their queue is gone or access is denied. A request is deleted only after its reply was accepted, or
when its client no longer waits.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from courier.aws.retry import Failure, Retrier
from courier.aws.session import Aws
from courier.aws.sqs import MAX_BATCH, NEW_SECONDS, Mailbox, ReceivedMessage
from courier.errors import (
    WITHOUT_REASON,
    AccessDenied,
    AwsError,
    MessageTooLong,
    QueueMissing,
    ReceiptHandleInvalid,
)
from courier.messaging.backlog import Backlog
from courier.messaging.hooks import Hooks
from courier.messaging.in_flight import InFlightMessages
from courier.messaging.message_attributes import REASON, TRACEPARENT
from courier.messaging.outbox import Finished, Outbox
from courier.messaging.protocol import Rejection, Response, decode_reply, encode_reply
from courier.text import printable

log = logging.getLogger(__name__)

#: The interval at which an idle retrying thread checks whether the worker has stopped, in seconds.
CHECK_SECONDS = 0.5


@dataclass(kw_only=True)
class _Attempt:
    """The result of sending replies to one queue."""

    #: Replies whose requests may be deleted.
    safe: list[Finished] = field(default_factory=list)
    #: Replies to send again, because of `error`.
    waiting: list[Finished] = field(default_factory=list)
    error: AwsError | None = None
    #: Whether the queue is gone, or access to it denied.
    is_gone: bool = False


class Replier:
    """Sends the replies of an outbox, in any number of threads. Loses no reply unless it is stopped."""

    def __init__(
        self,
        aws: Aws,
        *,
        inbox: Mailbox,
        in_flight: InFlightMessages,
        outbox: Outbox,
        default: str,
        stopped: threading.Event,
        hooks: Hooks | None = None,
    ) -> None:
        self._hooks = hooks
        self._aws = aws
        self._inbox = inbox
        self._in_flight = in_flight
        self._outbox = outbox
        self._stopped = stopped
        self._backlog = Backlog(stopped)
        self._retrier = Retrier("acknowledging", stopped)
        self._default = Mailbox(aws, default)

    def work(self) -> None:
        """Send replies and delete their requests until the outbox is closed and empty."""
        while batch := self._outbox.take():
            with self._dropping_on_error(batch):
                self._dispatch(batch)

    def retry(self) -> None:
        """Retry stalled reply queues until stopped."""
        while not self._stopped.is_set():
            if due := self._backlog.take_due(CHECK_SECONDS):
                self._retry(*due)

    @contextmanager
    def _dropping_on_error(self, batch: Sequence[Finished]) -> Iterator[None]:
        """Drop the batch's messages on an unexpected exception, so that they are received again."""
        try:
            yield
        except Exception:
            self._in_flight.drop([finished.received for finished in batch])
            raise

    def _dispatch(self, batch: Sequence[Finished]) -> None:
        by_queue: dict[str, list[Finished]] = defaultdict(list)
        for finished in batch:
            by_queue[finished.reply_queue].append(finished)
        safe = by_queue.pop("", [])
        for name, group in by_queue.items():
            if self._backlog.join(name, group):
                self._in_flight.stall([finished.received for finished in group])
                continue
            attempt = self._attempt(name, group)
            safe += attempt.safe
            if attempt.error:
                self._in_flight.stall([finished.received for finished in attempt.waiting])
                self._backlog.stall(name, self._description(name), attempt.waiting, attempt.error)
        self._acknowledge(safe)

    def _retry(self, name: str, waiting: Sequence[Finished]) -> None:
        """Try a stalled queue with one batch; if it is accepted, the rest goes back to the outbox."""
        late = [finished for finished in waiting if self._is_late(finished)]
        alive = [finished for finished in waiting if not self._is_late(finished)]
        batch, rest = alive[:MAX_BATCH], alive[MAX_BATCH:]
        try:
            with self._dropping_on_error(batch):
                attempt = self._attempt(name, batch) if batch else _Attempt()
        except Exception:
            self._outbox.put(*late, *rest, *self._backlog.clear(name, is_well=False))
            raise
        if attempt.error:
            self._backlog.postpone(name, [*attempt.waiting, *rest], attempt.error)
        else:
            is_well = bool(attempt.safe) and not attempt.is_gone
            self._outbox.put(*rest, *self._backlog.clear(name, is_well=is_well))
        self._acknowledge(attempt.safe)
        self._drop(name, late)

    def _drop(self, name: str, late: Sequence[Finished]) -> None:
        """Delete requests whose replies could not be sent before their deadline."""
        if late:
            log.warning("%d responses to %s could not be sent before their deadline", len(late), printable(name))
        for start in range(0, len(late), MAX_BATCH):
            self._acknowledge(late[start : start + MAX_BATCH])

    def _description(self, name: str) -> str:
        return "replying" if name == self._default.name else f"replying to {printable(name)}"

    def _is_late(self, finished: Finished) -> bool:
        return finished.deadline is not None and self._aws.clock.is_past(finished.deadline)

    def _attempt(self, name: str, group: Sequence[Finished]) -> _Attempt:
        """Send to one queue once; not after the worker has stopped, since other workers have these requests."""
        if self._stopped.is_set():
            return _Attempt(waiting=list(group))
        mailbox = self._default if name == self._default.name else Mailbox(self._aws, name)
        try:
            failures = mailbox.send([finished.message for finished in group])
        except MessageTooLong as error:
            if len(group) > 1:
                return self._attempt_singly(name, group)
            failures = [Failure(index=0, error=error)]
        except AwsError as error:
            return self._failed(name, group, error)
        attempt = _Attempt()
        by_index = {failure.index: failure for failure in failures}
        for index, finished in enumerate(group):
            self._sort(finished, by_index.get(index), attempt)
        return attempt

    def _failed(self, name: str, group: Sequence[Finished], error: AwsError) -> _Attempt:
        """Classify a failed call: the queue is gone, one reply makes the batch fail, or the call is retried."""
        if isinstance(error, QueueMissing) and any(_is_recent(finished) for finished in group):
            return _Attempt(waiting=list(group), error=error)
        if name != self._default.name and isinstance(error, QueueMissing | AccessDenied):
            log.warning("%d responses to %s are lost: %s", len(group), printable(name), error.sentence)
            return _Attempt(safe=list(group), is_gone=True)
        if type(error) is AwsError and len(group) > 1:
            return self._attempt_singly(name, group)
        return _Attempt(waiting=list(group), error=error)

    def _attempt_singly(self, name: str, group: Sequence[Finished]) -> _Attempt:
        whole = _Attempt()
        for finished in group:
            one = self._attempt(name, [finished])
            whole.safe += one.safe
            whole.waiting += one.waiting
            whole.error = one.error or whole.error
        return whole

    def _sort(self, finished: Finished, failure: Failure | None, attempt: _Attempt) -> None:
        if failure is None:
            attempt.safe.append(finished)
        elif failure.is_transient and isinstance(failure.error, AwsError):
            attempt.waiting.append(finished)
            attempt.error = failure.error
        else:
            self._reject_instead(finished, failure)

    def _reject_instead(self, finished: Finished, failure: Failure) -> None:
        """Replace a response that cannot be sent by a rejection; if that cannot be sent either, release the request."""
        log.error("response to %s rejected by its queue: %s", finished.request_id or "-", failure.error.message)
        reply = decode_reply(finished.message)
        if isinstance(reply, Rejection):
            self._in_flight.drop([finished.received])
            for left in self._retry_call(self._inbox.release, [finished.received]) or []:
                log.warning("a request could not be released: %s", left.error.message)
            return
        rejection = Rejection(
            reason=f"The response could not be sent. {failure.error.sentence}",
            hint=failure.error.hint,
            request_id=reply.request_id,
            deadline=reply.deadline,
        )
        self._outbox.put(finished.instead(encode_reply(rejection)))

    def _acknowledge(self, safe: Sequence[Finished]) -> None:
        messages: list[ReceivedMessage] = [finished.received for finished in safe]
        if not messages:
            return
        failures = self._retry_call(self._inbox.acknowledge, messages)
        if failures is None:
            return
        for failure in failures:
            log.warning("a finished request could not be deleted and will be received again: %s", failure.error.message)
        self._in_flight.drop(messages)
        for finished in safe:
            self._report(finished)

    def _report(self, finished: Finished) -> None:
        seconds = time.monotonic() - finished.received.received_at
        fields = {
            "request_id": finished.request_id or finished.received.message_id,
            "kind": finished.kind,
            "outcome": finished.outcome,
            "milliseconds": round(seconds * 1000, 1),
        }
        text = "request %(request_id)s %(kind)s %(outcome)s in %(milliseconds).1f ms"
        if reason := finished.message.attributes.get(REASON) or (finished.outcome == "rejected" and WITHOUT_REASON):
            fields["reason"] = printable(reason)
            text = "request %(request_id)s %(kind)s %(outcome)s (%(reason)s) in %(milliseconds).1f ms"
        if finished.client:
            fields["name"] = printable(finished.client)
            text += " for %(name)s"
        if trace := finished.message.attributes.get(TRACEPARENT):
            fields["traceparent"] = trace
            text += " in the trace %(traceparent)s"
        log.info(text, fields, extra={"fields": fields})
        if self._hooks and finished.request:
            request = replace(finished.request, request_id=str(fields["request_id"]))
            reply = decode_reply(finished.message)
            self._hooks.replied(request, replace(reply, seconds=seconds) if isinstance(reply, Response) else reply)

    def _retry_call(
        self, call: Callable[[Sequence[ReceivedMessage]], list[Failure]], messages: Sequence[ReceivedMessage]
    ) -> list[Failure] | None:
        """Make a call on the request queue until it succeeds; None if the worker stopped first."""
        while not self._stopped.is_set():
            try:
                return self._retrier.retry_batch(call, messages, math.inf)
            except ReceiptHandleInvalid as error:
                return [Failure(index=index, error=error) for index in range(len(messages))]
            except AwsError as error:
                self._retrier.wait(error)
        return None


def _is_recent(finished: Finished) -> bool:
    """Whether the request was received so lately that its client's reply queue may be new, and not known yet."""
    return time.monotonic() - finished.received.received_at < NEW_SECONDS
