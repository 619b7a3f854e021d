"""A worker of several processes: in the first it supervises, in each of the others it serves."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from courier.errors import CourierError, WrongUsage
from courier.messaging import supervisor
from courier.messaging.config import WorkerConfig
from courier.messaging.foreground import Signals
from courier.messaging.processes import InProcesses
from courier.messaging.supervised import VARIABLE, Supervised, inherited


@pytest.fixture(autouse=True)
def _not_supervised() -> Iterator[None]:
    inherited.cache_clear()
    yield
    inherited.cache_clear()


class Served(InProcesses):
    """A worker that only notes what it does."""

    def __init__(self, count: int = 2) -> None:
        super().__init__(WorkerConfig(processes=count))
        self.done: list[str] = []

    def start(self) -> None:
        self.check_is_alone()
        self.done.append("start")

    def wait(self) -> None:
        threading.Event().wait()

    def stop(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        self.done.append("stop")
        return not give_up()


def test_in_a_supervised_process_it_serves_reports_and_stops_when_its_supervisor_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    life, ready, turns = os.pipe(), os.pipe(), os.pipe()
    given = Supervised(number=1, life=life[0], ready=ready[1], turns=turns[0])
    monkeypatch.setenv(VARIABLE, given.environment({})[VARIABLE])
    worker, said = Served(), list[str]()
    assert VARIABLE not in os.environ

    def end() -> None:
        os.read(ready[0], 1)
        os.close(life[1])

    threading.Thread(target=end).start()

    assert worker.run(Signals(), lambda: said.append("ready"))

    assert (worker.done, said) == (["start", "stop"], [])
    assert "the process that supervises this one has ended" in caplog.text
    for descriptor in (life[0], ready[0], *turns):
        os.close(descriptor)


def test_elsewhere_it_supervises_and_what_fails_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "this_program", lambda: [sys.executable, "-c", "raise SystemExit(3)"])

    with pytest.raises(CourierError, match="the first worker process ended with status 3 before it listened"):
        Served().run(Signals())


def test_only_run_serves_in_processes() -> None:
    with pytest.raises(WrongUsage, match=r"Only run\(\)"):
        Served().start()
    alone = Served(1)
    alone.start()
    assert alone.done == ["start"]
