"""What SQS rejects is rejected in memory, too: by the limits that AWS documents."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from courier.aws.message import Message as Sent
from courier.testing.message import NAME, Message, chosen, demand, demand_batch


def message(body: str, **attributes: str) -> Message:
    named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    return Message(body=body, attributes=named, group="", due_at=0.0)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("a\t\n\r \ud7ff\ue000\ufffd\U00010000\U0010ffff", None),
        ("", "MissingParameter"),
        *[(f"a{character}", "InvalidMessageContents") for character in "\x00\x08\x0b\x1f\ud800\udfff\ufffe\uffff"],
    ],
)
def test_a_body_has_characters_that_sqs_accepts(body: str, code: str | None) -> None:
    assert message(body).error_code == code


@pytest.mark.parametrize(("body", "attributes"), [("aä\U0001f600", {}), ("a", {"b": "ö", "c": "d"})])
def test_its_size_is_that_which_senders_count(body: str, attributes: dict[str, str]) -> None:
    assert message(body, **attributes).size == Sent(body=body, attributes=attributes).size_bytes


def test_no_two_messages_have_the_same_id() -> None:
    assert message("a").message_id != message("a").message_id


@pytest.mark.parametrize(
    ("name", "is_allowed"),
    [("a-B_9", True), ("x" * 80, True), ("a.fifo", True), ("x" * 81, False), ("", False), ("a.b", False), ("ä", False)],
)
def test_names_of_queues_are_as_sqs_allows_them(name: str, *, is_allowed: bool) -> None:
    assert bool(NAME.fullmatch(name)) is is_allowed


def test_attributes_are_those_that_a_call_names_or_all() -> None:
    found = {"A": "1", "B": "2"}

    assert chosen(found, ["A", "C"]) == {"A": "1"}
    assert chosen(found, ["All"]) == found
    assert chosen(found, []) == {}


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ([], "EmptyBatchRequest"),
        (range(11), "TooManyEntriesInBatchRequest"),
        ([1, 1], "BatchEntryIdsNotDistinct"),
        (range(10), ""),
    ],
)
def test_a_batch_has_one_to_ten_entries_of_different_ids(ids: Any, code: str) -> None:
    entries: list[Any] = [{"Id": str(number)} for number in ids]

    if not code:
        demand_batch(entries)
        return
    with pytest.raises(ClientError, match=code):
        demand_batch(entries)


@pytest.mark.parametrize("limit", [1, 10])
def test_what_is_wrong_is_rejected_with_the_reason(limit: int) -> None:
    demand(limit <= 10, "Wrong.")
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*Wrong\."):
        demand(limit > 10, "Wrong.")
