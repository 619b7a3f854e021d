"""What the services in memory share: calls by the names of boto3's, noted, and failing as they are told to."""

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
    """One call that was made: its name, and what was given to it."""

    operation: str
    given: Mapping[str, Any]


def refusal(code: str, message: str = "Said so.", operation: str = "Operation") -> ClientError:
    """Return the error of a call that AWS refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def no_network() -> Exception:
    """Return the error of a call that reaches nobody."""
    return EndpointConnectionError(endpoint_url="http://nowhere")


class MemoryService:
    """What the fakes share: calls are noted, and fail as often as they are told to."""

    def __init__(self) -> None:
        names = [name for name in dir(type(self)) if hasattr(getattr(type(self), name), "is_operation")]
        #: What is told of a client of boto3's: where it calls, and which of its methods are calls.
        self.meta = SimpleNamespace(endpoint_url="https://aws.example", method_to_api_mapping=dict.fromkeys(names))
        self.calls: list[Call] = []
        #: What is done at the beginning of a call, by its name: it may wait for a test, or raise.
        self.hooks: dict[str, Callable[[Mapping[str, Any]], object]] = {}
        self._faults: dict[str, list[Exception]] = defaultdict(list)
        #: How many of the next calls reach nobody.
        self.unreachable = 0

    def fail(self, operation: str, *errors: Exception) -> None:
        """Let the next calls of a name raise these, one each."""
        self._faults[operation] += errors

    def given(self, operation: str) -> list[Mapping[str, Any]]:
        """Return what was given to each call of this name."""
        return [call.given for call in self.calls if call.operation == operation]

    @property
    def operations(self) -> list[str]:
        """The names of all calls, in order."""
        return [call.operation for call in self.calls]

    def begin(self, operation: str, given: Mapping[str, Any]) -> None:
        """Note a call, and do to it what a test has asked for."""
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
    """Make a method a call of boto3's, with parameters of these names."""

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
