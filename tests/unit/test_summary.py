from __future__ import annotations

import statistics
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier import summary
from courier.errors import InputRefused
from courier.summary import STATISTICS, summarise

decimals = st.decimals(allow_nan=False, allow_infinity=False, places=None, min_value=-(10**12), max_value=10**12)


def by_fractions(values: list[Decimal]) -> dict[str, Fraction | int]:
    exact = [Fraction(value) for value in values]
    return {
        "count": len(exact),
        "sum": sum(exact),
        "min": min(exact),
        "max": max(exact),
        "range": max(exact) - min(exact),
        "mean": sum(exact, Fraction(0)) / len(exact),
        "median": statistics.median(exact),
    }


@given(st.lists(decimals, min_size=1, max_size=40))
def test_every_statistic_is_exact(values: list[Decimal]) -> None:
    assert summarise(values) == by_fractions(values)


@given(st.lists(st.integers(-(10**15), 10**15).map(Decimal), min_size=1, max_size=60), st.integers(0, 3))
def test_numpy_and_plain_python_agree(values: list[Decimal], places: int) -> None:
    scaled = [value.scaleb(-places) for value in values]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary, "FAST_FROM", 1)
        fast = summarise(scaled)

    assert fast == by_fractions(scaled)


def test_a_long_list_goes_by_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.sorted", None)

    assert summarise([Decimal(number) for number in range(5001)])["median"] == 2500


@pytest.mark.parametrize(
    ("texts", "name", "value"),
    [
        (["0.1", "0.2", "0.3"], "mean", Fraction(1, 5)),
        (["1e16", "1", "-1e16"], "mean", Fraction(1, 3)),
        ([str(2**63 - 1)] * 2, "sum", 2**64 - 2),
        ([str(2**63 - 1)] * 3000, "sum", 3000 * (2**63 - 1)),
        ([str(2**53 + 1), str(2**53 + 2)], "median", Fraction(2**54 + 3, 2)),
        (["1e308", "1e308"], "sum", 2 * 10**308),
        (["1e400", "1e-400"], "range", 10**400 - Fraction(1, 10**400)),
    ],
)
def test_inputs_that_floats_get_wrong(texts: list[str], name: str, value: Fraction) -> None:
    assert summarise([Decimal(text) for text in texts])[name] == value


def test_the_order_of_an_answer_is_that_of_the_table() -> None:
    assert list(summarise([Decimal(1)])) == list(STATISTICS)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(InputRefused, match="empty"):
        summarise([])
