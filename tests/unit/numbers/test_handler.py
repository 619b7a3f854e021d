"""What the worker answers to a list in a message, as anybody may post one."""

from __future__ import annotations

import json

import pytest

from courier.errors import Rejected
from courier.messaging.protocol import Request
from courier.numbers import handler
from courier.numbers.stats import HELD_ONLY, STATISTICS


def answered(body: str, **options: str) -> dict[str, object]:
    found = json.loads(handler.answer(Request(body=body, options=options)))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("body", ["1,2,3,4", ",".join(["1", "2", "3", "4"] * 1_000)])
def test_a_request_without_options_is_answered_with_the_usual_statistics(body: str) -> None:
    assert list(answered(body)) == [*STATISTICS, *HELD_ONLY, "rounded"]


def test_options_add_to_the_answer_and_change_nothing_else() -> None:
    found = answered("1,2,3,4", percentile="5,99.9", histogram="yes")

    assert (found.pop("p5"), found.pop("p99.9")) == (1.15, 3.997)
    assert found.pop("histogram") == {"edges": [1, 2, 3, 4, 5], "counts": [1, 1, 1, 1]}
    assert found == answered("1,2,3,4")


@pytest.mark.parametrize(
    ("option", "said"),
    [({"percentile": "101"}, "'101' is not a percentile"), ({"part": "look"}, "no option 'part=look'")],
)
def test_what_cannot_be_asked_of_a_list_in_a_message_is_rejected_by_name(option: dict[str, str], said: str) -> None:
    with pytest.raises(Rejected, match=said):
        handler.answer(Request(body="1", options=option))


@pytest.mark.parametrize(
    ("body", "modes", "count"),
    [
        ("3,1.5,3,1.50,2", [1.5, 3], 2),
        ("1,2,3", [], 0),
        ("7", [7], 1),
        (",".join(["2", "1", "3"] * 1_000), [1, 2, 3], 3),
        (",".join(map(str, [*range(150)] * 2)), [*range(100)], 150),
        ("1e300,1e300,-1,-1", [-1, 10**300], 2),
    ],
)
def test_all_modes_are_returned_on_request(body: str, modes: list[float], count: int) -> None:
    found = answered(body, modes="yes")

    assert (found.pop("modes"), found.pop("modes_count")) == (modes, count)
    assert found["mode"] == (modes[0] if modes else None)
    assert found == answered(body)
