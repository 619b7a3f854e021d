"""A plan reaches a worker as it was made, and what is none is rejected."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import MalformedMessage
from courier.numbers.brackets import RankBracket
from courier.numbers.plan import MAX_BRACKETS, Plan

values = st.none() | st.builds(
    lambda units, decimals: Fraction(units, 10**decimals), st.integers(-(10**30), 10**30), st.integers(0, 40)
)


@given(st.lists(st.tuples(values, values), max_size=10), st.integers(-1_000, 1_000))
def test_brackets_arrive_with_their_exact_edges(
    edges: list[tuple[Fraction | None, Fraction | None]], exponent: int
) -> None:
    plan = Plan.of(exponent, [RankBracket(low, high) for low, high in edges])

    found = Plan.decode(plan.encode()).open(limit=1_000)

    assert [(one.low, one.high) for one in found.brackets] == edges
    assert found.bin_counts.exponent == exponent


def test_no_plan_has_a_worker_keep_more_brackets_than_statistics_need() -> None:
    plan = Plan(exponent=0, brackets=[(None, None)] * (MAX_BRACKETS + 1))

    assert len(Plan.decode(plan.encode()).brackets) == MAX_BRACKETS


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "[]", '{"exponent": 3}', '{"exponent": "3", "brackets": []}',
        '{"exponent": 3, "brackets": [[[1.5, 2], null]]}',
        '{"exponent": 3, "brackets": [[[1, 99999999], null]]}',
        '{"exponent": 99999999, "brackets": []}',
        '{"exponent": 3, "brackets": [null]}',
        '{"exponent": true, "brackets": []}',
        '{"exponent": 3, "brackets": [[[1, -1], null]]}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_look_is_rejected(text: str) -> None:
    with pytest.raises(MalformedMessage):
        Plan.decode(text)
