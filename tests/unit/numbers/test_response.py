"""A numbers answer as it travels: the very digits, and nothing else is read as one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import ResponseTimeout
from courier.numbers.response import Digits, Histogram, NumbersResponse, decode, encode
from courier.numbers.rounding import Figure

EXACT, ROUNDED = Figure(text="0.1", is_exact=True), Figure(text="0.33333333333333331", is_exact=False)
DRAWN = Histogram(edges=["0", "0.5", "1"], counts=[3, 0])


def test_an_answer_arrives_with_the_very_digits_it_was_sent_with() -> None:
    figures = {"count": Figure(text="3", is_exact=True), "mean": ROUNDED, "mode": None, "max": EXACT}

    assert decode(encode(NumbersResponse.of(figures, DRAWN))) == NumbersResponse(
        statistics={"count": "3", "mean": ROUNDED.text, "mode": None, "max": "0.1"}, rounded=["mean"], histogram=DRAWN
    )


def test_without_a_histogram_there_is_none() -> None:
    assert decode(encode(NumbersResponse.of({"max": EXACT}, None))).histogram is None


@pytest.mark.parametrize("digits", ["1" * 5000, "-0.10", "1e-400", "12345678901234567.5"])
def test_no_digit_is_lost_on_the_way(digits: str) -> None:
    assert decode(encode(NumbersResponse.of({"sum": Figure(text=digits, is_exact=True)}, None))).statistics == {
        "sum": digits
    }


def test_a_line_is_json_that_other_programs_read() -> None:
    line = encode(NumbersResponse.of({"max": EXACT, "mode": None}, DRAWN))

    assert "\n" not in line
    assert json.loads(line) == {
        "max": 0.1,
        "mode": None,
        "rounded": [],
        "histogram": {"edges": [0, 0.5, 1], "counts": [3, 0]},
    }


@pytest.mark.parametrize(
    "body",
    [
        "",
        "cat.png",
        "[]",
        "5",
        "null",
        '{"mean": "1"}',
        '{"mean": true}',
        '{"mean": [1]}',
        '{"mean": NaN}',
        '{"rounded": "mean"}',
        '{"rounded": [1]}',
        '{"histogram": {}}',
        '{"histogram": [1]}',
        '{"histogram": {"edges": [0, 1], "counts": [1, 2]}}',
        '{"histogram": {"edges": [0, 1, 2], "counts": [1]}}',
        '{"histogram": {"edges": [0, 1], "counts": [-1]}}',
        '{"histogram": {"edges": [0, 1], "counts": [1.5]}}',
        '{"histogram": {"edges": [0], "counts": []}}',
        '{"histogram": {"edges": ["0", 1], "counts": [1]}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_such_line_is_no_answer(body: str) -> None:
    with pytest.raises(ResponseTimeout) as raised:
        decode(body)

    assert raised.value.hint
    assert len(raised.value.message) < 200


@given(st.text())
def test_reading_raises_nothing_else(body: str) -> None:
    try:
        decode(body)
    except ResponseTimeout as error:
        assert error.sentence.isprintable()


def test_digits_are_text() -> None:
    assert Digits("0.10") == "0.10"
