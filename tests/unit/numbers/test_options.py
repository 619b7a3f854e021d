"""What a request asks for beside the usual: as it is typed, and as it travels."""

from __future__ import annotations

import pytest

from courier.errors import Rejected
from courier.numbers.options import MAX_PERCENTILES, Extras, percentiles


@pytest.mark.parametrize(
    "extras",
    [
        Extras(),
        Extras(histogram=True),
        Extras(percentiles=("5", "99.9")),
        Extras(histogram=True, percentiles=("0.000001",), modes=True),
    ],
)
def test_what_is_requested_is_the_same_after_its_travel(extras: Extras) -> None:
    assert Extras.of(extras.options) == extras


def test_a_request_without_any_has_no_options_and_one_with_a_histogram_those_of_the_first_version() -> None:
    assert Extras().options == {}
    assert Extras(histogram=True).options == {"histogram": "yes"}


@pytest.mark.parametrize(("name", "value"), [("mode", "fast"), ("histogram", "no"), ("part", "look"), ("modes", "no")])
def test_an_option_that_is_not_known_is_rejected_by_name(name: str, value: str) -> None:
    with pytest.raises(Rejected, match=f"'{name}={value}'"):
        Extras.of({name: value})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("95", ("95",)),
        (" 5, 95 ,99.90", ("5", "95", "99.9")),
        ("0 100.0 050 0.000001", ("0", "100", "50", "0.000001")),
        ("95,95.0", ("95",)),
    ],
)
def test_percentiles_are_written_in_one_way(text: str, found: tuple[str, ...]) -> None:
    assert percentiles(text) == found


@pytest.mark.parametrize("text", ["101", "100.1", "-5", "5%", "p95", "1e1", "0.1234567", "nan", "5;95", "\u0665"])
def test_what_is_no_percentile_is_rejected_by_name(text: str) -> None:
    with pytest.raises(Rejected, match="is not a percentile") as raised:
        percentiles(f"50,{text}")

    assert "from 0 to 100" in raised.value.hint


def test_more_percentiles_than_an_answer_may_have_are_rejected() -> None:
    assert len(percentiles(",".join(map(str, range(MAX_PERCENTILES))))) == MAX_PERCENTILES
    with pytest.raises(Rejected, match="11 percentiles"):
        percentiles(",".join(map(str, range(MAX_PERCENTILES + 1))))
