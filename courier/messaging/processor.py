"""Process one request: decode, check, call the handler, and make the reply."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from courier.aws.session import Aws
from courier.aws.sqs import MAX_BODY_BYTES, Mailbox, ReceivedMessage
from courier.errors import CourierError, MalformedMessage, Reason, Rejected, ServiceError
from courier.messaging.application import Application
from courier.messaging.config import WorkerConfig
from courier.messaging.connection import ATTRIBUTES_BYTES
from courier.messaging.dead_letters import DeadLetters
from courier.messaging.hooks import Hooks
from courier.messaging.log_names import name_of
from courier.messaging.outbox import Finished
from courier.messaging.protocol import (
    DEFAULT_LIFETIME_SECONDS,
    PING,
    PONG,
    Rejection,
    Reply,
    Request,
    Response,
    decode_address,
    decode_request,
    encode_reply,
    is_reply_queue,
)
from courier.messaging.stored_bodies import StoredBodies
from courier.text import printable, quoted

log = logging.getLogger(__name__)


#: Processes a request: returns the response, or only its body; raises Rejected with the reason.
Handler = Callable[[Request], str | Response]
#: The longest reason and code of a rejection, in characters: they must fit a message.
MAX_REASON, MAX_CODE = 20_000, 200
#: How long before its deadline a request is no longer retried, in seconds: its rejection needs some time, and the clock
#: is exact to a second.
REPLY_SECONDS = 1.0

_INTERNAL_ERROR = "Internal error in the worker. Its log has the details (request ID {})."


class Processor:
    """Processes requests by an application's handler. Thread-safe."""

    def __init__(
        self, aws: Aws, handler: Handler, application: Application, config: WorkerConfig, hooks: Hooks | None = None
    ) -> None:
        self._handler = handler
        self._application = application
        self._config = config
        self._clock = aws.clock
        self._dead = DeadLetters(Mailbox(aws, application.requests), Mailbox(aws, application.dead_letters))
        self._bodies = StoredBodies(aws, application)
        self._hooks = hooks

    def finish(self, received: ReceivedMessage) -> Finished:
        """Process a request; an unexpected exception, or an exit, becomes a rejection.

        Raises: ServiceError, if transient.
        """
        try:
            return self._finished(received, *self._reply(received))
        except CourierError:
            raise
        except BaseException:  # SystemExit would end only this thread, and leave the request in flight.
            request = decode_address(received.message)
            name = name_of(received)
            log.exception("request %s failed", name)
            return self._finished(
                received, request, self._rejection(request, _INTERNAL_ERROR.format(name), Reason.FAILED), "failed"
            )

    def seconds_to_retry(self, received: ReceivedMessage) -> float:
        """Return how long a request may still be retried.

        It is until shortly before its deadline, so that its client gets the reason; without one, for some minutes.
        """
        deadline = decode_address(received.message).deadline
        if deadline is None:
            return received.received_at + DEFAULT_LIFETIME_SECONDS - time.monotonic()
        return deadline - REPLY_SECONDS - self._clock.now()

    def give_up_retrying(self, received: ReceivedMessage, error: ServiceError) -> Finished:
        """Reject a request whose handler had a transient error to the last, and move it to the dead-letter queue.

        Raises: AwsError, if transient.
        """
        request = decode_address(received.message)
        reason = f"Retried in vain, and moved to the dead-letter queue: {error.sentence}"
        self._dead.move(received, reason)
        return self._finished(received, request, self._rejection(request, reason, Reason.DEAD), "dead")

    def give_up(self, received: ReceivedMessage) -> Finished:
        """Reject a request whose work takes too long."""
        request = decode_address(received.message)
        limit = self._config.time_limit_seconds
        reply = self._rejection(request, f"Processing took more than {limit:g} s.", Reason.TIMEOUT)
        return self._finished(received, request, reply, "timeout")

    def _finished(self, received: ReceivedMessage, request: Request, reply: Reply, outcome: str) -> Finished:
        reply_queue = "" if outcome == "expired" else self._reply_queue(request)
        # A response to a manually sent request stays in the default response queue.
        is_kept = request.deadline is None and reply_queue == self._application.replies
        return Finished(
            received=received,
            reply_queue=reply_queue,
            deadline=None if is_kept else reply.deadline,
            message=encode_reply(reply),
            request_id=request.request_id,
            kind=self._application.kind,
            outcome=outcome,
            client=request.name,
            request=replace(request, sent_at=received.sent_at)
            if self._hooks and outcome != "expired" and request.kind != PING
            else None,
        )

    def _reply(self, received: ReceivedMessage) -> tuple[Request, Reply, str]:
        try:
            request = decode_request(received.message)
        except MalformedMessage as error:
            request = decode_address(received.message)
            return request, self._rejection(request, error.sentence, hint=error.hint), "rejected"
        try:
            if request.deadline is not None and self._clock.is_past(request.deadline):
                return request, self._rejection(request, "The deadline has passed."), "expired"
            self._check_address(request)
            if received.receive_count >= self._config.max_deliveries:
                return request, self._move_to_dead_letters(received, request), "dead"
            response = self._response(request, PONG if request.kind == PING else self._work(received, request))
        except CourierError as error:
            if isinstance(error, ServiceError) and error.is_transient:
                raise
            code = error.reason if isinstance(error, Rejected) else ""
            return request, self._rejection(request, error.sentence, code, hint=error.hint), "rejected"
        return request, response, "ok"

    def _work(self, received: ReceivedMessage, request: Request) -> str | Response:
        known = replace(request, request_id=request.request_id or received.message_id, sent_at=received.sent_at)
        if self._hooks:
            self._hooks.received(known)
        try:
            return self._handler(self._bodies.redeemed(known))
        except ServiceError as error:
            if self._hooks and error.is_transient:
                self._hooks.retried(known, error)
            raise

    def _response(self, request: Request, made: str | Response) -> Response:
        if not isinstance(made, str | Response):
            raise TypeError(f"The handler returned {type(made).__name__}: it must return str or Response.")
        response = Response(body=made) if isinstance(made, str) else made
        if not response.body:
            message = "The worker's response is empty, which SQS does not accept."
            raise Rejected(message, hint="Its handler must return at least one character.", reason=Reason.FAILED)
        room = MAX_BODY_BYTES - ATTRIBUTES_BYTES - len(json.dumps(dict(response.details)))
        if room <= 0:
            raise Rejected("The response has too many details for a message.", hint="Put them into its body.")
        claim = self._bodies.claim(response.body, max_body_bytes=room)
        return replace(
            response,
            body=claim or response.body,
            claim=claim,
            request_id=request.request_id,
            deadline=self._expiry(request),
            traceparent=request.traceparent,
        )

    def _move_to_dead_letters(self, received: ReceivedMessage, request: Request) -> Rejection:
        """Move a request that was received too often to the dead-letter queue, without trying it again."""
        reason = f"Moved to the dead-letter queue: {received.receive_count} workers received it and none responded."
        self._dead.move(received, reason)
        return self._rejection(request, reason, Reason.DEAD)

    def _check_address(self, request: Request) -> None:
        if request.kind not in ("", PING, self._application.kind):
            raise MalformedMessage(f"This worker processes {self._application.kind}, not {quoted(request.kind)}.")
        if not self._is_reply_queue(request.reply_to):
            log.warning("rejected a request with the reply queue %s", printable(request.reply_to))
            raise MalformedMessage(f"{quoted(request.reply_to)} is not a reply queue of this worker.")

    def _reply_queue(self, request: Request) -> str:
        name = request.reply_to
        return name if name and self._is_reply_queue(name) else self._application.replies

    def _is_reply_queue(self, name: str) -> bool:
        return not name or is_reply_queue(name, self._application.replies)

    def _expiry(self, request: Request) -> float:
        """Return when the response expires: at the request's deadline, or some minutes from now without one."""
        return self._clock.now() + DEFAULT_LIFETIME_SECONDS if request.deadline is None else request.deadline

    def _rejection(self, request: Request, reason: str, code: str = "", *, hint: str = "") -> Rejection:
        is_whole = len(reason) <= MAX_REASON
        return Rejection(
            reason=reason if is_whole else reason[:MAX_REASON] + "…",
            hint=hint if is_whole else "",
            code=str(code)[:MAX_CODE],
            request_id=request.request_id,
            deadline=self._expiry(request),
            traceparent=request.traceparent,
        )
