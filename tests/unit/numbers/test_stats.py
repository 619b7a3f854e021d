from __future__ import annotations

import statistics
from collections import Counter
from decimal import Context, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import Rejected
from courier.numbers import parser
from courier.numbers.held_list import HeldList
from courier.numbers.rounding import Figure
from courier.numbers.stats import HELD_ONLY, STATISTICS, of_held, places, quantile, summarize

units = st.integers(-(10**20), 10**20) | st.integers(-5, 5)
small = st.integers(-(2**62), 2**62) | st.integers(-(10**6), 10**6)


def of(*texts: str) -> HeldList:
    found, decimals = parser.read(",".join(texts))
    return HeldList(units=found, decimals=decimals)


def summary(sample: HeldList) -> dict[str, Figure | None]:
    return summarize(sample, of_held())


def percentile(ordered: list[Fraction], percent: Fraction | int) -> Fraction:
    """Return R's type 7, by its definition."""
    place = Fraction(percent) / 100 * (len(ordered) - 1)
    low = int(place)
    return ordered[low] + (place - low) * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low])


def by_fractions(sample: HeldList) -> dict[str, Fraction | None]:
    exact = sorted(Fraction(int(unit), 10**sample.decimals) for unit in sample.units)
    mean = sum(exact, Fraction(0)) / len(exact)
    value, times = max(Counter(exact).items(), key=lambda pair: (pair[1], -pair[0]))
    return {
        "count": Fraction(len(exact)),
        "sum": sum(exact, Fraction(0)),
        "min": exact[0],
        "max": exact[-1],
        "range": exact[-1] - exact[0],
        "mean": mean,
        "median": Fraction(statistics.median(exact)),
        "q1": percentile(exact, 25),
        "q3": percentile(exact, 75),
        "iqr": percentile(exact, 75) - percentile(exact, 25),
        "variance": sum(((one - mean) ** 2 for one in exact), Fraction(0)) / (len(exact) - 1) if exact[1:] else None,
        "mode": value if times > 1 or len(exact) == 1 else None,
    }


def exactly(sample: HeldList) -> dict[str, Fraction | None]:
    found = {name: statistic(sample) for name, statistic in of_held().items() if name != "stdev"}
    return {name: None if value is None else Fraction(*value) for name, value in found.items()}


@given(st.lists(units, min_size=1, max_size=40), st.integers(0, 5))
def test_every_statistic_is_exact(values: list[int], decimals: int) -> None:
    sample = HeldList(units=values, decimals=decimals)

    assert exactly(sample) == by_fractions(sample)


@given(st.lists(small, min_size=1, max_size=60), st.integers(0, 3))
def test_numpy_and_plain_python_agree_to_the_last_digit(values: list[int], decimals: int) -> None:
    plain = HeldList(units=values, decimals=decimals)
    fast = HeldList(units=np.array(values, dtype=np.int64), decimals=decimals)

    assert exactly(fast) == exactly(plain)
    assert summary(fast) == summary(plain)


@given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=30))
def test_the_standard_deviation_is_the_root_of_the_variance_rounded_once(values: list[int]) -> None:
    found = summary(HeldList(units=values, decimals=2))
    variance = Fraction(statistics.variance(map(Fraction, values))) / 10**4
    wide = Context(prec=100)
    true = wide.sqrt(wide.divide(Decimal(variance.numerator), Decimal(variance.denominator)))

    assert found["stdev"] is not None
    assert Decimal(found["stdev"].text) == true.normalize(Context(prec=17))


@pytest.mark.parametrize(
    ("texts", "name", "text"),
    [
        (["0.1", "0.2", "0.3"], "mean", "0.2"),
        (["1e16", "1", "-1e16"], "mean", "0.33333333333333333"),
        ([str(2**63 - 1)] * 2, "sum", str(2**64 - 2)),
        ([str(2**63 - 1)] * 3000, "sum", str(3000 * (2**63 - 1))),
        ([str(2**53 + 1), str(2**53 + 2)], "median", "9007199254740993.5"),
        (["1e308", "1e308"], "sum", "2" + "0" * 308),
        (["2", "4", "4", "4", "5", "5", "7", "9"], "stdev", "2.1380899352993951"),
        (["3", "1", "3", "1", "2"], "mode", "1"),
        (["1e400", "1e-400"], "max", "1" + "0" * 400),
    ],
)
def test_inputs_that_floats_get_wrong(texts: list[str], name: str, text: str) -> None:
    found = summary(of(*texts))[name]

    assert found is not None
    assert found.text == text


@pytest.mark.parametrize("name", ["variance", "stdev"])
def test_one_number_has_no_spread(name: str) -> None:
    assert summary(of("7"))[name] is None


def test_numbers_that_are_all_different_have_no_mode() -> None:
    assert summary(of("1", "2"))["mode"] is None


def test_squares_beyond_64_bits_are_added_in_pieces() -> None:
    values = np.arange(-(2**62), 2**62, 2**62 // 500)

    assert summary(HeldList(units=values, decimals=0)) == summary(HeldList(units=values.tolist(), decimals=0))


def test_the_order_of_an_answer_is_that_of_the_table() -> None:
    assert list(summary(of("1"))) == [*STATISTICS, *HELD_ONLY]


def test_an_empty_list_is_rejected() -> None:
    with pytest.raises(Rejected, match="empty"):
        summary(HeldList(units=[], decimals=0))


@given(st.lists(units, min_size=1, max_size=40), st.fractions(0, 100, max_denominator=10**6))
def test_a_percentile_is_exact(values: list[int], percent: Fraction) -> None:
    sample = HeldList(units=values, decimals=2)
    exact = sorted(Fraction(value, 100) for value in values)

    assert Fraction(*quantile(sample, (percent / 100).as_integer_ratio())) == percentile(exact, percent)


def test_percentiles_follow_the_other_statistics_by_name() -> None:
    found = summarize(of("1", "2", "3", "4"), of_held(["5", "50", "99.9", "100"]))

    assert list(found)[-5:] == ["mode", "p5", "p50", "p99.9", "p100"]
    assert [figure and figure.text for figure in found.values()][-4:] == ["1.15", "2.5", "3.997", "4"]


@pytest.mark.parametrize(("count", "found"), [(1, []), (2, []), (3, [1]), (5, [1, 2, 3]), (7, [1, 2, 3, 4, 5])])
def test_the_places_that_statistics_look_at_are_found_by_asking_them(count: int, found: list[int]) -> None:
    assert places(count, STATISTICS) == found
