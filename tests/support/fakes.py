"""AWS in memory, for tests of one module: quick, with no network, and held to the contract tests like the engines.

A fake takes the calls that this project makes of boto3's clients, by their names and with their parameters, and
answers as AWS does. Beside that it notes every call, fails those it is told to, and lets a test act within one.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from types import SimpleNamespace
from typing import Any, TypeVar

from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

from courier.aws.credentials import CredentialRefresh
from courier.aws.session import Aws, Clock
from courier.cancellation import CancelableClient, Cancellation

S = TypeVar("S", bound="FakeService")

#: How long what other threads are about to do is waited for, before it is taken for missing.
PATIENCE_SECONDS = float(os.environ.get("TEST_PATIENCE_SECONDS", "60"))


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


class FakeService:
    """What the fakes share: calls are noted, and fail as often as they are told to."""

    def __init__(self) -> None:
        names = [name for name in dir(type(self)) if hasattr(getattr(type(self), name), "is_operation")]
        #: What is told of a client of boto3's: where it calls, and which of its methods are calls.
        self.meta = SimpleNamespace(endpoint_url="https://aws.example", method_to_api_mapping=dict.fromkeys(names))
        self.calls: list[Call] = []
        #: What is done at the beginning of a call, by its name: it may wait for a test, or raise.
        self.hooks: dict[str, Callable[[Mapping[str, Any]], object]] = {}
        self._faults: dict[str, list[Exception]] = defaultdict(list)

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


class FakeCloudWatch(FakeService):
    """Metrics that a test has set."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[dict[str, Any]] = []

    @operation("Namespace", "MetricName", "Dimensions", "StartTime", "EndTime", "Period", "Statistics")
    def get_metric_statistics(self, given: Mapping[str, Any]) -> dict[str, Any]:
        within = [point for point in self.points if given["StartTime"] <= point["Timestamp"] < given["EndTime"]]
        return {"Datapoints": within}


class FakeAutoScaling(FakeService):
    """Notes whether instances are protected."""

    def __init__(self) -> None:
        super().__init__()
        self.protected: dict[str, bool] = {}

    @operation("InstanceIds", "AutoScalingGroupName", "ProtectedFromScaleIn")
    def set_instance_protection(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self.protected |= dict.fromkeys(given["InstanceIds"], given["ProtectedFromScaleIn"])
        return {}


class FakeSts(FakeService):
    """Knows whose account this is."""

    @operation()
    def get_caller_identity(self, _given: Mapping[str, Any]) -> dict[str, Any]:
        return {"Account": "123456789012"}


class FakeAws(Aws):
    """A connection to an account in memory."""

    def __init__(
        self, cancellation: Cancellation | None = None
    ) -> None:  # no session is made, and no configuration read
        from tests.support.fakes3 import FakeS3
        from tests.support.fakesqs import FakeSqs

        self.clock = Clock()
        self._cancellation = cancellation
        self.stopping = threading.Event()
        self.region = "us-east-1"
        self.told: list[str] = []
        self._patience = CredentialRefresh(seconds=0, tell=self.told.append, stopped=self.stopping)
        self.queues = FakeSqs()
        self.objects = FakeS3()
        self.metrics = FakeCloudWatch()
        self.machines = FakeAutoScaling()
        self._services = {
            "sqs": self.queues,
            "s3": self.objects,
            "cloudwatch": self.metrics,
            "autoscaling": self.machines,
            "sts": FakeSts(),
        }

    def outlast_for(self, seconds: float) -> None:
        """Make calls again for so long while their errors are transient, as a client does."""
        self._patience.transient_seconds = seconds

    def _client(self, service: str) -> Any:
        client = self._services[service]
        limit_seconds = self._patience.call_seconds
        return CancelableClient(client, self._cancellation, limit_seconds) if self._cancellation else client


def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait for what other threads are about to do."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true within {PATIENCE_SECONDS} s"
        time.sleep(0.001)
