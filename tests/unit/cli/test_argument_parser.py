from __future__ import annotations

import io

import pytest

from courier.cli.argument_parser import ArgumentParser


class Full(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


def test_help_that_cannot_be_written_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Full())
    parser = ArgumentParser()
    parser.add_subparsers().add_parser("send")

    for arguments in (["--help"], ["send", "--help"]):
        with pytest.raises(OSError, match="No space left"):
            parser.parse_args(arguments)


def test_a_wrong_argument_is_said_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        ArgumentParser().parse_args(["--nothing"])

    assert raised.value.code == 2
    assert "--nothing" in capsys.readouterr().err


def test_a_missing_standard_error_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)

    with pytest.raises(SystemExit):
        ArgumentParser().parse_args(["--nothing"])
