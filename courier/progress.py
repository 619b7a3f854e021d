"""The progress protocol: how long work reports to whoever displays it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How a progress bar is told of bytes: how many there will be, if known, and each further number that was moved."""

    expect: Callable[[int | None], None]
    advance: Callable[[int], None]


#: Tells nobody.
NO_PROGRESS = Progress(expect=lambda _total: None, advance=lambda _count: None)


class Reporter(Protocol):
    """What shows progress and warnings: a terminal, or what stands in for one."""

    def moving(self, text: str, /) -> AbstractContextManager[Progress]:
        """Show progress while the body runs."""

    def warn(self, text: str, /) -> None:
        """Say what is not as it should be."""
