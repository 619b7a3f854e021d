"""The doctor shows what status shows, and what it has checked beyond that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from courier.errors import QueueMissing, ResponseTimeout
from courier.monitoring.snapshot import ReplyQueues, WorkerState
from tests.support.good_set_up import (
    APPLICATIONS,
    DENIED,
    EXPECTED,
    GOOD,
    checked,
    queue,
    with_details,
    with_queue,
    wrong,
)


def test_nothing_is_wrong_with_a_good_set_up() -> None:
    assert wrong(GOOD) == []
    assert [row.kind for row in checked(GOOD)] == [
        *("account", "clock", *["queue"] * 6, "bucket", "alarm", "topic", "role", "policy", "group", "key", "instance"),
        *("drift", "replies", "worker", "worker"),
    ]


@pytest.mark.parametrize(("seconds", "is_wrong"), [(60.0, False), (-60.0, False), (60.1, True), (-90.0, True)])
def test_a_clock_is_wrong_beyond_a_minute_in_either_direction(seconds: float, *, is_wrong: bool) -> None:
    row = checked(replace(GOOD, clock_seconds=seconds))[1]

    assert (row.kind, row.is_wrong) == ("clock", is_wrong)
    assert row.text == f"differs from AWS's by {seconds:.0f} s"


def test_of_what_is_missing_no_row_says_that_it_is_as_it_should_be() -> None:
    for snapshot, text in (
        (GOOD, "is as aws_setup"),
        (with_queue("imageInbox", None), "what was found is as aws_setup"),
        (with_queue("imageInbox", DENIED), "what was found is as aws_setup"),
    ):
        (row,) = [row for row in checked(snapshot) if row.kind == "drift"]
        assert row.text.startswith(text)


def test_a_difference_takes_the_place_of_the_row_that_all_is_well() -> None:
    drifted = with_queue("imageInbox", queue("imageInbox", VisibilityTimeout="77"))

    assert [row.state for row in checked(drifted) if row.kind == "drift"] == ["drifted"]


def test_requests_that_wait_are_left_to_the_rows_of_the_workers() -> None:
    assert not any(row.advice for row in checked(with_queue("imageInbox", queue("imageInbox", waiting=3))))


def test_reply_queues_of_crashed_clients_are_to_be_swept() -> None:
    stale = with_details(reply_queues=ReplyQueues(count=3, stale=1))
    local = replace(EXPECTED, local="/x/.local", ec2="")

    (row,) = [row for row in checked(stale) if row.kind == "replies"]
    (locally,) = [row for row in checked(stale, local) if row.kind == "replies"]

    assert (row.state, row.text) == ("stale", "1 of 3 older than six hours")
    assert row.fix == locally.fix == "Remove those that crashed clients left: ./aws_setup.sh sweep"
    assert wrong(with_details(reply_queues=DENIED)) == [("replies", DENIED.message)]


def test_a_worker_that_does_not_respond_is_wrong() -> None:
    silent = WorkerState(application=APPLICATIONS[0], seconds=None, error=ResponseTimeout())
    snapshot = replace(GOOD, workers=[silent])

    (row,) = [row for row in checked(snapshot, replace(EXPECTED, local="x", ec2="")) if row.kind == "worker"]

    assert wrong(snapshot) == [("worker", "No response came in time.")]
    assert row.fix == "Look at its log: .local/numbers_worker.py.log"


def test_where_a_worker_cannot_be_asked_the_fix_is_not_in_its_log() -> None:
    errors = (ResponseTimeout(), DENIED, QueueMissing("There is no queue."))
    workers = [WorkerState(application=APPLICATIONS[0], seconds=None, error=error) for error in errors]

    fixes = [row.fix for row in checked(replace(GOOD, workers=workers)) if row.kind == "worker"]

    assert fixes == ["Look at its log: run ./aws_setup.sh logs", DENIED.hint, "./aws_setup.sh up"]
