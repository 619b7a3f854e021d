"""A worker's metrics for Prometheus, and its health, over HTTP. The only importer of prometheus_client.

Nothing is counted here: each answer is made of what the activity has counted by then.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from courier.errors import WrongUsage
from courier.messaging.states import State
from courier.monitoring import latency
from courier.monitoring.activity import Activity

log = logging.getLogger(__name__)

#: A worker without a successful poll for so long is stale, unless it works on requests and has no room for others.
STALE_SECONDS = 60.0
#: How long a connection may take, in seconds.
TIMEOUT_SECONDS = 10.0
#: The histogram has every second bucket of the activity.
_EVERY = 2


class ActivityCollector(Collector):
    """Collects what an activity has counted; `memory` returns the bytes that image processes take."""

    def __init__(self, activity: Activity, memory: Callable[[], int] | None = None) -> None:
        self._activity = activity
        self._memory = memory

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        activity, total = self._activity, self._activity.total()
        name = activity.application
        requests = CounterMetricFamily(
            "courier_requests", "Finished requests.", labels=("application", "outcome", "reason")
        )
        requests.add_metric((name, "answered", ""), total.answered)
        for reason, count in sorted(total.rejected.items()):
            requests.add_metric((name, "rejected", reason), count)
        yield requests
        seconds = HistogramMetricFamily(
            "courier_request_seconds", "From a request's sending to its reply.", labels=("application",)
        )
        bounds = latency.cumulative(total.times)
        chosen = [*bounds[:-2:_EVERY], bounds[-2], (float("inf"), bounds[-1][1])]
        seconds.add_metric((name,), [(_bound(bound), count) for bound, count in chosen], total.seconds)
        yield seconds
        held = GaugeMetricFamily("courier_in_flight", "Messages in flight.", labels=("application", "state"))
        states = Counter(one.state for one in activity.held())
        for state in State:
            held.add_metric((name, state.value), states[state])
        yield held
        retries = CounterMetricFamily("courier_retries", "Attempts after a transient error.", labels=("application",))
        retries.add_metric((name,), activity.retries)
        yield retries
        yield from self._ages()

    def _ages(self) -> Iterator[Metric]:
        since = self._activity.seconds_since_poll()
        if since is not None:
            text = "Seconds since the last successful poll of the queue."
            yield GaugeMetricFamily("courier_seconds_since_poll", text, value=since)
        if self._memory:
            text = "Resident memory of the image processes that work."
            yield GaugeMetricFamily("courier_image_memory_bytes", text, value=self._memory())


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else f"{bound:.10g}"


def health(activity: Activity) -> tuple[HTTPStatus, dict[str, object]]:
    """Return whether a worker is well, with facts: it polls, or it works and may have no room for other requests."""
    since = activity.seconds_since_poll()
    states = Counter(one.state for one in activity.held())
    is_busy = bool(states[State.WORKING] + states[State.PAUSED])
    status = "starting" if since is None else "ok" if since <= STALE_SECONDS or is_busy else "stale"
    facts: dict[str, object] = {
        "status": status,
        "application": activity.application,
        "seconds_since_poll": None if since is None else round(since, 1),
        "in_flight": sum(states.values()),
    }
    return HTTPStatus.OK if status == "ok" else HTTPStatus.SERVICE_UNAVAILABLE, facts


class MetricsServer:
    """Serves /metrics and /healthz. Raises: WrongUsage if the port cannot be used."""

    def __init__(self, activity: Activity, *, address: str, port: int, memory: Callable[[], int] | None = None) -> None:
        registry = CollectorRegistry()
        registry.register(ActivityCollector(activity, memory))
        ProcessCollector(registry=registry)
        handler = partial(_Handler, registry, activity)
        try:
            self._server = ThreadingHTTPServer((address, port), handler)
        except OSError as error:
            message = f"Port {port} of {address} cannot be used for metrics: {error.strerror}."
            raise WrongUsage(message, hint="Choose another with --metrics-port; 0 takes a free one.") from error

    @property
    def url(self) -> str:
        """The address that it serves."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Begin to serve."""
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()
        log.info("metrics are served at %s/metrics, health at %s/healthz", self.url, self.url)

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; knows two paths."""

    timeout = TIMEOUT_SECONDS
    server_version = "courier"
    sys_version = ""

    def __init__(self, registry: CollectorRegistry, activity: Activity, *given: Any) -> None:  # noqa: ANN401  socketserver's
        self._registry = registry
        self._activity = activity
        super().__init__(*given)

    def do_GET(self) -> None:
        """Answer a request."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry))
        elif path == "/healthz":
            status, facts = health(self._activity)
            self._answer(status, "application/json", json.dumps(facts).encode() + b"\n")
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There are /metrics and /healthz.\n")

    do_HEAD = do_GET  # noqa: N815  the same

    def log_message(self, *_: object) -> None:
        """Log nothing: a scrape is no event."""

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
