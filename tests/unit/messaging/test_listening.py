from __future__ import annotations

import threading

import pytest

from courier.aws.retry import Retrier
from courier.aws.sqs import Mailbox
from courier.messaging.listening import Listening
from tests.support.clocks import Ticks
from tests.support.fakes import FakeAws, until


def test_a_worker_listens_only_once_its_queue_is_there() -> None:
    aws, stopping, said = FakeAws(), threading.Event(), list[str]()
    listening = Listening(Mailbox(aws, "later"), Retrier("receiving", stopping))
    begun = threading.Thread(target=listening.begin, args=(stopping,), daemon=True)
    listening.when_begun(lambda: said.append("listens"))
    begun.start()
    until(lambda: aws.queues.given("get_queue_url"), "a look at the queue")
    assert said == []

    aws.queues.create_queue(QueueName="later")

    until(lambda: said == ["listens"], "the announcement")
    begun.join(5)


def test_a_worker_that_is_stopped_no_longer_looks_for_its_queue() -> None:
    stopping = threading.Event()
    listening = Listening(Mailbox(FakeAws(), "never"), Retrier("receiving", stopping))
    stopping.set()

    listening.begin(stopping)


def test_it_pauses_between_its_looks_and_reports_once_what_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    aws, stopping = FakeAws(), Ticks(3)

    Listening(Mailbox(aws, "never"), Retrier("receiving", stopping)).begin(stopping)

    assert len(stopping.waits) == len(aws.queues.given("get_queue_url")) == 4
    assert caplog.text.count("The queue never does not exist") == 1


def test_a_worker_that_never_listens_keeps_no_program_alive() -> None:
    before = {*threading.enumerate()}

    Listening(Mailbox(FakeAws(), "never"), Retrier("receiving", threading.Event())).when_begun(lambda: None)

    (waiting,) = (thread for thread in {*threading.enumerate()} - before if thread.name == "ready")
    assert waiting.daemon
