"""Programs within a test: what they change in this process is put back."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from courier.cli.command_line import CANCELLATION, SIGNALS
from courier.cli.signals import NUMBERS


@contextmanager
def kept_signals() -> Iterator[None]:
    """Keep the handlers of signals, and what signals do, while the body runs."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    clean_up = SIGNALS.clean_up
    try:
        yield
    finally:
        SIGNALS.clean_up = clean_up
        SIGNALS.number = None
        CANCELLATION.reset()
        for number, handler in before.items():
            signal.signal(number, handler)
