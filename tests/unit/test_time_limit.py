"""Work with a time limit of its own pauses that of its worker's request, and of no other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from courier.time_limit import can_be_paused, paused


def switches(calls: list[str], name: str = "") -> tuple[Callable[[], None], Callable[[], None]]:
    return lambda: calls.append(f"pause{name}"), lambda: calls.append(f"resume{name}")


def test_a_limit_is_paused_within_the_block_and_begins_again_after_it() -> None:
    calls: list[str] = []

    with can_be_paused(*switches(calls)), paused():
        calls.append("work")

    assert calls == ["pause", "work", "resume"]


def test_it_begins_again_after_work_that_fails() -> None:
    calls: list[str] = []

    with pytest.raises(ZeroDivisionError), can_be_paused(*switches(calls)), paused():
        raise ZeroDivisionError

    assert calls == ["pause", "resume"]


def test_work_that_no_worker_limits_runs_all_the_same() -> None:
    calls: list[str] = []
    with can_be_paused(*switches(calls)):
        pass
    with paused():
        calls.append("work")

    assert calls == ["work"]


def test_the_innermost_limit_is_paused_and_the_outer_one_again_after_it() -> None:
    calls: list[str] = []

    with can_be_paused(*switches(calls, " outer")):
        with can_be_paused(*switches(calls, " inner")), paused():
            pass
        with paused():
            pass

    assert calls == ["pause inner", "resume inner", "pause outer", "resume outer"]


def test_the_limit_of_another_thread_is_not_paused() -> None:
    calls: list[str] = []

    def work() -> None:
        with paused():
            calls.append("work")

    with can_be_paused(*switches(calls)):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    assert calls == ["work"]
