from __future__ import annotations

import secrets

import pytest

from courier.aws.session import Aws
from courier.aws.sqs import Mailbox
from tests.support.engines import Engine
from tests.support.fakes import FakeAws
from tests.support.place import ATTRIBUTES


@pytest.fixture(params=["ministack", "moto", "memory"])
def aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A connection to each engine in turn, and to the fake that unit tests use."""
    if request.param == "memory":
        account = FakeAws()
        account.queues.waits = False
        return account
    engine: Engine = request.getfixturevalue(request.param)
    for name, value in engine.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return Aws()


@pytest.fixture
def mailbox(aws: Aws) -> Mailbox:
    """A fresh queue with the attributes of create-queue.json."""
    name = f"queue-{secrets.token_hex(6)}"
    aws.sqs().create_queue(QueueName=name, Attributes=ATTRIBUTES)
    return Mailbox(aws, name)
