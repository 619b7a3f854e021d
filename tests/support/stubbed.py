"""Clients of boto3 with botocore's stubs, for calls that the services in memory do not have.

Each call and each response is held to AWS's model of the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.stub import Stubber

from tests.support.fakes import FakeAws


class StubbedAws(FakeAws):
    """A connection whose clients return what a test has set, in this order and for these arguments alone.

    The services that it names stay in memory.
    """

    def __init__(self, *in_memory: str) -> None:
        super().__init__()
        self._in_memory = in_memory
        self._session = boto3.Session("local", "local", region_name=self.region)
        self._stubs: dict[str, Stubber] = {}

    def returns(self, service: str, call: str, response: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Make the next call of this service return a response."""
        self._stub(service).add_response(call, dict(response), dict(given))

    def fails(self, service: str, call: str, code: str) -> None:
        """Make the next call of this service fail with AWS's code of an error."""
        self._stub(service).add_client_error(call, code, "Said so.")

    def check_all_made(self) -> None:
        """Check that every call was made that a test has set."""
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()

    def _stub(self, service: str) -> Stubber:
        if service not in self._stubs:
            client: Any = self._session.client(service)  # type: ignore[call-overload]
            self._stubs[service] = Stubber(client)
            self._stubs[service].activate()
        return self._stubs[service]

    def _client(self, service: str) -> Any:
        return super()._client(service) if service in self._in_memory else self._stub(service).client
