"""The command line of the images client has the commands and options that its help and the shell's Tab show."""

from __future__ import annotations

import argparse

import pytest

from courier.cli.images_arguments import FOLDERS, SHEET, build_parser
from courier.images.pipeline import PRESETS


def given(*arguments: str) -> argparse.Namespace:
    return build_parser("").parse_args(arguments)


def test_without_a_command_there_is_none_and_the_options_are_at_their_defaults() -> None:
    none = given()

    assert (none.command, none.json, none.timeout) == (None, False, None)


def test_a_run_needs_nothing_and_takes_all_of_it() -> None:
    bare = given("run")
    full = given(
        "run",
        "a.png",
        "b",
        "--operations",
        "sepia",
        "--operations",
        "flip,flop",
        "--to",
        "out",
        "--recursive",
        "--replace",
    )

    assert (bare.files, bare.operations, bare.to, bare.recursive, bare.replace) == ([], None, ".", False, False)
    assert (full.files, full.to, full.recursive, full.replace) == (["a.png", "b"], "out", True, True)
    assert full.operations == ["sepia", "flip,flop"]


def test_common_options_stand_before_or_behind_a_command() -> None:
    for arguments in (("--json", "--timeout", "5", "list"), ("list", "--json", "--timeout", "5")):
        assert (given(*arguments).json, given(*arguments).timeout) == (True, 5)
    assert not given("list").json


def test_a_list_is_of_uploads_unless_results_are_named() -> None:
    assert [given("list").folder, *(given("list", folder).folder for folder in FOLDERS)] == ["unprocessed", *FOLDERS]
    assert (given("list").all, given("list", "--all").all) == (False, True)


@pytest.mark.parametrize(
    "arguments",
    [["list", "other"], ["process"], ["download"], ["show"], ["upload", "--to", "x"], ["sheet", "--operations", "x"],
     ["operations", "x"], ["paint"], ["--timeout", "0"]],
    ids=" ".join,
)  # fmt: skip
def test_what_no_command_takes_is_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        given(*arguments)

    assert raised.value.code == 2
    assert capsys.readouterr().err


def test_the_sheet_is_a_preset() -> None:
    assert SHEET in PRESETS
