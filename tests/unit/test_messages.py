from __future__ import annotations

from tests.support.messages import GOLDEN, messages


def test_every_message_stands_in_the_golden_file() -> None:
    """Write it anew with `python -m tests.support.messages`, and review what changed as prose."""
    assert messages().splitlines() == GOLDEN.read_text().splitlines()
