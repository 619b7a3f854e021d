"""The worker's loop: receive, handle, reply, THEN delete, with a heartbeat on all that is in flight.

Four kinds of thread share the work, so that calls to AWS overlap and go by tens:

    receivers --> handlers --> repliers          heartbeat
    (long poll)   (the work)   (send, delete)    (visibility)

One receiver keeps a long poll open at all times; the others help only while full batches come in. Nothing
is acknowledged before its answer was accepted by the reply queue.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from courier.aws.retry import Retrier
from courier.aws.scale_in import ScaleInProtection
from courier.aws.session import Aws, connect_patiently
from courier.aws.sqs import MAX_BATCH, Mailbox, ReceivedMessage
from courier.errors import AwsError, ServiceError
from courier.messaging.application import Application
from courier.messaging.config import WorkerConfig
from courier.messaging.foreground import Runnable
from courier.messaging.hooks import Hooks
from courier.messaging.in_flight import InFlightMessages, State
from courier.messaging.isolated import IsolatedHandler
from courier.messaging.outbox import Finished, Outbox
from courier.messaging.processor import Handler, Processor
from courier.messaging.replies import Replier

log = logging.getLogger(__name__)

#: Calls to AWS of each kind that may be under way at once.
RECEIVERS = 4
REPLIERS = 4
#: Those that try stalled reply queues again: no queue's trouble takes the others' time.
RETRIERS = 2
#: How long `stop_when_empty` listens before it believes that a queue is empty: longer than the queues'
#: DelaySeconds of 1, so that what was just posted by hand is seen.
EMPTY_SECONDS = 2
#: How long a poll is while something is in flight: a worker that is told to stop then waits for its end
#: before it gives anything back. An idle one has nothing to give back, and does not wait.
BUSY_POLL_SECONDS = 2
#: How long each call that stopping needs may take, in seconds.
STOPPING_SECONDS = 5.0
#: How often the time limits are looked at, in seconds.
LOOK_SECONDS = 0.5


class _TakenAway(Exception):
    """This request is the handler's no more: it was rejected at its time limit, or released to stop."""


class Worker(Runnable):
    """Serves an application's requests with `handler`, until told to stop. `stop` may be called from any thread.

    >>> from courier import Application, Worker, testing
    >>> upper = Application("upper", requests="upperRequests", replies="upperReplies")
    >>> with testing.queues(upper), Worker(lambda request: request.body.upper(), upper):
    ...     pass  # requests are answered here; in a program of its own: Worker(...).run()
    """

    def __init__(
        self,
        handler: Handler,
        application: Application,
        config: WorkerConfig | None = None,
        *,
        hooks: Hooks | None = None,
        aws: Aws | None = None,
    ) -> None:
        aws = aws or connect_patiently()
        config = self._config = config or WorkerConfig()
        self._inbox = Mailbox(aws, application.requests)
        self._todo: queue.SimpleQueue[ReceivedMessage] = queue.SimpleQueue()
        self._rush = threading.Event()
        self._stopping = aws.stopping
        self._stopped = threading.Event()
        self._retrier = Retrier("receiving", self._stopping)
        self._work_retrier = Retrier("working", self._stopping)
        handler = IsolatedHandler(handler, config) if config.isolate else handler
        self._processor = Processor(aws, handler, application, config, hooks)
        self._in_flight = InFlightMessages(
            self._inbox,
            capacity=config.capacity,
            visibility_seconds=config.visibility_seconds,
            is_expensive=config.is_expensive,
        )
        self._outbox = Outbox(lambda: self._in_flight.unfinished)
        self._scale_in = self._protection(aws) if config.scaling_group and config.instance_id else None
        self._replier = Replier(
            aws,
            inbox=self._inbox,
            in_flight=self._in_flight,
            outbox=self._outbox,
            default=application.replies,
            stopped=self._stopped,
            hooks=hooks,
        )

    def _protection(self, aws: Aws) -> ScaleInProtection:
        return ScaleInProtection(
            aws,
            group=self._config.scaling_group,
            instance_id=self._config.instance_id,
            is_busy=lambda: not self._in_flight.is_empty,
        )

    def start(self) -> None:
        """Start all threads. They are daemons: an abandoned long poll must not keep a process alive."""
        self._spawn("receiver", self._receive_steadily)
        self._spawn("helper", self._receive_in_a_rush, RECEIVERS - 1)
        self._spawn("handler", self._handle, self._config.concurrency)
        self._spawn("replier", self._replier.work, REPLIERS)
        self._spawn("retrier", self._replier.retry, RETRIERS)
        self._spawn("watch", self._give_up_late)
        self._spawn("heartbeat", lambda: self._in_flight.keep_alive(self._stopped))
        if self._scale_in:
            self._spawn("protection", partial(self._scale_in.watch, self._stopped))

    def wait(self) -> None:
        """Wait until the worker wants to stop, which it does of itself only if told `stop_when_empty`."""
        self._stopping.wait()

    def stop(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Receive nothing more, finish what was begun, release the rest; return whether all was finished.

        What is not finished within the grace period, or when `give_up` says so, is released too.
        """
        was_busy = not self._in_flight.is_idle
        self._stopping.set()
        self._briefly(partial(self._give_back, self._in_flight.close()))
        self._rush.set()
        deadline = time.monotonic() + self._config.grace_seconds
        while not self._in_flight.wait_until_empty(timeout_seconds=0.1):
            if time.monotonic() >= deadline or give_up():
                break
        if was_busy and not give_up():
            # What is released must not be caught by a poll of our own that ends with this process.
            self._in_flight.wait_until_nothing_comes(BUSY_POLL_SECONDS + 1)
        left = self._in_flight.everything()
        if left:
            log.warning("released %d unfinished requests", len(left))
            self._briefly(partial(self._give_back, self._in_flight.drop(left)))
        self._stopped.set()
        self._outbox.close()
        if self._scale_in:
            self._briefly(self._scale_in.take_back)
        return not left

    def _briefly(self, work: Callable[[], None]) -> None:
        """Do `work`, but go on without it where AWS does not answer soon: this process is about to end."""
        thread = threading.Thread(target=work, name="stopping", daemon=True)
        thread.start()
        thread.join(STOPPING_SECONDS)
        if thread.is_alive():
            log.warning("AWS does not respond within %.0f s; stopping without it", STOPPING_SECONDS)

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
                log.exception("internal error of the worker; continuing")
                self._stopped.wait(1)
            else:
                return

    # Receivers

    def _receive_steadily(self) -> None:
        longest = EMPTY_SECONDS if self._config.stop_when_empty else self._config.poll_seconds
        while not self._stopping.is_set():
            received = self._receive(longest)
            if received == 0 and self._config.stop_when_empty and self._in_flight.is_empty:
                self._stopping.set()

    def _receive_in_a_rush(self) -> None:
        while not self._stopping.is_set():
            self._rush.wait()
            self._receive(0)

    def _receive(self, longest_seconds: int) -> int | None:
        """Receive once and pass on what came; return how many, or None if AWS was in trouble."""
        reserved = self._in_flight.reserve()
        deliveries: list[ReceivedMessage] = []
        if reserved:
            try:
                deliveries = self._inbox.receive(
                    limit=reserved,
                    wait_seconds=longest_seconds
                    if self._in_flight.is_idle
                    else min(longest_seconds, BUSY_POLL_SECONDS),
                    visibility_seconds=self._in_flight.first_visibility_seconds,
                )
            except BaseException as error:
                self._in_flight.unreserve(reserved)
                self._rush.clear()
                if not isinstance(error, AwsError):
                    raise
                self._retrier.wait_out(error)
                return None
            self._retrier.over()
        self._pass_on(deliveries, reserved)
        return len(deliveries)

    def _pass_on(self, deliveries: Sequence[ReceivedMessage], reserved: int) -> None:
        if len(deliveries) == MAX_BATCH:
            self._rush.set()
        elif not self._stopping.is_set():
            self._rush.clear()
        if not self._in_flight.admit(deliveries, reserved=reserved):
            self._give_back(deliveries)
            self._in_flight.unreserve(reserved)
            return
        for delivery in deliveries:
            self._todo.put(delivery)

    # Handlers

    def _handle(self) -> None:
        while True:
            delivery = self._todo.get()
            if self._stopping.is_set():
                self._give_back(self._in_flight.drop([delivery]))
                continue
            try:
                finished = self._work_retrier.persist(partial(self._try, delivery), math.inf)
            except _TakenAway:
                return
            except ServiceError as error:
                log.warning("request %s is released: %s", delivery.message_id, error.sentence)
                self._give_back(self._in_flight.drop([delivery]))
            else:
                self._outbox.put(finished)

    def _try(self, delivery: ReceivedMessage) -> Finished:
        """Do a request's work against its time limit, which what is spent on waiting out trouble does not touch."""
        self._move(delivery, State.WORKING, State.RECEIVED, State.PAUSED)
        try:
            finished = self._processor.finish(delivery)
        except ServiceError:
            self._move(delivery, State.PAUSED, State.WORKING)
            raise
        self._move(delivery, State.REPLIED, State.WORKING)
        return finished

    def _move(self, delivery: ReceivedMessage, after: State, *before: State) -> None:
        if not self._in_flight.move(delivery, after, *before):
            raise _TakenAway

    def _give_up_late(self) -> None:
        """Reject requests whose work takes too long; its thread cannot be stopped, so it gets a successor."""
        while not self._stopped.wait(LOOK_SECONDS):
            for delivery in self._in_flight.take_late(self._config.time_limit_seconds):
                log.error("request %s took too long and was stopped", delivery.message_id)
                self._outbox.put(self._processor.give_up(delivery))
                self._spawn("successor", self._handle)

    def _give_back(self, deliveries: Sequence[ReceivedMessage]) -> None:
        """Let others have these at once; what cannot be told to AWS comes back of itself."""
        try:
            for failure in self._inbox.release(deliveries):
                log.warning("a request could not be released: %s", failure.error.message)
        except AwsError as error:
            log.warning("could not release %d requests: %s", len(deliveries), error.sentence)
