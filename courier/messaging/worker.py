"""The worker: receive, handle, reply, THEN delete, with a heartbeat for all messages in flight.

Four kinds of threads share the work, so that calls to AWS overlap and use batches of ten:

    receivers --> handlers --> repliers          heartbeat
    (long poll)   (the work)   (send, delete)    (visibility)

One receiver always has a long poll open; the others help only while full batches arrive. A request is deleted only
after the reply queue has accepted its reply.
"""

from __future__ import annotations

import logging
import math
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from courier.aws.retry import Retrier
from courier.aws.scale_in import protection
from courier.aws.session import Aws, connect_worker
from courier.aws.sqs import MAX_BATCH, Mailbox, ReceivedMessage
from courier.errors import AwsError, ServiceError, WrongUsage
from courier.messaging.application import Application
from courier.messaging.config import WorkerConfig, idle_poll_seconds
from courier.messaging.hooks import Hooks
from courier.messaging.in_flight import InFlightMessages
from courier.messaging.isolated import IsolatedHandler
from courier.messaging.listening import Listening
from courier.messaging.log_names import name_of
from courier.messaging.outbox import Finished, Outbox
from courier.messaging.parking import Parked, Parking
from courier.messaging.processes import InProcesses
from courier.messaging.processor import Handler, Processor
from courier.messaging.replies import Replier
from courier.messaging.states import NoLongerHeld, State
from courier.messaging.stopping import join_others, within_seconds
from courier.time_limit import can_be_paused

if sys.platform == "win32":
    raise ImportError("The workers need Linux or macOS.")

log = logging.getLogger(__name__)

#: The most concurrent calls to AWS of each kind.
RECEIVERS = REPLIERS = 4
#: The threads that retry stalled reply queues, apart from the repliers.
RETRIERS = 2
#: How long `stop_when_empty` polls: longer than the queues' DelaySeconds, so that a message just sent manually is seen.
EMPTY_SECONDS = 2
#: The length of a poll while messages are in flight, since a stopping worker waits for its end before it releases them.
BUSY_POLL_SECONDS = 2
#: The interval between checks of the time limits, in seconds.
CHECK_SECONDS = 0.5


class Worker(InProcesses):
    """Serves an application's requests with `handler` until it is stopped. `stop` may be called from any thread.

    >>> from courier import Application, Worker, testing
    >>> upper = Application("upper", requests="upperRequests", replies="upperReplies")
    >>> with testing.queues(upper), Worker(lambda request: request.body.upper(), upper):
    ...     pass  # requests are answered here; in a program of its own: Worker(...).run()
    """

    #: The threads that send replies, once it is started.
    _repliers: Sequence[threading.Thread] = ()

    def __init__(
        self,
        handler: Handler,
        application: Application,
        config: WorkerConfig | None = None,
        *,
        hooks: Hooks | None = None,
        aws: Aws | None = None,
    ) -> None:
        aws = aws or connect_worker()
        config = self._config = config or WorkerConfig()
        super().__init__(config)
        self._hooks = hooks or Hooks()
        self._inbox = Mailbox(aws, application.requests)
        self._todo: queue.SimpleQueue[ReceivedMessage] = queue.SimpleQueue()
        self._under_load, self._is_started = threading.Event(), False
        self._stopping, self._stopped = aws.stopping, threading.Event()
        self._retrier, self._work_retrier = (Retrier(doing, self._stopping) for doing in ("receiving", "working"))
        self._listening = Listening(self._inbox, self._retrier)
        isolated = IsolatedHandler(handler, config) if config.isolate else handler
        self._processor = Processor(aws, isolated, application, config, hooks)
        self.in_flight = InFlightMessages(
            self._inbox,
            capacity=config.capacity,
            ahead=config.capacity - config.concurrency,
            visibility_seconds=config.visibility_seconds,
            is_expensive=config.is_expensive,
        )
        self._parking = Parking(self.in_flight, self._processor)
        self._outbox = Outbox(lambda: self.in_flight.unfinished)
        self._scale_in = protection(aws, config.scaling_group, config.instance_id, lambda: not self.in_flight.is_empty)
        self._replier = Replier(
            aws,
            inbox=self._inbox,
            in_flight=self.in_flight,
            outbox=self._outbox,
            default=application.replies,
            stopped=self._stopped,
            hooks=hooks,
        )

    def start(self) -> None:
        """Start all threads, as daemons: an abandoned long poll must not keep the process alive.

        Raises: WrongUsage if the worker was started before, or is to be served by several processes.
        """
        self.check_is_alone()
        if self._is_started:
            raise WrongUsage("This worker was started before: a worker runs once.", hint="Make another.")
        self._is_started = True
        self._spawn("receiver", self._receive_always)
        self._spawn("helper", self._receive_under_load, RECEIVERS - 1)
        self._spawn("handler", self._handle, self._config.concurrency)
        self._repliers = self._spawn("replier", self._replier.work, REPLIERS)
        self._spawn("retrier", self._replier.retry, RETRIERS)
        self._spawn("time-limit", self._give_up_late)
        self._spawn("parking", partial(self._parking.resume, self._todo, self._stopped))
        self._spawn("heartbeat", lambda: self.in_flight.keep_alive(self._stopped))
        if self._scale_in:
            self._spawn("protection", partial(self._scale_in.run, self._stopped))

    def when_listening(self, ready: Callable[[], object]) -> None:
        """Call `ready` once the request queue was found, in another thread."""
        self._listening.when_begun(ready)

    def wait(self) -> None:
        """Wait until the worker stops by itself, which it does only with `stop_when_empty`."""
        self._stopping.wait()

    def stop(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Stop receiving, finish the begun requests, and release the others; return whether all were finished.

        Requests that are unfinished after the grace period, or when `give_up` returns True, are released, too.
        """
        was_busy = not self.in_flight.is_idle
        self._stopping.set()
        within_seconds(partial(self._release, self.in_flight.close()))
        self._under_load.set()
        deadline = time.monotonic() + self._config.grace_seconds
        while not self.in_flight.wait_until_empty(timeout_seconds=0.1):
            if time.monotonic() >= deadline or give_up():
                break
        if was_busy and not give_up():
            # This process's own last poll must not receive what is released.
            self.in_flight.wait_until_nothing_comes(BUSY_POLL_SECONDS + 1)
        left = self.in_flight.everything()
        if left:
            log.warning("released %d unfinished requests", len(left))
            within_seconds(partial(self._release, self.in_flight.drop(left)))
        self._stopped.set()
        self._outbox.close()
        if not left:
            join_others(self._repliers)  # the last replies may not be in the log yet
        if self._scale_in:
            within_seconds(self._scale_in.unprotect)
        return not left

    def _spawn(self, name: str, work: Callable[[], None], count: int = 1) -> list[threading.Thread]:
        made = partial(threading.Thread, target=self._restart_on_error, args=(work,), daemon=True)
        threads = [made(name=f"{name}-{number}") for number in range(count)]
        for thread in threads:
            thread.start()
        return threads

    def _restart_on_error(self, work: Callable[[], None]) -> None:
        """Do `work`, and restart it after an unexpected exception, so that a bug does not disable the worker."""
        while not self._stopped.is_set():
            try:
                work()
            except BaseException:
                log.exception("internal error of the worker; continuing")
                self._stopped.wait(1)
            else:
                return

    # Receivers

    def _receive_always(self) -> None:
        self._listening.begin(self._stopping)
        longest = EMPTY_SECONDS if self._config.stop_when_empty else idle_poll_seconds(self._config)
        while not self._stopping.is_set():
            received = None
            with self._turns.turn(self._stopping, longest, is_idle=self.in_flight.is_idle) as is_to_poll:
                if is_to_poll:
                    received = None if self._stopping.is_set() else self._receive(longest)
                else:
                    self._hooks.polled(0)
            if received == 0 and self._config.stop_when_empty and self.in_flight.is_empty:
                self._stopping.set()

    def _receive_under_load(self) -> None:
        while not self._stopping.is_set():
            self._under_load.wait()
            self._receive(0)

    def _receive(self, longest_seconds: int) -> int | None:
        """Receive once and pass the messages on; return their number, or None after an error."""
        reserved = self.in_flight.reserve()
        messages: list[ReceivedMessage] = []
        if reserved:
            longest = longest_seconds if self.in_flight.is_idle else min(longest_seconds, BUSY_POLL_SECONDS)
            try:
                hidden = self.in_flight.first_visibility_seconds
                with self.in_flight.slow_calls.timing(longest):
                    messages = self._inbox.receive(limit=reserved, wait_seconds=longest, visibility_seconds=hidden)
            except BaseException as error:
                self.in_flight.unreserve(reserved)
                self._under_load.clear()
                if not isinstance(error, AwsError):
                    raise
                self._retrier.wait(error)
                return None
            self._retrier.succeeded()
            self._hooks.polled(len(messages))
        self._pass_on(messages, reserved)
        return len(messages)

    def _pass_on(self, messages: Sequence[ReceivedMessage], reserved: int) -> None:
        if len(messages) == MAX_BATCH:
            self._under_load.set()
        elif not self._stopping.is_set():
            self._under_load.clear()
        if not self.in_flight.admit(messages, reserved=reserved):
            self._release(messages)
            self.in_flight.unreserve(reserved)
            return
        for received in messages:
            self._todo.put(received)

    # Handlers

    def _handle(self) -> None:
        while True:
            received = self._todo.get()
            if self._stopping.is_set():
                self._release(self.in_flight.drop([received]))
                continue
            try:
                finished = self._work_retrier.retry(partial(self._try, received), math.inf)
            except NoLongerHeld:
                return
            except Parked:
                continue
            except ServiceError as error:
                log.warning("request %s is released: %s", name_of(received), error.sentence)
                self._release(self.in_flight.drop([received]))
            else:
                self._outbox.put(finished)

    def _try(self, received: ReceivedMessage) -> Finished:
        """Process a request. Its time limit does not include waits after transient errors, nor the sandbox's work."""
        self._move(received, State.WORKING, State.RECEIVED, State.PAUSED, State.PARKED)
        try:
            with can_be_paused(
                partial(self.in_flight.move, received, State.PAUSED, State.WORKING),
                partial(self.in_flight.move, received, State.WORKING, State.PAUSED),
            ):
                finished = self._parking.finish(received)
        except ServiceError:
            self._move(received, State.PAUSED, State.WORKING)
            raise
        self._move(received, State.REPLIED, State.WORKING)
        return finished

    def _move(self, received: ReceivedMessage, after: State, *before: State) -> None:
        if not self.in_flight.move(received, after, *before):
            raise NoLongerHeld

    def _give_up_late(self) -> None:
        """Reject requests beyond the time limit; their threads cannot be stopped, so others replace them."""
        while not self._stopped.wait(CHECK_SECONDS):
            for received in self.in_flight.take_late(self._config.time_limit_seconds):
                log.error("request %s took too long: it is rejected, and its thread replaced", name_of(received))
                self._outbox.put(self._processor.give_up(received))
                self._spawn("successor", self._handle)

    def _release(self, messages: Sequence[ReceivedMessage]) -> None:
        """Make messages visible to other workers at once; if that fails, their visibility timeout does."""
        try:
            for failure in self._inbox.release(messages):
                log.warning("a request could not be released: %s", failure.error.message)
        except AwsError as error:
            log.warning("could not release %d requests: %s", len(messages), error.sentence)
