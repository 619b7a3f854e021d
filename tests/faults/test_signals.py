"""One signal at each place where a client can be waiting; `python -m tests.faults.signals` sends many, and at load."""

from __future__ import annotations

import pytest

from tests.faults.signals import SIGNALS, SITUATIONS, Situation, attempt
from tests.support.place import Place


@pytest.mark.parametrize(
    ("number", "situation"),
    [(SIGNALS[index % len(SIGNALS)], situation) for index, situation in enumerate(SITUATIONS)],
    ids=lambda value: value.name,
)
def test_a_signal_ends_a_client_with_its_status_and_leaves_nothing(
    place: Place, number: int, situation: Situation
) -> None:
    attempt(place, situation, number, moment_seconds=0.05)
