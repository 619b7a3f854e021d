"""What the scripts for users print on a terminal that is not wide, and elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pexpect
import pytest

from tests.support.place import ROOT

WIDTH = 40
LONG = "one two three four five six seven eight nine ten https://example.com/a-word-longer-than-one-whole-line end"


def on_terminal(folder: Path, command: str, width: int = WIDTH) -> list[str]:
    """Return the lines that a command prints on a terminal of this many columns."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"}
    child = pexpect.spawn("bash", ["-c", command], cwd=str(ROOT), env=env, dimensions=(24, width), encoding="utf-8")
    text = child.read()
    child.close()
    return [line.rstrip("\r") for line in text.split("\n")][:-1]


@pytest.mark.parametrize("script", ["aws_setup.sh", "run_local.sh"])
def test_a_message_is_wrapped_at_words(tmp_path: Path, script: str) -> None:
    lines = on_terminal(tmp_path, f"./{script} frob")
    piped = subprocess.run([ROOT / script, "frob"], capture_output=True, text=True, check=False).stderr

    assert max(map(len, lines)) <= WIDTH
    assert len(lines) > 2
    assert piped == " ".join(lines) + "\n"


def test_long_words_and_commands_stay_whole(tmp_path: Path) -> None:
    script = f'. setup/output.sh; say "{LONG}"; say "+ aws {LONG}"; said=$(say "{LONG}")'

    *wrapped, command, same = on_terminal(tmp_path, f'{script}; [[ $said == "{LONG}" ]] && say same')

    assert wrapped == [
        "one two three four five six seven eight",
        "nine ten",
        "https://example.com/a-word-longer-than-one-whole-line",
        "end",
    ]
    assert (command, same) == (f"+ aws {LONG}", "same")


def test_a_terminal_without_a_size_gets_the_text_as_it_is(tmp_path: Path) -> None:
    assert on_terminal(tmp_path, f'. setup/output.sh; say "{LONG}"', width=0) == [LONG]


VERBS = "up down status watch logs doctor env numbers images run setup"


def in_shell(command: str, *arguments: str) -> str:
    """Return what a command prints that uses the functions of output.sh."""
    line = ["bash", "-euc", f". setup/output.sh; {command}", "bash", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("sttaus", "status"),
        ("Status", "status"),
        ("stat", "status"),
        ("pu", "up"),
        ("dwon", "down"),
        ("log", "logs"),
        ("image", "images"),
        ("rnu", "run"),
        ("numberz", "numbers"),
        ("docktorr", "doctor"),
        ("se", "setup"),
        ("foo", ""),
        ("x", ""),
        ("xy", ""),
        ("frob", ""),
        ("*", ""),
        ("\\", ""),
        ("", ""),
    ],
)
def test_the_nearest_word_is_offered_if_it_is_near(word: str, meant: str) -> None:
    said = in_shell('did_you_mean "$@"', word, *VERBS.split())

    assert said == (f" Did you mean {meant}?" if meant else "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\f3", r"\x0c3"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("Grüße, 日本", "Grüße, 日本"),
        ("one\ntwo", "one\ntwo"),
        ("\x7f", r"\x7f"),
        ("plain", "plain"),
    ],
)
def test_what_cannot_be_shown_is_escaped(text: str, shown: str) -> None:
    assert in_shell('LC_ALL=C.UTF-8; printable "$1"', text) == shown


def test_a_command_is_not_broken_where_it_fits_a_line(tmp_path: Path) -> None:
    text = "The local AWS is not running now. Start it: ./run_local.sh up --long; or look with ./aws_setup.sh status"
    script = f'. setup/output.sh; say "{text}"'

    lines = on_terminal(tmp_path, script)

    assert " ".join(lines) == text
    assert [line for line in lines if "./run_local.sh up --long" in line]
    assert [line for line in lines if "./aws_setup.sh status" in line]


@pytest.mark.parametrize("script", ["aws_setup.sh", "run_local.sh"])
def test_help_fits_a_terminal(script: str) -> None:
    said = subprocess.run([ROOT / script, "--help"], capture_output=True, text=True, check=True).stdout

    assert [line for line in said.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("script", "word", "meant"),
    [
        ("run_local.sh", "sttaus", "Did you mean status?"),
        ("run_local.sh", "foo", "images, run or setup"),
        ("aws_setup.sh", "polic", "Did you mean policy?"),
        ("aws_setup.sh", "--regoin", "Did you mean --region?"),
    ],
)
def test_what_is_misspelled_is_answered_with_what_it_may_be(script: str, word: str, meant: str) -> None:
    done = subprocess.run([ROOT / script, word], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert meant in done.stderr


@pytest.mark.parametrize("script", ["aws_setup.sh", "run_local.sh"])
def test_no_script_prints_control_characters_of_its_arguments(script: str) -> None:
    done = subprocess.run([ROOT / script, "\f\x1b[2J"], capture_output=True, text=True, check=False)

    assert "\x1b" not in done.stderr
    assert r"\x0c\x1b[2J" in done.stderr


@pytest.mark.parametrize("script", ["aws_setup.sh", "run_local.sh"])
def test_the_verbs_that_are_listed_are_those_of_the_help(script: str) -> None:
    helped = subprocess.run([ROOT / script, "--help"], capture_output=True, text=True, check=True).stdout
    said = subprocess.run([ROOT / script, "frob"], capture_output=True, text=True, check=False).stderr

    described = re.findall(r"^  ([a-z][\w-]*) ", helped.partition("\noptions:")[0], flags=re.MULTILINE)
    listed = re.split(r", | or ", said.partition("Use ")[2].partition(";")[0])
    assert sorted(listed) == sorted(described)
