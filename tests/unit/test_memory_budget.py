"""Who may work beside whom, with a given amount of memory."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from courier.memory_budget import LEAST_MEGABYTES, MEGABYTE, RESERVE_MEGABYTES, MemoryBudget, processes_that_fit
from tests.support.place import wait_for

#: No such process: its size is 0.
PROCESS = 2**22 + 1


class Harness:
    """A budget, and claims of threads on it."""

    def __init__(self, megabytes: float) -> None:
        self.available = (megabytes + RESERVE_MEGABYTES) * MEGABYTE
        self.swap = 0.0
        self.rooms = 0
        self.waited: list[str] = []
        self.granted: dict[str, float] = {}
        self._ends: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self.budget = MemoryBudget(self._make_room, lambda: self.available, lambda: self.swap)

    def _make_room(self) -> None:
        self.rooms += 1

    def claim(self, name: str, megabytes: float, *, is_alone: bool = False) -> None:
        self._ends[name] = threading.Event()
        self._threads.append(
            threading.Thread(target=self._work, args=(name, megabytes), kwargs={"is_alone": is_alone}, daemon=True)
        )
        self._threads[-1].start()
        wait_for(lambda: name in self.granted or name in self.waited)

    def _work(self, name: str, megabytes: float, *, is_alone: bool) -> None:
        with self.budget.turn(megabytes, is_alone=is_alone, before_waiting=lambda: self.waited.append(name)) as turn:
            self.granted[name] = turn.grant(PROCESS)
            self._ends[name].wait()

    def end(self, *names: str) -> None:
        for name in names:
            wait_for(partial(self.granted.__contains__, name))
            self._ends[name].set()

    def close(self) -> None:
        for event in self._ends.values():
            event.set()
        for thread in self._threads:
            thread.join()
        assert not self.budget._waiting
        assert not self.budget._running


@pytest.fixture
def harness() -> Iterator[Harness]:
    with ExitStack() as stack:
        made = Harness(600)
        stack.callback(made.close)
        yield made


def test_small_work_runs_side_by_side_and_each_has_what_the_others_leave(harness: Harness) -> None:
    harness.claim("a", 200)
    harness.claim("b", 300)

    assert harness.granted.keys() == {"a", "b"}
    assert harness.granted["a"] >= 600
    assert harness.granted["b"] == 400
    assert harness.rooms == 0
    assert harness.waited == []


def test_large_work_waits_for_what_runs_and_only_what_fits_beside_it_joins_it(harness: Harness) -> None:
    harness.claim("small", 200)
    harness.claim("large", 500)
    harness.claim("late", 1)

    assert harness.granted.keys() == {"small"}
    assert harness.waited == ["large", "late"]
    harness.end("small")
    wait_for(lambda: "late" in harness.granted)
    assert harness.granted["large"] >= 600 - 1
    assert harness.granted["late"] == 100


def test_larger_work_than_there_is_memory_is_tried_alone_after_room_was_made(harness: Harness) -> None:
    harness.claim("larger", 5_000)
    harness.claim("small", 1)

    assert harness.granted.keys() == {"larger"}
    assert harness.rooms == 1


def test_work_that_is_to_run_alone_does_so_however_small(harness: Harness) -> None:
    harness.claim("before", 1)
    harness.claim("alone", 0, is_alone=True)
    harness.claim("after", 0)

    assert harness.granted.keys() == {"before"}
    harness.end("before")
    wait_for(lambda: "alone" in harness.granted)
    assert "after" not in harness.granted
    harness.end("alone")
    wait_for(lambda: "after" in harness.granted)
    assert harness.rooms == 1


def test_work_alone_may_swap_and_work_beside_other_may_not(harness: Harness) -> None:
    harness.swap = 2_000 * MEGABYTE

    harness.claim("alone", 100)
    harness.claim("beside", 100)

    assert harness.granted["alone"] > 2_600
    assert harness.granted["beside"] == 500


def test_work_of_unknown_size_waits_for_nothing_but_what_is_alone(harness: Harness) -> None:
    harness.available = 0
    harness.claim("a", 0)
    harness.claim("b", 0)

    assert harness.granted == {"a": LEAST_MEGABYTES, "b": LEAST_MEGABYTES}


def test_what_ends_by_an_error_leaves_its_place(harness: Harness) -> None:
    with pytest.raises(ZeroDivisionError), harness.budget.turn(600):
        raise ZeroDivisionError

    harness.claim("next", 600)
    assert harness.granted["next"] >= 600


@pytest.mark.parametrize(("megabytes", "count"), [(math.inf, math.inf), (2_000, 9.8), (650, 3.05), (300, 1.3), (10, 1)])
def test_there_are_as_many_processes_as_memory_has_room_for(megabytes: float, count: float) -> None:
    assert processes_that_fit(200, lambda: megabytes * MEGABYTE) == pytest.approx(count)
