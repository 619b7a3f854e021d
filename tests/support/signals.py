"""Programs within a test: signals are the test runner's own, and what programs change of them is put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from courier.cli.command_line import CANCELLATION, SIGNALS


@contextmanager
def kept_signals() -> Iterator[None]:
    """Have programs hear no signals while the body runs, and keep what signals do.

    A program that listened would hear those of later tests of this process, and end it once it waits.
    """
    clean_up = SIGNALS.clean_up
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SIGNALS, "listen", lambda: None)
        try:
            yield
        finally:
            SIGNALS.clean_up = clean_up
            SIGNALS.number = None
            CANCELLATION.reset()
