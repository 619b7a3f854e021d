from __future__ import annotations

import fcntl
import io
import os
import struct
import sys
import termios
from collections.abc import Iterator
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.cli import output
from courier.numbers import plots
from tests.support.screens import File

OURS = "≈ 1 – 2… ‘x’ “y” ├█┃◆┤ ▏▀ ┌─┐│┡"  # noqa: RUF001


@pytest.fixture
def terminal() -> Iterator[tuple[IO[str], IO[str]]]:
    """Two streams on one terminal of 44 columns."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 44, 0, 0))
    with open(slave, "w") as one, open(os.dup(slave), "w") as other:  # noqa: PTH123  they are descriptors
        yield one, other
    os.close(master)


def written(monkeypatch: pytest.MonkeyPatch, encoding: str, text: str, errors: str = "strict") -> bytes:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, errors=errors))
    output.prepare()
    sys.stdout.write(text)
    sys.stdout.flush()
    return raw.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-8"])
@pytest.mark.parametrize("errors", ["strict", "surrogateescape", "backslashreplace"])
def test_no_text_ends_a_program(monkeypatch: pytest.MonkeyPatch, encoding: str, errors: str) -> None:
    shown = written(monkeypatch, encoding, OURS + "中\udcff", errors).decode(encoding)

    assert shown.endswith(("\\u4e2d\\udcff", "中\\udcff"))


def test_what_we_write_has_a_plain_form(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, "ascii", OURS) == b"~ 1 - 2... 'x' \"y\" |#|o| ## +-+|+"
    assert all(sign in output.PLAIN_FORMS for sign in plots._EIGHTHS.strip() + "".join(plots._UNICODE_BOX))


def test_another_choice_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, "ascii", "≈", "xmlcharrefreplace") == b"&#8776;"


@given(st.text())
def test_every_text_can_be_written_in_ascii(text: str) -> None:
    output.prepare()

    assert text.encode("ascii", output.HANDLER).isascii()


def test_an_error_of_decoding_is_raised() -> None:
    with pytest.raises(UnicodeDecodeError):
        output.plain_form(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"))


def test_an_output_that_is_closed_or_missing_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.TextIOWrapper(io.BytesIO())
    closed.close()
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", closed)

    output.flush()
    output.prepare()
    output.flush()
    output.silence_broken()

    assert not output.is_terminal(sys.stdout)
    with pytest.raises(OSError, match="closed"):
        print("lost")
    assert not output.is_terminal(None)
    assert not output.is_terminal(closed)
    assert output.columns(None) is None


def test_a_broken_output_is_silenced_and_a_whole_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    kept = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with open(writing, "w") as broken:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", broken)
        monkeypatch.setattr(sys, "stderr", kept)
        broken.write("text")
        with pytest.raises(BrokenPipeError):
            output.flush()

        output.silence_broken()

        broken.write("more")
        output.flush()
    kept.write("kept")
    kept.flush()
    assert kept.buffer.read() == b""
    assert isinstance(kept.buffer, io.BytesIO)
    assert kept.buffer.getvalue() == b"kept"


@pytest.mark.parametrize(
    ("preset", "columns"),
    [("", 44), ("100", 44), ("30", 30), ("5", 20), ("wide", 44), ("0", 44), ("-3", 44), ("²", 44)],
)
def test_a_terminal_tells_its_width(
    monkeypatch: pytest.MonkeyPatch, terminal: tuple[IO[str], IO[str]], preset: str, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", preset)

    assert output.columns(terminal[0]) == columns
    assert output.columns(io.StringIO()) is None


@pytest.mark.parametrize(("named", "columns"), [("", 80), ("100", 100)])
def test_a_terminal_that_does_not_tell_has_the_usual_width(
    monkeypatch: pytest.MonkeyPatch, named: str, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", named)

    assert output.columns(File(is_terminal=True)) == columns


def test_two_streams_are_one_terminal_or_are_not(terminal: tuple[IO[str], IO[str]]) -> None:
    one, other = terminal

    assert output.is_same_terminal(one, other)
    assert not output.is_same_terminal(one, io.StringIO())
    assert not output.is_same_terminal(one, None)
    assert not output.is_same_terminal(one, File(is_terminal=True))


@pytest.mark.parametrize(("name", "can"), [("xterm", True), ("dumb", False), ("UNKNOWN", False), ("", False)])
def test_some_terminals_cannot_draw(
    monkeypatch: pytest.MonkeyPatch, terminal: tuple[IO[str], IO[str]], name: str, *, can: bool
) -> None:
    monkeypatch.setenv("TERM", name)
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert output.can_move_cursor(terminal[0]) is can
    assert not output.can_move_cursor(io.StringIO())
