"""What a part has found is the same after its travel, and what is no part is said."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from courier.errors import ResponseTimeout
from courier.numbers import partials
from courier.numbers.parser import ParseError
from courier.numbers.passes import PartialResult, pass_over
from courier.numbers.plan import MAX_BRACKETS, Plan
from courier.numbers.ranges import ByteRange

LOOK = Plan(exponent=-3, brackets=[((125, 2), (10**30, 0)), (None, None), ((1, 0), (1, 0))])
TEXT = b"1.25,7,7.5,-3,1e30,12345678901234567890\n" + b"0.125," * 3_000 + b"9"


def part_of(text: bytes, look: Plan = LOOK) -> PartialResult:
    return pass_over(ByteRange(start=0, stop=len(text), size=len(text)), [text], look, limit=partials.limit(look))


def contents(part: PartialResult) -> dict[str, Any]:
    found = part.found
    brackets = [
        (one.low, one.high, one.below, one.at_low, one.inside, one.at_high, one.stride, sorted(one.all_kept()[0]))
        for one in found.brackets
    ]
    bin_counts = (found.bin_counts.exponent, found.bin_counts.first, found.bin_counts.counts.tolist())
    return {
        "sums": (found.count, found.decimals, found.units, found.squares, found.extremes),
        "tally": bin_counts,
        "signs": part.signs,
        "brackets": brackets,
    }


@pytest.mark.parametrize("text", [TEXT, b"", b"5"])
def test_a_part_is_the_same_after_its_travel(text: bytes) -> None:
    part = part_of(text)

    arrived = partials.decode(partials.encode(part), LOOK)

    assert isinstance(arrived, PartialResult)
    assert contents(arrived) == contents(part)


def test_a_part_of_the_longest_numbers_fits_a_message() -> None:
    text = b",".join(b"%d.%0399de-400" % (number % 9 + 1, number) for number in range(3_000))
    everything = Plan(exponent=-3, brackets=[(None, None)] * MAX_BRACKETS)

    assert partials.limit(everything) >= 1_000
    assert len(partials.encode(part_of(text, everything))) < 1_000_000


def test_a_part_keeps_all_that_a_quartile_usually_needs() -> None:
    numbers = range(0, 40_000 * 997, 997)
    part = part_of(",".join(map(str, numbers)).encode(), Plan(exponent=3, brackets=[(None, None)] * 3))

    line = partials.encode(part)

    assert len(line) < 1_000_000
    assert [one.stride for one in part.found.brackets] == [1, 1, 1]


def test_what_does_not_fit_a_message_is_thinned() -> None:
    numbers = (number**2 * 10**8 for number in range(90_000))
    look = Plan(exponent=12, brackets=[(None, None)])
    part = part_of(",".join(map(str, numbers)).encode(), look)

    line = partials.encode(part)

    (bracket,) = part.found.brackets
    assert (len(line) < 1_000_000, bracket.stride, bracket.inside) == (True, 2, 90_000)
    arrived = partials.decode(line, look)
    assert isinstance(arrived, PartialResult)
    assert contents(arrived) == contents(part)


def test_a_parse_error_is_the_same_after_its_travel() -> None:
    error = ParseError(item=3, character=9, finding="is 'ä', which is not a number", hint="No.", drawing="  ä\n  ^")

    assert partials.decode(partials.encode(error), LOOK) == error


def _spoiled(**changes: object) -> str:
    return json.dumps({**json.loads(partials.encode(part_of(b"1,2,3"))), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "", "7", "[]", "{}", '{"slip": {}}', '{"slip": {"item": "1"}}', "?Error. No.", "[" * 100_000,
        _spoiled(count=1.5), _spoiled(decimals=-1), _spoiled(decimals=10**9), _spoiled(extremes="x"),
        _spoiled(count=-3), _spoiled(count=4), _spoiled(squares=-14), _spoiled(squares=11),
        _spoiled(extremes=[]), _spoiled(extremes=[1, 9**9]),
        _spoiled(tally=[-2, 100, [3]]), _spoiled(signs={"x": [1, 2]}), _spoiled(signs={",": [-1, 2]}),
        *(_spoiled(sorted=[[[0, 0, 3, 0], stride, 0, [1, 2, 3]]] * 3) for stride in (0, -1, 3, 2**40)),
        _spoiled(sorted=[[[0, 0, 3, 0], 1, 0, [1]]] * 3), _spoiled(sorted=[[[0, 0, 3, 0], 2, 0, []]] * 3),
        _spoiled(sorted=[[[-1, 0, 3, 0], 1, 0, [1, 2, 3]]] * 3), _spoiled(sorted=[]),
        _spoiled(tally=[1, 2]), _spoiled(tally=[-3, 0, [10**30]]),
        _spoiled(sorted=[[[1, 2], 1, 0, []]] * 3), _spoiled(signs={",": 3}),
    ],
)  # fmt: skip
def test_what_is_no_part_is_no_answer(text: str) -> None:
    with pytest.raises(ResponseTimeout, match="cannot be read"):
        partials.decode(text, LOOK)


def test_a_value_that_a_bracket_lies_between_keeps_all_its_digits() -> None:
    look = Plan.of(LOOK.exponent, part_of(b"1,2").found.brackets)

    assert look == LOOK
    assert look.open(limit=1_000).brackets[0].high == Fraction(10**30)
