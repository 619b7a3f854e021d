"""Scripts for users run on bash 3.2, the last one of macOS: what a newer bash has is found here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: The scripts of an instance run on Amazon Linux's bash 5.
ON_INSTANCE = ("on_instance",)
SCRIPTS = [
    path
    for path in (*ROOT.glob("*.sh"), *ROOT.glob("setup/**/*.sh"), *ROOT.glob(".ci/*"))
    if not set(ON_INSTANCE) & set(path.parts) and path.is_file() and path.read_bytes().startswith((b"#!", b"# shell"))
]
#: What bash 3.2 lacks, and how it is written. Comments and quoted awk and sed programs are read, too: none has these.
NEWER = {
    "an associative array": r"\b(?:declare|local|typeset|readonly)\s+-[a-zA-Z]*A",
    "a name reference": r"\b(?:declare|local|typeset)\s+-[a-zA-Z]*n\b",
    "case conversion": r"\$\{!?\w+(?:\[[^]]*\])?(?:\^\^?|,,?)",
    "a case attribute": r"\b(?:declare|local|typeset)\s+-[a-zA-Z]*[lu]\b",
    "transformation": r"\$\{\w+(?:\[[^]]*\])?@[A-Za-z]\}",
    "mapfile": r"(?:^|[;&|({]\s*|\bthen\s+|\bdo\s+)\s*(?:mapfile|readarray)\b",
    "a pipe of both streams": r"\|&(?!&)",
    "an appending redirection of both streams": r"&>>",
    "a coprocess": r"(?:^|[;&|({]\s*)\s*coproc\b",
    "a negative index": r"\$\{\w+\[\s*-\s*\d",
    "a negative length": r"\$\{\w+:[^}:]*:\s*-\d",
    "wait for any": r"\bwait\s+(?:-\w\s+)*-[nfp]\b",
    "the time in printf": r"%(?:-?\d*)\([^)]*\)T",
    "a test whether a variable is set": r"\[\[\s+(?:!\s+)?-v\s",
    "falling through in case": r";;?&",
    "a range with a step": r"\{-?\w+\.\.-?\w+\.\.",
    "a newer variable": r"\$\{?(?:EPOCHSECONDS|EPOCHREALTIME|SRANDOM|BASHPID|BASH_ARGV0)\b",
    "a descriptor by name": r"\{\w+\}(?:<|>)",
    "waiting less than a second": r"\bread\s+(?:-\w+\s+)*-t\s*0?\.\d",
    "nested quotes of a code": r"\\[uU][0-9a-fA-F]{4}",
}
_EXPANDED = re.compile(r'"\$\{(\w+)\[@\](?::[^}]*)?\}"')
_GUARDED = re.compile(r'\$\{(\w+)\[@\]\+"\$\{\1\[@\]\}"\}')
_MAY_BE_EMPTY = re.compile(r"\b(\w+)=\(\)")


def newer(text: str) -> list[str]:
    """Return what bash 3.2 does not understand in a script, with its line."""
    return [
        f"{number}: {what}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        if not line.lstrip().startswith("#")
        for what, pattern in NEWER.items()
        if re.search(pattern, line)
    ]


def unguarded(text: str) -> list[str]:
    """Return where an array that may be empty is expanded: before bash 4.4, nounset takes it for an unset variable."""
    empty = set(_MAY_BE_EMPTY.findall(text))
    return [
        f"{number}: {name}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        for name in _EXPANDED.findall(_GUARDED.sub("", line))
        if name in empty
    ]


def test_scripts_have_nothing_that_bash_3_lacks() -> None:
    found = {path.name: newer(path.read_text()) for path in SCRIPTS}

    assert len(SCRIPTS) > 12
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_arrays_that_may_be_empty_are_guarded() -> None:
    shared = _MAY_BE_EMPTY.findall((ROOT / "aws_setup.sh").read_text())
    also = "".join(f"{name}=()\n" for name in shared)
    found = {path.name: unguarded(also + path.read_text()) for path in SCRIPTS}

    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "declare -A by_name",
        "local -gA by_name=()",
        "local -n other=$1",
        "declare -l lower",
        "say ${name,,}",
        "say ${name^}",
        "say ${words[0]^^}",
        "say ${name@Q}",
        "mapfile -t lines <file",
        "if true; then readarray lines; fi",
        "list |& sort",
        "list &>>log",
        "coproc server",
        "say ${words[-1]}",
        "say ${name:1:-1}",
        "wait -n",
        "printf '%(%F)T' -1",
        "[[ -v name ]]",
        "one) say 1 ;;&",
        "for i in {1..9..2}; do",
        "say $EPOCHSECONDS",
        "exec {lock}>file",
        "read -r -t 0.5 line",
    ],
)
def test_what_bash_3_lacks_is_found(line: str) -> None:
    assert newer(line)


@pytest.mark.parametrize(
    "line",
    [
        "local -a words=()",
        "say ${name:1:2} ${name%,*} ${name/,/;}",
        "list 2>&1 | sort",
        "a || b && c",
        "list >log 2>&1",
        "wait $! || status=$?",
        "printf '%s (%d)' T 1",
        "# declare -A in a comment",
        "local name=$1 number",
        "say ${#words[@]} ${words[0]}",
        "read -r -t 5 line",
    ],
)
def test_what_bash_3_has_is_not_found(line: str) -> None:
    assert not newer(line)


def test_an_empty_array_is_found_where_it_is_expanded() -> None:
    assert unguarded('more=()\nrun "${more[@]}"')
    assert unguarded('local more=()\nrun "${more[@]:1}"')
    assert not unguarded('more=()\nrun ${more[@]+"${more[@]}"}')
    assert not unguarded('more=(one)\nrun "${more[@]}"')
