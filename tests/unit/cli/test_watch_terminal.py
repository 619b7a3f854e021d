"""A display fills its terminal, keys are pressed without Enter, and the terminal is left as it was."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pexpect
import pytest

from tests.support.place import ROOT
from tests.support.terminal import ANSWER_SECONDS

#: Shows its size and the keys that were pressed.
PROGRAM = """
import signal, sys, termios, time
from rich.text import Text
from courier.cancellation import Canceled
from courier.cli.command_line import CANCELLATION
from courier.cli.watch_terminal import WatchTerminal

keys, drawn = [], []

def draw(width, height):
    drawn.append((width, height))
    return [Text(f"{width} columns, {height} lines, keys {''.join(keys)}.")]

signal.signal(signal.SIGUSR1, lambda *_: CANCELLATION.cancel())
one = WatchTerminal(draw, keys.append, lambda: 0)
try:
    one.run()
except Canceled:
    print("canceled")
is_a_terminal = sys.stdin.isatty()
echoes = bool(is_a_terminal and termios.tcgetattr(0)[3] & termios.ECHO)
is_kept = signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL
print("ended after", len(drawn), "from", drawn[0], "echo", echoes, "handler", is_kept)
"""
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
ENTERED, LEFT = "\x1b[?1049h", "\x1b[?1049l"


@pytest.fixture
def child() -> Iterator[pexpect.spawn[str]]:
    made: pexpect.spawn[str] = pexpect.spawn(
        sys.executable, ["-c", PROGRAM], encoding="utf-8", env=ENV, timeout=ANSWER_SECONDS, dimensions=(10, 40)
    )
    made.expect_exact(ENTERED)
    yield made
    made.close(force=True)


def test_keys_and_a_new_size_change_the_display_until_q(child: pexpect.spawn[str]) -> None:
    child.expect_exact("40 columns, 10 lines, keys .")
    child.send("p")
    child.expect_exact("keys p.")
    child.send("\x1b[A")  # an arrow is no key
    child.setwinsize(12, 50)
    child.expect_exact("50 columns, 12 lines, keys p.")
    child.send("d?q")
    child.expect_exact(LEFT)

    # Once for what was first, for each display above, and none without a change.
    child.expect(r"ended after (\d+) from .* echo (\w+) handler (\w+)")
    assert isinstance(child.match, re.Match)
    assert (int(child.match[1]), child.match[2], child.match[3]) == (3, "True", "True")


def test_a_cancellation_ends_it_and_leaves_the_terminal_as_it_was(child: pexpect.spawn[str]) -> None:
    child.expect_exact("keys .")
    child.kill(signal.SIGUSR1)

    child.expect_exact(LEFT)
    child.expect_exact("canceled")
    child.expect_exact("echo True handler True")


def test_without_a_keyboard_or_a_size_it_is_shown_in_the_usual_one() -> None:
    program = PROGRAM.replace("drawn.append((width, height))", "drawn.append((width, height)); CANCELLATION.cancel()")

    done = subprocess.run(
        [sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=ENV, check=True
    )

    assert "canceled\nended after 1 from (80, 24)" in done.stdout
