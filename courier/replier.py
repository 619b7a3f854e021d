"""The last stage of a worker: send the answers, by tens, and only then acknowledge their requests."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from courier.aws import Aws
from courier.custody import Custody
from courier.errors import AwsTrouble, MessageTooLong
from courier.mailbox import Delivery, Failure, Mailbox
from courier.outage import Outage
from courier.outbox import Finished, Outbox
from courier.plain import printable
from courier.wire import Refusal, decode_reply, encode_reply

log = logging.getLogger(__name__)


class Replier:
    """Empties an outbox, in as many threads as run `work`. Never loses an answer while it is not stopped."""

    def __init__(
        self, aws: Aws, *, inbox: Mailbox, custody: Custody, outbox: Outbox, default: str, stopped: threading.Event
    ) -> None:
        self._aws = aws
        self._inbox = inbox
        self._custody = custody
        self._outbox = outbox
        self._stopped = stopped
        self._outage = Outage("answering", stopped)
        self._default = Mailbox(aws, default)

    def work(self) -> None:
        """Send and acknowledge until the outbox is closed and empty (a thread's work)."""
        while batch := self._outbox.take():
            try:
                self._dispatch(batch)
            except Exception:
                self._custody.drop([finished.delivery for finished in batch])
                raise

    def _dispatch(self, batch: Sequence[Finished]) -> None:
        by_queue: dict[str, list[Finished]] = defaultdict(list)
        for finished in batch:
            by_queue[finished.reply_queue].append(finished)
        safe = by_queue.pop("", [])
        for name, group in by_queue.items():
            safe += self._send(name, group)
        self._acknowledge(safe)

    def _send(self, name: str, group: Sequence[Finished]) -> Sequence[Finished]:
        """Return those of `group` that need no further answer: sent, or nobody is there to read it."""
        mailbox = self._default if name == self._default.name else Mailbox(self._aws, name)
        try:
            failures = self._persist(lambda: mailbox.send([finished.envelope for finished in group]), mailbox)
        except MessageTooLong as error:
            if len(group) > 1:
                return [finished for one in group for finished in self._send(name, [one])]
            failures = [Failure(index=0, error=error)]
        except AwsTrouble as error:
            log.warning("%d answers to %s are lost: %s", len(group), printable(name), error.sentence)
            return group
        if failures is None:
            return []
        for failure in failures:
            self._answer_otherwise(group[failure.index], failure)
        failed = {failure.index for failure in failures}
        return [finished for index, finished in enumerate(group) if index not in failed]

    def _answer_otherwise(self, finished: Finished, failure: Failure) -> None:
        """Tell the asker that its answer cannot be sent; if that cannot be sent either, give the request back."""
        log.error("answer to %s refused by its queue: %s", finished.request_id or "-", failure.error.message)
        reply = decode_reply(finished.envelope)
        if isinstance(reply, Refusal):
            self._custody.drop([finished.delivery])
            for left in self._persist(lambda: self._inbox.release([finished.delivery]), self._inbox) or []:
                log.warning("a request could not be released: %s", left.error.message)
            return
        refusal = Refusal(
            reason=f"The answer could not be sent. {failure.error.sentence}",
            request_id=reply.request_id,
            deadline=reply.deadline,
        )
        self._outbox.expect(1)
        self._outbox.put(finished.instead(encode_reply(refusal)))

    def _acknowledge(self, safe: Sequence[Finished]) -> None:
        deliveries: list[Delivery] = [finished.delivery for finished in safe]
        if not deliveries:
            return
        failures = self._persist(lambda: self._inbox.acknowledge(deliveries), self._inbox)
        if failures is None:
            return
        for failure in failures:
            log.warning("a finished request could not be deleted and will come again: %s", failure.error.message)
        self._custody.drop(deliveries)
        for finished in safe:
            _tell(finished)

    def _persist(self, call: Callable[[], list[Failure]], mailbox: Mailbox) -> list[Failure] | None:
        """Make a call until AWS answers it; None if the worker stopped first.

        Raises: AwsTrouble for a private reply queue that is gone or closed to us; it must hold nobody up.
        """
        while not self._stopped.is_set():
            try:
                failures = call()
            except AwsTrouble as error:
                if not error.is_passing and mailbox not in (self._default, self._inbox):
                    raise
                self._outage.wait_out(error)
            else:
                self._outage.over()
                return failures
        return None


def _tell(finished: Finished) -> None:
    milliseconds = round((time.monotonic() - finished.delivery.received_at) * 1000, 1)
    fields = {
        "request_id": finished.request_id or finished.delivery.message_id,
        "kind": finished.kind,
        "outcome": finished.outcome,
        "milliseconds": milliseconds,
    }
    log.info(
        "request %s %s %s in %.1f ms",
        fields["request_id"],
        finished.kind,
        finished.outcome,
        milliseconds,
        extra={"fields": fields},
    )
