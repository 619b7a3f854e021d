from __future__ import annotations

import pytest

from scripts import aims, docs, performance


def test_a_figure_is_the_median_of_the_rounds_with_their_range() -> None:
    assert performance.spread([3, 1, 2]) == "2.00 (1.00 to 3.00)"
    assert performance.spread([2, 2], digits=0) == "2"


def test_contestants_are_compared_within_a_round() -> None:
    slow = {"ours": {"s": 20.0}, "theirs": {"s": 10.0}}
    fast = {"ours": {"s": 4.0}, "theirs": {"s": 1.0}}

    assert performance.ratios([slow, fast], "ours", "theirs", "s") == "3.00 (2.00 to 4.00)"


def test_a_float_that_cannot_be_nearer_is_not_called_wrong() -> None:
    assert performance.exactness("0.096347104149885714", "0.096347104149885714") == "exact"
    assert performance.exactness("75640.30289609714", "75640.302896097143") == "the nearest float"
    assert performance.exactness("0.09634710414990247", "0.096347104149885714") == (
        "`0.09634710414990247` for `0.096347104149885714`"
    )


def test_a_table_that_is_not_what_was_measured_is_found() -> None:
    page = docs.ROOT / "docs/explanation/performance.md"
    text = page.read_text()
    table = performance.lists()

    assert table in text
    assert docs.generated(text.replace(table, table.replace("1", "2"))) == docs.generated(text)


@pytest.mark.parametrize(
    ("bound", "found", "shown", "met"),
    [
        ("at least", 0.951, "0.95", "yes"),
        ("at least", 0.944, "0.94", "no"),
        ("at most", 0.954, "0.95", "yes"),
        ("at most", 42.44, "42.4", "no"),
    ],
)
def test_an_aim_is_met_by_what_is_shown(bound: str, found: float, shown: str, met: str) -> None:
    assert aims.Aim(what="x", bound=bound, wanted=0.95, found=found).row == ("x", f"{bound} 0.95", shown, met)


@pytest.mark.parametrize("name", ["aims", *(name for name in docs.PARTS if name.startswith("performance "))])
def test_every_row_of_a_table_has_all_columns(name: str) -> None:
    widths = {line.count(" | ") for line in docs.PARTS[name]().splitlines()}

    assert len(widths) == 1
