"""Process one request: decode, check, call the handler, and make the reply."""

from __future__ import annotations

import json
import logging
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
from courier.messaging.outbox import Finished
from courier.messaging.protocol import (
    DEFAULT_PATIENCE_SECONDS,
    PING,
    PONG,
    Rejection,
    Reply,
    Request,
    Response,
    decode_request,
    encode_reply,
    is_reply_queue,
    salvage_address,
)
from courier.messaging.stored_bodies import StoredBodies
from courier.text import printable, quoted

log = logging.getLogger(__name__)


#: What a program does with a request: return the answer's body, or more, or raise Rejected with the reason.
Handler = Callable[[Request], str | Response]

_OURS = "Internal error in the worker. Its log has the details (request ID {})."


class Processor:
    """The rules of handling, for any number of threads."""

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

    def finish(self, delivery: ReceivedMessage) -> Finished:
        """Do one request; a bug of ours, or an exit, becomes a rejection.

        Raises: ServiceError if it may succeed later.
        """
        request = salvage_address(delivery.message)
        try:
            return self._finished(delivery, *self._answer(delivery))
        except CourierError:
            raise
        except BaseException:  # What ends a program ends only its thread here, and would leave the request in flight.
            name = request.request_id or delivery.message_id
            log.exception("request %s failed", name)
            return self._finished(delivery, request, self._refusal(request, _OURS.format(name)), "failed")

    def give_up(self, delivery: ReceivedMessage) -> Finished:
        """Refuse a request whose work takes too long."""
        request = salvage_address(delivery.message)
        limit = self._config.time_limit_seconds
        reply = self._refusal(request, f"Processing took more than {limit:g} s and was stopped.", Reason.TIMEOUT)
        return self._finished(delivery, request, reply, "timeout")

    def _finished(self, delivery: ReceivedMessage, request: Request, reply: Reply, outcome: str) -> Finished:
        reply_queue = "" if outcome == "expired" else self._reply_queue(request)
        # Who sent a request by hand may look into the default response queue at any time.
        is_kept = request.deadline is None and reply_queue == self._application.replies
        return Finished(
            delivery=delivery,
            reply_queue=reply_queue,
            deadline=None if is_kept else reply.deadline,
            message=encode_reply(reply),
            request_id=request.request_id,
            kind=self._application.kind,
            outcome=outcome,
            request=request if self._hooks and outcome != "expired" and request.kind != PING else None,
        )

    def _answer(self, delivery: ReceivedMessage) -> tuple[Request, Reply, str]:
        request = salvage_address(delivery.message)
        try:
            request = decode_request(delivery.message)
            if request.deadline is not None and self._clock.is_past(request.deadline):
                return request, self._refusal(request, "The deadline has passed."), "expired"
            self._check_address(request)
            if delivery.receive_count >= self._config.max_deliveries:
                return request, self._bury(delivery, request), "dead"
            answer = self._response(request, PONG if request.kind == PING else self._work(delivery, request))
        except CourierError as error:
            if isinstance(error, ServiceError) and error.is_transient:
                raise
            code = error.reason if isinstance(error, Rejected) else ""
            return request, self._refusal(request, error.sentence, code), "refused"
        return request, answer, "ok"

    def _work(self, delivery: ReceivedMessage, request: Request) -> str | Response:
        known = replace(request, request_id=request.request_id or delivery.message_id)
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
        room = MAX_BODY_BYTES - ATTRIBUTES_BYTES - len(json.dumps(dict(response.details)))
        claim = self._bodies.claim(response.body, room_bytes=room)
        return replace(
            response,
            body=claim or response.body,
            claim=claim,
            request_id=request.request_id,
            deadline=self._expiry(request),
            traceparent=request.traceparent,
        )

    def _bury(self, delivery: ReceivedMessage, request: Request) -> Rejection:
        """Put aside what was received too often, without trying it: each time, a worker ended over it."""
        reason = f"Moved to the dead-letter queue: {delivery.receive_count} workers received it and none responded."
        self._dead.bury(delivery, reason)
        return self._refusal(request, reason)

    def _check_address(self, request: Request) -> None:
        if request.kind not in ("", PING, self._application.kind):
            raise MalformedMessage(f"This worker processes {self._application.kind}, not {quoted(request.kind)}.")
        if not self._is_ours(request.reply_to):
            log.warning("rejected a request with the reply queue %s", printable(request.reply_to))
            raise MalformedMessage(f"{quoted(request.reply_to)} is not a reply queue of this worker.")

    def _reply_queue(self, request: Request) -> str:
        name = request.reply_to
        return name if name and self._is_ours(name) else self._application.replies

    def _is_ours(self, name: str) -> bool:
        return not name or is_reply_queue(name, self._application.replies)

    def _expiry(self, request: Request) -> float:
        """When the answer is dead: when its asker stops waiting, or some minutes from now if it did not say."""
        return self._clock.now() + DEFAULT_PATIENCE_SECONDS if request.deadline is None else request.deadline

    def _refusal(self, request: Request, reason: str, code: str = "") -> Rejection:
        return Rejection(
            reason=reason,
            code=code,
            request_id=request.request_id,
            deadline=self._expiry(request),
            traceparent=request.traceparent,
        )
