from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator

import pytest

from courier.cli.argument_parser import ArgumentParser
from courier.cli.command_line import add_common, finish, seconds, whole_number
from courier.errors import QueueMissing, RequestCanceled, ResponseTimeout, WrongUsage
from tests.support.signals import kept_signals


@pytest.fixture(autouse=True)
def _no_signals() -> Iterator[None]:
    with kept_signals():
        yield


def raising(error: BaseException) -> Callable[[], int]:
    def program() -> int:
        raise error

    return program


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (WrongUsage("Not so.", hint="Do."), 2, "Not so. Do."),
        (ResponseTimeout("Silence."), 3, "Silence."),
        (QueueMissing("No queue \x1b[2J."), 4, r"No queue \x1b[2J."),
        (KeyboardInterrupt(), 130, ""),
        (RequestCanceled(), 130, ""),
        (OSError(28, "No space left on device"), 2, "output cannot be written: No space left on device"),
        (OSError(36, "File name too long", "aaa"), 2, "aaa: File name too long"),
        (UnicodeEncodeError("ascii", "ä", 0, 1, "no"), 2, "PYTHONIOENCODING"),
    ],
)
def test_every_foreseen_end_has_a_status_and_a_sentence(
    error: BaseException, status: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert finish(raising(error)) == status
    assert said in capfd.readouterr().err


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141)])
def test_an_end_that_the_user_knows_of_needs_no_sentence(
    error: BaseException, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert finish(raising(error)) == status
    assert capfd.readouterr().err.strip() == ""


def test_an_exit_of_the_parser_is_an_end_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as out:  # noqa: PTH123  it is a descriptor
        monkeypatch.setattr(sys, "stdout", out)
        parser = ArgumentParser(prog="program")

        assert finish(lambda: len(parser.parse_args(["--help"]).unknown)) == 141


def test_the_programs_own_status_is_passed_on() -> None:
    assert finish(lambda: 7) == 7


@pytest.mark.parametrize("text", ["0", "11", "x", "1.5", ""])
def test_a_whole_number_out_of_bounds_is_rejected(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="whole number from 1 to 10"):
        whole_number(1, 10)(text)


def test_numbers_and_times_are_read() -> None:
    assert whole_number(1, 10)("10") == 10
    assert seconds("2.5") == 2.5


@pytest.mark.parametrize("text", ["0", "-1", "3601", "nan", "soon"])
def test_a_time_out_of_bounds_is_rejected(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="must be seconds"):
        seconds(text)


def test_a_command_does_not_undo_what_came_before_it() -> None:
    parser = argparse.ArgumentParser()
    add_common(parser)
    add_common(parser.add_subparsers().add_parser("send"), inherited=True)

    before, after = parser.parse_args(["--json", "send"]), parser.parse_args(["send", "--timeout", "3"])

    assert (before.json, before.timeout) == (True, None)
    assert (after.json, after.timeout) == (False, 3.0)
