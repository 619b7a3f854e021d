from __future__ import annotations

from itertools import islice

from courier.aws import backoff


def test_pauses_double_up_to_the_cap_and_keep_half_of_their_span() -> None:
    pauses = list(islice(backoff.delays(first_seconds=1, cap_seconds=8), 6))

    for pause, span in zip(pauses, (1, 2, 4, 8, 8, 8), strict=True):
        assert span / 2 <= pause <= span


def test_two_that_failed_together_do_not_come_back_together() -> None:
    assert list(islice(backoff.delays(), 5)) != list(islice(backoff.delays(), 5))
