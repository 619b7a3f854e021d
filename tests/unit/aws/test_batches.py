"""Messages are split into batches that SQS accepts, and each that it cannot accept is a failure of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.aws.batches import by_size
from courier.aws.message import Message
from courier.aws.retry import Failure
from courier.errors import MessageTooLong


def split(sizes: list[int], *, limit: int = 10, limit_bytes: int = 9) -> tuple[list[list[int]], list[int]]:
    """Return the places of the messages by batch, and those of the failures."""
    found = list(by_size([Message(body="x" * size) for size in sizes], limit=limit, limit_bytes=limit_bytes))
    batches = [one for one in found if not isinstance(one, Failure)]
    assert all(one[place].size_bytes == sizes[place] for one in batches for place in one)
    return [[*one] for one in batches], [one.index for one in found if isinstance(one, Failure)]


@pytest.mark.parametrize(
    ("sizes", "batches", "failures"),
    [
        ([], [], []),
        ([9], [[0]], []),
        ([8, 1], [[0, 1]], []),
        ([8, 2], [[0], [1]], []),
        ([5, 3, 2], [[0, 1], [2]], []),
        ([9, 8, 1], [[0], [1, 2]], []),
        ([10], [], [0]),
        ([5, 10, 4], [[0, 2]], [1]),
        ([0] * 21, [[*range(10)], [*range(10, 20)], [20]], []),
    ],
)
def test_a_batch_is_as_long_as_a_call_may_be(sizes: list[int], batches: list[list[int]], failures: list[int]) -> None:
    assert split(sizes) == (batches, failures)


@given(st.lists(st.integers(0, 12), max_size=40), st.integers(1, 10))
def test_each_message_is_in_one_batch_or_a_failure_in_order(sizes: list[int], limit: int) -> None:
    batches, failures = split(sizes, limit=limit)

    assert [place for one in batches for place in one] == [place for place, size in enumerate(sizes) if size <= 9]
    assert failures == [place for place, size in enumerate(sizes) if size > 9]
    assert all(0 < len(one) <= limit and sum(sizes[place] for place in one) <= 9 for one in batches)


def test_attributes_count_as_well() -> None:
    message = Message(body="x", attributes={"a": "b"})  # 1 + 1 + 6 + 1 bytes

    assert list(by_size([message], limit=10, limit_bytes=9)) == [{0: message}]
    (failure,) = by_size([message], limit=10, limit_bytes=8)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, MessageTooLong)
    assert failure.error.message == "The message has 9 bytes, and the limit of SQS is 8."
    assert failure.error.hint
