from __future__ import annotations

import pytest

from courier.cli.picks import complete, picked
from courier.errors import WrongUsage

NAMES = ["cat.png", "dog.jpg", "My Cat.png", "cat[b].png", "5", "a,b.gif"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1", ["cat.png"]),
        ("1-3,5", ["cat.png", "dog.jpg", "My Cat.png", "5"]),
        ("3-2 1", ["My Cat.png", "dog.jpg", "cat.png"]),
        ("1, 1, cat.png", ["cat.png"]),
        ("5", ["5"]),
        ("'5' 2", ["5", "dog.jpg"]),
        ("My Cat.png", ["My Cat.png"]),
        (r"My\ Cat.png, 2", ["My Cat.png", "dog.jpg"]),
        ("cat[b].png", ["cat[b].png"]),
        ("a,b.gif", ["a,b.gif"]),
        ("*.JPG", ["dog.jpg"]),
        ("*.png", ["cat.png", "My Cat.png", "cat[b].png"]),
        ("[cd]*", ["cat.png", "dog.jpg", "cat[b].png"]),
        ("all", NAMES),
        ("*", NAMES),
    ],
)
def test_what_is_picked(text: str, names: list[str]) -> None:
    assert picked(text, NAMES) == names


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("7", "no number 7 in the list", "number from 1 to 6, a range such as 1-6"),
        ("0", "no number 0", "from 1 to 6"),
        ("2-9", "no number 9", "from 1 to 6"),
        ("cta.png", "No name in the list is 'cta.png'", "Did you mean cat.png?"),
        ("1 my\\ cat.png", "is 'my cat.png'", r"Did you mean My\ Cat.png?"),
        ("*.webp", r"matches '\*.webp'", "a pattern"),
        ("'1", "quote ' is not closed", "Close it"),
    ],
)
def test_what_picks_nothing_is_said_with_what_can_be_typed(text: str, message: str, hint: str) -> None:
    with pytest.raises(WrongUsage, match=message) as raised:
        picked(text, NAMES)
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("ca", ["cat.png", "cat[b].png"]),
        ("1,d", ["1,dog.jpg"]),
        ("2 My\\ ", [r"2 My\ Cat.png"]),
        ("'M", ["'My Cat.png'"]),
        ("My C", ["My Cat.png"]),
        ("x", []),
    ],
)
def test_tab_completes_names(line: str, completed: list[str]) -> None:
    assert complete(line, NAMES) == completed
