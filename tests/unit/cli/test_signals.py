"""Signals, in programs of their own: how they are heard where the main thread waits, works, or has a line typed."""

from __future__ import annotations

import signal
import subprocess
import sys

import pexpect
import pytest

from tests.support.engines import unmeasured
from tests.support.place import ROOT

PROGRAM = """
import os, signal, sys, threading
from courier.cancellation import Canceled, Cancellation
from courier.cli.signals import Signals
cancellation = Cancellation()
signals = Signals(cancellation)
signals.listen()
def say(text):
    print(text, flush=True)
"""
#: Destructors that run all the time swallow whatever a signal's handler raises in them.
SWALLOWING = """
class Swallow:
    def __del__(self):
        for _ in range(200_000):
            pass
def work():
    while not cancellation.is_canceled:
        Swallow()
"""


def start(text: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + text], cwd=ROOT, env=unmeasured(), stdout=subprocess.PIPE, text=True
    )


def lines(text: str, *numbers: int) -> list[str]:
    """Run a program, send it a signal each time it says a line, and return the lines, and its exit status."""
    with start(text) as process:
        assert process.stdout is not None
        said = []
        left = list(numbers)
        for line in process.stdout:
            said.append(line.strip())
            if left:
                process.send_signal(left.pop(0))
        return [*said, str(process.wait())]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_a_call_and_is_known_by_its_number(number: signal.Signals) -> None:
    said = lines(
        """
def call():
    say("waiting")
    threading.Event().wait()
try:
    cancellation.run(call)
except Canceled:
    say(f"canceled by {signals.number}")
""",
        number,
    )

    assert said == ["waiting", f"canceled by {number}", "0"]


def test_a_signal_is_heard_where_an_exception_of_its_handler_would_be_swallowed() -> None:
    said = lines(SWALLOWING + 'say("working")\nwork()\nsay(f"canceled by {signals.number}")', signal.SIGTERM)

    assert said == ["working", f"canceled by {signal.SIGTERM}", "0"]


def test_a_second_signal_ends_a_program_at_once() -> None:
    said = lines(
        """
import courier.cli.signals
courier.cli.signals.STILL_SECONDS = {False: 600, True: 600}
courier.cli.signals.LONGEST_SECONDS = 600
say("first")
cancellation.wait(60)
threading.Event().wait(courier.cli.signals.SAME_SECONDS + 0.1)
say("second")
threading.Event().wait()
""",
        signal.SIGINT,
        signal.SIGTERM,
    )

    assert said == ["first", "second", "143"]


@pytest.mark.parametrize("stuck", ["threading.Event().wait()", "while True: pass"])
def test_a_program_that_is_stuck_is_ended_by_the_first_signal(stuck: str) -> None:
    assert lines(f'say("stuck")\n{stuck}', signal.SIGTERM) == ["stuck", "143"]


def test_a_program_is_not_stuck_while_it_cleans_up() -> None:
    said = lines(
        """
say("working")
cancellation.wait(60)
with cancellation.cleaning_up():
    threading.Event().wait(1.5)
    say("cleaned up")
""",
        signal.SIGTERM,
    )

    assert said == ["working", "cleaned up", "0"]


def test_a_signal_that_is_sent_twice_at_once_counts_once() -> None:
    said = lines(
        """
os.kill(os.getpid(), signal.SIGTERM)
os.kill(os.getpid(), signal.SIGTERM)
cancellation.wait(60)
say(signals.number)
"""
    )

    assert said == ["15", "0"]


def test_what_is_ignored_from_the_start_stays_ignored() -> None:
    process = subprocess.run(
        ["nohup", sys.executable, "-c", PROGRAM + "os.kill(os.getpid(), signal.SIGHUP)\nsay(cancellation.wait(0.2))"],
        cwd=ROOT,
        env=unmeasured(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert process.stdout == "False\n"


def test_ctrl_c_resets_and_a_terminated_program_does_not_go_on() -> None:
    said = lines(
        """
for number in (signal.SIGINT, signal.SIGTERM):
    os.kill(os.getpid(), number)
    cancellation.wait(60)
    signals.reset()
    say(cancellation.is_canceled)
"""
    )

    assert said == ["False", "True", "0"]


@pytest.mark.parametrize("completion", ["None", "lambda text, number: [None for _ in range(3_000_000)] and None"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_heard_at_a_prompt_also_while_a_completion_runs(number: signal.Signals, completion: str) -> None:
    text = f"""
import readline
readline.set_completer({completion})
readline.parse_and_bind("tab: complete")
try:
    signals.read_line("line? ")
except Canceled:
    say(f"canceled by {{signals.number}}")
"""
    child = pexpect.spawn(sys.executable, ["-c", PROGRAM + text], cwd=str(ROOT), env=unmeasured(), encoding="utf-8")
    child.expect_exact("line? ")
    child.send("\t")

    child.kill(number)

    child.expect_exact(f"canceled by {int(number)}", timeout=60)
    child.expect(pexpect.EOF)
    child.close()
