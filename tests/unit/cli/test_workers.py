"""The worker programs: what they are made of answers requests, with queues in memory."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from courier import Application, testing
from courier.cli import workers
from courier.cli.daemon import Options
from courier.errors import WrongUsage
from courier.images.application import application as images_application
from courier.monitoring.activity import Activity
from courier.numbers.application import application as numbers_application
from courier.settings import load_settings
from tests.support.signals import kept_signals


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave logging and signals as they were, and watch no terminal."""
    monkeypatch.setenv("COURIER_BUCKET", "bucket")
    root, courier = logging.getLogger(), logging.getLogger("courier")
    before = (list(root.handlers), root.level, courier.level, logging.raiseExceptions)
    with kept_signals():
        yield
    root.handlers[:], logging.raiseExceptions = before[0], before[3]
    root.setLevel(before[1])
    courier.setLevel(before[2])


def in_memory(application: Application) -> Application:
    return replace(application, bucket="bucket")


def test_the_numbers_worker_drains_its_queue_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_settings({})
    with testing.queues(in_memory(numbers_application(settings))) as queues:
        queues.send(settings.request_queue, "1,5,22", "1,x")

        assert workers.numbers(["--stop-when-empty", "--concurrency", "2"]) == 0

        rejection, answer = sorted(queues.bodies(settings.response_queue), key=lambda body: body.startswith("{"))
        assert queues.bodies(settings.request_queue) == []
    log = capsys.readouterr().err
    assert json.loads(answer)["sum"] == 28
    assert "'x'" in rejection
    assert f"numbers worker listens on {settings.request_queue}" in log


def test_the_images_worker_drains_its_queue_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_settings({})
    with testing.queues(in_memory(images_application(settings))) as queues:
        queues.send(settings.image_inbox, "none.png")

        assert workers.images(["--stop-when-empty", "--concurrency", "1"]) == 0

        assert queues.bodies(settings.image_inbox) == []
        assert len(queues.bodies(settings.image_outbox)) == 1
    log = capsys.readouterr().err
    assert f"images worker listens on {settings.image_inbox}" in log
    assert "HEIC images are" in log


@pytest.mark.parametrize("application", ["numbers", "images"])
def test_supervising_needs_none_of_the_libraries_of_work(application: str) -> None:
    code = "import sys, courier.cli.workers; print(*sys.modules)"

    found = subprocess.check_output([sys.executable, "-c", code], text=True).split()

    assert {"boto3", "numpy", "PIL", f"courier.{application}.handler"} & set(found) == set()


def test_an_images_worker_has_no_processes_to_choose(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        workers.images(["--processes", "2"])

    assert raised.value.code == 2
    assert workers.IMAGE_PROCESSES.split(":", maxsplit=1)[0] in " ".join(capsys.readouterr().err.split())


def options(port: int | None) -> Options:
    return Options(concurrency=None, stop_when_empty=True, log_format="text", metrics_port=port)


def metrics(port: int | None, processes: int = 1) -> int:
    """Return how many serve metrics."""
    found = workers._metrics(options(port), Activity("numbers", lambda: 0.0, kind="numbers"), processes=processes)
    for one in found:
        one.start()
        one.stop()
    return len(found)


def test_metrics_are_served_if_an_option_asks_for_them_on_a_port_for_each_process() -> None:
    pytest.importorskip("prometheus_client")

    assert [metrics(None), metrics(0), metrics(0, 4)] == [0, 1, 1]
    with pytest.raises(WrongUsage, match="--metrics-port 9000 is for one process, and there are 4"):
        metrics(9_000, 4)


def test_metrics_name_the_package_that_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "find_spec", lambda _name: None)

    with pytest.raises(WrongUsage) as raised:
        metrics(0)

    assert "pip install 'prometheus-client" in raised.value.hint
