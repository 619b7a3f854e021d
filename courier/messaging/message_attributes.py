"""The message attributes of the protocol: their names, and how their values are encoded and decoded.

A decoder named `lenient_…` returns an empty value, or None, for what is invalid; the others raise MalformedMessage.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from courier.errors import MalformedMessage
from courier.settings import client_name
from courier.text import quoted

#: The version of this protocol; messages with another version are rejected.
VERSION = "1"

REQUEST_ID = "request-id"
REPLY_TO = "reply-to"
KIND = "kind"
OPTIONS = "options"
DEADLINE = "deadline"
STATUS = "status"
DETAILS = "details"
REASON = "reason"
#: How many characters at the end of a rejection's body are its hint.
HINT_LENGTH = "hint-length"
PROTOCOL_VERSION = "version"
#: The trace context of a request, which its reply repeats.
#: https://www.w3.org/TR/trace-context/#traceparent-header
TRACEPARENT = "traceparent"
#: The name of the stored object with the body, if that is too large for a message.
CLAIM = "claim"
#: The name of the client, a label.
NAME = "Name"

#: What a request ID may be.
ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def check_version(attributes: Mapping[str, str]) -> None:
    """Check that the message has a version that this code supports. Raises: MalformedMessage."""
    version = attributes.get(PROTOCOL_VERSION, VERSION)
    if version != VERSION:
        raise MalformedMessage(f"The message has protocol version {quoted(version)}; this worker supports {VERSION}.")


def decode_id(attributes: Mapping[str, str]) -> str:
    """Return the request ID; empty: there is none. Raises: MalformedMessage."""
    request_id = attributes.get(REQUEST_ID)
    if request_id is None:
        return ""
    if not ID.fullmatch(request_id):
        raise MalformedMessage(
            f"The attribute {REQUEST_ID} is {quoted(request_id)}: it must be 1 to 128 letters, digits, or . _ : -"
        )
    return request_id


def decode_options(attributes: Mapping[str, str]) -> Mapping[str, str]:
    """Return the options by name. Raises: MalformedMessage."""
    text = attributes.get(OPTIONS)
    if text is None:
        return {}
    try:
        options = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"The attribute {OPTIONS} is {quoted(text)}: it must be a JSON object.") from error
    if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
        raise MalformedMessage(f"The attribute {OPTIONS} is {quoted(text)}: it must be a JSON object of strings.")
    return options


def decode_name(attributes: Mapping[str, str]) -> str | None:
    """Return the client's name; None: there is none. Raises: MalformedMessage."""
    text = attributes.get(NAME)
    try:
        return None if text is None else client_name(text)
    except ValueError as error:
        raise MalformedMessage(f"The attribute {NAME} is {quoted(text or '')}: it must be {error}.") from error


def lenient_name(attributes: Mapping[str, str]) -> str | None:
    """Return the client's name."""
    try:
        return decode_name(attributes)
    except MalformedMessage:
        return None


def encode_deadline(deadline: float | None) -> str:
    """Encode seconds since the epoch; None becomes an empty string."""
    return "" if deadline is None else f"{deadline:.3f}"


def decode_deadline(attributes: Mapping[str, str]) -> float | None:
    """Return the deadline in seconds since the epoch; None: there is none. Raises: MalformedMessage."""
    text = attributes.get(DEADLINE)
    deadline = lenient_deadline(attributes)
    if text is not None and deadline is None:
        raise MalformedMessage(f"The attribute {DEADLINE} is {quoted(text)}: it must be seconds since 1970.")
    return deadline


def lenient_details(attributes: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the details by name."""
    try:
        found = json.loads(attributes.get(DETAILS, "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def lenient_hint(attributes: Mapping[str, str], reason: str) -> str:
    """Return the end of `reason` that is the hint."""
    length = attributes.get(HINT_LENGTH, "")
    is_length = (
        length.isascii()
        and length.isdecimal()
        and len(length) <= len(str(len(reason)))
        and 0 < int(length) < len(reason)
    )
    return reason[-int(length) :] if is_length else ""


def lenient_deadline(attributes: Mapping[str, str]) -> float | None:
    """Return the deadline in seconds since the epoch."""
    try:
        deadline = float(attributes.get(DEADLINE, "nan"))
    except ValueError:
        return None
    return deadline if math.isfinite(deadline) else None


def lenient_traceparent(attributes: Mapping[str, str]) -> str:
    """Return the trace context; empty if it is invalid, as the W3C requires."""
    found = attributes.get(TRACEPARENT, "")
    return found if _TRACEPARENT.fullmatch(found) else ""
