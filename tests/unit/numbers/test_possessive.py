"""Possessive groups, which Python before 3.11.5 matches wrongly where a repetition fails in its middle (gh-106052).

There, `(?:ab)*+` has taken the first character of a repetition that then failed. A group whose last alternative is
empty does not fail.
"""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "courier").rglob("*.py"))
    if re.search(r"\)(?:[*+?]|\{[0-9,]*\})\+", path.read_text())
]
SINGLE = {codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY, codes.CATEGORY}
REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}


def patterns(value: Any) -> Iterator[str]:
    """Yield the patterns that a module's variable holds."""
    if isinstance(value, re.Pattern):
        yield value.pattern if isinstance(value.pattern, str) else value.pattern.decode()
    elif isinstance(value, dict):
        yield from patterns(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from patterns(one)
    elif type(value).__module__.startswith("courier.") and hasattr(value, "__dict__"):
        yield from patterns(vars(value))


def fragile(parsed: Any) -> Iterator[Any]:
    """Yield the possessive groups that may fail in their middle."""
    for code, argument in parsed:
        if code is codes.POSSESSIVE_REPEAT and not _is_safe(argument[2]):
            yield argument[2]
        for inner in _inside(code, argument):
            yield from fragile(inner)


def _inside(code: Any, argument: Any) -> list[Any]:
    if code in REPEATS:
        return [argument[2]]
    if code is codes.BRANCH:
        return list(argument[1])
    if code is codes.SUBPATTERN:
        return [argument[3]]
    if code in {codes.ASSERT, codes.ASSERT_NOT}:
        return [argument[1]]
    return [argument] if code is codes.ATOMIC_GROUP else []


def _is_safe(group: Any) -> bool:
    """Whether it is one character, one followed by what cannot fail, or a choice that ends with nothing."""
    while len(group) == 1 and group[0][0] is codes.SUBPATTERN:
        group = group[0][1][3]
    (code, argument), *rest = group
    if code is codes.BRANCH and not rest:
        return len(argument[1][-1]) == 0
    return code in SINGLE and all(one[0] is codes.POSSESSIVE_REPEAT and one[1][0] == 0 for one in rest)


@pytest.mark.parametrize("name", MODULES)
def test_no_possessive_group_fails_in_its_middle(name: str) -> None:
    found = {pattern for value in vars(import_module(name)).values() for pattern in patterns(value)}

    assert found
    assert [pattern for pattern in found if list(fragile(parser.parse(pattern)))] == []


@pytest.mark.parametrize(
    ("pattern", "count"), [("(?:ab)*+", 1), ("x(?:a[0-9]*b)?+", 1), ("(?:ab|)*+", 0), (r"(?:\.[0-9]*+)?+[a-z]++", 0)]
)
def test_such_a_group_is_found(pattern: str, count: int) -> None:
    assert len(list(fragile(parser.parse(pattern)))) == count
