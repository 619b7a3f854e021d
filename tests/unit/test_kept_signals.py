"""Programs that run within a test leave signals as they are."""

from __future__ import annotations

import signal

from courier.cli.command_line import SIGNALS, finish
from courier.cli.signals import NUMBERS
from tests.support.signals import kept_signals


def test_a_program_within_a_test_hears_no_signal_of_this_process() -> None:
    before = [signal.getsignal(number) for number in NUMBERS]
    with kept_signals():
        assert finish(lambda: 0) == 0
        SIGNALS.number = signal.SIGINT

    wakes = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakes)
    assert wakes == -1
    assert [signal.getsignal(number) for number in NUMBERS] == before
    assert SIGNALS.number is None
