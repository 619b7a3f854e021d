"""What must reach no screen is taken out of whatever is shown."""

from __future__ import annotations

import pytest

from courier import redaction
from courier.redaction import HIDDEN, SHORTEST_SECRET, remember, scrub


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_secrets", set())


def test_a_secret_is_hidden_wherever_it_stands() -> None:
    remember("wJalrXUtnFEMI", None, "token-of-one-hour")

    assert (
        scrub("key wJalrXUtnFEMI, again wJalrXUtnFEMI; token-of-one-hour!")
        == f"key {HIDDEN}, again {HIDDEN}; {HIDDEN}!"
    )


def test_a_secret_with_spaces_around_it_is_known_without_them() -> None:
    remember(" wJalrXUtnFEMI\n")

    assert scrub("x=wJalrXUtnFEMI") == f"x={HIDDEN}"


def test_what_is_too_short_to_be_a_secret_is_an_ordinary_word() -> None:
    remember("t" * (SHORTEST_SECRET - 1), "", " " * 20)
    assert scrub("ttttttt t  test") == "ttttttt t  test"

    remember("t" * SHORTEST_SECRET)
    assert scrub("t" * SHORTEST_SECRET) == HIDDEN


def test_a_secret_within_a_longer_one_leaves_nothing_of_it() -> None:
    remember("abcdefgh", "abcdefghijkl")

    assert scrub("abcdefghijkl") == HIDDEN


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:pass@host:1/x", f"http://{HIDDEN}@host:1/x"),
        ("https://me@host and http://b:c@d", f"https://{HIDDEN}@host and http://{HIDDEN}@d"),
        ("http://host/a@b", "http://host/a@b"),
        ("mail me@host", "mail me@host"),
    ],
)
def test_user_and_password_of_an_address_are_hidden(text: str, shown: str) -> None:
    assert scrub(text) == shown
