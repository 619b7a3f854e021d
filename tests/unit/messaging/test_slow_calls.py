from __future__ import annotations

import pytest

from courier.messaging import slow_calls
from courier.messaging.slow_calls import SlowCalls
from tests.support.clocks import FakeTime


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    made = FakeTime()
    monkeypatch.setattr("courier.messaging.slow_calls.time", made)
    return made


@pytest.mark.parametrize(
    ("took", "waits", "is_slow"), [(0.4, 0, False), (0.5, 0, True), (20.4, 20, False), (20.5, 20, True), (3, 20, False)]
)
def test_a_call_is_slow_that_takes_longer_than_it_waits(
    clock: FakeTime, took: float, waits: float, *, is_slow: bool
) -> None:
    calls = SlowCalls()
    assert not calls.are_recent

    with calls.timing(waits):
        clock.now += took

    assert calls.are_recent is is_slow


def test_it_lasts_a_minute_after_the_latest_also_after_one_that_failed(clock: FakeTime) -> None:
    calls = SlowCalls()
    for _ in range(2):
        with pytest.raises(OSError, match="late"), calls.timing():
            clock.now += 1
            raise OSError("late")
        clock.now += slow_calls.LASTING_SECONDS - 0.1
        assert calls.are_recent
    with calls.timing():
        clock.now += 0.1

    assert not calls.are_recent
