"""An AWS account in memory, and connections to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.aws.credentials import CredentialRefresh
from courier.aws.session import Aws, Clock
from courier.cancellation import CancelableClient, Cancellation
from courier.testing.s3 import MemoryS3
from courier.testing.service import MemoryService, operation
from courier.testing.sqs import MemorySqs

ACCOUNT_ID = "123456789012"


class MemorySts(MemoryService):
    """STS in memory: returns the account ID."""

    @operation()
    def get_caller_identity(self, _given: Mapping[str, Any]) -> dict[str, Any]:
        return {"Account": ACCOUNT_ID, "Arn": f"arn:aws:iam::{ACCOUNT_ID}:user/memory"}


class Account:
    """Queues and buckets that live as long as a test."""

    def __init__(self) -> None:
        self.queues = MemorySqs()
        self.objects = MemoryS3()
        #: The services by name.
        self.services: dict[str, MemoryService] = {"sqs": self.queues, "s3": self.objects, "sts": MemorySts()}


class MemoryAws(Aws):
    """A connection to an account in memory, without a session or configuration."""

    def __init__(self, account: Account, refresh: CredentialRefresh, cancellation: Cancellation | None) -> None:
        self.clock = Clock()
        self.stopping = refresh.stopped
        self.region = "us-east-1"
        self._cancellation = cancellation
        self._refresh = refresh
        self._services = account.services
        self._owner = ""

    def wait(self, seconds: float) -> None:  # noqa: ARG002  nothing here takes time
        """Return at once. Raises: Canceled."""
        if self._cancellation:
            self._cancellation.check()

    def _client(self, service: str) -> Any:
        client = self._services[service]
        limit_seconds = self._refresh.call_seconds
        return CancelableClient(client, self._cancellation, limit_seconds) if self._cancellation else client
