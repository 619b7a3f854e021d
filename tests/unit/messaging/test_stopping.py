"""The last seconds of a worker: nothing in them may take long."""

from __future__ import annotations

import threading

import pytest

from courier.messaging import stopping
from courier.messaging.stopping import join_others, within_seconds


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "STOPPING_SECONDS", 0.05)


def test_work_is_done_before_it_returns(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    within_seconds(lambda: done.append("a"))

    assert done == ["a"]
    assert caplog.text == ""


def test_work_that_hangs_is_left_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    ends = threading.Event()

    def hang() -> None:
        ends.wait()

    within_seconds(hang)
    ends.set()

    assert "AWS does not respond within" in caplog.text


def test_threads_are_waited_for_but_not_this_one_and_not_without_end() -> None:
    ends = threading.Event()
    quick, stuck = threading.Thread(target=bool), threading.Thread(target=ends.wait)
    for thread in (quick, stuck):
        thread.start()

    join_others([quick, threading.current_thread(), stuck])

    assert not quick.is_alive()
    assert stuck.is_alive()
    ends.set()
    stuck.join()
