"""The protocol: encode and decode requests, responses and rejections as messages.

A body is plain text: numbers, an image's name, a line of JSON, or a rejection that begins `?Error. `. Everything else
is in message attributes. A message without attributes is a valid request.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from courier.aws.message import Message
from courier.errors import Reason, Rejected
from courier.messaging.message_attributes import (
    CLAIM,
    DEADLINE,
    DETAILS,
    HINT_LENGTH,
    ID,
    KIND,
    NAME,
    OPTIONS,
    PROTOCOL_VERSION,
    REASON,
    REPLY_TO,
    REQUEST_ID,
    STATUS,
    TRACEPARENT,
    VERSION,
    check_version,
    decode_deadline,
    decode_id,
    decode_name,
    decode_options,
    encode_deadline,
    lenient_deadline,
    lenient_details,
    lenient_hint,
    lenient_name,
    lenient_traceparent,
)
from courier.settings import QUEUE_NAME

#: The beginning of a rejection's body, which clients of the first version expect.
REJECTION_PREFIX = "?Error. "
#: The lifetime of a response to a request without a deadline, in seconds.
DEFAULT_LIFETIME_SECONDS = 300.0

#: The kind of a request that checks whether a worker is running, and the body of its response.
PING = "ping"
PONG = "pong"

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A client's request. In a manually sent message, everything except the body may be missing.

    SQS rejects an empty body, control characters except tab, CR and LF, U+FFFE and U+FFFF. A requester raises Rejected
    for them before it sends anything.

    >>> Request(body="hello", options={"language": "en"}).body
    'hello'
    """

    body: str
    #: A unique ID; if the client sent none, a handler sees SQS's message ID.
    request_id: str = ""
    reply_to: str = ""
    kind: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    #: When the client stops waiting: seconds since the epoch by AWS's clock; None: unknown.
    deadline: float | None = None
    #: The W3C trace context; may be empty.
    traceparent: str = ""
    #: The stored object with the body; empty: the message has the body.
    claim: str = ""
    #: When it was sent: seconds since the epoch by AWS's clock; None: unknown.
    sent_at: float | None = field(default=None, compare=False)
    #: Who sent it, by their own account: a label, no credential. At most 32 letters, digits, `.`, `-` and `_`.
    name: str | None = None
    #: All attributes of the received message, including those of this protocol.
    attributes: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, kw_only=True)
class Response:
    """A request's result: a body, and details as JSON values by name.

    A handler returns it if a string is not enough; the worker fills in the other fields.

    The body must not be empty, which SQS does not accept: the client would get a rejection instead. Characters that SQS
    does not accept are replaced by U+FFFD.

    >>> Response(body="HELLO", details={"letters": 5}).details["letters"]
    5
    """

    body: str
    details: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""
    deadline: float | None = None
    traceparent: str = ""
    claim: str = ""
    #: The time that the client waited for it, in seconds.
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Why a request was rejected: a sentence that ends with the hint, if there is one, and a code for programs."""

    reason: str
    #: What to do about it: the end of `reason`. May be empty.
    hint: str = ""
    code: str = ""
    request_id: str = ""
    deadline: float | None = None
    traceparent: str = ""

    @property
    def error(self) -> Rejected:
        """The error that a client raises."""
        return Rejected(self.reason.removesuffix(self.hint).rstrip(), hint=self.hint, reason=self.code)


Reply = Response | Rejection


def new_request_id() -> str:
    """Return a unique ID (RFC 9562, version 4, without dashes)."""
    return uuid.uuid4().hex


def is_reply_queue(name: str, default: str) -> bool:
    """Whether a worker may write to the queue `name`: `default` itself, or `default`, a dash and more."""
    return name == default or (name.startswith(f"{default}-") and QUEUE_NAME.fullmatch(name) is not None)


def encode_request(request: Request) -> Message:
    """Encode a request; omits attributes that are empty or None, but not the version."""
    options = json.dumps(dict(request.options), ensure_ascii=True) if request.options else ""
    return _message(
        request.body,
        {
            REQUEST_ID: request.request_id,
            REPLY_TO: request.reply_to,
            KIND: request.kind,
            OPTIONS: options,
            DEADLINE: encode_deadline(request.deadline),
            TRACEPARENT: request.traceparent,
            CLAIM: request.claim,
            NAME: request.name or "",
        },
    )


def decode_request(message: Message) -> Request:
    """Decode a request; ignores unknown attributes. Raises: MalformedMessage, naming the attribute."""
    attributes = message.attributes
    check_version(attributes)
    return Request(
        body=message.body,
        request_id=decode_id(attributes),
        reply_to=attributes.get(REPLY_TO, ""),
        kind=attributes.get(KIND, ""),
        options=decode_options(attributes),
        deadline=decode_deadline(attributes),
        traceparent=lenient_traceparent(attributes),
        claim=attributes.get(CLAIM, ""),
        name=decode_name(attributes),
        attributes=attributes,
    )


def check_body(body: str) -> None:
    """Check that SQS accepts `body`. Raises: Rejected."""
    if not body:
        hint = "Send at least one character."
        raise Rejected("The body is empty, which SQS does not accept.", hint=hint, reason=Reason.EMPTY)
    if found := _FORBIDDEN.search(body):
        what = f"Character {found.start() + 1:,} of the body is U+{ord(found[0]):04X}"
        raise Rejected(f"{what}, which SQS does not accept.", hint="Remove it.")


def encode_reply(reply: Reply) -> Message:
    """Encode a reply; replaces characters that SQS forbids by U+FFFD."""
    is_rejection = isinstance(reply, Rejection)
    body = f"{REJECTION_PREFIX}{reply.reason}" if isinstance(reply, Rejection) else reply.body
    details = {} if isinstance(reply, Rejection) else dict(reply.details)
    return _message(
        _FORBIDDEN.sub("\ufffd", body),
        {
            REQUEST_ID: reply.request_id,
            STATUS: "error" if is_rejection else "ok",
            DETAILS: json.dumps(details) if details else "",
            REASON: _FORBIDDEN.sub("\ufffd", reply.code) if isinstance(reply, Rejection) else "",
            HINT_LENGTH: str(len(reply.hint)) if isinstance(reply, Rejection) and reply.hint else "",
            DEADLINE: encode_deadline(reply.deadline),
            TRACEPARENT: reply.traceparent,
            CLAIM: "" if isinstance(reply, Rejection) else reply.claim,
        },
    )


def decode_reply(message: Message) -> Reply:
    """Decode a reply. Never raises: invalid fields are empty or None.

    A message without a status (from a worker of the first version) is a rejection if its body begins like one.
    """
    request_id = message.attributes.get(REQUEST_ID, "")
    deadline = lenient_deadline(message.attributes)
    traceparent = lenient_traceparent(message.attributes)
    status = message.attributes.get(STATUS, "error" if message.body.startswith(REJECTION_PREFIX) else "ok")
    if status == "ok":
        return Response(
            body=message.body,
            details=lenient_details(message.attributes),
            request_id=request_id,
            deadline=deadline,
            traceparent=traceparent,
            claim=message.attributes.get(CLAIM, ""),
        )
    reason = message.body.removeprefix(REJECTION_PREFIX)
    return Rejection(
        reason=reason,
        hint=lenient_hint(message.attributes, reason),
        code=message.attributes.get(REASON, ""),
        request_id=request_id,
        deadline=deadline,
        traceparent=traceparent,
    )


def decode_address(message: Message) -> Request:
    """Return the request's ID, reply queue, deadline and name as far as they are valid, without its body.

    Never raises.
    """
    request_id = message.attributes.get(REQUEST_ID, "")
    return Request(
        body="",
        request_id=request_id if ID.fullmatch(request_id) else "",
        reply_to=message.attributes.get(REPLY_TO, ""),
        deadline=lenient_deadline(message.attributes),
        traceparent=lenient_traceparent(message.attributes),
        name=lenient_name(message.attributes),
    )


def _message(body: str, attributes: Mapping[str, str]) -> Message:
    carried = {name: value for name, value in attributes.items() if value}
    return Message(body=body, attributes={**carried, PROTOCOL_VERSION: VERSION})
