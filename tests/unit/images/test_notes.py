from __future__ import annotations

from courier.images.notes import Notes


def test_nothing_is_said_twice() -> None:
    notes = Notes()

    for clause in ("a", "b", "a"):
        notes.add(clause)

    assert notes == ["a", "b"]
