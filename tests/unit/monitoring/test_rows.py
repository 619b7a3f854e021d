"""A snapshot becomes rows with a verdict and a fix; nothing is read here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from courier import Application
from courier.aws.inventory import AlarmState, BucketSettings, BucketState, Identity, QueueState, TopicState
from courier.aws.machines import GroupState, InstanceState, RoleState, Rule, ScalingState
from courier.errors import AccessDenied, QueueMissing, ResponseTimeout, WrongUsage
from courier.monitoring.doctor import doctor_rows
from courier.monitoring.expected import Expected, queue_names
from courier.monitoring.rows import Row, status_rows
from courier.monitoring.snapshot import Details, Machines, ProcessState, ReplyQueues, Snapshot, WorkerState
from tests.support.rows import validator

APPLICATIONS = (
    Application("numbers", requests="requestQueue", replies="responseQueue", program="numbers_worker.py"),
    Application("images", requests="imageInbox", replies="imageOutbox", program="images_worker.py"),
)
ACCOUNT = "123456789012"
ARN = f"arn:aws:sqs:us-east-1:{ACCOUNT}:"
BUCKET = f"lab3-{ACCOUNT}-us-east-1"
DENIED = AccessDenied("These credentials have no permission for it.", hint="Ask for the permission.")
ATTRIBUTES = {"VisibilityTimeout": "1"}
DEAD_ATTRIBUTES = {"MessageRetentionPeriod": "1209600"}
POLICY = '{"Statement": [{"Resource": "arn:@PARTITION@:sqs:@REGION@:@ACCOUNT@:x", "Bucket": "@BUCKET@"}]}'
DOCUMENT = {"Statement": [{"Resource": f"{ARN}x", "Bucket": BUCKET}]}
EXPECTED = Expected.of_words(
    [
        "name=lab3",
        "ec2=yes",
        "group=cloudGroup",
        "key=lab3-key",
        "lab_key=vockey",
        "profile=lab3-worker",
        "lab_profile=LabInstanceProfile",
        "role=lab3-worker",
        "template=lab3-workers",
        "policy=lab3-client",
        "topic=courier-lab3-alarms",
        f"attributes={json.dumps(ATTRIBUTES)}",
        f"dead_attributes={json.dumps(DEAD_ATTRIBUTES)}",
        "max_deliveries=5",
        "lifecycle=images/ 30 1,numbers/ 1 1",
        *(f"{name}={POLICY}" for name in ("tls", "trust", "worker", "client")),
        "ssh_cidr=203.0.113.7/32",
        "code=abc",
    ]
)
OURS = Rule(protocol="tcp", ports=(22, 22), source="203.0.113.7/32")
GROUP = GroupState(group_id="sg-1", owner="lab3", ssh="one", rules=[OURS])
INSTANCE = InstanceState(instance_id="i-1", state="running", kind="t3.micro", address="198.51.100.1", needs_tokens=True)
SETTINGS = BucketSettings(
    blocks=dict.fromkeys(("a", "b", "c", "d"), True),
    encryption="AES256",
    lifecycle=[("images/", 30, 1), ("numbers/", 1, 1)],
    policy=json.dumps(DOCUMENT),
)
ROLE = RoleState(trust=DOCUMENT, policy=DOCUMENT, attached=[])


def queue(name: str, *, waiting: int = 0, in_flight: int = 0, **attributes: str) -> QueueState:
    counts = {"ApproximateNumberOfMessages": str(waiting), "ApproximateNumberOfMessagesNotVisible": str(in_flight)}
    fixed = DEAD_ATTRIBUTES if name.endswith("-dead") else ATTRIBUTES
    redrive = json.dumps({"deadLetterTargetArn": f"{ARN}{name}-dead", "maxReceiveCount": "5"})
    given = {**fixed, **counts, "RedrivePolicy": redrive, **attributes}
    return QueueState(url=f"https://sqs/{name}", attributes=given, tags={"courier": "lab3"})


QUEUES = {name: queue(name) for name in queue_names(APPLICATIONS)}
MACHINES = Machines(
    group=GROUP,
    key="lab3-key",
    profile_role="lab3-worker",
    policy_version="v1",
    scaling=None,
    instances=[INSTANCE],
)
DETAILS = Details(settings=SETTINGS, role=ROLE, client_policy=DOCUMENT, reply_queues=ReplyQueues(count=30, stale=0))
GOOD = Snapshot(
    identity=Identity(account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/me", region="us-east-1"),
    applications=APPLICATIONS,
    queues=QUEUES,
    bucket_name=BUCKET,
    bucket=BucketState(name=BUCKET, owner="lab3", has_tags=True, code_owner="lab3", code="abc"),
    alarms=[AlarmState(name="courier-lab3-numbers-dead", state="ok", reason="")],
    topic=TopicState(confirmed=1, pending=0),
    machines=MACHINES,
    details=DETAILS,
    workers=[WorkerState(application=one, seconds=0.02) for one in APPLICATIONS],
)


def checked(snapshot: Snapshot, expected: Expected = EXPECTED) -> list[Row]:
    """Return the doctor's rows, each of which fits its schema."""
    rows = list(doctor_rows(snapshot, expected))
    for row in rows:
        validator("aws-setup-status").validate(row.as_json())
    return rows


def wrong(snapshot: Snapshot, expected: Expected = EXPECTED) -> list[tuple[str, str]]:
    return [(row.kind, row.text or row.state) for row in checked(snapshot, expected) if row.is_wrong]


def with_machines(**changes: Any) -> Snapshot:
    return replace(GOOD, machines=replace(MACHINES, **changes))


def with_details(**changes: Any) -> Snapshot:
    return replace(GOOD, details=replace(DETAILS, **changes))


def with_queue(name: str, state: Any) -> Snapshot:
    return replace(GOOD, queues={**QUEUES, name: state})


def test_nothing_is_wrong_with_a_good_set_up() -> None:
    assert wrong(GOOD) == []
    assert [row.kind for row in checked(GOOD)] == [
        *("account", "clock", *["queue"] * 6, "bucket", "alarm", "topic", "role", "policy", "group", "key", "instance"),
        *("drift", "replies", "worker", "worker"),
    ]


def test_of_what_is_missing_no_row_says_that_it_is_as_it_should_be() -> None:
    for snapshot, text in (
        (GOOD, "is as aws_setup"),
        (with_queue("imageInbox", None), "what was found is as aws_setup"),
    ):
        (row,) = [row for row in checked(snapshot) if row.kind == "drift"]
        assert row.text.startswith(text)


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


FOREIGN = replace(QUEUES["imageInbox"], tags={"courier": "other"})
OPEN = Rule(protocol="-1", ports=None, source="0.0.0.0/0")
HARMLESS = Rule(protocol="tcp", ports=(8080, 8080), source="198.51.100.1/32")


@pytest.mark.parametrize(
    ("snapshot", "found"),
    [
        (with_queue("imageInbox", None), [("queue", "missing")]),
        (with_queue("imageInbox", DENIED), [("queue", DENIED.message)]),
        (with_queue("imageInbox", FOREIGN), [("drift", "belongs to the set-up other")]),
        (with_queue("imageInbox", replace(FOREIGN, tags={})), [("drift", "has no tag of this set-up")]),
        (
            with_queue("imageInbox", queue("imageInbox", VisibilityTimeout="77")),
            [("drift", "VisibilityTimeout is 77, not 1")],
        ),
        (
            with_queue("imageInbox", queue("imageInbox", RedrivePolicy="{}")),
            [("drift", "does not move failing requests to imageInbox-dead")],
        ),
        (with_queue("imageInbox-dead", queue("imageInbox-dead", waiting=2)), [("queue", "2 waiting, 0 in flight")]),
        (replace(GOOD, bucket=None), [("bucket", "missing")]),
        (replace(GOOD, bucket=DENIED), [("bucket", DENIED.message)]),
        (
            replace(GOOD, bucket=BucketState(name=BUCKET, owner="other", has_tags=True, code="abc")),
            [("bucket", "belongs to the set-up other")],
        ),
        (
            replace(GOOD, bucket=BucketState(name=BUCKET, owner="lab3", has_tags=True, code="old")),
            [("drift", "the active code is not this folder's")],
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
        (replace(GOOD, clock_seconds=-90.0), [("clock", "differs from AWS's by -90 s")]),
        (with_machines(key=None), [("key", "missing")]),
        (with_machines(group=None), [("group", "missing")]),
        (with_machines(profile_role=None), [("role", "missing")]),
        (with_machines(profile_role=""), [("drift", "is not in the instance profile")]),
        (with_machines(policy_version=DENIED), [("policy", DENIED.message)]),
        (with_machines(instances=[]), [("instance", "missing")]),
        (with_machines(instances=DENIED), [("instance", DENIED.message)]),
        (
            with_machines(instances=[replace(INSTANCE, state="stopped", address="")]),
            [("instance", "stopped, t3.micro, no address")],
        ),
        (
            with_machines(instances=[replace(INSTANCE, needs_tokens=False)]),
            [("drift", "gives its credentials without a token (IMDSv1)")],
        ),
        (
            with_machines(instances=[replace(INSTANCE, is_unlimited=True)]),
            [("drift", "has unlimited CPU credits, which may cost extra")],
        ),
        (
            with_machines(scaling=ScalingState(wanted=1, least=1, most=4, has_metrics=False)),
            [("drift", "does not measure its instances")],
        ),
        (with_machines(group=replace(GROUP, owner=None)), [("drift", "was not created by this set-up")]),
        (
            with_machines(group=replace(GROUP, rules=[OURS, HARMLESS, OPEN])),
            [
                ("group", "SSH from 203.0.113.7/32, 0.0.0.0/0, all ports open to 0.0.0.0/0"),
                ("drift", "allows connections from 0.0.0.0/0 (all ports, -1)"),
            ],
        ),
        (
            with_machines(group=replace(GROUP, rules=[OURS, replace(OURS, source="::/0")])),
            [
                ("group", "SSH from 203.0.113.7/32, ::/0, port 22 open to ::/0"),
                ("drift", "allows connections from ::/0 (port 22, tcp)"),
            ],
        ),
        (
            with_machines(group=replace(GROUP, rules=[OURS, replace(HARMLESS, ports=(80, 90), source="0.0.0.0/0")])),
            [
                ("group", "SSH from 203.0.113.7/32, ports 80-90 open to 0.0.0.0/0"),
                ("drift", "allows connections from 0.0.0.0/0 (ports 80-90, tcp)"),
            ],
        ),
        (
            with_machines(group=replace(GROUP, rules=[HARMLESS])),
            [("drift", "does not allow SSH from 203.0.113.7/32")],
        ),
        (
            with_details(settings=replace(SETTINGS, blocks={}, encryption="", lifecycle=[], policy="")),
            [
                ("drift", "does not block public access"),
                ("drift", "is not encrypted"),
                ("drift", "does not delete old objects as it should"),
                ("drift", "does not demand TLS"),
            ],
        ),
        (with_details(settings=DENIED), [("bucket", DENIED.message)]),
        (
            with_details(role=replace(ROLE, trust={}, policy=None)),
            [("drift", "trusts others than EC2"), ("drift", "has another policy than that of policy worker")],
        ),
        (with_details(role=DENIED), [("role", DENIED.message)]),
        (with_details(client_policy={}), [("drift", "is not the policy of policy client")]),
        (with_details(client_policy=DENIED), [("policy", DENIED.message)]),
        (with_details(reply_queues=ReplyQueues(count=1, stale=1)), [("replies", "1 of 1 older than six hours")]),
        (with_details(reply_queues=DENIED), [("replies", DENIED.message)]),
        (
            replace(GOOD, workers=[WorkerState(application=APPLICATIONS[0], seconds=None, error=ResponseTimeout())]),
            [("worker", "No response came in time.")],
        ),
    ],
)
def test_what_is_wrong_has_a_row_with_a_fix(snapshot: Snapshot, found: list[tuple[str, str]]) -> None:
    assert wrong(snapshot) == found


def test_where_a_worker_cannot_be_asked_the_fix_is_not_in_its_log() -> None:
    errors = (ResponseTimeout(), DENIED, QueueMissing("There is no queue."))
    workers = [WorkerState(application=APPLICATIONS[0], seconds=None, error=error) for error in errors]

    fixes = [row.fix for row in checked(replace(GOOD, workers=workers)) if row.kind == "worker"]

    assert fixes == ["Look at its log: run ./aws_setup.sh logs", DENIED.hint, "./aws_setup.sh up"]


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


def test_without_ssh_there_is_no_key_and_session_manager_is_allowed() -> None:
    remembered = replace(EXPECTED, ssh_cidr="")
    closed = replace(GROUP, ssh="none", rules=[])
    snapshot = with_machines(group=closed, key=None)

    assert wrong(snapshot, remembered) == [("drift", "lacks the policy AmazonSSMManagedInstanceCore")]
    allowed = replace(snapshot, details=replace(DETAILS, role=replace(ROLE, attached=["AmazonSSMManagedInstanceCore"])))
    assert wrong(allowed, remembered) == []
    assert wrong(replace(allowed, machines=replace(MACHINES, group=replace(closed, rules=[OURS]))), remembered) == [
        ("drift", "allows connections from 203.0.113.7/32 (port 22, tcp)")
    ]


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


def test_an_address_that_is_not_known_is_not_compared() -> None:
    anybody = replace(EXPECTED, ssh_cidr="")

    assert wrong(GOOD, anybody) == []
    assert wrong(with_details(address="198.51.100.7"), anybody) == [
        ("drift", "allows connections from 203.0.113.7/32 (port 22, tcp)"),
        ("drift", "does not allow SSH from 198.51.100.7/32"),
    ]


def test_a_bucket_that_was_there_before_keeps_its_settings() -> None:
    before = replace(GOOD, bucket=BucketState(name=BUCKET, owner=None, has_tags=True, code="abc"))
    bare = replace(before, details=replace(DETAILS, settings=replace(SETTINGS, blocks={})))

    (row,) = [row for row in checked(bare) if row.kind == "bucket"]

    assert wrong(bare) == []
    assert row.as_json()["was_there"] is True
    new = replace(bare, bucket=BucketState(name=BUCKET, owner=None, has_tags=False, code="abc"))
    assert wrong(new) == [("drift", "does not block public access")]
    assert wrong(replace(new, is_given_bucket=True)) == []


def test_a_group_of_instances_has_the_size_that_was_requested() -> None:
    snapshot = with_machines(scaling=ScalingState(wanted=2, least=1, most=4, has_metrics=True))

    assert wrong(snapshot) == []
    assert wrong(snapshot, replace(EXPECTED, workers="2-5")) == [("drift", "has 1-4 instances, not 2-5")]


def test_words_that_mean_nothing_are_rejected() -> None:
    for words in (["name=x", "color=blue"], []):
        with pytest.raises(WrongUsage):
            Expected.of_words(words)
