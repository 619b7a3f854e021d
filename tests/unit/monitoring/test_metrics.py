from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from courier.errors import Rejected, Unreachable, WrongUsage
from courier.messaging.protocol import Request, Response
from courier.messaging.states import State
from courier.monitoring import metrics
from courier.monitoring.activity import Activity
from courier.monitoring.metrics import MetricsServer, health


@pytest.fixture
def activity() -> Activity:
    return Activity("numbers", time.time)


@pytest.fixture
def server(activity: Activity) -> Iterator[MetricsServer]:
    made = MetricsServer(activity, address="127.0.0.1", port=0, memory=lambda: 123)
    made.start()
    yield made
    made.stop()


def fetched(server: MetricsServer, path: str) -> str:
    with urllib.request.urlopen(server.url + path, timeout=10) as response:
        return str(response.read().decode())


def hold(activity: Activity, *states: State) -> None:
    activity.watch(SimpleNamespace(held=lambda: [SimpleNamespace(state=state) for state in states]))  # type: ignore[arg-type]


def test_a_scrape_has_what_was_counted(activity: Activity, server: MetricsServer) -> None:
    asked = Request(body="secret", request_id="r")
    for seconds in (0.03, 0.05, 2000):
        activity.hooks.replied(asked, Response(body="secret", seconds=seconds))
    activity.hooks.on_rejected(asked, Rejected("secret", reason='odd "reason"\n'))
    activity.hooks.retried(asked, Unreachable("Gone."))
    activity.hooks.polled(0)
    hold(activity, State.WORKING, State.WORKING, State.REPLIED)

    text = fetched(server, "/metrics")

    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    name = ("application", "numbers")
    assert found["courier_requests_total", name, ("outcome", "answered"), ("reason", "")] == 3
    assert found["courier_requests_total", name, ("outcome", "rejected"), ("reason", 'odd "reason"\n')] == 1
    assert found["courier_request_seconds_count", name] == 3
    assert found["courier_request_seconds_bucket", name, ("le", "0.063")] == 2
    assert found["courier_request_seconds_sum", name] == pytest.approx(2000.08)
    assert found["courier_in_flight", name, ("state", "working")] == 2
    assert found["courier_retries_total", name] == 1
    assert found["courier_image_memory_bytes",] == 123
    assert found["courier_seconds_since_poll",] < 60
    assert "secret" not in text


def test_health_is_of_the_loop_and_not_of_an_idle_worker(
    activity: Activity, server: MetricsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(urllib.error.HTTPError, match="503"):
        fetched(server, "/healthz")
    activity.hooks.polled(0)
    assert json.loads(fetched(server, "/healthz"))["status"] == "ok"

    monkeypatch.setattr(metrics, "STALE_SECONDS", -1.0)

    assert health(activity)[0] == 503
    hold(activity, State.WORKING)  # it may have no room for another request, and then does not poll
    assert health(activity)[0] == 200


def test_another_path_is_not_found_and_head_has_no_body(server: MetricsServer) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetched(server, "/")
    request = urllib.request.Request(f"{server.url}/metrics", method="HEAD")
    with urllib.request.urlopen(request, timeout=10) as response:
        assert (response.status, response.read()) == (200, b"")


def test_a_port_that_is_taken_is_a_sentence(activity: Activity, server: MetricsServer) -> None:
    port = int(server.url.rpartition(":")[2])

    with pytest.raises(WrongUsage, match=str(port)):
        MetricsServer(activity, address="127.0.0.1", port=port)
