"""AWS in memory, for tests of one module: quick, with no network, and held to the contract tests like the engines.

A fake takes the calls that this project makes of boto3's clients, by their names and with their parameters, and
answers as AWS does. Beside that it records every call, fails those that a test names, and lets a test act within one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from courier.aws.credentials import CredentialRefresh
from courier.cancellation import Cancellation
from courier.testing.account import Account, MemoryAws
from courier.testing.service import MemoryService, client_error, no_network, operation

#: What tests take from here with the rest.
__all__ = ["FakeAws", "client_error", "no_network", "until"]

#: How long what other threads are about to do is waited for, before it is taken for missing.
WAIT_LIMIT_SECONDS = float(os.environ.get("TEST_WAIT_SECONDS", "60"))


class FakeCloudWatch(MemoryService):
    """Metrics that a test has set."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[dict[str, Any]] = []

    @operation("Namespace", "MetricName", "Dimensions", "StartTime", "EndTime", "Period", "Statistics")
    def get_metric_statistics(self, given: Mapping[str, Any]) -> dict[str, Any]:
        within = [point for point in self.points if given["StartTime"] <= point["Timestamp"] < given["EndTime"]]
        return {"Datapoints": within}


class FakeAutoScaling(MemoryService):
    """Notes whether instances are protected."""

    def __init__(self) -> None:
        super().__init__()
        self.protected: dict[str, bool] = {}

    @operation("InstanceIds", "AutoScalingGroupName", "ProtectedFromScaleIn")
    def set_instance_protection(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self.protected |= dict.fromkeys(given["InstanceIds"], given["ProtectedFromScaleIn"])
        return {}


class FakeAws(MemoryAws):
    """A connection to an account in memory."""

    def __init__(self, cancellation: Cancellation | None = None) -> None:
        self.notices: list[str] = []
        self.account = Account()
        self.queues, self.objects = self.account.queues, self.account.objects
        self.metrics, self.machines = FakeCloudWatch(), FakeAutoScaling()
        self.account.services |= {"cloudwatch": self.metrics, "autoscaling": self.machines}
        super().__init__(
            self.account,
            CredentialRefresh(seconds=0, tell=self.notices.append, stopped=threading.Event()),
            cancellation,
        )

    def outlast_for(self, seconds: float) -> None:
        """Make calls again for so long while their errors are transient, as a client does."""
        self._refresh.transient_seconds = seconds


def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait for what other threads are about to do."""
    deadline = time.monotonic() + WAIT_LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true within {WAIT_LIMIT_SECONDS} s"
        time.sleep(0.001)
