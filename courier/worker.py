"""The loop: receive, handle, reply, THEN acknowledge, with a heartbeat on all that is in hand.

Four kinds of thread share the work, so that calls to AWS overlap and go by tens:

    receivers --> handlers --> repliers          heartbeat
    (long poll)   (the work)   (send, delete)    (visibility)

One receiver keeps a long poll open at all times; the others help only while full batches come in. Nothing
is acknowledged before its answer was accepted by the reply queue.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from courier.aws import Aws
from courier.custody import Custody
from courier.errors import AwsTrouble, CourierError, Undecodable
from courier.mailbox import MAX_BATCH, Delivery, Mailbox
from courier.outage import Outage
from courier.outbox import Finished, Outbox
from courier.plain import printable, quoted
from courier.replier import Replier
from courier.wire import (
    DEFAULT_PATIENCE_SECONDS,
    Answer,
    Refusal,
    Reply,
    Request,
    decode_request,
    encode_reply,
    is_reply_queue,
    salvage_address,
)

log = logging.getLogger(__name__)

#: What a program does with a request: return the answer's body, or raise InputRefused with the reason.
Handler = Callable[[Request], str]

#: Calls to AWS of each kind that may be under way at once.
RECEIVERS = 4
REPLIERS = 4
#: How long `stop_when_empty` listens before it believes that a queue is empty: longer than the queues'
#: DelaySeconds of 1, so that what was just posted by hand is seen.
EMPTY_SECONDS = 2
#: How long a poll is while something is in hand: a worker that is told to stop then waits for its end
#: before it gives anything back. An idle one has nothing to give back, and does not wait.
BUSY_POLL_SECONDS = 2
#: How long a request rests whose work met trouble with AWS, before it is tried again.
RETRY_SECONDS = 5
_OURS = "The worker failed at this request by a fault of its own; its log says more."


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a worker works. Times in seconds; see `courier.settings` for what each means."""

    kind: str
    inbox: str
    default_reply: str
    concurrency: int
    #: How many messages may be in hand at once, those being worked on included.
    capacity: int
    poll_seconds: int
    visibility_seconds: int
    grace_seconds: float
    stop_when_empty: bool = False


class Worker:
    """Serves one queue until told to stop. `run` blocks; `stop` may be called from any thread."""

    def __init__(self, aws: Aws, handler: Handler, terms: Terms) -> None:
        self._terms = terms
        self._handler = handler
        self._clock = aws.clock
        self._inbox = Mailbox(aws, terms.inbox)
        self._outbox = Outbox()
        self._todo: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._rush = threading.Event()
        self._stopping = aws.stopping
        self._stopped = threading.Event()
        self._outage = Outage("receiving", self._stopping)
        self._custody = Custody(self._inbox, capacity=terms.capacity, visibility_seconds=terms.visibility_seconds)
        self._replier = Replier(
            aws,
            inbox=self._inbox,
            custody=self._custody,
            outbox=self._outbox,
            default=terms.default_reply,
            stopped=self._stopped,
        )

    def start(self) -> None:
        """Start all threads. They are daemons: an abandoned long poll must not keep a process alive."""
        self._spawn("receiver", self._receive_steadily)
        self._spawn("helper", self._receive_in_a_rush, RECEIVERS - 1)
        self._spawn("handler", self._handle, self._terms.concurrency)
        self._spawn("replier", self._replier.work, REPLIERS)
        self._spawn("heartbeat", lambda: self._custody.keep_alive(self._stopped))

    def wait(self) -> None:
        """Wait until the worker wants to stop, which it does of itself only if told `stop_when_empty`."""
        self._stopping.wait()

    def stop(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Receive nothing more, finish what was begun, release the rest; return whether all was finished.

        What is not finished within the grace period, or when `give_up` says so, is released too.
        """
        was_busy = not self._custody.is_idle
        self._stopping.set()
        self._custody.close()
        self._rush.set()
        self._release_unbegun()
        deadline = time.monotonic() + self._terms.grace_seconds
        while not self._custody.wait_until_empty(timeout_seconds=0.1):
            if time.monotonic() >= deadline or give_up():
                break
        if was_busy:
            # What is released must not be caught by a poll of our own that ends with this process.
            self._custody.wait_until_nothing_comes(BUSY_POLL_SECONDS + 1)
        left = self._custody.everything()
        if left:
            log.warning("released %d unfinished requests", len(left))
            self._release(left)
        self._stopped.set()
        self._outbox.close()
        return not left

    def _spawn(self, name: str, work: Callable[[], None], count: int = 1) -> None:
        for number in range(count):
            thread_name = f"{name}-{number}"
            threading.Thread(target=self._keep_at_it, args=(work,), name=thread_name, daemon=True).start()

    def _keep_at_it(self, work: Callable[[], None]) -> None:
        """Do `work` to its end, and begin again should it fail: no bug may leave a worker half dead."""
        while not self._stopped.is_set():
            try:
                work()
            except Exception:
                log.exception("a fault of the worker's own; going on")
                self._stopped.wait(1)
            else:
                return

    # Receivers

    def _receive_steadily(self) -> None:
        longest = EMPTY_SECONDS if self._terms.stop_when_empty else self._terms.poll_seconds
        while not self._stopping.is_set():
            received = self._receive(longest)
            if received == 0 and self._terms.stop_when_empty and self._custody.is_empty:
                self._stopping.set()

    def _receive_in_a_rush(self) -> None:
        while not self._stopping.is_set():
            self._rush.wait()
            self._receive(0)

    def _receive(self, longest_seconds: int) -> int | None:
        """Receive once and pass on what came; return how many, or None if AWS was in trouble."""
        reserved = self._custody.reserve()
        deliveries: list[Delivery] = []
        if reserved:
            try:
                deliveries = self._inbox.receive(
                    limit=reserved,
                    wait_seconds=longest_seconds if self._custody.is_idle else min(longest_seconds, BUSY_POLL_SECONDS),
                    visibility_seconds=self._terms.visibility_seconds,
                )
            except AwsTrouble as error:
                self._custody.unreserve(reserved)
                self._rush.clear()
                self._outage.wait_out(error)
                return None
            self._outage.over()
        self._pass_on(deliveries, reserved)
        return len(deliveries)

    def _pass_on(self, deliveries: Sequence[Delivery], reserved: int) -> None:
        if len(deliveries) == MAX_BATCH:
            self._rush.set()
        elif not self._stopping.is_set():
            self._rush.clear()
        self._outbox.expect(len(deliveries))
        if not self._custody.admit(deliveries, reserved=reserved):
            self._release(deliveries)
            self._custody.unreserve(reserved)
            return
        for delivery in deliveries:
            self._todo.put(delivery)

    # Handlers

    def _handle(self) -> None:
        while True:
            delivery = self._todo.get()
            if self._stopping.is_set():
                self._release([delivery])
                continue
            try:
                self._outbox.put(self._finish(delivery))
            except AwsTrouble as error:
                log.warning("request %s rests for %d s: %s", delivery.message_id, RETRY_SECONDS, error.sentence)
                self._put_back([delivery], RETRY_SECONDS)

    def _finish(self, delivery: Delivery) -> Finished:
        """Do one request. Raises: AwsTrouble if it may succeed later."""
        request, reply, outcome = self._answer(delivery)
        return Finished(
            delivery=delivery,
            reply_queue="" if outcome == "expired" else self._reply_queue(request),
            envelope=encode_reply(reply),
            request_id=request.request_id,
            kind=self._terms.kind,
            outcome=outcome,
        )

    def _answer(self, delivery: Delivery) -> tuple[Request, Reply, str]:
        request = salvage_address(delivery.envelope)
        try:
            request = decode_request(delivery.envelope)
            if request.deadline is not None and request.deadline < self._clock.now():
                return request, _refusal(request, "Too late.", self._expiry(request)), "expired"
            self._check_address(request)
            answer = Answer(body=self._handler(request), request_id=request.request_id, deadline=self._expiry(request))
        except CourierError as error:
            if isinstance(error, AwsTrouble) and error.is_passing:
                raise
            return request, _refusal(request, error.sentence, self._expiry(request)), "refused"
        except Exception:
            log.exception("request %s failed", request.request_id or delivery.message_id)
            return request, _refusal(request, _OURS, self._expiry(request)), "failed"
        return request, answer, "ok"

    def _check_address(self, request: Request) -> None:
        if request.kind not in ("", self._terms.kind):
            raise Undecodable(f"This worker does {self._terms.kind}, not {quoted(request.kind)}.")
        if not self._is_ours(request.reply_to):
            log.warning("refused to answer to the queue %s", printable(request.reply_to))
            raise Undecodable(f"{quoted(request.reply_to)} is no response queue of this worker.")

    def _reply_queue(self, request: Request) -> str:
        name = request.reply_to
        return name if name and self._is_ours(name) else self._terms.default_reply

    def _is_ours(self, name: str) -> bool:
        return not name or is_reply_queue(name, self._terms.default_reply)

    def _expiry(self, request: Request) -> float:
        """When the answer is dead: when its asker stops waiting, or some minutes from now if it did not say."""
        return self._clock.now() + DEFAULT_PATIENCE_SECONDS if request.deadline is None else request.deadline

    def _release_unbegun(self) -> None:
        unbegun = []
        while True:
            try:
                unbegun.append(self._todo.get_nowait())
            except queue.Empty:
                break
        self._release(unbegun)

    def _release(self, deliveries: Sequence[Delivery]) -> None:
        self._put_back(deliveries, 0)

    def _put_back(self, deliveries: Sequence[Delivery], seconds: int) -> None:
        """Let others have these, after `seconds`; what cannot be told to AWS comes back of itself."""
        self._custody.drop(deliveries)
        self._outbox.expect(-len(deliveries))
        try:
            self._inbox.extend(deliveries, visibility_seconds=seconds)
        except AwsTrouble as error:
            log.warning("could not release %d requests: %s", len(deliveries), error.sentence)


def _refusal(request: Request, reason: str, deadline: float) -> Refusal:
    return Refusal(reason=reason, request_id=request.request_id, deadline=deadline)
