"""How a terminal shows images: what variables say of it, and what it says itself."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from courier.cli import graphics


@pytest.mark.parametrize(
    ("environment", "attributes", "found"),
    [
        ({"KITTY_WINDOW_ID": "1", "TERM": "xterm-kitty"}, b"", "kitty"),
        ({"TERM": "xterm-kitty"}, b"", "kitty"),
        ({"TERM": "xterm-ghostty"}, b"", "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, b"", "iterm2"),
        ({"LC_TERMINAL": "iTerm2", "TERM": "xterm-256color"}, b"", "iterm2"),
        ({"TERM_PROGRAM": "WezTerm"}, b"65;4;6", "iterm2"),
        ({"TERM": "xterm-256color"}, b"63;1;2;4;6", "sixel"),
        ({"TERM": "foot"}, b"62;4;22", "sixel"),
        ({"TERM": "xterm-256color"}, b"64;14;40", "blocks"),
        ({"TERM": "xterm-256color"}, b"", "blocks"),
        ({"TERM": "tmux-256color", "TMUX": "x", "KITTY_WINDOW_ID": "1"}, b"1;2;4", "sixel"),
        ({"TERM": "screen-256color", "LC_TERMINAL": "iTerm2"}, b"1;2", "blocks"),
        ({"TERM": "xterm-256color", "TMUX": "x", "TERM_PROGRAM": "WezTerm"}, b"", "blocks"),
    ],
)
def test_a_terminal_is_known_by_its_variables_or_asked(
    environment: dict[str, str], attributes: bytes, found: str
) -> None:
    assert graphics.protocol_of(environment, lambda: attributes) == found


ASK = """
import fcntl, sys, termios
from courier.cli import graphics

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
kept = []
found = graphics.device_attributes(kept.append)
sys.stdout.write(f"<{found!r} {b''.join(kept)!r}>")
"""


def asked(response: bytes, typed: bytes = b"") -> tuple[bytes, bytes, bool]:
    """Return what a program learns from a terminal and keeps, what is left to read, and whether typing is shown."""
    leader, follower = pty.openpty()
    if typed:
        os.write(leader, typed)
    process = subprocess.Popen(
        [sys.executable, "-c", ASK],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    written = b""
    while b">" not in written.partition(b"<")[2]:
        written += os.read(leader, 1_000)
        if b"\x1b[c" in written and response:
            os.write(leader, response)
            response = b""
    process.wait()
    shows = bool(termios.tcgetattr(follower)[3] & termios.ECHO)
    left = os.read(follower, 100) if select.select([follower], [], [], 0)[0] else b""
    os.close(leader)
    os.close(follower)
    return written.partition(b"<")[2].partition(b">")[0], left, shows


def test_a_terminal_that_is_asked_responds_and_nothing_typed_is_lost() -> None:
    assert asked(b"\x1b[?62;4;22cls\n") == (b"b'62;4;22' b''", b"ls\n", True)
    assert asked(b"yes\r\x1b[?62;4cls\n") == (b"b'62;4' b'yes\\n'", b"ls\n", True)


def test_nothing_is_asked_while_there_is_input_and_none_of_that_is_lost() -> None:
    assert asked(b"\x1b[?62;4c", typed=b"yes\n") == (b"b'' b''", b"yes\n", True)


def test_a_terminal_that_does_not_respond_is_waited_for_a_moment() -> None:
    assert asked(b"") == (b"b'' b''", b"", True)
    assert asked(b"never mind") == (b"b'' b'never mind'", b"", True)


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> int:
        raise OSError

    monkeypatch.setattr("os.open", missing)

    assert graphics.device_attributes(print) == b""


def test_the_size_of_a_character_is_that_of_the_terminal_or_the_usual_one() -> None:
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as file, Path(os.devnull).open() as no_terminal:
        import fcntl
        import struct

        fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 800, 480))
        assert graphics.cell_of(file) == (10, 20)
        fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        assert graphics.cell_of(file) == graphics.cell_of(no_terminal) == graphics.USUAL_CELL
    os.close(leader)
