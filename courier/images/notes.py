"""What could not be kept of an image: clauses that follow its name."""

from __future__ import annotations

from collections.abc import Callable

#: Called with a note.
Note = Callable[[str], None]


class Notes(list[str]):
    """The clauses in their order, each once."""

    def add(self, clause: str) -> None:
        """Note what could not be kept."""
        if clause not in self:
            self.append(clause)
