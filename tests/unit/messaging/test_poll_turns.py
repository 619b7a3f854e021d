"""Processes that share a file take turns; record locks are a process's own, so the other one here is a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO

import pytest

from courier.messaging import poll_turns
from courier.messaging.poll_turns import PollTurns
from tests.support.clocks import FakeTime
from tests.support.fakes import WAIT_LIMIT_SECONDS
from tests.support.place import ROOT

#: Takes the turn of the file that is its argument, says so, and keeps it.
HOLDER = """
import sys, threading
from courier.messaging.poll_turns import PollTurns
with PollTurns(int(sys.argv[1])).turn(threading.Event(), 9, is_idle=True):
    print("held", flush=True)
    sys.stdin.read()
"""


class Holder:
    """A process that has the turn."""

    def __init__(self, file: IO[bytes]) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", HOLDER, str(file.fileno())]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, pass_fds=[file.fileno()])
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"held\n"

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def file() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as made:
        yield made


@pytest.fixture
def holder(file: IO[bytes]) -> Iterator[Holder]:
    made = Holder(file)
    yield made
    made.close()


def is_taken(file: IO[bytes]) -> bool:
    """Return whether another process could not take the turn."""
    code = "import fcntl, sys; fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    command = [sys.executable, "-ISc", code, str(file.fileno())]
    return subprocess.run(command, pass_fds=[file.fileno()], stderr=subprocess.DEVNULL, check=False).returncode != 0


def test_an_idle_process_does_not_poll_while_another_does_so_for_all(file: IO[bytes], holder: Holder) -> None:
    assert holder.process.poll() is None
    with PollTurns(file.fileno()).turn(threading.Event(), 2 * poll_turns.CHECK_SECONDS, is_idle=True) as is_to_poll:
        assert not is_to_poll
    with PollTurns(file.fileno()).turn(threading.Event(), 9, is_idle=False) as is_to_poll:
        assert is_to_poll
    holder.close()
    with PollTurns(file.fileno()).turn(threading.Event(), 9, is_idle=True) as is_to_poll:
        assert is_to_poll


def test_an_idle_process_waits_for_its_turn_and_gets_it_when_its_holder_is_killed(
    file: IO[bytes], holder: Holder
) -> None:
    waiting, got = threading.Event(), threading.Event()

    def wait() -> None:
        waiting.set()
        with PollTurns(file.fileno()).turn(threading.Event(), 9, is_idle=True):
            got.set()

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    assert not got.wait(3 * poll_turns.CHECK_SECONDS)
    holder.close()
    thread.join()

    assert got.is_set()


def test_a_busy_process_and_a_single_one_wait_for_nobody(file: IO[bytes], holder: Holder) -> None:
    stopping = threading.Event()
    with PollTurns(file.fileno()).turn(stopping, 9, is_idle=False), PollTurns().turn(stopping, 9, is_idle=True):
        assert holder.process.poll() is None


def test_one_that_stops_waits_no_longer(file: IO[bytes], holder: Holder) -> None:
    stopping = threading.Event()
    stopping.set()
    with PollTurns(file.fileno()).turn(stopping, WAIT_LIMIT_SECONDS, is_idle=True) as is_to_poll:
        assert is_to_poll
        assert holder.process.poll() is None


def test_a_frozen_holder_holds_nobody_up(file: IO[bytes], holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_turns, "FROZEN_SECONDS", 0.05)
    os.kill(holder.process.pid, signal.SIGSTOP)
    with PollTurns(file.fileno()).turn(threading.Event(), 0, is_idle=True):
        assert holder.process.poll() is None


def test_a_turn_lasts_as_long_as_its_poll(file: IO[bytes]) -> None:
    with PollTurns(file.fileno()).turn(threading.Event(), 9, is_idle=True):
        assert is_taken(file)

    assert not is_taken(file)


def test_the_file_has_the_time_at_which_the_turn_was_taken(file: IO[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime(1000.0)
    monkeypatch.setattr(poll_turns, "time", clock)
    for taken_at in (1000.0, 1050.0):
        with PollTurns(file.fileno()).turn(threading.Event(), 9, is_idle=True):
            clock.now += 50
            assert poll_turns._taken_at(file.fileno()) == taken_at
