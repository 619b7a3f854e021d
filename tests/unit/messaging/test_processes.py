"""A worker of several processes: what it does in the first, and in each of the others."""

from __future__ import annotations

import os
import signal
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

    def __init__(self, count: int = 2, *, stop_when_empty: bool = False) -> None:
        super().__init__(WorkerConfig(processes=count, stop_when_empty=stop_when_empty))
        self.done: list[str] = []

    @property
    def shares_turns(self) -> bool:
        """Whether it polls in turns with other processes."""
        return self._turns._file is not None

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


def test_an_isolated_handler_has_its_own_processes() -> None:
    with pytest.raises(WrongUsage, match="processes of its own"):
        WorkerConfig(isolate=True, processes=2)


@pytest.fixture
def _supervised(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand in for what a supervisor gives to a process: this one gets three descriptors."""
    descriptors = [*os.pipe(), os.dup(0)]
    given = Supervised(number=1, life=descriptors[0], ready=descriptors[1], turns=descriptors[2])
    monkeypatch.setenv(VARIABLE, given.environment({})[VARIABLE])
    yield
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.mark.usefixtures("_supervised")
def test_processes_poll_in_turns_unless_each_is_to_drain_its_queue() -> None:
    assert Served(2).shares_turns
    assert not Served(2, stop_when_empty=True).shares_turns


@pytest.mark.usefixtures("_supervised")
def test_a_worker_of_one_process_leaves_a_supervisors_gifts_to_another() -> None:
    assert not Served(1).shares_turns
    assert VARIABLE in os.environ
    Served(2).start()


def test_a_process_without_a_supervisor_polls_whenever_it_likes() -> None:
    assert not Served(1).shares_turns
    assert not Served(2).shares_turns


def test_one_process_serves_here_and_what_it_could_not_finish_is_its_result() -> None:
    worker, signals = Served(1), Signals()
    for number in (signal.SIGTERM, signal.SIGTERM):
        signals.put(number)

    assert not worker.run(signals)

    assert worker.done == ["start", "stop"]
