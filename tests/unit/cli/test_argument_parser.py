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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sned"], "there is no command 'sned'. Did you mean send? There are send or check.\n"),
        (["zzz"], "there is no command 'zzz'. There are send or check.\n"),
        (["send", "--colunm", "3"], "unknown arguments: --colunm 3. Did you mean --column?\n"),
        (["send", "--colunm=3"], "unknown arguments: --colunm=3. Did you mean --column?\n"),
        (["send", "x"], "unknown arguments: x.\n"),
        (["--vrebose"], "unknown arguments: --vrebose. Did you mean --verbose?\n"),
        (["send", "--to", "beds"], "argument --to: cannot be 'beds'. Did you mean bed? Choose bed or table.\n"),
        (["send", "\x1b[2J"], "unknown arguments: \\x1b[2J.\n"),
    ],
)
def test_a_word_that_is_spelled_alike_is_suggested(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = ArgumentParser()
    parser.add_argument("--verbose", action="store_true")
    commands = parser.add_subparsers(dest="command")
    send = commands.add_parser("send")
    send.add_argument("--column")
    send.add_argument("--to", choices=["bed", "table"])
    commands.add_parser("check")

    with pytest.raises(SystemExit) as raised:
        parser.parse_args(arguments)

    assert raised.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {said}")
