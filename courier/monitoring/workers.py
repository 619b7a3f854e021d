"""Ask the workers whether they are there."""

from __future__ import annotations

from collections.abc import Callable

from courier.errors import AwsError, ResponseTimeout
from courier.messaging.application import Application
from courier.messaging.connection import Connection, response_of
from courier.messaging.ping import ping as request_ping
from courier.monitoring.snapshot import WorkerState

#: The longest time to wait for a worker's response, in seconds.
PING_SECONDS = 5.0


def ping(application: Application, *, tell: Callable[[str], None]) -> WorkerState:
    """Return whether a worker of the application responds; `tell` reports what is waited for."""
    connection = Connection(application, credentials_seconds=0, tell=tell, timeout_seconds=PING_SECONDS)
    try:
        channel = connection.channel()
        outcome = request_ping(channel.exchange, channel.requests, timeout_seconds=PING_SECONDS)
        response_of(outcome, worker=application.program)
    except (AwsError, ResponseTimeout) as error:
        return WorkerState(application=application, seconds=None, error=error)
    return WorkerState(application=application, seconds=round(outcome.seconds, 3))
