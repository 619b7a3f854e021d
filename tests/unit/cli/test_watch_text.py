"""Texts of the display: escaped, of an exact width, short."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from courier.cli.watch_text import LEVELS, age, fitted, shown, spark
from courier.monitoring.live import downsampled
from courier.text import printable


@given(st.lists(st.integers(0, 10**9), max_size=300), st.integers(1, 80))
def test_a_sparkline_keeps_the_largest_numbers(history: list[int], columns: int) -> None:
    found = downsampled(history, columns)

    assert len(found) <= columns
    assert max(found, default=0) == max(history, default=0)
    assert len(spark(history, columns)) == len(found)


@given(st.text(max_size=50), st.integers(1, 30))
def test_a_fitted_text_has_exactly_its_width(text: str, width: int) -> None:
    safe = printable(text)

    assert cell_len(fitted(safe, width)) == cell_len(fitted(safe, width, is_right=True)) == width


@pytest.mark.parametrize(
    ("seconds", "said"), [(-1, "0.0 s"), (0.44, "0.4 s"), (42, "42 s"), (600, "10 min"), (9000, "2 h"), (1e6, "12 d")]
)
def test_ages_are_short(seconds: float, said: str) -> None:
    assert age(seconds) == said


def test_a_sparkline_has_its_lowest_level_for_nothing_only() -> None:
    for ascii_only, levels in LEVELS.items():
        found = spark((0, 1, 500, 1_000), 4, ascii_only=ascii_only)

        assert found == levels[0] + levels[1] + levels[4] + levels[-1]
    assert spark((0, 0), 4) == LEVELS[False][0] * 2


@given(st.text(max_size=20))
def test_foreign_text_is_printable_and_with_ascii_only_nothing_else(text: str) -> None:
    assert shown(text).isprintable()
    assert shown(text, ascii_only=True).isascii()


def test_a_text_is_padded_on_its_side_or_cut_with_a_mark() -> None:
    assert (fitted("ab", 4), fitted("ab", 4, is_right=True)) == ("ab  ", "  ab")
    assert (fitted("abcde", 4), fitted("abcde", 4, ascii_only=True)) == ("abc…", "abc~")
    assert (fitted("abc", 1), fitted("abc", 0)) == ("…", "")
    assert fitted("日本", 3) == "日…"
