"""Process one request: decode, check, call the handler, and make the reply."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from courier.aws.message import Message
from courier.aws.session import Clock
from courier.aws.sqs import ReceivedMessage
from courier.errors import CourierError, MalformedMessage, Reason, Rejected, ServiceError
from courier.messaging.dead_letters import DeadLetters
from courier.messaging.outbox import Finished
from courier.messaging.protocol import (
    DEFAULT_PATIENCE_SECONDS,
    PING,
    PONG,
    Answer,
    Rejection,
    Reply,
    Request,
    decode_request,
    encode_reply,
    is_reply_queue,
    salvage_address,
)
from courier.text import printable, quoted

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Response:
    """What a program answers: a body, and what is told about it."""

    body: str
    details: Mapping[str, Any]


#: What a program does with a request: return the answer's body, or more, or raise Rejected with the reason.
Handler = Callable[[Request], str | Response]

_OURS = "Internal error in the worker. Its log has the details (request ID {})."


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """How a worker works. Times in seconds; see `courier.settings` for what each means."""

    kind: str
    inbox: str
    default_reply: str
    concurrency: int
    #: How many messages may be in flight at once, those being worked on included.
    capacity: int
    poll_seconds: int
    visibility_seconds: int
    grace_seconds: float
    #: A request that is received so often is given up without being tried again.
    max_deliveries: int
    #: Work that takes longer is given up.
    time_limit_seconds: float
    stop_when_empty: bool = False
    #: The Auto Scaling group and the instance that is not to be ended while there is work; empty: none.
    scaling_group: str = ""
    instance_id: str = ""
    #: Whether a message takes a good part of a second or more: few of these are in flight at once.
    is_expensive: Callable[[Message], bool] = lambda _message: False


class Processor:
    """The rules of handling, for any number of threads."""

    def __init__(self, handler: Handler, config: WorkerConfig, clock: Clock, dead: DeadLetters) -> None:
        self._handler = handler
        self._config = config
        self._clock = clock
        self._dead = dead

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
        is_kept = request.deadline is None and reply_queue == self._config.default_reply
        return Finished(
            delivery=delivery,
            reply_queue=reply_queue,
            deadline=None if is_kept else reply.deadline,
            message=encode_reply(reply),
            request_id=request.request_id,
            kind=self._config.kind,
            outcome=outcome,
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
            made = PONG if request.kind == PING else self._handler(request)
            made = Response(body=made, details={}) if isinstance(made, str) else made
            answer = Answer(
                body=made.body, details=made.details, request_id=request.request_id, deadline=self._expiry(request)
            )
        except CourierError as error:
            if isinstance(error, ServiceError) and error.is_transient:
                raise
            code = error.reason if isinstance(error, Rejected) else ""
            return request, self._refusal(request, error.sentence, code), "refused"
        return request, answer, "ok"

    def _bury(self, delivery: ReceivedMessage, request: Request) -> Rejection:
        """Put aside what was received too often, without trying it: each time, a worker ended over it."""
        reason = f"Moved to the dead-letter queue: {delivery.receive_count} workers received it and none responded."
        self._dead.bury(delivery, reason)
        return self._refusal(request, reason)

    def _check_address(self, request: Request) -> None:
        if request.kind not in ("", PING, self._config.kind):
            raise MalformedMessage(f"This worker processes {self._config.kind}, not {quoted(request.kind)}.")
        if not self._is_ours(request.reply_to):
            log.warning("rejected a request with the reply queue %s", printable(request.reply_to))
            raise MalformedMessage(f"{quoted(request.reply_to)} is not a reply queue of this worker.")

    def _reply_queue(self, request: Request) -> str:
        name = request.reply_to
        return name if name and self._is_ours(name) else self._config.default_reply

    def _is_ours(self, name: str) -> bool:
        return not name or is_reply_queue(name, self._config.default_reply)

    def _expiry(self, request: Request) -> float:
        """When the answer is dead: when its asker stops waiting, or some minutes from now if it did not say."""
        return self._clock.now() + DEFAULT_PATIENCE_SECONDS if request.deadline is None else request.deadline

    def _refusal(self, request: Request, reason: str, code: str = "") -> Rejection:
        return Rejection(reason=reason, code=code, request_id=request.request_id, deadline=self._expiry(request))
