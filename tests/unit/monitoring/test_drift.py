"""What differs from what aws_setup.sh makes has a row each; what is as it should be, or not known, has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from courier.aws.inventory import BucketState
from courier.aws.machines import Rule, ScalingState
from courier.monitoring.drift import differences
from courier.monitoring.expected import Expected
from courier.monitoring.snapshot import Details, Snapshot
from tests.support.good_set_up import (
    ACCOUNT,
    BUCKET,
    DENIED,
    DETAILS,
    EXPECTED,
    GOOD,
    GROUP,
    INSTANCE,
    MACHINES,
    OURS,
    QUEUES,
    ROLE,
    SETTINGS,
    checked,
    queue,
    with_details,
    with_machines,
    with_queue,
    wrong,
)

FOREIGN = replace(QUEUES["imageInbox"], tags={"courier": "other"})
OPEN = Rule(protocol="-1", ports=None, source="0.0.0.0/0")
HARMLESS = Rule(protocol="tcp", ports=(8080, 8080), source="198.51.100.1/32")


def found(snapshot: Snapshot, expected: Expected = EXPECTED) -> list[tuple[str, str]]:
    return [(row.name, row.text) for row in differences(snapshot, expected)]


def test_nothing_differs_in_a_good_set_up() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("snapshot", "text"),
    [
        (with_queue("imageInbox", FOREIGN), "belongs to the set-up other"),
        (with_queue("imageInbox", replace(FOREIGN, tags={})), "has no tag of this set-up"),
        (with_queue("imageInbox", queue("imageInbox", VisibilityTimeout="77")), "VisibilityTimeout is 77, not 1"),
        (
            with_queue("imageInbox", queue("imageInbox", RedrivePolicy="{}")),
            "does not move failing requests to imageInbox-dead",
        ),
        (
            replace(GOOD, bucket=BucketState(name=BUCKET, owner="lab3", has_tags=True, code="old")),
            "the active code is not this folder's",
        ),
        (replace(GOOD, bucket=BucketState(name=BUCKET, owner="lab3", has_tags=True)), "no code is deployed"),
        (with_machines(profile_role=""), "is not in the instance profile"),
        (
            with_machines(instances=[replace(INSTANCE, needs_tokens=False)]),
            "gives its credentials without a token (IMDSv1)",
        ),
        (
            with_machines(instances=[replace(INSTANCE, is_unlimited=True)]),
            "has unlimited CPU credits, which may cost extra",
        ),
        (
            with_machines(scaling=ScalingState(wanted=1, least=1, most=4, has_metrics=False)),
            "does not measure its instances",
        ),
        (with_machines(group=replace(GROUP, owner=None)), "was not created by this set-up"),
        (with_machines(group=replace(GROUP, rules=[HARMLESS])), "does not allow SSH from 203.0.113.7/32"),
        (
            with_machines(group=replace(GROUP, rules=[OURS, replace(OURS, source="198.51.100.1/32")])),
            "allows connections from 198.51.100.1/32 (port 22, tcp)",
        ),
        (with_details(settings=replace(SETTINGS, blocks={"BlockPublicAcls": True})), "does not block public access"),
        (
            with_details(settings=replace(SETTINGS, blocks={**SETTINGS.blocks, "a": False})),
            "does not block public access",
        ),
        (with_details(settings=replace(SETTINGS, encryption="")), "is not encrypted"),
        (with_details(settings=replace(SETTINGS, lifecycle=[])), "does not delete old objects as it should"),
        (with_details(settings=replace(SETTINGS, policy="")), "does not demand TLS"),
        (with_details(role=replace(ROLE, trust={})), "trusts others than EC2"),
        (with_details(role=replace(ROLE, policy=None)), "has another policy than that of policy worker"),
        (with_details(client_policy={}), "is not the policy of policy client"),
    ],
)
def test_each_difference_has_a_row_of_its_own_with_a_fix(snapshot: Snapshot, text: str) -> None:
    assert wrong(snapshot) == [("drift", text)]


@pytest.mark.parametrize(
    ("rule", "ports", "open_ports"),
    [
        (OPEN, "all ports, -1", "all ports"),
        (replace(OURS, source="::/0"), "port 22, tcp", "port 22"),
        (replace(HARMLESS, ports=(80, 90), source="0.0.0.0/0"), "ports 80-90, tcp", "ports 80-90"),
    ],
)
def test_a_port_that_is_open_to_all_is_wrong_twice(rule: Rule, ports: str, open_ports: str) -> None:
    kinds = dict(wrong(with_machines(group=replace(GROUP, rules=[OURS, HARMLESS, rule]))))

    assert kinds["drift"] == f"allows connections from {rule.source} ({ports})"
    assert kinds["group"].endswith(f"{open_ports} open to {rule.source}")


def test_what_cannot_be_read_is_said_and_is_no_drift() -> None:
    assert wrong(with_details(settings=DENIED)) == [("bucket", DENIED.message)]
    assert wrong(with_details(role=DENIED)) == [("role", DENIED.message)]
    assert wrong(with_details(client_policy=DENIED)) == [("policy", DENIED.message)]


def test_a_foreign_queue_is_not_compared_with_this_set_ups() -> None:
    snapshot = with_queue("imageInbox", replace(FOREIGN, attributes={}))

    (row,) = differences(snapshot, EXPECTED)

    assert row.state == "foreign"
    assert "--name other" in row.fix


def test_tags_that_were_not_read_are_not_missing() -> None:
    assert found(with_queue("imageInbox", replace(FOREIGN, tags=None))) == []


def test_a_dead_letter_queue_has_attributes_of_its_own_and_no_redrive_policy() -> None:
    dead = queue("imageInbox-dead", MessageRetentionPeriod="345600", RedrivePolicy="{}")

    assert found(with_queue("imageInbox-dead", dead)) == [
        ("imageInbox-dead", "MessageRetentionPeriod is 345600, not 1209600")
    ]


def test_requests_go_to_the_dead_letter_queue_after_the_right_number_of_deliveries() -> None:
    assert len(found(GOOD, replace(EXPECTED, max_deliveries="6"))) == 2


def test_encryption_by_a_key_of_kms_is_encryption_too() -> None:
    assert found(with_details(settings=replace(SETTINGS, encryption="aws:kms:dsse"))) == []


def test_tls_is_demanded_on_aws_only() -> None:
    insecure = with_details(settings=replace(SETTINGS, policy=""))

    assert found(replace(insecure, is_real=False)) == []
    assert found(insecure, replace(EXPECTED, tls="")) == []


def test_a_bucket_that_was_there_before_keeps_its_settings() -> None:
    before = replace(GOOD, bucket=BucketState(name=BUCKET, owner=None, has_tags=True, code="abc"))
    bare = replace(before, details=replace(DETAILS, settings=replace(SETTINGS, blocks={})))

    assert found(bare) == []
    new = replace(bare, bucket=BucketState(name=BUCKET, owner=None, has_tags=False, code="abc"))
    assert found(new) == [(BUCKET, "does not block public access")]
    assert found(replace(new, is_given_bucket=True)) == []


def test_the_role_of_a_lab_is_not_compared() -> None:
    lab = replace(GOOD.identity, arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/voclabs/user1")

    assert found(replace(with_details(role=replace(ROLE, trust={}), client_policy={}), identity=lab)) == []


def test_without_ssh_no_connection_is_allowed_and_session_manager_is() -> None:
    remembered = replace(EXPECTED, ssh_cidr="")
    closed = replace(GROUP, ssh="none", rules=[])
    snapshot = with_machines(group=closed, key=None)

    assert found(snapshot, remembered) == [("lab3-worker", "lacks the policy AmazonSSMManagedInstanceCore")]
    allowed = replace(snapshot, details=replace(DETAILS, role=replace(ROLE, attached=["AmazonSSMManagedInstanceCore"])))
    assert wrong(allowed, remembered) == []
    assert "key" not in {row.kind for row in checked(allowed, remembered)}
    assert found(replace(allowed, machines=replace(MACHINES, group=replace(closed, rules=[OURS]))), remembered) == [
        ("cloudGroup", "allows connections from 203.0.113.7/32 (port 22, tcp)")
    ]


def test_an_address_that_is_not_known_is_not_compared() -> None:
    anybody = replace(EXPECTED, ssh_cidr="")

    assert found(GOOD, anybody) == []
    assert [text for _, text in found(with_details(address="198.51.100.7"), anybody)] == [
        "allows connections from 203.0.113.7/32 (port 22, tcp)",
        "does not allow SSH from 198.51.100.7/32",
    ]


def test_a_group_of_instances_has_the_size_that_was_requested() -> None:
    snapshot = with_machines(scaling=ScalingState(wanted=2, least=1, most=4, has_metrics=True))

    assert found(snapshot) == []
    assert found(snapshot, replace(EXPECTED, workers="2-5")) == [("lab3-workers", "has 1-4 instances, not 2-5")]


def test_without_details_only_queues_and_bucket_are_compared() -> None:
    open_to_all = with_machines(group=replace(GROUP, rules=[OPEN]))

    assert found(replace(open_to_all, details=None)) == []
    assert found(replace(open_to_all, details=Details()))
