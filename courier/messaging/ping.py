"""Check whether a worker is running, by a request that it answers without work."""

from __future__ import annotations

from contextlib import suppress

from courier.aws.sqs import Mailbox
from courier.errors import AwsError, ResponseTimeout
from courier.messaging.exchange import Exchange
from courier.messaging.message_attributes import REQUEST_ID
from courier.messaging.pending import Outcome

#: How long the ping is looked for in the queue, and how long it is invisible meanwhile, in seconds.
LOOK_SECONDS = 1
VISIBILITY_SECONDS = 5


def ping(exchange: Exchange, requests: Mailbox, *, timeout_seconds: float) -> Outcome:
    """Send a ping and return its outcome; without a response, take it back if possible. Raises: AwsError."""
    outcome = exchange.ping(timeout_seconds=timeout_seconds)
    if isinstance(outcome.result, ResponseTimeout):
        with suppress(AwsError):  # clients may not receive requests
            take_back(requests, outcome.request_id)
    return outcome


def take_back(requests: Mailbox, request_id: str) -> bool:
    """Delete a request that no worker has received, and return whether it is gone; only if no other request waits.

    SQS gives no message by name: where others wait, one of them might be received, which counts towards the limit
    that makes it a dead letter. Raises: AwsError.
    """
    depth = requests.depth()
    if (depth.visible, depth.total) != (1, 1):
        return False
    received = requests.receive(limit=1, wait_seconds=LOOK_SECONDS, visibility_seconds=VISIBILITY_SECONDS)
    mine = [one for one in received if one.message.attributes.get(REQUEST_ID) == request_id]
    # The numbers are approximate, and another request may have just come.
    requests.release([one for one in received if one not in mine])
    return bool(mine) and not requests.acknowledge(mine)
