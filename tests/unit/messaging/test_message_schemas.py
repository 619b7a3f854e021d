"""The schemas of the documentation say of messages what the protocol does."""

from __future__ import annotations

import json
from functools import cache

import pytest
from jsonschema import Draft202012Validator

from courier.aws.message import Message
from courier.errors import MalformedMessage
from courier.messaging import protocol
from tests.support.place import ROOT


@cache
def validator(name: str) -> Draft202012Validator:
    schema = json.loads((ROOT / f"docs/reference/messages/{name}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_what_is_sent_fits_and_needs_no_attribute_that_the_schema_lacks() -> None:
    request = protocol.encode_request(
        protocol.Request(
            body="1",
            request_id="a-1",
            reply_to="responseQueue-1",
            kind="numbers",
            options={"a": "b"},
            deadline=1.5,
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            claim="courier/1",
            name="anna",
        )
    )
    result = protocol.encode_reply(
        protocol.Response(
            body="1", details={"width": 1}, request_id="a-1", deadline=1.5, traceparent="00-a", claim="courier/2"
        )
    )
    rejection = protocol.encode_reply(
        protocol.Rejection(reason="No. Yes.", hint="Yes.", code="corrupt", request_id="a-1", deadline=2)
    )

    assert set(validator("request").schema["properties"]) == set(request.attributes)  # type: ignore[index]
    validator("request").validate(dict(request.attributes))
    assert set(validator("response").schema["properties"]) == {*result.attributes, *rejection.attributes}  # type: ignore[index]
    for message in (result, rejection):
        validator("response").validate(dict(message.attributes))


@pytest.mark.parametrize(
    "attributes",
    [{"version": "2"}, {"request-id": "a b"}, {"request-id": ""}, {"deadline": "soon"}, {"Name": "../a"}, {"Name": ""}],
    ids=str,
)
def test_what_the_worker_rejects_does_not_fit(attributes: dict[str, str]) -> None:
    with pytest.raises(MalformedMessage):
        protocol.decode_request(Message(body="1", attributes=attributes))

    assert not validator("request").is_valid(attributes)


@pytest.mark.parametrize("attributes", [{}, {"unknown": "x"}, {"deadline": "1795973655.230"}], ids=str)
def test_what_the_worker_takes_fits(attributes: dict[str, str]) -> None:
    protocol.decode_request(Message(body="1", attributes=attributes))

    validator("request").validate(attributes)
