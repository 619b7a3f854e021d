"""However a long list is split, its statistics are those that the whole list would have."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import NotANumberList
from courier.numbers.brackets import MAX_KEPT
from courier.numbers.passes import make_plan, pass_over
from courier.numbers.plan import Plan
from courier.numbers.ranges import ByteRange
from courier.numbers.rounding import Figure
from courier.numbers.search import summarize_stream
from courier.numbers.stats import STATISTICS, of_any
from courier.numbers.streaming import OnePass
from tests.support.whole_list import Found, of_the_whole

numbers = (
    st.integers(-50, 50).map(str)
    | st.integers(-(10**6), 10**6).map(lambda cents: f"{cents / 100:.2f}")
    | st.integers(-(10**25), 10**25).map(str)
    | st.sampled_from(["7", "7", "1e3", "2.5e-3", "1e30"])
)


def in_parts(text: str, parts: int, *, limit: int = MAX_KEPT, percentiles: Sequence[str] = ()) -> tuple[Found, int]:
    """Return the statistics of a list in `parts` parts, and the number of passes it took."""
    statistics = of_any(percentiles)
    content = text.encode()
    size, passes = len(content), 0
    edges = [size * place // parts for place in range(parts + 1)]
    spans = [ByteRange(start=low, stop=high, size=size) for low, high in pairwise(edges) if low < high]

    def fetch(ranges: Sequence[range]) -> list[bytes]:
        return [content[one.start : one.stop] for one in ranges]

    def make_pass(looked: Plan) -> OnePass:
        nonlocal passes
        passes += 1
        reported = Plan.decode(looked.encode())
        whole = reported.open(limit=limit)
        for span in reversed(spans):
            whole.merge(pass_over(span, [content[span.first_byte :]], reported, limit=limit).found)
        return whole

    return summarize_stream(make_plan(fetch, size, statistics), make_pass, statistics, limit=limit), passes


@given(
    st.lists(numbers, min_size=1, max_size=200),
    st.sampled_from([",", "\n", "; ", " ", "\t", "\r", " \r\n"]),
    st.integers(1, 12),
    st.integers(1_000, 5_000),
    st.sampled_from([(), ("95",), ("0", "5", "50", "99.999999", "100")]),
)
def test_any_number_of_parts_gives_the_figures_of_the_whole_list(
    items: list[str], separator: str, parts: int, limit: int, percentiles: tuple[str, ...]
) -> None:
    text = separator.join(items)
    with patch("courier.numbers.passes.SAMPLE_BLOCKS", 4), patch("courier.numbers.passes.SAMPLE_BYTES", 64):
        found, _ = in_parts(text, parts, limit=limit, percentiles=percentiles)

    assert found == of_the_whole(text, percentiles)


@pytest.mark.parametrize("parts", [1, 8, 37])
@pytest.mark.parametrize("order", ["by chance", "in order"])
def test_a_long_list_takes_one_pass_if_it_may_keep_enough_and_two_if_not(order: str, parts: int) -> None:
    values = [(number * 7919) % 400_009 - 90_000 for number in range(60_000)]
    text = "\n".join(f"{value / 100:.2f}" for value in (sorted(values) if order == "in order" else values)) + "\n"

    percentiles = ["1", "95", "99.9"]
    found, passes = in_parts(text, parts, percentiles=percentiles)
    again, more_passes = in_parts(text, parts, limit=600, percentiles=percentiles)

    assert found == again == of_the_whole(text, percentiles)
    assert passes == 1
    assert more_passes in {2, 3}


def test_the_longer_a_list_the_narrower_its_brackets_so_that_one_pass_is_enough() -> None:
    values = [(number * 7919) % 400_009 for number in range(400_000)]
    text = "\n".join(map(str, values))

    with patch("courier.numbers.passes.MAX_KEPT", 6_000):
        found, passes = in_parts(text, 3, limit=6_000)

    assert found == of_the_whole(text)
    assert passes == 1


@pytest.mark.parametrize(
    ("size", "blocks", "sampled"),
    [
        (2**20 - 1, 1, 2**20 - 1),
        (2**20, 32, 2**20),
        (200 * 10**6, 32, 2**20),
        (2**29, 32, 2**21),
        (2**30, 64, 2**22),
        (10**12, 128, 2**23),
    ],
)
def test_a_longer_list_has_a_larger_sample(size: int, blocks: int, sampled: int) -> None:
    taken: list[range] = []

    def fetch(ranges: Sequence[range]) -> list[bytes]:
        taken.extend(ranges)
        return [b"1\n" * (len(one) // 2) for one in ranges]

    make_plan(fetch, size, STATISTICS)

    assert len(taken) == blocks
    # Each block but one at the beginning has the byte before it.
    assert sum(len(one) - bool(one.start) for one in taken) == sampled
    assert all(before.stop <= after.start + 1 for before, after in pairwise(taken))
    assert taken[-1].stop <= size


def test_two_values_that_alternate_are_no_error() -> None:
    text = "3,8," * 60_000 + "3"

    assert in_parts(text, 3, limit=1_000) == (of_the_whole(text), 1)


@pytest.mark.parametrize(
    "text",
    ["0," * 9_000 + "0.000001," + "0," * 9_000 + "0", (" " * 1_200 + ",").join("12345678901234567890")],
    ids=["one that differs", "nothing to be seen"],
)
def test_what_a_look_has_missed_is_drawn_all_the_same(text: str) -> None:
    with patch("courier.numbers.passes.SAMPLE_BLOCKS", 4), patch("courier.numbers.passes.SAMPLE_BYTES", 256):
        found, passes = in_parts(text, 3)

    assert found == of_the_whole(text)
    assert passes <= 3


def test_large_numbers_in_a_look_are_thinned() -> None:
    text = "1e400,1e-400," * 8_000 + "7"
    with patch("courier.numbers.passes.SAMPLE_LARGE", 500):
        found, _ = in_parts(text, 2)

    assert found[0]["max"] == Figure("1" + "0" * 400, is_exact=True)


def test_an_empty_list_is_rejected() -> None:
    with pytest.raises(NotANumberList, match="empty"):
        in_parts("", 1)
