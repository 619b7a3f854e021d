"""The search makes passes until every number that statistics need is known, and stops if they never fit."""

from __future__ import annotations

import pytest

from courier.errors import NotANumberList, ResponseTimeout
from courier.numbers.brackets import MAX_KEPT
from courier.numbers.plan import Edge, Plan
from courier.numbers.search import summarize_stream
from courier.numbers.stats import STATISTICS, of_any
from courier.numbers.streaming import OnePass
from tests.support.whole_list import of_the_whole


@pytest.mark.parametrize(
    "brackets",
    [
        [],
        [((900, 0), (910, 0)), ((10, 0), (20, 0)), ((500, 0), None)],
        [((5, 1), (5, 1))],
        [(None, None)] * 4,
    ],
    ids=["none", "out of order", "beside it", "everything"],
)
def test_figures_are_those_of_the_whole_list_whatever_a_look_has_said(brackets: list[tuple[Edge, Edge]]) -> None:
    values = [number * 7919 % 1_000 for number in range(3_000)]

    def make_pass(plan: Plan) -> OnePass:
        made = plan.open(limit=1_000)
        made.add(values, 0)
        return made

    found = summarize_stream(Plan(exponent=0, brackets=brackets), make_pass, of_any(["95"]), limit=1_000)

    assert found == of_the_whole(",".join(map(str, values)), ["95"])


def test_parts_that_do_not_fit_together_come_to_an_end() -> None:
    looked = Plan(exponent=0, brackets=[((5, 0), (5, 0))] * 3)

    def make_pass(look: Plan) -> OnePass:
        made = look.open(limit=MAX_KEPT)
        made.add([1, 2, 3], 0)
        for bracket in made.brackets:
            bracket.below = 10
        return made

    with pytest.raises(ResponseTimeout, match="do not match"):
        summarize_stream(looked, make_pass, STATISTICS, limit=MAX_KEPT)


def test_neighbors_in_one_bracket_are_searched_by_one() -> None:
    plans: list[Plan] = []

    def make_pass(plan: Plan) -> OnePass:
        plans.append(plan)
        made = plan.open(limit=1_000)
        made.add([number * 7919 % 10_007 for number in range(10_006)], 0)
        return made

    # The median and each percentile are between two neighbors.
    summarize_stream(Plan(exponent=0, brackets=[(None, None)]), make_pass, of_any(["10", "90"]), limit=1_000)

    assert len(plans) > 1
    assert len(plans[1].brackets) == 5


def test_without_numbers_there_are_no_statistics() -> None:
    with pytest.raises(NotANumberList, match="empty"):
        summarize_stream(Plan(exponent=0, brackets=[]), lambda plan: plan.open(limit=1_000), STATISTICS, limit=1_000)
