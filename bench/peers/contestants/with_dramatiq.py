"""dramatiq with dramatiq-sqs: the middleware of its documentation, one process of eight threads, full prefetch."""

from __future__ import annotations

from collections.abc import Callable

import dramatiq  # type: ignore[import-not-found,unused-ignore]
from dramatiq.middleware import (  # type: ignore[import-not-found,unused-ignore]
    AgeLimit,
    Callbacks,
    Pipelines,
    Retries,
    ShutdownNotifications,
    TimeLimit,
)
from dramatiq_sqs import SQSBroker  # type: ignore[import-not-found,unused-ignore]

from bench.peers.contestants import work

broker = SQSBroker(
    middleware=[AgeLimit(), TimeLimit(), ShutdownNotifications(), Callbacks(), Pipelines(), Retries()],
    visibility_timeout=work.VISIBILITY_SECONDS,
)
dramatiq.set_broker(broker)


def answer(request_id: str, numbers: str) -> None:
    """Do the work of one request."""
    work.respond(request_id, work.answer(numbers))


actor = dramatiq.actor(answer, queue_name=work.REQUESTS)


def sender() -> Callable[[str, str], None]:
    """Return what sends one request."""
    send: Callable[[str, str], None] = actor.send
    return send


def serve() -> None:
    """Serve until a signal."""
    from dramatiq import cli  # type: ignore[import-not-found,unused-ignore]

    cli.main(cli.make_argument_parser().parse_args([__name__, "--processes", "1", "--threads", "8"]))
