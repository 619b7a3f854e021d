"""An answer on terminals of all sizes: nothing is cut, and all of it is seen at once where that is possible."""

from __future__ import annotations

import random
from itertools import product

import pytest

from courier import Request
from courier.cli import answer
from courier.cli.report import OTHER_LINES, list_line
from courier.numbers import handler, plots, render, response
from courier.numbers.response import NumbersResponse

WIDTHS = (40, 60, 80, 90, 100, 200)
SAMPLE = "12, 7.5, -3, 1e2, 0.25, 42, 7.5"
_RNG = random.Random(7)
RANDOM = ",".join(f"{_RNG.gauss(0, 1_000):.3f}" for _ in range(2_000))
LISTS = {"sample": SAMPLE, "random": RANDOM, "tiny": "1e-9, 2e-9, 3", "equal": "5,5,5", "one": "5"}
CASES = list(product(LISTS, WIDTHS))


def of(text: str, percentile: str = "") -> NumbersResponse:
    options = {"histogram": "yes", **({"percentile": percentile} if percentile else {})}
    return response.decode(handler.answer(Request(body=text, options=options)))


def shown(found: NumbersResponse, width: int, height: int = 20, *, ascii_only: bool = False) -> list[str]:
    lines = answer.fitted(found, width=width, height=height, ascii_only=ascii_only)
    return ["".join(text for text, _ in line) for line in lines]


@pytest.mark.parametrize(("name", "width"), CASES)
def test_it_fits_and_has_every_statistic_and_every_count(name: str, width: int) -> None:
    found = of(LISTS[name])
    lines = shown(found, width, height=50)
    words = " ".join(lines).replace("≈ ", "≈").split()

    assert max(map(len, lines)) <= width
    for statistic, value in render.table(found, ascii_only=False).items():
        assert words[words.index(statistic) + 1] == value.replace("≈ ", "≈")
    assert found.histogram
    plot = render.plot(found, ascii_only=False, width=width)
    assert sum("\N{EN DASH}" in line for line in lines) == sum("\N{EN DASH}" in line for line in plot)


@pytest.mark.parametrize(("name", "width"), CASES)
def test_it_takes_fifteen_lines_where_it_is_wide_and_a_screen_elsewhere(name: str, width: int) -> None:
    lines = shown(of(LISTS[name]), width, 24 - OTHER_LINES)

    if width >= 90:
        assert len(lines) + 2 <= 15  # beside the list and the time
    elif width >= 60:
        assert len(lines) <= 24 - OTHER_LINES


def test_what_does_not_fit_the_height_is_left_out_of_the_plot_and_never_of_the_statistics() -> None:
    found = of("1, 1e30, -5e29, 7")

    assert "mean" in shown(found, 60, height=50)[-1]
    assert "count" in shown(found, 60, height=20)[0]
    assert len(shown(found, 60, height=20)) <= 20
    assert len(shown(found, 60, height=5)) == 14


def test_many_percentiles_stand_in_more_columns_if_they_are_not_seen_else() -> None:
    found = of(RANDOM, "1,2,5,10,25,50,75,90,95,99")

    assert len(shown(found, 100)) <= 13
    assert len(shown(found, 100, height=50)) == 23
    assert max(map(len, shown(found, 100))) <= 100


def test_plain_characters_where_there_are_no_others() -> None:
    assert all(line.isascii() for line in shown(of(SAMPLE), 90, ascii_only=True))


@pytest.mark.parametrize("width", [1, 5, 12, 19])
def test_a_terminal_of_any_width_gets_the_whole_answer(width: int) -> None:
    found = of(SAMPLE)
    text = "".join("".join(shown(found, width)).split())

    assert all(name.replace(" ", "") in text for name in render.table(found, ascii_only=False))


@pytest.mark.parametrize("width", [20, 40, 80])
def test_what_is_too_long_for_a_line_goes_on_in_the_next(width: int) -> None:
    lines = shown(of("1" * 100), width)

    assert max(map(len, lines)) <= width
    assert "1" * 100 in "".join(line.split()[-1].removesuffix("\\") for line in lines)


def test_names_bars_and_the_signs_of_the_box_have_styles() -> None:
    lines = answer.fitted(of(SAMPLE), width=90, height=20, ascii_only=False)
    styles = {text: style for line in lines for text, style in line if style}

    assert styles["count   "] == "bold"
    assert (styles["┃"], styles["◆"]) == ("magenta", "yellow")
    assert {style for text, style in styles.items() if set(text) <= set("▏▎▍▌▋▊▉█")} == {"cyan"}


@pytest.mark.parametrize("width", [10, 12, 20, 36, 48, 49, 60, 80])
def test_the_key_of_the_box_is_broken_between_its_parts(width: int) -> None:
    key = " ".join(render.plot(of(SAMPLE), ascii_only=False, width=width)[7:])
    assert all(part in key for part in plots.box_key(ascii_only=False)[1:])


@pytest.mark.parametrize(
    ("count", "width", "line"),
    [
        (3, None, "3 numbers: 10, 11, 12"),
        (1, 40, "1 number: 10"),
        (20, 40, "20 numbers: 10, 11, 12, …, 27, 28, 29"),
        (20, 200, "20 numbers: " + ", ".join(map(str, range(10, 30)))),
        (21, 40, "21 numbers: 10, 11, 12, …, 28, 29, 30"),
        (100, 200, "100 numbers: 10, 11, 12, 13, 14, …, 105, 106, 107, 108, 109"),
        (2, 12, "2 numbers: 10, 11"),
    ],
)
def test_of_a_list_as_much_is_shown_as_fits_a_line(count: int, width: int | None, line: str) -> None:
    items = [str(number + 10) for number in range(count)]

    assert list_line(items[:20], items[-20:], count, width) == line
