"""Processes are started, restarted and ended together; with real workers that is in tests/acceptance."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from courier.errors import WrongUsage
from courier.messaging import supervisor
from courier.messaging.foreground import Signals
from courier.messaging.supervised import inherited
from courier.messaging.supervisor import Supervisor, this_program
from tests.support.clocks import FakeTime, Ticks
from tests.support.fakes import WAIT_LIMIT_SECONDS, until
from tests.support.place import ROOT

#: Stands in for a worker: it says what it does in a file of the folder that is its argument, and what it is to do is in
#: another file there.
WORKER = f"""
import os, signal, sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from courier.messaging.supervised import inherited
folder = Path(sys.argv[1])
def note(text):
    with (folder / "notes").open("a") as file: file.write(f"{{os.getpid()}} {{text}}\\n")
def stop(*_):
    note("stopped")
    if not (folder / "stubborn").exists(): os._exit(0)
signal.signal(signal.SIGTERM, stop)
given = inherited()
if (folder / "fails").exists(): sys.exit(4)
if (folder / "hesitates").exists(): note("hesitates")
while (folder / "hesitates").exists(): time.sleep(0.01)
note("listens")
given.report_ready()
given.watch(lambda: (note("orphaned"), os._exit(0)))
while not (folder / "is-empty").exists(): time.sleep(0.01)
"""


class Stage:
    """A supervisor of workers that are stand-ins, and what they noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signals = Signals()
        self.ready: list[int] = []

    def make(self, count: int = 2, *, grace_seconds: float = 30, **options: bool) -> Supervisor:
        command = [sys.executable, "-c", WORKER, str(self.folder)]
        return Supervisor(count, grace_seconds=grace_seconds, command=command, **options)

    def run(self, made: Supervisor, *steps: Callable[[], object]) -> bool:
        """Run it, with steps taken in another thread."""
        thread = threading.Thread(target=lambda: [step() for step in steps], daemon=True)
        thread.start()
        found = made.run(self.signals, lambda: self.ready.append(len(self.noted("listens"))))
        thread.join(WAIT_LIMIT_SECONDS)
        return found

    def stop(self, made: Supervisor, *steps: Callable[[], object], give_up: Callable[[], bool] | None = None) -> bool:
        """Stop it, with steps taken in another thread."""
        thread = threading.Thread(target=lambda: [step() for step in steps], daemon=True)
        thread.start()
        found = made.stop(give_up) if give_up else made.stop()
        thread.join(WAIT_LIMIT_SECONDS)
        return found

    def noted(self, text: str) -> list[int]:
        """Return the processes that noted something."""
        notes = self.folder / "notes"
        lines = notes.read_text().splitlines() if notes.exists() else []
        return [int(line.split()[0]) for line in lines if line.split()[1] == text]

    def until_noted(self, text: str, times: int) -> None:
        until(lambda: len(self.noted(text)) >= times, f"{times} notes that it {text}")

    def until_ready(self) -> None:
        until(lambda: self.ready, "ready")

    def tell(self, number: int) -> None:
        self.signals.put(number)

    def say(self, word: str) -> None:
        (self.folder / word).touch()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(supervisor, "FIRST_SECONDS", 0.01)
    return Stage(tmp_path)


@pytest.fixture(autouse=True)
def _not_supervised() -> Iterator[None]:
    inherited.cache_clear()
    yield
    inherited.cache_clear()


def test_all_listen_before_it_says_so_and_a_signal_stops_each_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    made = stage.make(3)

    assert stage.run(made, stage.until_ready, lambda: stage.tell(signal.SIGINT))

    assert (stage.ready, made.exit_status) == ([3], 0)
    assert len(set(stage.noted("listens"))) == 3
    assert sorted(stage.noted("stopped")) == sorted(stage.noted("listens"))
    assert [record.getMessage() for record in caplog.records] == ["stopping: SIGINT", "stopped"]


def test_one_that_is_killed_is_replaced_and_the_other_left_alone(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def kill() -> None:
        os.kill(stage.noted("listens")[0], signal.SIGKILL)
        stage.until_noted("listens", 3)

    assert stage.run(stage.make(), stage.until_ready, kill, lambda: stage.tell(signal.SIGTERM))

    assert sorted(stage.noted("stopped")) == sorted(stage.noted("listens")[1:])
    assert "worker process 1 was ended by SIGKILL; restarting in" in caplog.text
    assert stage.ready == [2]


def test_those_that_have_drained_the_queue_end_it(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    assert stage.run(stage.make(stop_when_empty=True), stage.until_ready, lambda: stage.say("is-empty"))

    assert stage.noted("stopped") == []
    assert "stopping: the queue is empty" in caplog.text


def test_without_that_one_that_ends_by_itself_is_restarted(stage: Stage) -> None:
    def end_one() -> None:
        os.kill(stage.noted("listens")[0], signal.SIGTERM)
        stage.until_noted("listens", 3)

    assert stage.run(stage.make(), stage.until_ready, end_one, lambda: stage.tell(signal.SIGTERM))


@pytest.fixture
def _delay_is_number_of_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.messaging.supervisor.backoff.delay", lambda failures, **_: float(failures))


@pytest.mark.usefixtures("_delay_is_number_of_failures")
def test_one_that_dies_again_and_again_is_restarted_ever_later(stage: Stage) -> None:
    def end(number: int) -> Callable[[], None]:
        def step() -> None:
            before = len(stage.noted("listens"))
            os.kill(stage.noted("listens")[-1], number)
            stage.until_noted("listens", before + 1)

        return step

    made = stage.make(1)
    made._stopping = pauses = Ticks(99)
    steps = (end(signal.SIGKILL), end(signal.SIGKILL), end(signal.SIGTERM), lambda: stage.tell(signal.SIGTERM))

    assert stage.run(made, stage.until_ready, *steps)

    assert pauses.waits == [1, 2, 1]  # the third ended by itself, with status 0


@pytest.mark.usefixtures("_delay_is_number_of_failures")
def test_one_that_has_run_for_long_is_restarted_soon(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_SECONDS", 0.0)
    made = stage.make(1)
    made._stopping = pauses = Ticks(99)

    def kill() -> None:
        for number in (1, 2):
            os.kill(stage.noted("listens")[-1], signal.SIGKILL)
            stage.until_noted("listens", number + 1)

    assert stage.run(made, stage.until_ready, kill, lambda: stage.tell(signal.SIGTERM))

    assert pauses.waits == [1, 1]


def test_what_is_to_be_restarted_is_not_once_it_stops(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("courier.messaging.supervisor.backoff.delay", lambda _failures, **_: 10 * WAIT_LIMIT_SECONDS)
    made = stage.make(1)
    made.start()
    stage.until_noted("listens", 1)
    until(lambda: made._has_listened)
    os.kill(stage.noted("listens")[0], signal.SIGKILL)
    until(lambda: "restarting in" in caplog.text)

    assert made.stop()

    assert len(stage.noted("listens")) == 1


def test_no_thread_of_its_own_keeps_the_program_alive(stage: Stage) -> None:
    before = {*threading.enumerate()}
    with stage.make():
        stage.until_noted("listens", 2)
        own = {thread for thread in {*threading.enumerate()} - before if thread.name.startswith("process-")}

    assert [thread.daemon for thread in own] == [True, True]


def test_if_the_first_cannot_begin_no_other_is_started_and_its_status_is_the_programs(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stage.say("fails")
    made = stage.make()

    stage.run(made)

    assert (made.exit_status, stage.ready, stage.noted("listens")) == (4, [], [])
    assert "stopping: the first worker process ended with status 4 before it listened" in caplog.text


def test_a_first_process_that_ends_well_before_it_listens_is_a_failure_too() -> None:
    made = Supervisor(2, grace_seconds=1, command=[sys.executable, "-ISc", "pass"])

    made.run(Signals())

    assert made.exit_status == 1
    assert made.own_reason == "the first worker process ended with status 0 before it listened"


def test_each_has_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(stage: Stage) -> None:
    with stage.make():
        stage.until_noted("listens", 2)
        sessions = {process: os.getsid(process) for process in stage.noted("listens")}

    assert sessions == {process: process for process in sessions}


def test_one_that_is_killed_before_any_has_listened_is_replaced(stage: Stage) -> None:
    def kill() -> None:
        stage.until_noted("hesitates", 1)
        os.kill(stage.noted("hesitates")[0], signal.SIGKILL)
        (stage.folder / "hesitates").unlink()

    stage.say("hesitates")
    made = stage.make()

    assert stage.run(made, kill, stage.until_ready, lambda: stage.tell(signal.SIGTERM))
    assert (stage.ready, made.exit_status) == ([2], 0)


def test_a_command_that_cannot_be_run_ends_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Supervisor(2, grace_seconds=1, command=[str(tmp_path / "none")])

    made.run(Signals())

    assert made.exit_status == 1
    assert "worker process 1 cannot be started: No such file or directory" in caplog.text


def test_a_second_signal_is_passed_on_and_what_does_not_end_is_killed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "ENDING_SECONDS", 0.2)
    stage.say("stubborn")
    steps = (
        stage.until_ready,
        lambda: stage.tell(signal.SIGTERM),
        lambda: stage.until_noted("stopped", 2),
        lambda: stage.tell(signal.SIGTERM),
    )

    assert not stage.run(stage.make(), *steps)

    assert len(stage.noted("stopped")) == 4


def test_what_never_began_can_be_stopped(stage: Stage) -> None:
    assert stage.make().stop()


def test_it_works_in_the_background_too_and_waits_for_what_ends_slowly(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "CHECK_SECONDS", 0.001)
    stage.say("stubborn")
    made = stage.make()
    made.start()
    stage.until_noted("listens", 2)

    assert stage.stop(made, lambda: stage.until_noted("stopped", 2), lambda: stage.say("is-empty"))

    assert len(stage.noted("stopped")) == 2


def test_a_second_signal_means_that_not_all_was_finished_although_none_was_killed(stage: Stage) -> None:
    stage.say("stubborn")
    made = stage.make()
    made.start()
    stage.until_noted("listens", 2)
    steps = (lambda: stage.until_noted("stopped", 4), lambda: stage.say("is-empty"))

    assert not stage.stop(made, *steps, give_up=lambda: len(stage.noted("stopped")) >= 2)

    assert len(stage.noted("stopped")) == 4


def test_what_outlasts_the_grace_period_is_killed_some_time_after_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeTime()
    monkeypatch.setattr(supervisor, "time", clock)
    monkeypatch.setattr(supervisor, "CHECK_SECONDS", 0.01)
    stage.say("stubborn")
    made = stage.make(grace_seconds=30)
    made.start()
    stage.until_noted("listens", 2)
    killed_at = clock.now + 30 + supervisor.ENDING_SECONDS

    def a_second_passes() -> bool:
        assert clock.now >= killed_at or len(made._running) == 2
        clock.now += 1
        return False

    assert not stage.stop(made, give_up=a_second_passes)

    assert clock.now >= killed_at
    assert len(stage.noted("stopped")) == 2


def test_its_sudden_end_is_noticed(stage: Stage) -> None:
    made = stage.make()

    def orphan() -> None:
        os.close(made._life[1])  # as the system does when a process is killed
        stage.until_noted("orphaned", 2)
        made._life = (made._life[0], os.dup(made._life[0]))
        stage.tell(signal.SIGTERM)

    stage.run(made, stage.until_ready, orphan)


def test_a_session_cannot_be_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python3", "worker.py", "-v"])
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "worker.py", raising=False)
    assert this_program() == [sys.executable, "worker.py", "-v"]

    monkeypatch.delattr(sys.modules["__main__"], "__file__")
    with pytest.raises(WrongUsage, match="not a session or a notebook"):
        this_program()
    monkeypatch.setattr(sys, "orig_argv", ["python3", "-c", "pass"])
    assert this_program() == [sys.executable, "-c", "pass"]
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "worker.py", raising=False)
    monkeypatch.setattr(sys, "orig_argv", ["python3"])
    with pytest.raises(WrongUsage, match="program in a file"):
        this_program()
