"""A set-up as it should be, as a snapshot and as what is expected, for tests that change one thing of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from courier import Application
from courier.aws.inventory import AlarmState, BucketSettings, BucketState, Identity, QueueState, TopicState
from courier.aws.machines import GroupState, InstanceState, RoleState, Rule
from courier.errors import AccessDenied
from courier.monitoring.doctor import doctor_rows
from courier.monitoring.expected import Expected, queue_names
from courier.monitoring.rows import Row
from courier.monitoring.snapshot import Details, Machines, ReplyQueues, Snapshot, WorkerState
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
