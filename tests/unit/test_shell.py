"""Rules for shell scripts that no linter has."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: A reader behind a pipe that may end before its writer does. The writer is then killed by SIGPIPE, and under pipefail
#: the pipe has failed or not, as chance would have it.
LEAVES_EARLY = re.compile(
    r"\|\s*(?:command\s+)?(?:e|f|z)?(?:"
    r"grep\s+(?:-\S+\s+)*(?:-[a-zA-Z]*[qm]\w*|--quiet|--silent|--max-count)"
    r"|head\b|read\b|cmp\b|sed\s+[^|]*(?<![a-z])q\b|awk\s+[^|]*\bexit\b)"
)


def scripts() -> list[Path]:
    """Return every file of this repository that a shell runs."""
    names = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).splitlines()
    files = [ROOT / name for name in names if (ROOT / name).is_file()]
    return [file for file in files if file.suffix in {".sh", ".yml", ".service"} or is_shell(file)]


def is_shell(file: Path) -> bool:
    with file.open("rb") as opened:
        return re.match(rb"#!.*\b(ba|da|z|)sh\b", opened.readline(200)) is not None


def pipes(text: str) -> list[str]:
    """Return the lines that pipe into a reader which may leave early, with continued lines joined and no comments."""
    joined = re.sub(r"\\\n\s*|\|\s*\n\s*", lambda found: "| " if "|" in found[0] else " ", text)
    lines = [line for line in joined.splitlines() if not line.lstrip().startswith("#")]
    return [line.strip() for line in lines if LEAVES_EARLY.search(line.replace("||", "  "))]


@pytest.mark.parametrize(
    "line",
    [
        "aws x --generate-cli-skeleton | grep -q Name",
        "tar --version 2>/dev/null | grep -i -q GNU",
        "find_instance running | head -n 1 | cut -f 1",
        "find_instance running |\n  head -n 1",
        "find_instance running | \\\n  read -r one",
        "list | sed -n '1{p;q}'",
        "list | sed 3q",
        "list | awk '{ print; exit }'",
        "list | grep -m1 x",
        "list | egrep --quiet x",
    ],
)
def test_a_reader_that_leaves_early_is_seen(line: str) -> None:
    assert pipes(line)


@pytest.mark.parametrize(
    "line", ["head -n 1 file || true", "grep -q x <<<$said", "list | sort | cut -f 1", "# a | head", "list | grep -c x"]
)
def test_other_readers_are_none(line: str) -> None:
    assert not pipes(line)


def test_no_script_pipes_into_a_reader_that_leaves_early() -> None:
    found = {file.relative_to(ROOT).as_posix(): pipes(file.read_text()) for file in scripts()}

    assert len(found) > 20
    assert {name: lines for name, lines in found.items() if lines} == {}
