"""A requester's connection: opened in the background, with an exchange that fits the load."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Protocol, TypeVar

from courier.cancellation import Cancellation
from courier.errors import AccessDenied, AwsError, CourierError, ResponseTimeout
from courier.messaging.application import Application
from courier.messaging.pending import Outcome, Outgoing, OutgoingRequest
from courier.messaging.protocol import Response

#: With more responses than this in the shared response queue, a client uses a private reply queue.
CROWDED = 100
#: The smallest message limit that a queue can have, and the most bytes of a request's attributes.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
SMALLEST_LIMIT = 1_024
ATTRIBUTES_BYTES = 700
#: How long a command retries after transient errors before its first request, in seconds.
OPENING_SECONDS = 10.0
#: The default time limit of a response, and how much longer a call to AWS may take, in seconds, so that waiting for
#: new credentials and polling report their own errors.
TIMEOUT_SECONDS = 60.0
SLACK_SECONDS = 3.0

if TYPE_CHECKING:
    from courier.aws.session import Aws
    from courier.aws.sqs import Mailbox
    from courier.messaging.dead_letters import DeadLetters
    from courier.messaging.exchange import Exchange

T = TypeVar("T")


class MakeExchange(Protocol):
    """Makes an exchange with a given reply queue, for expensive requests or for others."""

    def __call__(self, chosen: Mailbox, *, is_expensive: bool) -> Exchange:
        """Return the exchange."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """An open channel to the workers of an application."""

    requests: Mailbox
    replies: Mailbox
    exchange: Exchange
    dead: DeadLetters
    #: Makes another exchange, with another reply queue.
    make_exchange: MakeExchange


class Connection:
    """A channel that is opened on first use, or earlier in the background.

    A call that AWS rejects for its credentials waits `credentials_seconds` for new ones, which `tell` reports. A call
    without a response takes little longer than `timeout_seconds`.
    """

    def __init__(
        self,
        application: Application,
        *,
        credentials_seconds: float,
        tell: Callable[[str], None],
        timeout_seconds: float = TIMEOUT_SECONDS,
        cancellation: Cancellation | None = None,
    ) -> None:
        #: What cancels every wait of this connection.
        self.cancellation = cancellation or Cancellation()
        self._credentials_seconds = credentials_seconds
        self._timeout_seconds = timeout_seconds
        self._opening_seconds = min(OPENING_SECONDS, timeout_seconds)
        self._tell = tell
        self.application = application
        self._lock = threading.RLock()
        self._aws: Aws | None = None
        self._channel: Channel | None = None
        self._limit_bytes: int | None = None

    def aws(self) -> Aws:
        """Return the connection to AWS. Raises: AwsError; Canceled."""
        return self._aws or self.cancellation.run(self._connect)

    def _connect(self) -> Aws:
        # Imported here because loading boto3 would delay the menu.
        from courier.aws.credentials import CredentialRefresh
        from courier.aws.session import connect

        with self._lock:
            if self._aws is None:
                refresh = CredentialRefresh(
                    seconds=self._credentials_seconds,
                    tell=self._tell,
                    transient_seconds=self._opening_seconds,
                    call_seconds=self._timeout_seconds + SLACK_SECONDS,
                )
                self._aws = connect(refresh, self.cancellation)
            return self._aws

    @property
    def is_open(self) -> bool:
        """Whether the channel is open."""
        return self._channel is not None

    def max_body_bytes(self, wanted: int) -> int:
        """Return the longest body that the request queue allows; asks the queue only if `wanted` may exceed it.

        Without permission to ask, returns SQS's own limit. Raises: AwsError.
        """
        from courier.aws.sqs import MAX_BODY_BYTES

        if wanted <= SMALLEST_LIMIT - ATTRIBUTES_BYTES:
            return SMALLEST_LIMIT - ATTRIBUTES_BYTES
        if self._limit_bytes is None:
            requests = self.channel().requests
            try:
                self._limit_bytes = self.call(requests.max_message_bytes)
            except AccessDenied:
                self._limit_bytes = MAX_BODY_BYTES
        return self._limit_bytes - ATTRIBUTES_BYTES

    def channel(self, opening_seconds: float | None = None) -> Channel:
        """Return the channel, with both queues found, retrying after transient errors.

        Raises: AwsError; Canceled.
        """
        seconds = self._opening_seconds if opening_seconds is None else opening_seconds
        return self._channel or self.cancellation.run(lambda: self._find(seconds))

    def call(self, call: Callable[[], T]) -> T:
        """Return what a call to AWS returns, made again while its errors are transient, as long as connecting may take.

        Raises: AwsError; Canceled.
        """
        return self.aws().retry(call)

    def _find(self, seconds: float) -> Channel:
        with self._lock:
            if self._channel is None:
                self._channel = self._open(self.aws(), seconds)
            return self._channel

    def _open(self, aws: Aws, seconds: float) -> Channel:
        from courier.aws.retry import Retrier
        from courier.aws.sqs import Mailbox
        from courier.messaging.dead_letters import DeadLetters
        from courier.messaging.exchange import OWN_WINDOW, SHARED_WINDOW, Exchange

        requests, replies = Mailbox(aws, self.application.requests), Mailbox(aws, self.application.replies)
        retrier = Retrier("connecting", self.cancellation, self._tell)
        for box in (requests, replies):
            retrier.retry(box.find, time.monotonic() + seconds)

        def make_exchange(chosen: Mailbox, *, is_expensive: bool) -> Exchange:
            exchange = Exchange(
                requests=requests,
                replies=chosen,
                kind=self.application.kind,
                clock=aws.clock,
                tell=self._tell,
                window=SHARED_WINDOW if is_expensive or chosen is replies else OWN_WINDOW,
                fallback=None if chosen is replies else replies,
                cancellation=self.cancellation,
            )
            exchange.is_expensive = is_expensive
            return exchange

        dead = DeadLetters(requests, Mailbox(aws, self.application.dead_letters))
        return Channel(
            requests=requests,
            replies=replies,
            exchange=make_exchange(replies, is_expensive=False),
            dead=dead,
            make_exchange=make_exchange,
        )


@contextmanager
def exchange_for(
    connection: Connection, questions: Iterable[Outgoing]
) -> Iterator[tuple[Exchange, Iterable[Outgoing]]]:
    """Yield an exchange that fits the stream of `questions`, and that stream.

    It has a private reply queue if many requests are ready, if several are expensive, or if the shared queue is
    crowded; else it uses the shared reply queue, where few responses do not delay others. Raises: AwsError.
    """
    from courier.messaging.exchange import SHARED_WINDOW
    from courier.messaging.reply_queue import private_replies

    stream = iter(questions)
    ready: list[Outgoing] = []
    for outgoing in stream:
        ready.append(outgoing)
        if outgoing is None or len(ready) > SHARED_WINDOW:
            break
    channel = connection.channel()
    expensive = sum(isinstance(outgoing, OutgoingRequest) and outgoing.is_expensive for outgoing in ready)
    is_large = (len(ready) > SHARED_WINDOW and ready[-1] is not None) or expensive > 1
    if not is_large and not _is_crowded(channel.replies):
        exchange = channel.make_exchange(channel.replies, is_expensive=True) if expensive else channel.exchange
        yield exchange, chain(ready, stream)
        return
    with private_replies(connection.aws(), channel.replies) as replies:
        yield channel.make_exchange(replies, is_expensive=expensive > 0), chain(ready, stream)


def _is_crowded(replies: Mailbox) -> bool:
    """Whether the shared queue holds more than `CROWDED` responses, so that finding one would take long."""
    try:
        return replies.depth().visible > CROWDED
    except AwsError:
        return False


def response_of(outcome: Outcome, *, worker: str) -> Response:
    """Return the outcome's response, or raise its error; a timeout gets a hint how to start the worker.

    Raises: Rejected, by the worker; ResponseTimeout; any other error that kept the request from being sent.
    """
    result = outcome.result
    if isinstance(result, Response):
        return result
    if isinstance(result, ResponseTimeout):
        command = f"python {worker}  (on a local AWS: ./run_local.sh up)"
        start = f" Ask the operator whether a worker is running, or start one: {command}" if worker else ""
        hint = f"No worker took the request in time, or the queue was purged.{start}"
        raise ResponseTimeout(result.message, hint=hint)
    if isinstance(result, CourierError):
        raise result
    raise result.error
