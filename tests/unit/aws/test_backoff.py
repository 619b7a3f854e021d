from __future__ import annotations

from itertools import islice

import pytest

from courier.aws import backoff


@pytest.mark.parametrize("at", ["shortest", "longest"])
def test_delays_double_up_to_the_cap_and_keep_half_of_their_span(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: low if at == "shortest" else high)
    part = 0.5 if at == "shortest" else 1.0

    assert list(islice(backoff.delays(first_seconds=1, cap_seconds=8), 6)) == [
        part * span for span in (1, 2, 4, 8, 8, 8)
    ]
    assert list(islice(backoff.delays(), 8)) == pytest.approx(
        [part * span for span in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0)]
    )
    assert backoff.delay(3, cap_seconds=30) == pytest.approx(part * 0.4)


def test_a_delay_after_any_number_of_failures_is_a_number() -> None:
    assert 15 <= backoff.delay(10**6, cap_seconds=30) <= 30
    assert backoff.delay(10**6, first_seconds=1, cap_seconds=2.0**60) >= 2.0**59
    assert backoff.delay(10**6, first_seconds=1, cap_seconds=2.0**62) <= 2.0**60


def test_two_that_failed_together_do_not_come_back_together() -> None:
    assert list(islice(backoff.delays(), 5)) != list(islice(backoff.delays(), 5))
