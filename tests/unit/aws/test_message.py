"""A message's size is what SQS counts: bytes of UTF-8, and of each attribute its name, type and value."""

from __future__ import annotations

import pytest

from courier.aws.message import Message


@pytest.mark.parametrize(
    ("message", "size"),
    [
        (Message(body=""), 0),
        (Message(body="aä\U0001f600"), 1 + 2 + 4),
        (Message(body="ä", attributes={"kind": "ö"}), 2 + len("kind") + len("String") + 2),
        (Message(body="a", attributes={"b": "c", "d": "e"}), 1 + 2 * (1 + len("String") + 1)),
    ],
)
def test_a_size_is_in_bytes_with_its_attributes(message: Message, size: int) -> None:
    assert message.size_bytes == size
