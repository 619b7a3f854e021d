from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import pytest

from courier.backoff import FIRST_SECONDS
from courier.errors import Busy, NoCredentials, QueueMissing, Undelivered, Unreachable
from courier.outage import Failure, Outage


def test_trouble_is_told_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    stopped = threading.Event()
    stopped.set()  # so that no wait is waited
    outage = Outage("receiving", stopped)

    with caplog.at_level(logging.INFO):
        for _ in range(20):
            outage.wait_out(Unreachable("No network."))
        outage.over()
        outage.over()

    told = [record.getMessage() for record in caplog.records]
    assert told == ["No network. Waiting, and trying again. (receiving)", "AWS answers again after 0 s. (receiving)"]


def test_trouble_of_another_kind_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    stopped = threading.Event()
    stopped.set()
    outage = Outage("receiving", stopped)

    outage.wait_out(Unreachable("No network."))
    outage.wait_out(QueueMissing("No queue.", hint="Make one"))

    assert [record.getMessage()[:9] for record in caplog.records] == ["No networ", "No queue."]


def test_a_call_is_made_again_until_it_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.outage.backoff.delays", lambda: iter([0.0] * 100))
    outcomes = iter([Unreachable("a"), Unreachable("b"), None])
    told: list[str] = []

    def call() -> str:
        trouble = next(outcomes)
        if trouble:
            raise trouble
        return "done"

    outage = Outage("asking", threading.Event(), told.append)

    assert outage.persist(call, time.monotonic() + 60) == "done"
    assert told == ["a. Waiting, and trying again. (asking)", "AWS answers again after 0 s. (asking)"]


def test_trouble_that_does_not_pass_or_lasts_too_long_is_raised() -> None:
    def missing() -> None:
        raise QueueMissing

    def unreachable() -> None:
        raise Unreachable

    outage = Outage("asking", threading.Event(), print)

    with pytest.raises(QueueMissing):
        outage.persist(missing, time.monotonic() + 60)
    with pytest.raises(Unreachable):
        outage.persist(unreachable, time.monotonic() - 1)


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
    Outage("asking", clock, print).persist(call, time.monotonic() + 60)

    assert len(clock.waits) == 5
    assert all(wait > 0 for wait in clock.waits)
    assert clock.waits == sorted(clock.waits)


def test_after_it_is_over_the_waits_are_short_again() -> None:
    clock = Clock()
    outage = Outage("asking", clock, print)
    for _ in range(8):
        outage.wait_out(Unreachable("a"))
    outage.over()
    outage.wait_out(Unreachable("a"))

    assert clock.waits[-1] <= FIRST_SECONDS < clock.waits[-2]


def test_of_missing_credentials_each_cause_is_told() -> None:
    told: list[str] = []
    outage = Outage("asking", Clock(), told.append)

    for cause in ("No file.", "No file.", "Half a file."):
        outage.note(NoCredentials(cause))

    assert [sentence.partition(".")[0] for sentence in told] == ["No file", "Half a file"]


def test_of_a_batch_only_what_failed_for_the_moment_is_sent_again() -> None:
    final, later = Undelivered("No."), Busy("Later.")
    outcomes = iter(
        [[Failure(index=0, error=final), Failure(index=2, error=later)], [Failure(index=0, error=later)], []]
    )
    sent: list[list[str]] = []

    def call(items: Sequence[str]) -> list[Failure]:
        sent.append(list(items))
        return next(outcomes)

    clock = Clock()
    failures = Outage("asking", clock, print).persist_batch(call, ["a", "b", "c"], time.monotonic() + 60)

    assert sent == [["a", "b", "c"], ["c"], ["c"]]
    assert failures == [Failure(index=0, error=final)]
    assert len(clock.waits) == 2


def test_what_fails_for_too_long_is_returned_by_its_place() -> None:
    later = Busy("Later.")

    failures = Outage("asking", Clock(), print).persist_batch(
        lambda items: [Failure(index=len(items) - 1, error=later)], ["a", "b"], time.monotonic() - 1
    )

    assert failures == [Failure(index=1, error=later)]
