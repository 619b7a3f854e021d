"""Help fits the terminal, without a torn word, and its example commands stay whole."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys

import pytest

from courier.cli import daemon, help_format, images, images_arguments, numbers, numbers_arguments, watch
from tests.support.place import ROOT

BUILDERS = {
    "numbers_client.py": lambda: numbers_arguments.build_parser(numbers.__doc__ or ""),
    "images_client.py": lambda: images_arguments.build_parser(images.__doc__ or ""),
    "images_worker.py": lambda: daemon.build_parser("Worker of the images application, which takes requests."),
    "run_local.sh watch": watch.build_parser,
}


def helps(program: str) -> list[str]:
    parser = BUILDERS[program]()
    parser.prog = program
    commands = getattr(parser, "commands", {})
    for name, command in commands.items():
        command.prog = f"{program} {name}"
    return [one.format_help() for one in (parser, *commands.values())]


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
@pytest.mark.parametrize("program", BUILDERS)
def test_no_line_is_wider_than_the_terminal_but_a_command(
    monkeypatch: pytest.MonkeyPatch, program: str, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    for text in helps(program):
        wide = [line for line in text.splitlines() if len(line) > columns]
        assert [line for line in wide if not re.match(r"  (?:.* \| )?(\./)?\w+\.(py|sh) \S", line)] == []


@pytest.mark.parametrize("program", BUILDERS)
def test_wrapping_loses_no_word_and_tears_none(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    words = []
    for columns in ("60", "400"):
        monkeypatch.setenv("COLUMNS", columns)
        # The usage and the options are argparse's.
        words.append([text.partition("options:")[2].split() for text in helps(program)])

    assert words[0] == words[1]


def test_a_paragraph_flows_and_a_row_hangs() -> None:
    text = """
        One two three
        four five six seven.

        rows:
          key    one two three
                 four five six
          other  seven
          a b c
          d e f"""

    assert help_format.filled(text, 30) == [
        "One two three four five six",
        "seven.",
        "",
        "rows:",
        "  key    one two three four",
        "         five six",
        "  other  seven",
        "  a b c d e f",
    ]


def test_text_beside_a_long_command_goes_below_it_where_there_is_no_room() -> None:
    text = "examples:\n  program run --long-option       what it does with files\n  program other --yes\n  program last"

    assert help_format.filled(text, 40) == [
        "examples:",
        "  program run --long-option",
        "      what it does with files",
        "  program other --yes",
        "  program last",
    ]


def test_a_program_started_by_run_local_shows_its_command_line_in_the_help() -> None:
    env = {**os.environ, "SETUP_LOCAL": "/x/.local", "COLUMNS": "80"}
    line = [sys.executable, str(ROOT / "images_client.py")]

    helped = subprocess.run([*line, "--help"], env=env, capture_output=True, text=True, check=True).stdout
    wrong = subprocess.run([*line, "lst"], env=env, capture_output=True, text=True, check=False).stderr

    assert "images_client.py" not in helped + wrong
    assert "usage: ./run_local.sh images " in helped
    assert "\n  ./run_local.sh images run cat.jpg --to out" in helped
    assert "./run_local.sh images: error: " in wrong


def test_watch_has_the_name_of_the_script_that_started_it() -> None:
    env = {**os.environ, "SETUP_PROGRAM": "run_local.sh"}
    line = [sys.executable, "-m", "courier.cli.watch"]

    helped = subprocess.run([*line, "--help"], cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    wrong = subprocess.run([*line, "foo"], cwd=ROOT, env=env, capture_output=True, text=True, check=False).stderr

    assert helped.startswith("usage: run_local.sh watch ")
    assert "run_local.sh watch: error: " in wrong


def test_argparse_itself_is_left_alone() -> None:
    parser = argparse.ArgumentParser(prog="x", description="one", formatter_class=help_format.HelpFormatter)

    assert parser.format_help().startswith("usage: x [-h]\n\none\n")
