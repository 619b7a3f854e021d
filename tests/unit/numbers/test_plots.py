from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.numbers import plots


@pytest.mark.parametrize(("ascii_only", "sign", "dash"), [(True, "#", "-"), (False, "█", "\N{EN DASH}")])
def test_bars_are_in_proportion_to_their_counts(sign: str, dash: str, *, ascii_only: bool) -> None:
    lines = plots.bars(["0", "5", "10"], [4, 1_000], width=10, ascii_only=ascii_only)

    assert [line.split()[:3] for line in lines] == [["0", dash, "5"], ["5", dash, "10"]]
    assert lines[1].endswith(f"{sign * 10} 1,000")
    assert lines[0].split()[3] in {"#", "▏"}  # what is not nothing is drawn as something
    assert lines[0].endswith(" 4")


@pytest.mark.parametrize("ascii_only", [True, False])
def test_nothing_has_no_bar_and_a_width_of_nothing_has_none_either(*, ascii_only: bool) -> None:
    assert plots.bars(["0", "1"], [0], width=10, ascii_only=True) == ["0 - 1 0"]
    assert "█" not in "".join(plots.bars(["0", "1"], [5], width=0, ascii_only=ascii_only))
    assert "#" not in "".join(plots.bars(["0", "1"], [5], width=0, ascii_only=ascii_only))


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=10),
    st.integers(0, 60),
    st.booleans(),
)
def test_no_line_is_longer_than_its_bar_and_what_stands_beside_it(
    counts: list[int],
    width: int,
    ascii_only: bool,  # noqa: FBT001  given by Hypothesis
) -> None:
    edges = [str(number * 37) for number in range(len(counts) + 1)]

    lines = plots.bars(edges, counts, width=width, ascii_only=ascii_only)

    assert max(map(len, lines)) <= width + plots.room_taken(edges, counts)


@pytest.mark.parametrize("width", [12, 20, 40])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_box_has_its_parts_in_their_places(width: int, *, ascii_only: bool) -> None:
    median, mean = ("|", "o") if ascii_only else ("┃", "◆")
    last = width - 1

    line = plots.box(q1=0.25, median=0.5, q3=0.75, mean=0.6, width=width, ascii_only=ascii_only)

    assert len(line) == width
    assert (line[0], line[-1]) == (("|", "|") if ascii_only else ("├", "┤"))
    assert line[round(0.5 * last)] == median
    assert line[round(0.6 * last)] == mean
    assert plots.box_key(ascii_only=ascii_only)[-2:] == [f"median {median}", f"mean {mean}"]
    body = "=" if ascii_only else "█"
    assert line[round(0.25 * last)] == line[round(0.75 * last)] == body
    assert line[round(0.25 * last) - 1] != body
    assert line.isascii() == ascii_only


@pytest.mark.parametrize(("mean", "key"), [(0.5, ["median and mean ◆"]), (0.6, ["median ┃", "mean ◆"])])
def test_a_sign_that_is_covered_is_not_in_the_key(mean: float, key: list[str]) -> None:
    drawn = plots.box(q1=0.2, median=0.5, q3=0.8, mean=mean, width=40, ascii_only=False)
    is_covered = plots.covers(0.5, mean, 40)

    assert plots.box_key(ascii_only=False, is_covered=is_covered)[2:] == key
    assert ("┃" in drawn) is not is_covered
