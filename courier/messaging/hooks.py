"""Hooks: callbacks of a worker for each request, for metrics and traces."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from courier.errors import CourierError, Rejected
from courier.messaging.protocol import Reply, Request, Response

log = logging.getLogger(__name__)


def _nothing(*_what: object) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """Functions that a worker calls, from several threads. An exception in one is logged and ignored.

    >>> Hooks(on_replied=lambda request, response: print(request.request_id, response.seconds)).on_retry(None, None)
    """

    #: The work on a request begins, in this thread; also before each retry.
    on_received: Callable[[Request], object] = _nothing
    #: The reply queue accepted its response. `response.seconds` is the time since the request was received.
    on_replied: Callable[[Request, Response], object] = _nothing
    #: The reply queue accepted its rejection.
    on_rejected: Callable[[Request, Rejected], object] = _nothing
    #: Its work had a transient error, and is retried.
    on_retry: Callable[[Request, CourierError], object] = _nothing
    #: A poll of the request queue succeeded, and received this many messages; 0 also for an idle process of several
    #: while another one polls for all.
    on_polled: Callable[[int], object] = _nothing

    def received(self, request: Request) -> None:
        """Call the hook for a received request."""
        _call(self.on_received, request)

    def retried(self, request: Request, error: CourierError) -> None:
        """Call the hook for a transient error."""
        _call(self.on_retry, request, error)

    def polled(self, count: int) -> None:
        """Call the hook for a poll that succeeded."""
        _call(self.on_polled, count)

    def replied(self, request: Request, reply: Reply) -> None:
        """Call the hook for a reply that was sent."""
        if isinstance(reply, Response):
            _call(self.on_replied, request, reply)
        else:
            _call(self.on_rejected, request, reply.error)


def _call(hook: Callable[..., object], *what: object) -> None:
    try:
        hook(*what)
    except BaseException:  # also SystemExit: it would end the thread that sends responses
        log.exception("a hook failed; the request continues")
