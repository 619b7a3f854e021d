"""Hooks: what a user of the library is told of each request, for metrics and traces."""

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
    """Functions that a worker calls. Calls come from several threads; one that raises is logged, no more.

    >>> Hooks(on_replied=lambda request, response: print(request.request_id, response.seconds)).on_retry(None, None)
    """

    #: The work on a request begins, in this thread; again after a retry.
    on_received: Callable[[Request], object] = _nothing
    #: Its response was accepted by the reply queue. `response.seconds` is the time since the request was received.
    on_replied: Callable[[Request, Response], object] = _nothing
    #: Its rejection was accepted by the reply queue.
    on_rejected: Callable[[Request, Rejected], object] = _nothing
    #: Its work met a transient error, and is tried again.
    on_retry: Callable[[Request, CourierError], object] = _nothing

    def received(self, request: Request) -> None:
        """Tell of a request."""
        _call(self.on_received, request)

    def retried(self, request: Request, error: CourierError) -> None:
        """Tell of a transient error."""
        _call(self.on_retry, request, error)

    def settled(self, request: Request, reply: Reply) -> None:
        """Tell of a reply that was sent."""
        if isinstance(reply, Response):
            _call(self.on_replied, request, reply)
        else:
            _call(self.on_rejected, request, Rejected(reply.reason, reason=reply.code))


def _call(hook: Callable[..., object], *what: object) -> None:
    try:
        hook(*what)
    except Exception:
        log.exception("a hook failed; the request goes on")
