"""Let work that has a time limit of its own pause that of the worker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

_Switch = Callable[[], object]
#: Pause and resume the time limit of what this thread works on.
_SWITCHES: ContextVar[tuple[_Switch, _Switch] | None] = ContextVar("time_limit", default=None)


@contextlib.contextmanager
def can_be_paused(pause: _Switch, resume: _Switch) -> Iterator[None]:
    """Have `paused` call `pause` and `resume` within this block, in this thread."""
    token = _SWITCHES.set((pause, resume))
    try:
        yield
    finally:
        _SWITCHES.reset(token)


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Pause the time limit of what this thread works on, if there is one; it begins again afterwards."""
    pause, resume = _SWITCHES.get() or (bool, bool)
    pause()
    try:
        yield
    finally:
        resume()
