"""What AWS does not know yet, or still knows, for some seconds: `up` ends well all the same."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.setup.test_whole_setup import Account
from tests.support.engines import Engine
from tests.support.place import ROOT

TIMEOUT = 'Read timeout on endpoint URL: "https://ec2.us-east-1.amazonaws.com/"'
NO_ROLE = "(NoSuchEntity) when calling X: The role with name X cannot be found."
NO_PROFILE = "(NoSuchEntity) when calling X: Instance Profile X cannot be found."
NO_BUCKET = "(NoSuchBucket) when calling X: The specified bucket does not exist"
NO_QUEUE = "(AWS.SimpleQueueService.NonExistentQueue) when calling X: The specified queue does not exist."
NO_DEAD_QUEUE = "(InvalidParameterValue) when calling X: Value ... for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist."
DELETED = "(AWS.SimpleQueueService.QueueDeletedRecently) when calling X: You must wait 60 seconds after deleting a queue"
ABORTED = "(OperationAborted) when calling X: A conflicting conditional operation is currently in progress"
NO_GROUP = "(InvalidGroup.NotFound) when calling X: The security group 'sg-1' does not exist"
NO_KEY = "(InvalidKeyPair.NotFound) when calling X: The key pair 'lab3-key' does not exist"
INVALID_PROFILE = "(InvalidParameterValue) when calling X: Value (X) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
NO_INSTANCE = "Waiter InstanceRunning failed: (InvalidInstanceID.NotFound) The instance ID 'i-1' does not exist"
CONTENTION = "(ResourceContention) when calling X: You already have a pending update to an Auto Scaling resource"
SCALING = "(ScalingActivityInProgress) when calling X: Activity is in progress"
IN_USE = "(ResourceInUse) when calling X: You cannot delete an AutoScalingGroup while there are instances"
TEMPLATE = "(ValidationError) when calling X: You must use a valid fully-formed launch template. Invalid IAM Instance Profile name"
NO_TEMPLATE = "(ValidationError) when calling X: The specified launch template, with template name X, does not exist."
STILL_A_ROLE = "(EntityAlreadyExists) when calling X: Role with name X already exists."
BUSY = "(ServiceUnavailable) when calling X: Service is unable to handle request."

#: The lags of an `up` that launches an instance, at the place of each.
LAGS = [
    ("iam create-role", STILL_A_ROLE),
    ("iam put-role-policy", NO_ROLE),
    ("iam add-role-to-instance-profile", NO_PROFILE),
    ("iam add-role-to-instance-profile", NO_ROLE),
    ("iam create-policy", TIMEOUT),
    ("s3api create-bucket", ABORTED),
    ("s3api put-bucket-tagging", NO_BUCKET),
    ("s3api put-bucket-tagging", ABORTED),
    ("s3api put-public-access-block", NO_BUCKET),
    ("s3api put-bucket-encryption", NO_BUCKET),
    ("s3api put-bucket-lifecycle-configuration", NO_BUCKET),
    ("s3api put-object", NO_BUCKET),
    ("sqs create-queue", DELETED),
    ("sqs set-queue-attributes", NO_QUEUE),
    ("sqs set-queue-attributes", NO_DEAD_QUEUE),
    ("sqs list-queues", BUSY),
    ("ec2 create-security-group", TIMEOUT),
    ("ec2 authorize-security-group-ingress", NO_GROUP),
    ("ec2 import-key-pair", TIMEOUT),
    ("ec2 run-instances", NO_GROUP),
    ("ec2 run-instances", NO_KEY),
    ("ec2 run-instances", INVALID_PROFILE),
    ("ec2 run-instances", TIMEOUT),
    ("ec2 wait", NO_INSTANCE),
    ("ec2 describe-instances", TIMEOUT),
]
#: The lags of a group of instances, of its `up` and its `down`.
LAGS_OF_A_GROUP = [
    ("iam attach-role-policy", NO_ROLE),
    ("ec2 create-launch-template", NO_GROUP),
    ("autoscaling create-auto-scaling-group", TEMPLATE),
    ("autoscaling create-auto-scaling-group", NO_TEMPLATE),
    ("autoscaling enable-metrics-collection", CONTENTION),
    ("autoscaling put-scaling-policy", CONTENTION),
]
LAGS_OF_ITS_END = [
    ("autoscaling delete-auto-scaling-group", SCALING),
    ("autoscaling delete-auto-scaling-group", IN_USE),
    ("ec2 delete-security-group", "(DependencyViolation) when calling X"),
    ("iam delete-role", "(DeleteConflict) when calling X"),
]
#: Every lag alone takes an `up` for each: some minutes.
EACH = os.environ.get("EVERY_LAG", "")


@pytest.fixture
def account(moto: Engine, tmp_path: Path) -> Account:
    account = Account(moto, tmp_path)
    account.env |= {"SETUP_PROOF": "0", "SETUP_PAUSE": "0.1"}
    return account


def inject(account: Account, lags: Iterable[tuple[str, str]]) -> None:
    """Have each of these calls fail once with these words, and a group stay out of lists that is new."""
    faults: list[dict[str, object]] = [{"call": call, "error": error, "times": 1} for call, error in lags]
    unlisted = {"call": "ec2 describe-security-groups", "answer": "None", "times": 2}
    (account.folder / "faults").write_text(json.dumps([*faults, unlisted]))


def left(account: Account) -> list[str]:
    """Return the calls whose lag did not come."""
    faults = json.loads((account.folder / "faults").read_text())
    return [one["call"] for one in faults if one["times"] and "error" in one]


def check_that_up_was_whole(account: Account) -> None:
    inject(account, [])
    (account.folder / "faults").write_text("[]")
    assert account.planned() == []
    assert account.queue(0)
    assert account.bucket in [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]]


def test_up_ends_well_with_every_lag_at_its_place(account: Account) -> None:
    inject(account, LAGS)

    said = account.run("up")

    assert said.returncode == 0, said.stdout + said.stderr
    assert left(account) == []
    assert len(account.instances) == 1
    check_that_up_was_whole(account)


@pytest.mark.long
def test_a_group_of_instances_comes_and_goes_with_every_lag_at_its_place(account: Account) -> None:
    inject(account, LAGS_OF_A_GROUP)
    said = account.run("up", "--workers", "1-2", "--no-ssh")
    assert said.returncode == 0, said.stdout + said.stderr
    assert left(account) == []

    inject(account, [("autoscaling update-auto-scaling-group", SCALING)])
    (account.folder / "faults").write_text(json.dumps(json.loads((account.folder / "faults").read_text())[:1]))
    assert "update-auto-scaling-group" in account.done("up", "--workers", "1-3", "--no-ssh")
    assert left(account) == []

    inject(account, LAGS_OF_ITS_END)
    (account.folder / "faults").write_text(json.dumps(json.loads((account.folder / "faults").read_text())[:-1]))
    assert "Everything is removed" in account.done("down", "--yes")
    assert left(account) == []


@pytest.mark.skipif(not EACH, reason="an `up` for each lag: EVERY_LAG=1")
@pytest.mark.parametrize(("call", "error"), LAGS)
def test_up_ends_well_with_this_lag(account: Account, call: str, error: str) -> None:
    inject(account, [(call, error)])

    said = account.run("up")

    assert said.returncode == 0, said.stdout + said.stderr
    assert left(account) == []
    assert len(account.instances) == 1
    check_that_up_was_whole(account)
