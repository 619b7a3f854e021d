"""What every worker program shares; as programs they are in tests/acceptance."""

from __future__ import annotations

import io
import json
import logging
import logging.handlers
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from courier.aws.session import connect_worker
from courier.cli import daemon
from courier.cli.daemon import Options, parse_options, serve, set_up_log
from courier.messaging.foreground import Runnable
from courier.messaging.worker import Worker
from tests.support.fakes import WAIT_LIMIT_SECONDS, until


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leave logging as it was."""
    root, courier = logging.getLogger(), logging.getLogger("courier")
    before = (list(root.handlers), root.level, courier.level, logging.raiseExceptions)
    yield
    root.handlers[:], logging.raiseExceptions = before[0], before[3]
    root.setLevel(before[1])
    courier.setLevel(before[2])


# Options and terms


def test_without_options_the_settings_decide() -> None:
    assert parse_options([], description="x") == Options(concurrency=None, stop_when_empty=False, log_format="text")


def test_options_are_taken_from_the_command_line() -> None:
    given = ["--concurrency", "64", "--stop-when-empty", "--log-format", "json"]

    assert parse_options(given, description="x") == Options(concurrency=64, stop_when_empty=True, log_format="json")
    assert parse_options(["--concurrency", "1"], description="x").concurrency == 1


def test_the_number_of_processes_and_what_serves_metrics_are_options_too() -> None:
    found = parse_options(["--processes", "64", "--metrics-port", "65535"], description="x")
    smallest = parse_options(["--processes", "1", "--metrics-port", "0", "--metrics-address", "::"], description="x")

    assert (found.processes, found.metrics_port, found.metrics_address) == (64, 65_535, "127.0.0.1")
    assert (smallest.processes, smallest.metrics_port, smallest.metrics_address) == (1, 0, "::")


def test_a_worker_that_takes_no_processes_says_why_and_shows_no_such_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for given in (["--processes", "1"], ["--help"]):
        with pytest.raises(SystemExit):
            parse_options(given, description="x", no_processes="Each image has its own.")

    shown = capsys.readouterr()
    assert "--processes" in shown.err
    assert "Each image has its own." in shown.err
    assert "--processes" not in shown.out
    with pytest.raises(SystemExit):
        parse_options(["--help"], description="x")
    assert "--processes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--concurrency", "0"], "--concurrency"),
        (["--concurrency", "65"], "64"),
        (["--processes", "65"], "64"),
        (["--metrics-port", "65536"], "65,535"),
        (["--log-format", "xml"], "xml"),
        (["now"], "now"),
        (["--none"], "--none"),
    ],
)
def test_a_wrong_option_is_wrong_usage(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse_options(given, description="x")

    assert raised.value.code == 2
    assert said in capsys.readouterr().err


def test_help_says_what_a_worker_is_for_and_what_its_exit_status_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse_options(["--help"], description="Answers numbers.")

    said = capsys.readouterr().out
    assert raised.value.code == 0
    assert "Answers numbers." in said
    assert "--stop-when-empty" in said
    assert "  4  " in said


def test_a_worker_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse_options(["--version"], description="x")

    assert raised.value.code == 0
    assert capsys.readouterr().out.strip()


def test_a_workers_calls_wait_for_new_keys_and_its_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[Any] = []
    monkeypatch.setattr("courier.aws.session.Aws", lambda refresh, _cancellation: made.append(refresh))

    connect_worker()

    (refresh,) = made
    assert refresh.seconds is None
    refresh.tell("The keys are dead.")
    assert "The keys are dead." in caplog.text


# Serving


class FakeWorker(Runnable):
    """A worker that records its calls, and whose end takes as long as a test lets it."""

    def __init__(self, *, finishes: bool = True) -> None:
        self.done: list[str] = []
        self.finished = threading.Event()
        self.is_drained = threading.Event()
        self._finishes = finishes
        self.stopping: Callable[[Callable[[], bool]], None] = lambda _give_up: None

    def start(self) -> None:
        self.done.append("start")

    def wait(self) -> None:
        assert self.is_drained.wait(WAIT_LIMIT_SECONDS)

    def stop(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        self.done.append("stop")
        self.stopping(give_up)
        self.is_drained.set()  # as a worker that stops says so, too
        return self._finishes


class FakeSignals:
    """Hears the signals that a test sends."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.receiver: Callable[[int], None] = lambda _number: None
        self.is_listening = False

    def listen(self) -> None:
        self.is_listening = True


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> FakeSignals:
    made = FakeSignals()
    monkeypatch.setattr(daemon, "SIGNALS", made)
    return made


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    statuses: list[int] = []
    monkeypatch.setattr("courier.cli.daemon.os._exit", statuses.append)
    return statuses


def served(worker: FakeWorker) -> int:
    return serve(cast("Worker", worker), "listens on requestQueue")


def kill_soon(worker: FakeWorker, signals: FakeSignals, number: int) -> None:
    """Send a signal as soon as the worker is at work."""

    def kill() -> None:
        until(lambda: worker.done and signals.is_listening)
        signals.receiver(number)

    threading.Thread(target=kill, daemon=True).start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_the_worker_and_the_log_names_it(
    number: signal.Signals, signals: FakeSignals, left: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    worker = FakeWorker()
    kill_soon(worker, signals, number)

    with caplog.at_level(logging.INFO):
        assert served(worker) == 0

    assert worker.done == ["start", "stop"]
    said = [record.getMessage() for record in caplog.records]
    assert said == ["listens on requestQueue", f"stopping: {number.name}", "stopped"]
    assert left == []


def test_a_signal_that_came_before_it_began_stops_it_too(
    signals: FakeSignals, left: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    signals.number = signal.SIGTERM

    with caplog.at_level(logging.INFO):
        assert served(FakeWorker()) == 0

    assert "stopping: SIGTERM" in caplog.text
    assert left == []


def test_a_file_shows_when_a_worker_listens(tmp_path: Path, left: list[int]) -> None:
    file = tmp_path / "ready"
    given = parse_options(["--ready-file", str(file)], description="x")
    assert file.read_text() == ""  # so that what cannot be written is found at once
    worker = FakeWorker()
    worker.is_drained.set()
    found: list[str] = []
    worker.stopping = lambda _: found.append(file.read_text())

    serve(cast("Worker", worker), "listens on requestQueue", given.ready_file)

    assert (found, left) == (["ready\n"], [])


def test_what_stands_in_that_file_stays(tmp_path: Path, left: list[int]) -> None:
    file = tmp_path / "ready"
    file.write_text("numbers\n")
    worker = FakeWorker()
    worker.is_drained.set()

    serve(cast("Worker", worker), "listens on requestQueue", str(file))

    assert (file.read_text(), left) == ("numbers\nready\n", [])


def test_a_file_that_cannot_be_written_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse_options(["--ready-file", str(tmp_path / "nowhere" / "ready")], description="x")

    assert raised.value.code == 2
    assert "nowhere" in capsys.readouterr().err


def test_a_file_that_can_be_written_no_more_is_reported_and_ends_nothing(
    tmp_path: Path, left: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    worker = FakeWorker()
    worker.is_drained.set()

    assert serve(cast("Worker", worker), "listens on requestQueue", str(tmp_path / "nowhere" / "ready")) == 0

    assert "nowhere" in caplog.text
    assert (worker.done, left) == (["start", "stop"], [])


def test_a_worker_that_has_work_is_not_stopped(signals: FakeSignals, left: list[int]) -> None:
    worker = FakeWorker()
    waited = threading.Event()
    wait = worker.wait

    def note() -> None:
        waited.set()
        wait()

    worker.wait = note  # type: ignore[method-assign]
    found: list[list[str]] = []

    def later() -> None:
        assert waited.wait(WAIT_LIMIT_SECONDS)
        found.append(list(worker.done))
        signals.receiver(signal.SIGTERM)

    threading.Thread(target=later, daemon=True).start()
    served(worker)

    assert (found, left) == ([["start"]], [])


def test_a_worker_that_has_drained_its_queue_ends_of_itself(left: list[int], caplog: pytest.LogCaptureFixture) -> None:
    worker = FakeWorker()
    worker.is_drained.set()

    with caplog.at_level(logging.INFO):
        assert served(worker) == 0

    assert "queue is empty" in caplog.text
    assert (worker.done, left) == (["start", "stop"], [])


def test_what_is_to_follow_its_end_follows_and_its_exit_status_is_the_workers(left: list[int]) -> None:
    worker = FakeWorker()
    worker.is_drained.set()
    worker.exit_status = 3
    done: list[list[str]] = []

    status = serve(cast("Worker", worker), "listens", finish=lambda: done.append(list(worker.done)))

    assert (done, status, left) == ([["start", "stop"]], 3, [])


def test_what_could_not_be_finished_ends_the_process_at_once(left: list[int]) -> None:
    worker = FakeWorker(finishes=False)
    worker.is_drained.set()

    served(worker)

    assert left == [0]


def test_what_was_logged_and_written_is_out_before_the_process_ends(
    left: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw))
    out = io.StringIO()
    memory = logging.handlers.MemoryHandler(1000, flushLevel=logging.CRITICAL, target=logging.StreamHandler(out))
    logging.getLogger().addHandler(memory)
    logging.getLogger().warning("kept")
    print("written", file=sys.stderr)
    worker = FakeWorker(finishes=False)
    worker.is_drained.set()

    served(worker)

    assert left == [0]
    assert "kept" in out.getvalue()
    assert b"written" in raw.getvalue()


def test_no_thread_of_its_own_keeps_the_process_alive(signals: FakeSignals, left: list[int]) -> None:
    worker = FakeWorker()
    before = set(threading.enumerate())
    threads: list[threading.Thread] = []
    worker.stopping = lambda _: threads.extend(set(threading.enumerate()) - before)
    signals.number = signal.SIGTERM

    served(worker)

    assert all(thread.daemon for thread in threads)
    assert left == []


def test_a_second_signal_and_nothing_else_cuts_the_end_short(signals: FakeSignals, left: list[int]) -> None:
    worker = FakeWorker()
    worker.is_drained.set()
    found: list[bool] = []

    def stopping(give_up: Callable[[], bool]) -> None:
        found.append(give_up())
        signals.receiver(signal.SIGTERM)
        until(give_up)
        found.append(True)

    worker.stopping = stopping

    served(worker)

    assert found == [False, True]
    assert left == []


def test_the_workers_own_word_that_it_stops_is_no_second_signal(signals: FakeSignals, left: list[int]) -> None:
    worker = FakeWorker()
    others = {*threading.enumerate()}
    kill_soon(worker, signals, signal.SIGTERM)
    found: list[bool] = []

    def stopping(give_up: Callable[[], bool]) -> None:
        worker.is_drained.set()
        until(lambda: not any(thread.name == "watch" for thread in {*threading.enumerate()} - others))
        found.extend([give_up(), give_up()])

    worker.stopping = stopping

    served(worker)

    assert found == [False, False]
    assert left == []


# The log


def logged(capsys: pytest.CaptureFixture[str], log_format: str, **extra: Any) -> str:
    set_up_log(log_format)
    logging.getLogger("courier.test").info("%s is done", "it", **extra)
    return capsys.readouterr().err


def test_a_line_of_text_has_time_level_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, "text")

    stamp, level, message = line.split(maxsplit=2)
    assert time.strptime(stamp.partition(".")[0], "%Y-%m-%dT%H:%M:%S")
    assert (stamp[-1], level, message) == ("Z", "INFO", "it is done\n")


def test_a_line_of_json_has_them_too_and_more_fields(capsys: pytest.CaptureFixture[str]) -> None:
    line: Mapping[str, Any] = json.loads(logged(capsys, "json", extra={"fields": {"kind": "ä", "milliseconds": 1.5}}))

    assert {name: line[name] for name in line if name != "time"} == {
        "level": "info",
        "message": "it is done",
        "kind": "ä",
        "milliseconds": 1.5,
    }


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_log_of_several_processes_names_each(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    for with_process in (True, False):
        set_up_log(log_format, with_process=with_process)
        logging.getLogger("courier.test").info("it is done")

    named, unnamed = capsys.readouterr().err.splitlines()

    if log_format == "json":
        assert (json.loads(named)["process"], "process" in json.loads(unnamed)) == (os.getpid(), False)
    else:
        assert named.endswith(f"INFO    [{os.getpid()}] it is done")
        assert unnamed.endswith("INFO    it is done")


def test_json_is_plain_ascii_whatever_the_encoding_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(capsys, "json", extra={"fields": {"kind": "ä"}}).isascii()


def test_a_bug_has_its_traceback_in_both(capsys: pytest.CaptureFixture[str]) -> None:
    bug = ZeroDivisionError("ours")
    fields = {"exc_info": (type(bug), bug, None)}

    assert "ZeroDivisionError: ours" in json.loads(logged(capsys, "json", **fields))["traceback"]
    assert "ZeroDivisionError: ours" in logged(capsys, "text", **fields)


def test_the_time_is_utc_to_the_millisecond(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_log("text")
    record = logging.LogRecord("courier", logging.INFO, "", 0, "x", (), None)
    record.created, record.msecs = 1_000_000_000.007, 7.3
    monkeypatch.setenv("TZ", "America/Lima")

    logging.getLogger("courier").handle(record)

    assert capsys.readouterr().err.startswith("2001-09-09T01:46:40.007Z ")


def test_others_are_heard_from_warnings_up(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("text")

    logging.getLogger("botocore").info("much")
    logging.getLogger("botocore").warning("no route")

    said = capsys.readouterr().err
    assert "much" not in said
    assert "no route" in said


def test_a_log_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def write(self, _: str) -> None:
            raise OSError(5, "Input/output error")

        def flush(self) -> None:
            raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", Closed())
        set_up_log("text")
        logging.getLogger("courier").warning("x")

    assert logging.raiseExceptions is False
