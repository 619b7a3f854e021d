"""The credentials file as people leave it; how a running program meets it is in test_credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from courier.aws.credentials_file import (
    FileCredentials,
    Problem,
    explain,
    invalid_character,
    read_credentials,
    section_names,
)

SECRET = "wJalrXUtnFEMIK7MDENG"
BLOCK = "[default]\naws_access_key_id = A{0}\naws_secret_access_key = S{0}\naws_session_token = T{0}\n"


def block(number: int) -> str:
    return BLOCK.format(number)


def keys(number: int) -> FileCredentials:
    return FileCredentials(access_key=f"A{number}", secret_key=f"S{number}", token=f"T{number}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "credentials"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (block(1), keys(1)),
        (block(1) + block(2), keys(2)),
        ("[other]\naws_access_key_id=X\naws_secret_access_key=Y\n" + block(1), keys(1)),
        (block(1) + "[other]\naws_access_key_id=X\naws_secret_access_key=Y\n", keys(1)),
        (block(1).replace("\n", "\r\n"), keys(1)),
        (block(1).replace("\n", "\r"), keys(1)),
        (block(1).replace(" = ", ": "), keys(1)),
        ("\ufeff# pasted\n" + block(1) + "rubbish\n= x\n", keys(1)),
        ("\ufeff" + block(1).replace("\n", "\r\n"), keys(1)),
        (
            "[ default ]\nAWS_ACCESS_KEY_ID=A1\naws_secret_access_key = S1=:+/\n",
            FileCredentials(access_key="A1", secret_key="S1=:+/"),
        ),
    ],
)
def test_keys_are_read_from_whatever_was_pasted(path: Path, text: str, expected: FileCredentials) -> None:
    path.write_bytes(text.encode())

    assert read_credentials(path, "default") == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_read(path: Path, encoding: str) -> None:
    path.write_text(block(1), encoding=encoding)

    assert read_credentials(path, "default") == keys(1)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (block(1)[:40], ["[default]", "aws_secret_access_key"]),
        (f"[default]\naws_secret_access_key = {SECRET}\n", ["[default]", "aws_access_key_id"]),
        ("[default]\naws_access_key_id = A1\naws_secret_access_key =\n", ["aws_secret_access_key"]),
        (f"[default]\naws_access_key_id=ASIA1\naws_secret_access_key={SECRET}\n", ["aws_session_token", "ASIA"]),
        (f"aws_access_key_id=A\naws_secret_access_key={SECRET}\n", ["[default]", "brackets"]),
        (f"[lab]\naws_access_key_id=A\naws_secret_access_key={SECRET}\n", ["[default]", "[lab]", "AWS_PROFILE"]),
        ("", ["empty"]),
        ("# nothing\n", ["empty"]),
        ("[default]\nregion = us-east-1\n", ["[default] has no credentials"]),
        (
            f'[default]\naws_access_key_id = A1\naws_secret_access_key = "{SECRET}"\n',
            ["aws_secret_access_key", "quotes"],
        ),
        (f"[default]\naws_access_key_id = A1\naws_secret_access_key = {SECRET}\u201d\n", ["U+201D"]),
        (f"[default]\naws_access_key_id = A1\naws_secret_access_key = {SECRET} x\n", ["a blank"]),
        (f"export AWS_ACCESS_KEY_ID=A1\nexport AWS_SECRET_ACCESS_KEY={SECRET}\n", ["shell", "export"]),
        (f'[default]\n$Env:AWS_ACCESS_KEY_ID="A1"\n$Env:AWS_SECRET_ACCESS_KEY="{SECRET}"\n', ["shell"]),
        (f"set AWS_ACCESS_KEY_ID=A1\nset AWS_SECRET_ACCESS_KEY={SECRET}\n", ["shell"]),
        (f'{{"Credentials": {{"AccessKeyId": "A1", "SecretAccessKey": "{SECRET}"}}}}', ["JSON"]),
        (f'{{"Credentials": {{"AccessKeyId": "A1", "SecretAccessKey": "{SECRET}"', ["a piece of JSON"]),
        ("[default]\n# aws_access_key_id = A1\naws_secret_access_key = S1\n", ["aws_access_key_id"]),
        ("a\0b", ["UTF-8"]),
    ],
)
def test_what_gives_no_keys_is_said_without_a_value(path: Path, text: str, facts: list[str]) -> None:
    path.write_text(text)

    problem = read_credentials(path, "default")

    assert isinstance(problem, Problem)
    assert problem.sentence.startswith(str(path))
    assert all(fact in problem.sentence for fact in facts), problem.sentence
    assert SECRET not in problem.sentence
    assert problem.hint


def test_what_is_no_file_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: Any) -> bytes:
        raise PermissionError(13, "Permission denied")

    absent = read_credentials(path, "default")
    path.mkdir()
    folder = read_credentials(path, "default")
    monkeypatch.setattr(Path, "read_bytes", deny)  # the tests may run as root, to whom nothing is denied
    closed = read_credentials(path, "default")

    assert isinstance(absent, Problem)
    assert "does not exist" in absent.message
    assert not absent.is_certain
    assert isinstance(folder, Problem)
    assert "is a directory" in folder.message
    assert isinstance(closed, Problem)
    assert "Permission denied" in closed.message
    assert "chmod" in closed.hint


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("region = x\n[default]\n", ["line 1 ", "before the first section"]),
        ("[default]\nregion = x\nrubbish\n", ["line 3 ", "NAME = VALUE"]),
        ("[default]\n[default]\n", ["line 2 ", "'default' a second time"]),
        ("[default]\nregion = x\nregion = y\n", ["line 3 ", "'region' a second time"]),
        ("[default]\ns3 =\n  addressing_style path\n", ["'s3'", "NAME = VALUE"]),
    ],
)
def test_what_no_aws_tool_parses_is_said_by_its_line(path: Path, text: str, facts: list[str]) -> None:
    path.write_text(text)

    problem = explain(path)

    assert problem is not None
    assert all(fact in problem.message for fact in facts), problem.message


def test_what_is_no_text_is_said(path: Path) -> None:
    path.write_bytes(b"[default]\nregion = \xff\n")

    problem = explain(path)

    assert problem is not None
    assert "UTF-8" in problem.sentence


@pytest.mark.parametrize("text", ["", "[default]\nregion = x\ns3 =\n  addressing_style = path\n"])
def test_a_file_that_is_right_or_not_there_has_no_problem(path: Path, text: str) -> None:
    assert explain(path) is None
    path.write_text(text)
    assert explain(path) is None


def test_sections_are_named_as_far_as_a_file_can_be_read(path: Path) -> None:
    assert section_names(path) == []
    path.write_text("[a]\nrubbish\n[profile b]\n")
    assert section_names(path) == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", ""),
        ("AKIA/+=", ""),
        ("x\r", "ends in a carriage return"),
        ("x\n", "ends in a line ending"),
        ("x ", "ends in a blank"),
        ("x\t", "ends in a tab"),
        (" x", "begins with a blank"),
        ("x y", "contains a blank"),
        ("x\x01y", "U+0001"),
        ("t\xf6k", "U+00F6"),
        ("x\xa0", "U+00A0"),
        ('"x"', "quotes"),
        ("'x'", "quotes"),
    ],
)
def test_what_is_out_of_place_in_a_value_is_named(value: str, said: str) -> None:
    assert said in invalid_character(value)
    assert bool(invalid_character(value)) == bool(said)
