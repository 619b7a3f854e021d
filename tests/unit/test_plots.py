"""Bars and boxes made of characters."""

from __future__ import annotations

import pytest

from courier.plots import Box, bars, box, signs


def test_bars_are_in_proportion_and_say_their_counts() -> None:
    assert bars(["0", "5", "10"], [1200, 300], width=8, ascii_only=True) == [
        " 0 - 5  ######## 1,200",
        " 5 - 10 ## 300",
    ]


def test_bars_end_in_eighths_of_a_character() -> None:
    assert bars(["0", "1", "2", "3"], [16, 3, 9], width=2, ascii_only=False) == [
        "0 \N{EN DASH} 1 ██ 16",
        "1 \N{EN DASH} 2 ▍ 3",
        "2 \N{EN DASH} 3 █▏ 9",
    ]


@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_is_not_nothing_is_drawn_and_nothing_is_not(*, ascii_only: bool) -> None:
    few, none, _ = bars(["0", "1", "2", "3"], [1, 0, 10_000], width=20, ascii_only=ascii_only)

    assert few.split() == ["0", few.split()[1], "1", "#" if ascii_only else "▏", "1"]
    assert none.split()[3:] == ["0"]
    assert none.endswith(" 0")


def test_a_list_of_nothing_is_drawn_too() -> None:
    assert bars(["0", "1"], [0], width=5, ascii_only=True) == ["0 - 1 0"]


@pytest.mark.parametrize(
    ("ascii_only", "line"), [(True, "|--==|=o==|"), (False, "├──██┃█◆██┤")], ids=["ascii", "unicode"]
)
def test_a_box_has_whiskers_quartiles_median_and_mean(line: str, *, ascii_only: bool) -> None:
    parts = Box(q1=0.3, median=0.5, q3=0.9, mean=0.7)

    assert box(parts, width=11, ascii_only=ascii_only) == line


def test_a_box_of_one_value_is_its_mean() -> None:
    assert box(Box(q1=0, median=0, q3=0, mean=0), width=5, ascii_only=True) == "o---|"


@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_signs_are_those_of_the_box(*, ascii_only: bool) -> None:
    median, mean = signs(ascii_only=ascii_only)

    line = box(Box(q1=0.2, median=0.4, q3=0.8, mean=0.6), width=11, ascii_only=ascii_only)
    assert (line[4], line[6]) == (median, mean)
