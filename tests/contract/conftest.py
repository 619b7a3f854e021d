from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from courier.aws.session import Aws
from courier.aws.sqs import Mailbox
from tests.support import real
from tests.support.fakes import FakeAws
from tests.support.place import ATTRIBUTES


@pytest.fixture(params=["real"] if real.is_chosen() else ["ministack", "moto", "memory"])
def aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """A connection to each engine in turn, and to the fake that unit tests use; with --aws, to AWS alone."""
    if request.param == "memory":
        account = FakeAws()
        account.queues.waits = False
        yield account
        return
    env = real.environment() if request.param == "real" else request.getfixturevalue(request.param).environment()
    for name, value in env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    if request.param != "real":
        yield Aws()
        return
    monkeypatch.delenv("AWS_REGION", raising=False)
    with real.removing(Aws()) as connection:
        yield connection


@pytest.fixture
def mailbox(aws: Aws) -> Mailbox:
    """A fresh queue with the attributes of create-queue.json."""
    name = f"queue-{secrets.token_hex(6)}"
    aws.sqs().create_queue(QueueName=name, Attributes=ATTRIBUTES)
    return Mailbox(aws, name)
