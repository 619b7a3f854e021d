"""A connection to an account in memory takes no time, and can be canceled as one to AWS."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from courier.aws.credentials import CredentialRefresh
from courier.cancellation import Canceled, Cancellation
from courier.testing.account import ACCOUNT_ID, Account, MemoryAws
from tests.support.fakes import until


def connection(account: Account, cancellation: Cancellation | None = None) -> MemoryAws:
    refresh = CredentialRefresh(seconds=0, tell=print, stopped=threading.Event())
    return MemoryAws(account, refresh, cancellation)


def test_connections_to_one_account_share_what_is_in_it_and_others_have_none_of_it() -> None:
    account = Account()
    first: Any = connection(account).sqs()
    second: Any = connection(account).sqs()

    first.create_queue(QueueName="q")

    assert second.list_queues(QueueNamePrefix="") == first.list_queues(QueueNamePrefix="")
    assert Account().queues.names() == []


def test_the_account_has_an_id() -> None:
    assert connection(Account()).account_id() == ACCOUNT_ID


def test_a_pause_takes_no_time_and_a_canceled_one_is_an_error() -> None:
    cancellation = Cancellation()
    aws = connection(Account(), cancellation)
    connection(Account()).wait(10**9)
    aws.wait(10**9)

    cancellation.cancel()

    with pytest.raises(Canceled):
        aws.wait(0)


def test_a_call_in_progress_can_be_canceled() -> None:
    account, cancellation = Account(), Cancellation()
    sqs: Any = connection(account, cancellation).sqs()
    url = sqs.create_queue(QueueName="q")["QueueUrl"]

    def cancel() -> None:
        until(lambda: "receive_message" in account.queues.operations, "the call")
        cancellation.cancel()

    threading.Thread(target=cancel, daemon=True).start()

    with pytest.raises(Canceled):
        sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)

    account.queues.close()
