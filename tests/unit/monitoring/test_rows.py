"""A snapshot becomes rows with a verdict and a fix; nothing is read here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from courier.aws.inventory import AlarmState, BucketState, TopicState
from courier.monitoring.expected import Expected
from courier.monitoring.rows import status_rows
from courier.monitoring.snapshot import Details, ProcessState, Snapshot
from tests.support.good_set_up import (
    ACCOUNT,
    BUCKET,
    DENIED,
    EXPECTED,
    GOOD,
    GROUP,
    INSTANCE,
    MACHINES,
    QUEUES,
    checked,
    queue,
    with_machines,
    with_queue,
    wrong,
)


def test_numbers_are_numbers_and_a_line_has_the_verdict_first() -> None:
    busy = queue("imageInbox", waiting=12, in_flight=1)
    rows = {row.name: row for row in status_rows(with_queue("imageInbox", busy), EXPECTED)}

    assert rows["imageInbox"].as_json() == {
        "kind": "queue",
        "name": "imageInbox",
        "state": "exists",
        "waiting": 12,
        "in_flight": 1,
        "delayed": 0,
        "verdict": "ok",
        "fix": None,
    }
    assert rows["imageInbox"].as_line().split() == ["ok", "queue", "imageInbox", "12", "waiting,", "1", "in", "flight"]


def test_requests_that_wait_with_none_in_flight_hint_at_the_doctor() -> None:
    idle = {name: queue(name, waiting=3) for name in ("requestQueue", "responseQueue")}
    snapshot = replace(GOOD, queues={**QUEUES, **idle, "imageInbox": queue("imageInbox", waiting=3, in_flight=1)})

    hints = {row.name: row.as_json()["fix"] for row in status_rows(snapshot, EXPECTED) if row.as_json()["fix"]}
    line = next(row.as_line() for row in status_rows(snapshot, EXPECTED))

    assert hints == {"requestQueue": "No worker may be running: ./aws_setup.sh doctor"}
    assert line.startswith("ok ")
    assert line.endswith("0 in flight -> No worker may be running: ./aws_setup.sh doctor")
    assert all(row.is_wrong or not row.as_json()["fix"] for row in checked(snapshot))


@pytest.mark.parametrize(
    ("snapshot", "found"),
    [
        (with_queue("imageInbox", None), [("queue", "missing")]),
        (with_queue("imageInbox", DENIED), [("queue", DENIED.message)]),
        (with_queue("imageInbox-dead", queue("imageInbox-dead", waiting=2)), [("queue", "2 waiting, 0 in flight")]),
        (replace(GOOD, bucket=None), [("bucket", "missing")]),
        (replace(GOOD, bucket=DENIED), [("bucket", DENIED.message)]),
        (
            replace(GOOD, bucket=BucketState(name=BUCKET, owner="other", has_tags=True, code="abc")),
            [("bucket", "belongs to the set-up other")],
        ),
        (
            replace(GOOD, alarms=[AlarmState(name="a", state="alarm", reason="Threshold Crossed")]),
            [("alarm", "Threshold Crossed")],
        ),
        (replace(GOOD, alarms=DENIED), [("alarm", DENIED.message)]),
        (replace(GOOD, topic=None), [("topic", "missing: no alarm sends mail")]),
        (replace(GOOD, topic=DENIED), [("topic", DENIED.message)]),
        (
            replace(GOOD, topic=TopicState(confirmed=1, pending=1)),
            [("topic", "1 address gets mail, 1 not confirmed")],
        ),
        (replace(GOOD, topic=TopicState(confirmed=0, pending=0)), [("topic", "0 addresses get mail")]),
        (with_machines(key=None), [("key", "missing")]),
        (with_machines(group=None), [("group", "missing")]),
        (with_machines(profile_role=None), [("role", "missing")]),
        (with_machines(policy_version=DENIED), [("policy", DENIED.message)]),
        (with_machines(instances=[]), [("instance", "missing")]),
        (with_machines(instances=DENIED), [("instance", DENIED.message)]),
        (
            with_machines(instances=[replace(INSTANCE, state="stopped", address="")]),
            [("instance", "stopped, t3.micro, no address")],
        ),
    ],
)
def test_what_is_wrong_has_a_row_with_a_fix(snapshot: Snapshot, found: list[tuple[str, str]]) -> None:
    assert wrong(snapshot) == found


def test_fixes_select_the_set_up_and_are_run_locals_on_a_local_aws() -> None:
    gone = with_queue("imageInbox", None)
    named, local = (replace(EXPECTED, **given) for given in ({"flags": " --name x"}, {"local": "/x/.local", "ec2": ""}))
    stopped = replace(
        gone,
        machines=None,
        processes=[ProcessState(name="engine", process_id=None), ProcessState(name="w", process_id=7)],
    )

    assert fixes(gone, named) == ["./aws_setup.sh up --name x"]
    assert fixes(stopped, local) == ["./run_local.sh up", "./run_local.sh up"]
    frozen = replace(stopped, processes=[ProcessState(name="engine", process_id=7, is_silent=True)])
    assert fixes(frozen, local)[0] == "./run_local.sh down; ./run_local.sh up"
    drifted = replace(with_queue("imageInbox", queue("imageInbox", VisibilityTimeout="7")), machines=None)
    assert fixes(drifted, local) == ["rm -f .local/setup.stamp; ./run_local.sh up"]
    dead = replace(with_queue("imageInbox-dead", queue("imageInbox-dead", waiting=1)), machines=None)
    assert "./run_local.sh images redrive" in fixes(dead, local)[0]
    assert "python images_client.py redrive" in fixes(dead, EXPECTED)[0]


def fixes(snapshot: Snapshot, expected: Expected) -> Sequence[str]:
    return [row.fix for row in checked(snapshot, expected) if row.is_wrong]


def test_a_lab_has_a_profile_and_a_key_of_its_own_and_no_policy() -> None:
    lab = replace(GOOD.identity, arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/voclabs/user1")
    snapshot = replace(
        GOOD, identity=lab, machines=replace(MACHINES, policy_version=None, profile_role="LabRole"), details=Details()
    )

    names = {row.kind: row.name for row in checked(snapshot)}

    assert wrong(snapshot) == []
    assert (names["role"], names["key"]) == ("LabInstanceProfile", "vockey")
    assert "policy" not in names


def test_a_set_up_that_never_had_an_instance_lacks_none() -> None:
    nothing = with_machines(group=None, key=None, profile_role=None, policy_version=None, instances=[])
    bare = replace(nothing, bucket=BucketState(name=BUCKET, owner="lab3", has_tags=True), details=Details())
    lab = replace(GOOD.identity, arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/voclabs/user1")

    assert wrong(bare) == []
    assert [(row.name, row.state) for row in checked(bare) if row.kind == "instance"] == [("lab3-worker", "none")]
    without = replace(bare, queues={**bare.queues, "imageInbox": None})
    assert fixes(without, EXPECTED) == ["./aws_setup.sh up --no-ec2"]
    assert fixes(replace(without, machines=None), replace(EXPECTED, ec2="")) == ["./aws_setup.sh up --no-ec2"]
    in_lab = replace(bare, identity=lab, machines=replace(MACHINES, group=None, instances=[], profile_role="LabRole"))
    assert wrong(in_lab) == []
    for found in ({"group": DENIED}, {"instances": DENIED}, {"profile_role": "lab3-worker"}, {"group": GROUP}):
        assert wrong(replace(bare, machines=replace(bare.machines or MACHINES, **found)))
    empty = replace(bare, queues=dict.fromkeys(QUEUES))
    assert ("instance", "missing") in wrong(empty)


def test_a_bucket_that_was_there_before_says_so() -> None:
    before = replace(GOOD, bucket=BucketState(name=BUCKET, owner=None, has_tags=True, code="abc"))

    (row,) = [row for row in checked(before) if row.kind == "bucket"]

    assert row.as_json()["was_there"] is True
