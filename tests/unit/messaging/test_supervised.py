"""What a worker process has inherited: its number, and the three descriptors of its supervisor."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from courier.messaging import supervised
from courier.messaging.supervised import READY, VARIABLE, Supervised, inherited
from tests.support.fakes import WAIT_LIMIT_SECONDS


@pytest.fixture(autouse=True)
def _none_inherited() -> Iterator[None]:
    inherited.cache_clear()
    supervised._reported.clear()
    yield
    inherited.cache_clear()
    supervised._reported.clear()


@pytest.fixture
def pipes() -> Iterator[list[tuple[int, int]]]:
    """Three pipes, closed at the end as far as a test has not."""
    made = [os.pipe() for _ in range(3)]
    yield made
    for descriptor in (one for pipe in made for one in pipe):
        with suppress(OSError):
            os.close(descriptor)


def of(pipes: list[tuple[int, int]]) -> Supervised:
    (life, _), (_, ready), (turns, _) = pipes
    return Supervised(number=3, life=life, ready=ready, turns=turns)


def test_a_process_has_what_its_supervisor_gave_it_and_passes_none_of_it_on(
    pipes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = of(pipes)
    for descriptor in given.descriptors:
        os.set_inheritable(descriptor, True)  # noqa: FBT003  it takes no name
    environment = given.environment({"A": "1"})
    monkeypatch.setenv(VARIABLE, environment.pop(VARIABLE))

    found = inherited()

    assert found == given
    assert environment == {"A": "1"}
    assert VARIABLE not in os.environ
    assert not any(os.get_inheritable(descriptor) for descriptor in given.descriptors)
    assert inherited() is found  # although the variable is gone


def test_a_process_of_its_own_has_nothing() -> None:
    assert inherited() is None


def test_it_reports_once_that_it_listens_and_a_descriptor_that_is_anothers_by_then_is_left_alone(
    pipes: list[tuple[int, int]],
) -> None:
    one, (reading, writing) = of(pipes), pipes[1]
    one.report_ready()
    assert os.read(reading, 9) == READY
    assert os.read(reading, 9) == b""  # closed

    os.dup2(pipes[2][1], writing)
    one.report_ready()

    os.write(pipes[2][1], b"more")
    assert os.read(pipes[2][0], 9) == b"more"
    os.fstat(writing)  # still open


def test_nobody_need_hear_that_it_listens(pipes: list[tuple[int, int]]) -> None:
    os.close(pipes[1][0])

    of(pipes).report_ready()


def test_the_end_of_its_supervisor_is_noticed_and_not_before(pipes: list[tuple[int, int]]) -> None:
    ended, before = threading.Event(), threading.active_count()
    of(pipes).watch(ended.set)

    assert threading.active_count() == before + 1  # it waits
    assert not ended.is_set()

    os.close(pipes[0][1])

    assert ended.wait(WAIT_LIMIT_SECONDS)


def test_its_turns_are_those_of_the_file_that_it_has_inherited(pipes: list[tuple[int, int]]) -> None:
    assert of(pipes).poll_turns()._file == pipes[2][0]
