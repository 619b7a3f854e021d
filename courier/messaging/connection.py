"""A requester's connection: opened in the background, with the requester that fits the load."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Protocol, TypeVar

from courier.cancellation import Canceled, Cancellation
from courier.errors import AccessDenied, AwsError, CourierError, Rejected, ResponseTimeout
from courier.messaging.application import Application
from courier.messaging.pending import Asked, Outcome, Question
from courier.messaging.protocol import Response

#: More answers than this in the shared response queue are a reason not to have ours there.
CROWDED = 100
#: No queue's limit is less, and what the attributes of a request take of it at most, in bytes.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
SMALLEST_LIMIT = 1_024
ATTRIBUTES_BYTES = 700
#: How long a command outlasts trouble that passes before its first request, in seconds.
OPENING_SECONDS = 10.0
#: How long it waits for a response, if it is not told; and how much longer for AWS to answer a call, in seconds, so
#: that whoever waits just as long for fresh keys, or polls for as long, is told of these.
TIMEOUT_SECONDS = 60.0
SLACK_SECONDS = 3.0

if TYPE_CHECKING:
    from courier.aws.session import Aws
    from courier.aws.sqs import Mailbox
    from courier.messaging.dead_letters import DeadLetters
    from courier.messaging.exchange import Exchange

T = TypeVar("T")


class MakeExchange(Protocol):
    """What makes a requester whose answers come by a queue, for expensive requests or for others."""

    def __call__(self, chosen: Mailbox, *, is_expensive: bool) -> Exchange:
        """Return the requester."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """An open line to the workers of one kind."""

    requests: Mailbox
    replies: Mailbox
    requester: Exchange
    dead: DeadLetters
    #: Makes another requester, whose answers come by the queue that it is given.
    make_requester: MakeExchange


class Connection:
    """A line that is opened when it is first needed, or ahead of that in the background.

    A call that is refused for dead keys waits `patience_seconds` for fresh ones, and `tell` says so. One that AWS does
    not answer takes little longer than `timeout_seconds`.
    """

    def __init__(
        self,
        application: Application,
        *,
        patience_seconds: float,
        tell: Callable[[str], None],
        timeout_seconds: float = TIMEOUT_SECONDS,
        cancellation: Cancellation | None = None,
    ) -> None:
        #: What cancels every wait of this connection.
        self.cancellation = cancellation or Cancellation()
        self._patience_seconds = patience_seconds
        self._timeout_seconds = timeout_seconds
        self._opening_seconds = min(OPENING_SECONDS, timeout_seconds)
        self._tell = tell
        self.application = application
        self._lock = threading.RLock()
        self._aws: Aws | None = None
        self._line: Channel | None = None
        self._limit_bytes: int | None = None

    def warm_up(self) -> None:
        """Begin to open the line; whatever fails is tried again, and told, when the line is needed."""

        def open_quietly() -> None:
            with suppress(CourierError, Canceled):
                self.line(patience_seconds=0)

        threading.Thread(target=open_quietly, name="warm-up", daemon=True).start()

    def aws(self) -> Aws:
        """Return the connection to AWS. Raises: AwsError; Canceled."""
        return self._aws or self.cancellation.run(self._connect)

    def _connect(self) -> Aws:
        # Imported here because boto3 takes longer to load than a menu may take to appear.
        from courier.aws.credentials import CredentialRefresh
        from courier.aws.session import connect

        with self._lock:
            if self._aws is None:
                patience = CredentialRefresh(
                    seconds=self._patience_seconds,
                    tell=self._tell,
                    transient_seconds=self._opening_seconds,
                    call_seconds=self._timeout_seconds + SLACK_SECONDS,
                )
                self._aws = connect(patience, self.cancellation)
            return self._aws

    def room_bytes(self, wanted: int) -> int:
        """Return how long a request's body may be, as the queue says; what is `wanted` may be too little to ask.

        Who may not ask takes SQS's own limit. Raises: AwsError.
        """
        from courier.aws.sqs import MAX_BODY_BYTES

        if wanted <= SMALLEST_LIMIT - ATTRIBUTES_BYTES:
            return SMALLEST_LIMIT - ATTRIBUTES_BYTES
        if self._limit_bytes is None:
            requests = self.line().requests
            try:
                self._limit_bytes = self.outlast(requests.max_message_bytes)
            except AccessDenied:
                self._limit_bytes = MAX_BODY_BYTES
        return self._limit_bytes - ATTRIBUTES_BYTES

    def line(self, patience_seconds: float | None = None) -> Channel:
        """Return the line, with both queues found; passing trouble is outlasted for so long.

        Raises: AwsError; Canceled.
        """
        seconds = self._opening_seconds if patience_seconds is None else patience_seconds
        return self._line or self.cancellation.run(lambda: self._find(seconds))

    def outlast(self, call: Callable[[], T]) -> T:
        """Return what a call to AWS returns, made again while its errors are transient, as long as connecting may take.

        Raises: AwsError; Canceled.
        """
        return self.aws().persist(call)

    def _find(self, seconds: float) -> Channel:
        with self._lock:
            if self._line is None:
                self._line = self._open(self.aws(), seconds)
            return self._line

    def _open(self, aws: Aws, seconds: float) -> Channel:
        from courier.aws.retry import Retrier
        from courier.aws.sqs import Mailbox
        from courier.messaging.dead_letters import DeadLetters
        from courier.messaging.exchange import OWN_WINDOW, SHARED_WINDOW, Exchange

        requests, replies = Mailbox(aws, self.application.requests), Mailbox(aws, self.application.replies)
        retrier = Retrier("connecting", self.cancellation, self._tell)
        for box in (requests, replies):
            retrier.persist(box.find, time.monotonic() + seconds)

        def make_requester(chosen: Mailbox, *, is_expensive: bool) -> Exchange:
            return Exchange(
                requests=requests,
                replies=chosen,
                kind=self.application.kind,
                clock=aws.clock,
                tell=self._tell,
                window=SHARED_WINDOW if is_expensive or chosen is replies else OWN_WINDOW,
                is_expensive=is_expensive,
                cancellation=self.cancellation,
            )

        dead = DeadLetters(requests, Mailbox(aws, self.application.dead_letters))
        return Channel(
            requests=requests,
            replies=replies,
            requester=make_requester(replies, is_expensive=False),
            dead=dead,
            make_requester=make_requester,
        )


@contextmanager
def requester_for(connection: Connection, questions: Iterable[Asked]) -> Iterator[tuple[Exchange, Iterable[Asked]]]:
    """Yield a requester that fits the stream of `questions`, and that stream.

    Where many questions stand ready, or several expensive ones, that is one with a reply queue of its own: so many
    answers on the shared one would be in others' way. So it is where many answers lie in ours. Raises: AwsError.
    """
    from courier.messaging.exchange import SHARED_WINDOW
    from courier.messaging.reply_queue import private_replies

    stream = iter(questions)
    ready: list[Asked] = []
    for asked in stream:
        ready.append(asked)
        if asked is None or len(ready) > SHARED_WINDOW:
            break
    line = connection.line()
    expensive = sum(isinstance(asked, Question) and asked.is_expensive for asked in ready)
    is_large = (len(ready) > SHARED_WINDOW and ready[-1] is not None) or expensive > 1
    if not is_large and not _is_crowded(line.replies):
        requester = line.make_requester(line.replies, is_expensive=True) if expensive else line.requester
        yield requester, chain(ready, stream)
        return
    with private_replies(connection.aws(), line.replies) as replies:
        yield line.make_requester(replies, is_expensive=expensive > 0), chain(ready, stream)


def _is_crowded(replies: Mailbox) -> bool:
    """Whether so many answers lie in a shared queue that ours would be hard to find among them."""
    try:
        return replies.depth().visible > CROWDED
    except AwsError:
        return False


def answer_of(outcome: Outcome, *, worker: str) -> Response:
    """Return the outcome's answer; what is none is raised, a silent worker with how to start it.

    Raises: Rejected if the worker refused; ResponseTimeout; whatever else kept the question from being asked.
    """
    result = outcome.result
    if isinstance(result, Response):
        return result
    if isinstance(result, ResponseTimeout):
        start = f" Start it with: python {worker}  (on a local AWS: ./run_local.sh up)" if worker else ""
        hint = f"Check that the worker is running.{start}"
        raise ResponseTimeout(result.message, hint=hint)
    if isinstance(result, CourierError):
        raise result
    raise Rejected(result.reason, reason=result.code)
