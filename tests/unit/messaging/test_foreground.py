"""A worker in the foreground: what ends it, and what it says of that. With real signals to a program: tests/faults."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable

import pytest

from courier.messaging.foreground import STOP_SIGNALS, Runnable, Signals
from tests.support.fakes import WAIT_LIMIT_SECONDS


class Served(Runnable):
    """What is run: it ends by itself once `ended` is set, and stops as a test says."""

    def __init__(self, stopping: Callable[[Callable[[], bool]], bool] = lambda _give_up: True) -> None:
        self.done: list[str] = []
        self.ended = threading.Event()
        self._stopping = stopping

    def start(self) -> None:
        self.done.append("start")

    def wait(self) -> None:
        assert self.ended.wait(WAIT_LIMIT_SECONDS)

    def stop(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        self.done.append(f"stop {self.is_stopping}")
        try:
            return self._stopping(give_up)
        finally:
            self.ended.set()


@pytest.fixture(autouse=True)
def _all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def sent(*numbers: int) -> Signals:
    signals = Signals()
    for number in numbers:
        signals.put(number)
    return signals


def test_it_starts_says_that_it_is_ready_and_stops_at_a_signal(caplog: pytest.LogCaptureFixture) -> None:
    one = Served()

    assert one.run(sent(signal.SIGTERM), lambda: one.done.append("ready"))

    assert one.done == ["start", "ready", "stop True"]
    assert caplog.messages == ["stopping: SIGTERM", "stopped"]


def test_what_ends_by_itself_says_why(caplog: pytest.LogCaptureFixture) -> None:
    one = Served()
    one.own_reason = "nothing is left"
    one.ended.set()

    assert one.run(Signals())

    assert caplog.messages == ["stopping: nothing is left", "stopped"]


def test_what_it_did_not_finish_is_its_result() -> None:
    assert not Served(lambda _give_up: False).run(sent(signal.SIGINT))


def test_a_second_signal_has_it_give_up_and_its_own_end_does_not() -> None:
    seen: list[bool] = []
    signals = sent(signal.SIGTERM)

    def stop(give_up: Callable[[], bool]) -> bool:
        seen.append(give_up())
        signals.put(0)
        seen.append(give_up())
        signals.put(0)
        signals.put(signal.SIGINT)
        seen.append(give_up())
        return False

    Served(stop).run(signals)

    assert seen == [False, False, True]


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_signals_of_the_process_stop_it_and_their_handlers_are_restored(
    number: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    before = [signal.getsignal(one) for one in STOP_SIGNALS]
    one = Served()

    assert one.run(ready=lambda: os.kill(os.getpid(), number))

    assert caplog.messages[0] == f"stopping: {number.name}"
    assert [signal.getsignal(one) for one in STOP_SIGNALS] == before


def test_handlers_are_restored_where_it_cannot_start() -> None:
    class Broken(Served):
        def start(self) -> None:
            raise ZeroDivisionError

    before = [signal.getsignal(one) for one in STOP_SIGNALS]

    with pytest.raises(ZeroDivisionError):
        Broken().run()

    assert [signal.getsignal(one) for one in STOP_SIGNALS] == before


def test_a_block_serves_in_the_background_and_stops_at_its_end_also_by_an_error() -> None:
    one, other = Served(), Served()

    with one as same:
        assert same is one
        assert one.done == ["start"]
    with pytest.raises(ZeroDivisionError), other:
        raise ZeroDivisionError

    assert one.done == other.done == ["start", "stop False"]
