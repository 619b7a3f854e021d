"""What the attributes of a message mean, and what becomes of invalid ones: rejected, or passed over."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from courier.errors import MalformedMessage
from courier.messaging.message_attributes import (
    check_version,
    decode_deadline,
    decode_id,
    decode_name,
    decode_options,
    encode_deadline,
    lenient_deadline,
    lenient_details,
    lenient_hint,
    lenient_name,
    lenient_traceparent,
)

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
REASON = "No such image. Upload it first."  # 31 characters, the last 16 of which are the hint


def test_a_message_without_attributes_is_valid_and_has_nothing() -> None:
    check_version({})
    found = [decode(attributes={}) for decode in (decode_id, decode_options, decode_name, decode_deadline)]
    assert found == ["", {}, None, None]
    assert [lenient_name({}), lenient_deadline({}), lenient_details({}), lenient_traceparent({})] == [
        None,
        None,
        {},
        "",
    ]
    assert lenient_hint({}, REASON) == ""


def test_what_was_encoded_is_read() -> None:
    check_version({"version": "1"})
    assert decode_id({"request-id": "a.B_9:-"}) == "a.B_9:-"
    assert decode_options({"options": '{"a": "1", "b": ""}'}) == {"a": "1", "b": ""}
    assert decode_name({"Name": "laptop"}) == lenient_name({"Name": "laptop"}) == "laptop"
    assert lenient_details({"details": '{"count": 3}'}) == {"count": 3}
    assert lenient_traceparent({"traceparent": TRACE}) == TRACE
    assert lenient_hint({"hint-length": "16"}, REASON) == "Upload it first."


@pytest.mark.parametrize(("deadline", "text"), [(None, ""), (0.0, "0.000"), (1.5, "1.500")])
def test_a_deadline_is_seconds_to_the_thousandth(deadline: float | None, text: str) -> None:
    assert encode_deadline(deadline) == text
    assert decode_deadline({"deadline": text} if text else {}) == deadline


@pytest.mark.parametrize(
    ("decode", "name", "value", "says"),
    [
        (check_version, "version", "2", "protocol version '2'; this worker supports 1"),
        (check_version, "version", "", "protocol version"),
        (decode_id, "request-id", "", "1 to 128"),
        (decode_id, "request-id", "x" * 129, "1 to 128"),
        (decode_id, "request-id", "a\n", "1 to 128"),
        (decode_options, "options", "{", "a JSON object"),
        (decode_options, "options", "[" * 100_000, "a JSON object"),
        (decode_options, "options", "5", "a JSON object of strings"),
        (decode_options, "options", '{"a": "1", "b": 1}', "a JSON object of strings"),
        (decode_name, "Name", "../x", r"\.\./x.*it must be"),
        (decode_deadline, "deadline", "soon", "soon.*seconds since 1970"),
        (decode_deadline, "deadline", "nan", "seconds since 1970"),
        (decode_deadline, "deadline", "-inf", "seconds since 1970"),
    ],
)
def test_an_invalid_one_is_rejected_with_what_it_must_be(
    decode: Callable[[Mapping[str, str]], object], name: str, value: str, says: str
) -> None:
    with pytest.raises(MalformedMessage, match=says):
        decode({name: value})


@pytest.mark.parametrize(
    ("read", "name", "value", "found"),
    [
        (lenient_name, "Name", "../x", None),
        (lenient_deadline, "deadline", "soon", None),
        (lenient_deadline, "deadline", "inf", None),
        (lenient_details, "details", "{", {}),
        (lenient_details, "details", "[]", {}),
        (lenient_traceparent, "traceparent", TRACE.upper(), ""),
        (lenient_traceparent, "traceparent", f"{TRACE}-more", ""),
    ],
)
def test_where_leniency_is_due_an_invalid_one_is_passed_over(
    read: Callable[[Mapping[str, str]], object], name: str, value: str, found: object
) -> None:
    assert read({name: value}) == found


@pytest.mark.parametrize(
    ("length", "hint"),
    [("1", "."), ("30", REASON[1:]), ("31", ""), ("0", ""), ("-1", ""), ("016", ""), ("9" * 5000, ""), ("\u0661", "")],
)
def test_a_hint_is_a_part_of_the_reason_and_never_all_of_it(length: str, hint: str) -> None:
    assert lenient_hint({"hint-length": length}, REASON) == hint
