from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.text import one_of, printable, quoted


@given(st.text())
def test_whatever_comes_out_is_printable(text: str) -> None:
    assert printable(text, None).isprintable()


@given(st.text(max_size=50).filter(str.isprintable))
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_an_escape_sequence_is_shown_and_not_sent() -> None:
    assert printable("\x1b[31mred\n") == r"\x1b[31mred\n"


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert printable("x" * 300, 10) == "x" * 9 + "…"


def test_quoting_makes_a_lone_surrogate_harmless() -> None:
    assert quoted("a\ud800b") == r"'a\ud800b'"


@pytest.mark.parametrize(("names", "sentence"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")])
def test_known_names_end_a_sentence(names: list[str], sentence: str) -> None:
    assert one_of(names) == sentence
