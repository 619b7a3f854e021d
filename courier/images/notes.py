"""Notes on what a result could not keep: clauses that follow its name."""

from __future__ import annotations

from collections.abc import Callable

#: Called with a note.
Note = Callable[[str], None]


class Notes(list[str]):
    """Notes in order, without duplicates."""

    def add(self, clause: str) -> None:
        """Add a note, unless it is there already."""
        if clause not in self:
            self.append(clause)
