"""The client of an application: send requests, and return their responses or raise their errors."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from courier.aws.batches import SPLIT_HINT
from courier.cancellation import Canceled, Cancellation
from courier.errors import (
    AwsError,
    CourierError,
    MessageTooLong,
    Reason,
    Rejected,
    RequestCanceled,
    WrongUsage,
)
from courier.messaging.application import Application
from courier.messaging.connection import TIMEOUT_SECONDS, Connection, exchange_for, response_of
from courier.messaging.pending import Outcome, Outgoing, OutgoingRequest
from courier.messaging.private_exchange import PrivateExchange
from courier.messaging.protocol import Request, Response, check_body
from courier.settings import client_name
from courier.text import quoted

if TYPE_CHECKING:
    from courier.messaging.exchange import Exchange
    from courier.messaging.stored_bodies import StoredBodies

log = logging.getLogger(__name__)

#: An item of a stream of requests: a body; a request, for more than a body; an error, which is its own outcome; or None
#: for a pause.
Sent = str | Request | CourierError | None
#: How long a check that the shared reply queue is not crowded stays valid, in seconds.
SHARED_SECONDS = 30.0
_BUCKET_HINT = "Split it into shorter ones, or give its Application a `bucket`, to which long bodies go."
#: How long many requests wait for a reply queue that is being prepared, in seconds.
PREPARED_SECONDS = 2.0


class Requester(Connection):
    """Sends an application's requests and waits for their responses. Not thread-safe: use one for each thread.

    `timeout`: how long to wait for a response, in seconds. `tell`: called with a message about a transient error, such
    as an outage of AWS; by default it is logged. `name`: a label, which every request carries that has no other: at
    most 32 letters, digits, `.`, `-` and `_`, or WrongUsage is raised. Many requests at once use a private reply queue,
    which is deleted at the end of the `with` block, or of `request_many` without one.

    >>> from courier import Application, Requester, Worker, testing
    >>> upper = Application("upper", requests="upperRequests", replies="upperReplies")
    >>> with testing.queues(upper), Worker(lambda request: request.body.upper(), upper):
    ...     with Requester(upper, timeout=10) as requester:
    ...         print(requester.request("hello").body)
    ...         print([response.body for response in requester.request_many(["a", "b"])])
    HELLO
    ['A', 'B']
    """

    def __init__(
        self,
        application: Application,
        *,
        timeout: float = TIMEOUT_SECONDS,
        tell: Callable[[str], None] | None = None,
        cancellation: Cancellation | None = None,
        name: str | None = None,
    ) -> None:
        self._name = _checked_name(name)
        super().__init__(
            application,
            credentials_seconds=timeout,
            timeout_seconds=timeout,
            tell=tell or (lambda sentence: log.warning("%s", sentence)),
            cancellation=cancellation,
        )
        self._private = PrivateExchange(self)
        #: The number of blocks and streams that use the private reply queue, and of the streams alone.
        self._users = self._streams = 0
        self._shared_until = 0.0
        self._stored: StoredBodies | None = None

    def __enter__(self) -> Self:
        """Keep the private reply queue, once there is one, until the end of the block."""
        self._users += 1
        return self

    def __exit__(self, *_: object) -> None:
        """Delete the private reply queue."""
        self._users -= 1
        if not self._users:
            self.close()

    def prepare(self) -> None:
        """Begin to connect, and to create a private reply queue, in the background.

        Requests use the queue as soon as it is there; until then, and without the permission to create one, they share
        the application's reply queue with other clients. For a program that a person waits for: the responses of others
        then cost it no time. The queue is deleted at the end of the `with` block, or by `close`.
        """
        self._private.prepare()

    def close(self) -> None:
        """Delete the private reply queue, if there is one. Later requests create another if they need it."""
        self._private.close()

    def request(self, request: str | Request, *, expensive: bool = False) -> Response:
        """Send a request, and return its response.

        Raises: Rejected, with the worker's reason; ResponseTimeout; RequestCanceled; AwsError.
        """
        _check_type(request, str, Request)
        with closing(self._results([request], expensive=expensive, is_single=True)) as results:
            result = next(results, None) or RequestCanceled()
        if isinstance(result, CourierError):
            raise result
        return result

    def request_many(
        self, requests: Iterable[Sent], *, expensive: bool = False
    ) -> Generator[Response | CourierError, None, None]:
        """Send requests, many at once, and yield the outcome of each, in order.

        An outcome is what `request` returns or raises. Set `expensive` if each request takes a worker about half a
        second or more: then they are sent one by one, so that they are spread over the workers, and the timeout of
        those that wait begins again with each response, so that the last of a batch do not time out in the queue.
        Raises: AwsError.
        """
        yield from self._results(requests, expensive=expensive)

    def _results(
        self, requests: Iterable[Sent], *, expensive: bool, is_single: bool = False
    ) -> Generator[Response | CourierError, None, None]:
        claims: deque[str] = deque()
        self._streams += 1
        with self, ExitStack() as stack:
            stack.callback(self._end, claims)
            outgoing = self._outgoing_stream(requests, claims, expensive=expensive)
            exchange, stream = self._exchange(outgoing, is_single=is_single and not expensive)
            outcomes = stack.enter_context(
                closing(exchange.request_many(stream, timeout_seconds=self._timeout_seconds, is_expensive=expensive))
            )
            for outcome in outcomes:
                result, claim = self._result(outcome), claims.popleft()
                if not _is_dead(result):
                    self._forget(claim)
                yield result

    def _outgoing_stream(self, requests: Iterable[Sent], claims: deque[str], *, expensive: bool) -> Iterator[Outgoing]:
        for request in requests:
            _check_type(request, str, Request, OutgoingRequest, CourierError, type(None))
            outgoing: Outgoing
            if isinstance(request, str | Request):
                whole = Request(body=request) if isinstance(request, str) else request
                outgoing = self._outgoing(whole, expensive=expensive)
            else:
                outgoing = request
            if outgoing is not None:
                claims.append(outgoing.claim if isinstance(outgoing, OutgoingRequest) else "")
            yield outgoing

    def _outgoing(self, request: Request, *, expensive: bool) -> OutgoingRequest | CourierError:
        try:
            claim = self._claim(request) if self.application.bucket else ""
            check_body(claim or request.body)
        except CourierError as error:
            return error
        return OutgoingRequest(
            body=claim or request.body,
            kind=request.kind,
            options=request.options,
            is_expensive=expensive,
            traceparent=request.traceparent,
            claim=claim,
            name=request.name or self._name,
        )

    def _claim(self, request: Request) -> str:
        beside = sum(len(name) + len(value) for name, value in request.options.items()) * 2
        room = self.max_body_bytes(len(request.body) * 4 + beside)
        return self._bodies().claim(request.body, max_body_bytes=room - beside)

    def _bodies(self) -> StoredBodies:
        from courier.messaging.stored_bodies import StoredBodies

        if self._stored is None:
            self._stored = StoredBodies(self.aws(), self.application)
        return self._stored

    def _exchange(self, outgoing: Iterable[Outgoing], *, is_single: bool) -> tuple[Exchange, Iterable[Outgoing]]:
        """Return an exchange with the reply queue that fits a stream, and that stream."""
        if self._streams == 1:
            self._private.renew()
        if private := self._private.exchange(wait_seconds=0.0 if is_single else PREPARED_SECONDS):
            return private, outgoing
        now = time.monotonic()
        if is_single and now < self._shared_until:
            return self.channel().exchange, outgoing
        with ExitStack() as stack:
            exchange, stream = stack.enter_context(exchange_for(self, outgoing))
            if exchange.reply_queue != self.application.replies:
                self._private.keep(exchange, stack.pop_all())
            elif is_single:
                self._shared_until = now + SHARED_SECONDS
            return exchange, stream

    def _result(self, outcome: Outcome) -> Response | CourierError:
        try:
            response = response_of(outcome, worker=self.application.program)
            whole = self._bodies().redeem(response) if response.claim else response
        except MessageTooLong as error:
            is_our_hint = error.hint == SPLIT_HINT and not self.application.bucket
            return MessageTooLong(error.message, hint=_BUCKET_HINT) if is_our_hint else error
        except CourierError as error:
            return error
        return replace(whole, seconds=outcome.seconds)

    def _end(self, claims: deque[str]) -> None:
        self._streams -= 1
        for claim in claims:
            self._forget(claim)

    def _forget(self, claim: str) -> None:
        """Delete the stored body of a request, if it has one."""
        try:
            if claim:
                self._bodies().delete(claim)
        except (AwsError, Canceled) as error:
            log.warning("a body is left in the bucket %s: %s", self.application.bucket, error)


def _is_dead(result: Response | CourierError) -> bool:
    """Whether the request is kept as a dead letter, and its stored body with it."""
    return isinstance(result, Rejected) and result.reason == Reason.DEAD


def _checked_name(name: str | None) -> str | None:
    try:
        return name if name is None else client_name(name)
    except ValueError as error:
        raise WrongUsage(f"{quoted(name or '')} is no client's name: it must be {error}.") from error


def _check_type(request: object, *types: type) -> None:
    if not isinstance(request, types):
        raise TypeError(f"A request must be str or Request, not {type(request).__name__}.")
