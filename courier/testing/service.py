"""Base of the services in memory: records calls under boto3's names, and injects failures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from types import SimpleNamespace
from typing import Any, TypeVar

from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

S = TypeVar("S", bound="MemoryService")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A recorded call: its name and its arguments."""

    operation: str
    given: Mapping[str, Any]


def client_error(code: str, message: str = "Said so.", operation: str = "Operation") -> ClientError:
    """Return the error of a call that AWS rejects."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def no_network() -> Exception:
    """Return the error of a call without a connection."""
    return EndpointConnectionError(endpoint_url="http://nowhere")


class MemoryService:
    """Records calls and injects failures."""

    def __init__(self) -> None:
        names = [name for name in dir(type(self)) if hasattr(getattr(type(self), name), "is_operation")]
        #: The part of a boto3 client's `meta` that is used: the endpoint, and the names of the calls.
        self.meta = SimpleNamespace(endpoint_url="https://aws.example", method_to_api_mapping=dict.fromkeys(names))
        self.calls: list[Call] = []
        #: Functions that are called at the beginning of a call, by its name; they may wait or raise.
        self.hooks: dict[str, Callable[[Mapping[str, Any]], object]] = {}
        self._faults: dict[str, list[Exception]] = defaultdict(list)
        #: The number of next calls that fail without a connection.
        self.unreachable = 0

    def fail(self, operation: str, *errors: Exception) -> None:
        """Make the next calls of a name raise these errors, one each."""
        self._faults[operation] += errors

    def given(self, operation: str) -> list[Mapping[str, Any]]:
        """Return the arguments of each call of this name."""
        return [call.given for call in self.calls if call.operation == operation]

    @property
    def operations(self) -> list[str]:
        """The names of all calls, in order."""
        return [call.operation for call in self.calls]

    def begin(self, operation: str, given: Mapping[str, Any]) -> None:
        """Record a call, and inject the failure that a test has requested."""
        self.calls.append(Call(operation=operation, given=given))
        hook = self.hooks.get(operation)
        if hook:
            hook(given)
        if self.unreachable > 0:
            self.unreachable -= 1
            raise no_network()
        if self._faults[operation]:
            raise self._faults[operation].pop(0)


def operation(*names: str) -> Callable[[Callable[[S, Mapping[str, Any]], Any]], Callable[..., Any]]:
    """Make a method a boto3 call with these parameters."""

    def decorate(method: Callable[[S, Mapping[str, Any]], Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(self: S, **given: Any) -> Any:
            unknown = given.keys() - set(names)
            if unknown:
                raise ParamValidationError(report=f"Unknown parameters in input: {sorted(unknown)}")
            self.begin(method.__name__, given)
            return method(self, given)

        call.is_operation = True  # type: ignore[attr-defined]
        return call

    return decorate
