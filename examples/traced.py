"""Trace and measure requests with OpenTelemetry: `traced.py WORDS` prints the spans of client and worker.

Needs opentelemetry-sdk. The client puts its span into the request's `traceparent`; the worker's span begins there,
and one trace shows both. Hooks count replies and retries without touching the handler.
"""

import sys
from collections.abc import Callable

from opentelemetry import metrics, propagate, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

import courier

UPPER = courier.Application("upper", requests="upperRequests", replies="upperReplies")
Handler = Callable[[courier.Request], str]


def traced(name: str, handler: Handler) -> Handler:
    """Return a handler whose work is a span of the request's trace."""

    def work(request: courier.Request) -> str:
        context = propagate.extract({"traceparent": request.traceparent})
        with trace.get_tracer("example").start_as_current_span(name, context, kind=trace.SpanKind.SERVER):
            return handler(request)

    return work


def measured() -> courier.Hooks:
    """Return hooks that measure how long requests take, and count retries."""
    meter = metrics.get_meter("example")
    seconds = meter.create_histogram("courier.request.duration", unit="s")
    retries = meter.create_counter("courier.request.retries")
    return courier.Hooks(
        on_replied=lambda _request, response: seconds.record(response.seconds, {"outcome": "replied"}),
        on_rejected=lambda _request, error: seconds.record(0, {"outcome": error.reason or "rejected"}),
        on_retry=lambda _request, error: retries.add(1, {"error": type(error).__name__}),
    )


def ask(requester: courier.Requester, text: str) -> str:
    """Return the response to a request that carries this span's context."""
    with trace.get_tracer("example").start_as_current_span("ask", kind=trace.SpanKind.CLIENT):
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        return requester.request(courier.Request(body=text, traceparent=carrier["traceparent"])).body


def main(text: str) -> None:
    """Send one request, and print what was traced and measured on the way."""
    spans = TracerProvider()
    spans.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
    trace.set_tracer_provider(spans)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(ConsoleMetricExporter())]))
    courier.create_queues(UPPER)
    upper = traced("upper", lambda request: request.body.upper())
    with courier.Worker(upper, UPPER, hooks=measured()), courier.Requester(UPPER) as requester:
        print(ask(requester, text))


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "hello")
