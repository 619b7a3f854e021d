"""Keys arrive as they are typed, unseen, and the terminal is as before afterwards."""

from __future__ import annotations

import contextlib
import os
import select
import termios
from collections.abc import Iterator

import pytest

from courier.cli.terminal_mode import unbuffered


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: that of the person, and that of the program."""
    leader, follower = os.openpty()
    yield leader, follower
    for end in (leader, follower):
        with contextlib.suppress(OSError):  # a test has closed it
            os.close(end)


def test_a_key_is_read_at_once_and_not_echoed(ends: tuple[int, int]) -> None:
    leader, follower = ends

    with unbuffered(follower):
        os.write(leader, b"q")
        assert os.read(follower, 10) == b"q"
        assert select.select([leader], [], [], 0)[0] == []


def test_signals_stay_signals(ends: tuple[int, int]) -> None:
    with unbuffered(ends[1]):
        assert termios.tcgetattr(ends[1])[3] & termios.ISIG


@pytest.mark.parametrize("least", [0, 1])
def test_a_read_waits_for_as_many_bytes_as_it_must(ends: tuple[int, int], least: int) -> None:
    with unbuffered(ends[1], least_bytes=least):
        found = termios.tcgetattr(ends[1])[6]
        assert [
            bytes([one]) if isinstance(one, int) else one for one in (found[termios.VMIN], found[termios.VTIME])
        ] == [
            bytes([least]),
            b"\0",
        ]
        if least == 0:
            assert os.read(ends[1], 1) == b""


def test_the_terminal_is_as_before_also_after_an_error(ends: tuple[int, int]) -> None:
    before = termios.tcgetattr(ends[1])

    with pytest.raises(ZeroDivisionError), unbuffered(ends[1]):
        assert termios.tcgetattr(ends[1]) != before
        raise ZeroDivisionError

    assert termios.tcgetattr(ends[1]) == before


def test_what_is_no_terminal_is_an_error_before_anything_is_done() -> None:
    reading, writing = os.pipe()

    with pytest.raises(OSError, match="Inappropriate ioctl"), unbuffered(reading):
        pytest.fail("it went on")

    os.close(reading)
    os.close(writing)


def test_a_terminal_that_is_gone_in_the_end_is_no_error(ends: tuple[int, int]) -> None:
    with unbuffered(ends[1]):
        os.close(ends[0])
