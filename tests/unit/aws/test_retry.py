from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from itertools import pairwise

import pytest

from courier.aws.backoff import CAP_SECONDS, FIRST_SECONDS
from courier.aws.retry import Failure, Retrier
from courier.errors import NoCredentials, QueueMissing, Throttled, Undelivered, Unreachable
from tests.support.clocks import FakeTime, Ticks


def test_an_outage_is_reported_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    stopped = threading.Event()
    stopped.set()  # so that no wait is waited
    retrier = Retrier("receiving", stopped)

    with caplog.at_level(logging.INFO):
        for _ in range(20):
            retrier.wait(Unreachable("No network."))
        retrier.succeeded()
        retrier.succeeded()

    notices = [record.getMessage() for record in caplog.records]
    assert len(notices) == 2
    assert all(fact in notices[0] for fact in ("No network.", "Waiting", "(receiving)"))
    assert all(fact in notices[1] for fact in ("responds again after 0 s", "(receiving)"))


def test_every_try_again_is_waited_for_and_ever_longer_until_it_is_over() -> None:
    stopped = Ticks(100)
    retrier = Retrier("receiving", stopped, print)

    for _ in range(10):
        retrier.wait(Unreachable())
    retrier.succeeded()
    retrier.wait(Unreachable())

    *waits, after = [wait or 0 for wait in stopped.waits]
    assert FIRST_SECONDS / 2 <= waits[0] <= FIRST_SECONDS
    assert all(later > earlier for earlier, later in pairwise(waits[:5:2]))
    assert CAP_SECONDS / 2 <= waits[-1] <= CAP_SECONDS
    assert after <= FIRST_SECONDS


def test_a_call_that_is_persisted_in_waits_between_its_tries_and_is_reported_how_long_it_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeTime()
    monkeypatch.setattr("courier.aws.retry.time", clock)
    stopped = Ticks(100, clock)
    notices: list[str] = []

    def call() -> float:
        if len(stopped.waits) < 8:
            raise Unreachable
        return clock.now

    began = clock.now
    ended = Retrier("asking", stopped, notices.append).retry(call, math.inf)

    assert ended - began == pytest.approx(sum(wait or 0 for wait in stopped.waits))
    assert f"after {ended - began:.0f} s" in notices[-1]


@pytest.mark.parametrize(("left", "tries"), [(0.0, 1), (0.001, 2)])
def test_an_error_at_the_very_end_is_raised(monkeypatch: pytest.MonkeyPatch, left: float, tries: int) -> None:
    clock = FakeTime()
    monkeypatch.setattr("courier.aws.retry.time", clock)
    made: list[float] = []

    def call() -> None:
        made.append(clock.now)
        raise Unreachable

    with pytest.raises(Unreachable):
        Retrier("asking", Ticks(100, clock), print).retry(call, clock.now + left)

    assert len(made) == tries


def test_a_stopped_worker_retries_nothing() -> None:
    stopped = threading.Event()
    stopped.set()
    made: list[int] = []

    def call() -> None:
        made.append(1)
        raise Unreachable

    with pytest.raises(Unreachable):
        Retrier("asking", stopped, print).retry(call, math.inf)

    assert made == [1]


def test_without_an_error_nothing_is_reported() -> None:
    notices: list[str] = []

    assert Retrier("asking", threading.Event(), notices.append).retry(lambda: 5, math.inf) == 5

    assert notices == []


def test_an_error_of_another_kind_is_reported_too(caplog: pytest.LogCaptureFixture) -> None:
    stopped = threading.Event()
    stopped.set()
    retrier = Retrier("receiving", stopped)

    retrier.wait(Unreachable("No network."))
    retrier.wait(QueueMissing("No queue.", hint="Make one"))

    assert [record.getMessage()[:9] for record in caplog.records] == ["No networ", "No queue."]


def test_a_call_is_made_again_until_it_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.aws.retry.backoff.delays", lambda: iter([0.0] * 100))
    outcomes = iter([Unreachable("a"), Unreachable("b"), None])
    notices: list[str] = []

    def call() -> str:
        error = next(outcomes)
        if error:
            raise error
        return "done"

    retrier = Retrier("asking", threading.Event(), notices.append)

    assert retrier.retry(call, time.monotonic() + 60) == "done"
    assert len(notices) == 2
    assert all(fact in notices[0] for fact in ("a. Waiting", "(asking)"))
    assert all(fact in notices[1] for fact in ("responds again after 0 s", "(asking)"))


def test_a_permanent_error_and_one_that_lasts_too_long_are_raised() -> None:
    def missing() -> None:
        raise QueueMissing

    def unreachable() -> None:
        raise Unreachable

    retrier = Retrier("asking", threading.Event(), print)

    with pytest.raises(QueueMissing):
        retrier.retry(missing, time.monotonic() + 60)
    with pytest.raises(Unreachable):
        retrier.retry(unreachable, time.monotonic() - 1)


class Clock(threading.Event):
    """An event nobody sets, whose waits are noted and pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return False


def test_between_two_tries_it_waits_each_time_longer() -> None:
    outcomes = iter([*(Unreachable("a") for _ in range(5)), None])

    def call() -> None:
        if error := next(outcomes):
            raise error

    clock = Clock()
    Retrier("asking", clock, print).retry(call, time.monotonic() + 60)

    assert len(clock.waits) == 5
    assert all(wait > 0 for wait in clock.waits)
    assert clock.waits == sorted(clock.waits)


def test_the_last_try_is_made_when_the_time_is_up_and_not_later(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime()
    monkeypatch.setattr("courier.aws.retry.time", clock)
    began = clock.monotonic()

    def fail() -> None:
        raise Unreachable

    with pytest.raises(Unreachable):
        Retrier("receiving", Ticks(100, clock), print).retry(fail, began + 2)

    assert clock.monotonic() == pytest.approx(began + 2)


def test_after_it_is_over_the_waits_are_short_again() -> None:
    clock = Clock()
    retrier = Retrier("asking", clock, print)
    for _ in range(8):
        retrier.wait(Unreachable("a"))
    retrier.succeeded()
    retrier.wait(Unreachable("a"))

    assert clock.waits[-1] <= FIRST_SECONDS < clock.waits[-2]


def test_of_missing_credentials_each_cause_is_reported() -> None:
    notices: list[str] = []
    retrier = Retrier("asking", Clock(), notices.append)

    for cause in ("No file.", "No file.", "Half a file."):
        retrier.record(NoCredentials(cause))

    assert [sentence.partition(".")[0] for sentence in notices] == ["No file", "Half a file"]


def test_of_a_batch_only_what_failed_for_the_moment_is_sent_again() -> None:
    final, later = Undelivered("No."), Throttled("Later.")
    outcomes = iter(
        [[Failure(index=0, error=final), Failure(index=2, error=later)], [Failure(index=0, error=later)], []]
    )
    sent: list[list[str]] = []

    def call(items: Sequence[str]) -> list[Failure]:
        sent.append(list(items))
        return next(outcomes)

    clock = Clock()
    failures = Retrier("asking", clock, print).retry_batch(call, ["a", "b", "c"], time.monotonic() + 60)

    assert sent == [["a", "b", "c"], ["c"], ["c"]]
    assert failures == [Failure(index=0, error=final)]
    assert len(clock.waits) == 2


def test_what_fails_for_too_long_is_returned_by_its_place() -> None:
    later = Throttled("Later.")

    failures = Retrier("asking", Clock(), print).retry_batch(
        lambda items: [Failure(index=len(items) - 1, error=later)], ["a", "b"], time.monotonic() - 1
    )

    assert failures == [Failure(index=1, error=later)]
