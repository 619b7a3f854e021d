"""What the scripts for users print on a terminal that is not wide, and elsewhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pexpect
import pytest

from tests.support.place import ROOT

WIDTH = 40
LONG = "one two three four five six seven eight nine ten https://example.com/a-word-longer-than-one-whole-line end"


def on_terminal(folder: Path, command: str) -> list[str]:
    """Return the lines that a command prints on a terminal of `WIDTH` columns."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"}
    child = pexpect.spawn("bash", ["-c", command], cwd=str(ROOT), env=env, dimensions=(24, WIDTH), encoding="utf-8")
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
    assert on_terminal(tmp_path, f'stty cols 0; . setup/output.sh; say "{LONG}"') == [LONG]
