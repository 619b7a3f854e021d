"""The progress protocol between work and its display."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The progress of a transfer: `expect` sets the total bytes, if known; `advance` adds transferred bytes.

    `begin` begins another stage of the same work, by its name: its bytes count from 0 again.
    """

    expect: Callable[[int | None], None]
    advance: Callable[[int], None]
    begin: Callable[[str], None] = lambda _text: None


#: Ignores progress.
NO_PROGRESS = Progress(expect=lambda _total: None, advance=lambda _count: None)


class Reporter(Protocol):
    """Shows progress and warnings: a terminal, or a substitute in tests."""

    def moving(self, text: str, /) -> AbstractContextManager[Progress]:
        """Show progress while the body runs."""

    def warn(self, text: str, /) -> None:
        """Show a warning."""
