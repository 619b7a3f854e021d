"""What the log calls a request."""

from __future__ import annotations

from courier.aws.sqs import ReceivedMessage
from courier.messaging.protocol import decode_address


def name_of(received: ReceivedMessage) -> str:
    """Return a request's ID, or SQS's message ID if its client sent none."""
    return decode_address(received.message).request_id or received.message_id
