from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.aws.message import Message
from courier.errors import MalformedMessage, Reason
from courier.messaging.protocol import (
    Rejection,
    Request,
    Response,
    decode_address,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
    is_reply_queue,
    new_request_id,
)

words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
ids = st.from_regex(r"[A-Za-z0-9_.:-]{1,128}", fullmatch=True)
deadlines = st.none() | st.integers(0, 4 * 10**12).map(lambda thousandths: thousandths / 1000)


@given(
    st.builds(
        Request,
        body=st.text(),
        request_id=ids,
        reply_to=words,
        kind=words,
        options=st.dictionaries(words, st.text()),
        deadline=deadlines,
        name=st.none() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", fullmatch=True),
    )
)
def test_a_request_arrives_as_it_was_sent(request: Request) -> None:
    assert decode_request(encode_request(request)) == request


def test_a_request_carries_all_six_attributes() -> None:
    request = Request(
        body="1", request_id="a", reply_to="responseQueue", kind="numbers", options={"x": "y"}, deadline=1.5
    )

    assert encode_request(request).attributes == {
        "request-id": "a",
        "reply-to": "responseQueue",
        "kind": "numbers",
        "options": '{"x": "y"}',
        "deadline": "1.500",
        "version": "1",
    }


def test_when_it_was_sent_and_how_long_it_took_make_no_difference() -> None:
    assert Request(body="1", sent_at=5.0) == Request(body="1")
    assert Response(body="1", seconds=5.0) == Response(body="1")
    assert Response(body="1").seconds == 0


def test_options_travel_whatever_is_in_them() -> None:
    request = Request(body="1", options={"text": "\x00\x1b\ud800ä"})

    message = encode_request(request)

    assert message.attributes["options"].isascii()
    assert message.attributes["options"].isprintable()
    assert decode_request(message) == request


@pytest.mark.parametrize("details", ["", "{", "[]", "5", "null", "[" * 100_000])
def test_details_that_cannot_be_read_are_none(details: str) -> None:
    found = decode_reply(Message(body="1", attributes={"details": details, "status": "ok"}))

    assert found == Response(body="1", details={})


def test_a_message_sent_manually_is_a_request_like_any_other() -> None:
    assert decode_request(Message(body="1,5,22")) == Request(body="1,5,22")


def test_attributes_of_others_are_passed_over() -> None:
    assert decode_request(Message(body="1", attributes={"AWSTraceHeader": "x"})) == Request(body="1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request-id", ""),
        ("request-id", "a b"),
        ("request-id", "x" * 129),
        ("options", "{"),
        ("options", "[]"),
        ("options", '{"a": 1}'),
        ("options", '{"a": "1", "b": 1}'),
        ("options", "[" * 100_000),
        ("deadline", "soon"),
        ("deadline", "inf"),
        ("deadline", ""),
        ("version", "2"),
    ],
)
def test_an_attribute_that_cannot_be_read_is_rejected_by_name(name: str, value: str) -> None:
    with pytest.raises(MalformedMessage, match=name):
        decode_request(Message(body="1", attributes={name: value}))


@given(
    st.dictionaries(st.sampled_from(["request-id", "reply-to", "kind", "options", "deadline", "version"]), st.text())
)
def test_decoding_raises_nothing_else_whatever_the_attributes(attributes: dict[str, str]) -> None:
    message = Message(body="", attributes=attributes)
    try:
        decode_request(message)
    except MalformedMessage as error:
        assert error.sentence.isprintable()
    decode_address(message)
    decode_reply(message)


@given(st.builds(Response, body=st.from_regex(r"[ -~]*", fullmatch=True), request_id=ids, deadline=deadlines))
def test_an_answer_arrives_as_it_was_sent(answer: Response) -> None:
    assert decode_reply(encode_reply(answer)) == answer


@given(
    st.builds(
        Rejection,
        reason=st.from_regex(r"[ -~]*", fullmatch=True),
        code=st.sampled_from(["", *Reason]),
        request_id=ids,
        deadline=deadlines,
    )
)
def test_a_rejection_arrives_as_it_was_sent_and_begins_as_the_first_version_expects(rejection: Rejection) -> None:
    message = encode_reply(rejection)

    assert decode_reply(message) == rejection
    assert message.body.startswith("?Error. ")
    assert message.attributes["status"] == "error"


def test_a_reply_of_a_first_version_worker_is_understood() -> None:
    assert decode_reply(Message(body="?Error. No such image")) == Rejection(reason="No such image")
    assert decode_reply(Message(body="cat.png")) == Response(body="cat.png")


def test_a_rejection_has_its_hint_at_its_end_and_as_a_length_beside_it() -> None:
    rejection = Rejection(reason="No. Say yes.", hint="Say yes.", code="negative")
    message = encode_reply(rejection)

    assert (message.body, message.attributes["hint-length"]) == ("?Error. No. Say yes.", "8")
    assert decode_reply(message) == rejection
    assert (rejection.error.message, rejection.error.hint) == ("No.", "Say yes.")
    assert "hint-length" not in encode_reply(Rejection(reason="No.")).attributes


@pytest.mark.parametrize("length", ["", "0", "-1", "x", "9", "12", "1" * 5000, "\u0661", "1.5"])
def test_a_hint_length_that_fits_no_hint_is_ignored(length: str) -> None:
    message = Message(body="?Error. No. Yes.", attributes={"status": "error", "hint-length": length})

    found = decode_reply(message)

    assert isinstance(found, Rejection)
    assert (found.reason, found.hint) == ("No. Yes.", "")
    assert found.error.message == "No. Yes."


def test_characters_that_a_queue_rejects_are_replaced() -> None:
    assert encode_reply(Response(body="a\x00\x1b\ud800b\tc\n")).body == "a\ufffd\ufffd\ufffdb\tc\n"


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("responseQueue", True),
        ("responseQueue-7f", True),
        ("responseQueue-", True),
        ("responseQueue2", False),
        ("requestQueue", False),
        ("responseQueue-a/b", False),
        ("responseQueue-" + "x" * 80, False),
        ("https://evil.example/responseQueue", False),
        ("", False),
    ],
)
def test_only_response_queues_are_answered_to(name: str, *, allowed: bool) -> None:
    assert is_reply_queue(name, "responseQueue") is allowed


def test_who_asked_is_saved_from_a_message_that_cannot_be_read() -> None:
    attributes = {"request-id": "a", "reply-to": "responseQueue", "deadline": "5", "options": "{"}

    assert decode_address(Message(body="1", attributes=attributes)) == Request(
        body="", request_id="a", reply_to="responseQueue", deadline=5.0
    )


def test_no_two_requests_have_the_same_id() -> None:
    assert len({new_request_id() for _ in range(1000)}) == 1000


def test_a_name_that_is_none_is_rejected_and_not_logged() -> None:
    message = Message(body="1", attributes={"request-id": "a", "Name": "../b\x1b"})

    with pytest.raises(MalformedMessage, match=r"The attribute Name is '\.\./b\\x1b': .*'/'"):
        decode_request(message)
    assert (decode_address(message).request_id, decode_address(message).name) == ("a", None)
