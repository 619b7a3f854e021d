"""A service in memory records its calls, takes boto3's parameters alone, and fails as a test says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

from courier.testing.service import Call, MemoryService, client_error, operation


class Echo(MemoryService):
    """A service of one call."""

    @operation("A", "B")
    def get_a(self, given: Mapping[str, Any]) -> Any:
        return given.get("A")


@pytest.fixture
def echo() -> Echo:
    return Echo()


def test_calls_are_recorded_in_order_with_their_arguments_also_those_that_fail(echo: Echo) -> None:
    echo.fail("get_a", client_error("Oops"))
    with pytest.raises(ClientError):
        echo.get_a(A=1)

    assert echo.get_a(A=2, B=3) == 2

    assert echo.calls == [Call(operation="get_a", given={"A": 1}), Call(operation="get_a", given={"A": 2, "B": 3})]
    assert echo.operations == ["get_a", "get_a"]
    assert (echo.given("get_a"), echo.given("other")) == ([{"A": 1}, {"A": 2, "B": 3}], [])


def test_parameters_that_boto3_does_not_have_are_rejected_before_the_call(echo: Echo) -> None:
    with pytest.raises(ParamValidationError, match="'C'"):
        echo.get_a(A=1, C=2)

    assert echo.calls == []


def test_each_failure_is_that_of_one_call_in_their_order(echo: Echo) -> None:
    echo.fail("get_a", client_error("First"), client_error("Second"))
    codes = []
    for _ in range(2):
        with pytest.raises(ClientError) as raised:
            echo.get_a()
        codes.append(raised.value.response["Error"]["Code"])

    assert codes == ["First", "Second"]
    assert echo.get_a(A=1) == 1


def test_without_a_connection_the_next_calls_fail_before_other_failures(echo: Echo) -> None:
    echo.unreachable = 1
    echo.fail("get_a", client_error("Oops"))

    with pytest.raises(EndpointConnectionError):
        echo.get_a()
    with pytest.raises(ClientError):
        echo.get_a()
    assert echo.get_a(A=1) == 1


def test_a_hook_is_called_with_the_arguments_and_may_raise(echo: Echo) -> None:
    seen: list[Mapping[str, Any]] = []
    echo.hooks["get_a"] = seen.append
    assert echo.get_a(A=1) == 1

    def fail(_given: Mapping[str, Any]) -> None:
        raise ZeroDivisionError

    echo.hooks["get_a"] = fail
    with pytest.raises(ZeroDivisionError):
        echo.get_a(A=2)

    assert seen == [{"A": 1}]


def test_it_names_its_calls_as_boto3s_clients_do(echo: Echo) -> None:
    assert list(echo.meta.method_to_api_mapping) == ["get_a"]
    assert echo.meta.endpoint_url.startswith("https://")
