"""The numbers client's command line: its commands and what each takes."""

from __future__ import annotations

import argparse

import pytest

from courier.cli.numbers_arguments import MAX_RANDOM, build_parser


def parsed(*arguments: str) -> argparse.Namespace:
    return build_parser("x").parse_args(arguments)


def test_without_a_command_there_is_none() -> None:
    assert parsed().command is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["send", "1", "5", "22"], {"command": "send", "numbers": ["1", "5", "22"], "csv": False}),
        (["sample", "--csv"], {"command": "sample", "csv": True}),
        (["random", "1"], {"command": "random", "length": 1, "seed": None}),
        (["random", str(MAX_RANDOM), "--seed", "7"], {"length": MAX_RANDOM, "seed": 7}),
        (["file", "-"], {"path": "-", "column": None, "skip_header": False, "decimal_comma": False}),
        (["file", "a.csv", "--column", "price"], {"path": "a.csv", "column": "price"}),
        (["file", "a.csv", "--column", "10", "--skip-header"], {"column": "10", "skip_header": True}),
        (["batch", "a", "--decimal-comma", "--thousands"], {"decimal_comma": True, "thousands": True}),
        (["send", "1,5", "--thousands"], {"thousands": True, "decimal_comma": False}),
        (["random", "9", "--percentile", "5, 99.90"], {"percentile": ["5", "99.9"]}),
        (["sample", "--percentile", "50", "--percentile", "95"], {"percentile": ["50", "95"]}),
        (["sample"], {"percentile": []}),
        (["purge", "--yes"], {"command": "purge", "yes": True}),
        (["redrive"], {"command": "redrive", "yes": False}),
        (["check"], {"command": "check"}),
        (["dead", "--json"], {"command": "dead", "json": True}),
    ],
)
def test_a_command_is_read_with_what_it_takes(arguments: list[str], expected: dict[str, object]) -> None:
    found = vars(parsed(*arguments))

    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["send"], "LIST"),
        (["random", "0"], f"{MAX_RANDOM:,}"),
        (["random", str(MAX_RANDOM + 1)], f"{MAX_RANDOM:,}"),
        (["random", "5", "--seed", "x"], "--seed"),
        (["file"], "PATH"),
        (["file", "a", "--column", "0"], "--column"),
        (["file", "a", "--column", "00"], "--column"),
        (["file", "a", "--column", " "], "--column"),
        (["batch", "a", "--column", "1"], "--column"),
        (["check", "--csv"], "--csv"),
        (["send", "1", "--percentile", "101"], "'101' is not a percentile"),
        (["send", "1", "--percentile", ""], "empty item"),
        (["send", "1", "--percentile", "5,,6"], "empty item"),
        (["sned", "1"], "sned"),
    ],
)
def test_what_is_wrong_is_wrong_usage_and_named(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        parsed(*arguments)

    assert raised.value.code == 2
    assert said in capsys.readouterr().err
