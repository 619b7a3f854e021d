"""The states of messages are part of what programs read, and their end is no error of a request."""

from __future__ import annotations

from typing import Any

from courier.errors import CourierError
from courier.messaging.states import NoLongerHeld, State
from tests.support.rows import validator


def test_the_states_are_those_of_the_schema_of_watch() -> None:
    schema: Any = validator("watch").schema
    in_flight = schema["properties"]["workers"]["items"]["properties"]["in_flight"]["items"]["properties"]

    assert [state.value for state in State] == in_flight["state"]["enum"]


def test_a_request_that_is_no_longer_held_is_neither_rejected_nor_retried() -> None:
    assert not issubclass(NoLongerHeld, CourierError)
