"""The log calls a request by its ID, or by SQS's where it has none that can be used."""

from __future__ import annotations

import pytest

from courier.aws.message import Message
from courier.aws.sqs import ReceivedMessage
from courier.messaging.log_names import name_of
from courier.messaging.message_attributes import REQUEST_ID


@pytest.mark.parametrize(
    ("attributes", "name"),
    [({REQUEST_ID: "r-1"}, "r-1"), ({}, "m-1"), ({REQUEST_ID: ""}, "m-1"), ({REQUEST_ID: "a\nforged line"}, "m-1")],
)
def test_a_request_has_a_name_that_fits_a_line(attributes: dict[str, str], name: str) -> None:
    message = Message(body="secret", attributes=attributes)

    assert name_of(ReceivedMessage(message=message, message_id="m-1", receipt_handle="h", receive_count=1)) == name
