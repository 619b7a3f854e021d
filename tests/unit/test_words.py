from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.words import BANNED, banned_in

ROOT = Path(__file__).parents[2]
#: The list itself, and its tests.
EXEMPT = {Path(__file__), ROOT / "tests/support/words.py"}
FILES = sorted(
    path
    for pattern in (
        *("*.py", "*.sh", "setup/**/*.sh", "setup/**/*.service"),
        *(f"{folder}/**/*.py" for folder in ("bench", "courier", "scripts", "tests")),
    )
    for path in ROOT.glob(pattern)
    if path not in EXEMPT
)


def test_code_has_one_word_for_one_thing() -> None:
    found = {str(path.relative_to(ROOT)): banned_in(path.read_text()) for path in FILES}

    lines = [f"{path}:{line}" for path, lines in found.items() for line in lines]
    assert lines == [], "\n".join(lines)


@pytest.mark.parametrize(
    "text", ["A Picture.", "It is left off.", "REFUSED", "it buries them", "so-manieth", "test_it_is_left_off"]
)
def test_a_banned_word_is_found_in_any_case(text: str) -> None:
    (line,) = banned_in(f"\n{text}\n")

    assert line.startswith("2: ")
    assert any(instead in line for instead in BANNED.values())


@pytest.mark.parametrize("text", ["busy", "the image", "recommended", "a sliding window", "refusenik", "manual"])
def test_a_part_of_a_word_is_not_found(text: str) -> None:
    assert banned_in(text) == []
