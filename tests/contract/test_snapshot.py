"""A snapshot of a set-up, read from moto: with EC2, IAM and CloudWatch; rows are in tests/unit/monitoring."""

from __future__ import annotations

import json
import secrets
from functools import partial
from typing import Any

import pytest

from courier.cli import set_up
from courier.monitoring import snapshot, workers
from tests.contract.test_scale_in import Group, client
from tests.support.engines import REGION, Engine
from tests.support.place import ATTRIBUTES
from tests.support.rows import rows

ACCOUNT = "123456789012"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class SetUp:
    """A set-up of its own name on moto, made with boto3, and what is expected of it."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name = f"s{secrets.token_hex(4)}"
        self.bucket = f"{self.name}-{ACCOUNT}-{REGION}"
        self.client = partial(client, engine)
        for name, value in engine.environment().items():
            if name.startswith(("AWS_", "NO_PROXY")):
                monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        self.queues = {
            one: f"{self.name}-{one}" for one in ("REQUEST_QUEUE", "RESPONSE_QUEUE", "IMAGE_INBOX", "IMAGE_OUTBOX")
        }
        for variable, queue in self.queues.items():
            monkeypatch.setenv(f"COURIER_{variable}", queue)
        # Nothing answers here, and it need not take long to find out.
        monkeypatch.setattr(workers, "PING_SECONDS", 0.2)

    @property
    def words(self) -> list[str]:
        named = {
            "name": self.name,
            "ec2": "yes",
            "group": self.name,
            "key": self.name,
            "profile": self.name,
            "role": self.name,
            "role_policy": "courier-worker",
            "template": self.name,
            "policy": self.name,
            "alarms": f"{self.name}-alarm {self.name}-none",
            "topic": f"{self.name}-topic",
            "attributes": json.dumps(ATTRIBUTES),
            "dead_attributes": "{}",
            "max_deliveries": "5",
            "lifecycle": "images/ 30 1",
            "trust": json.dumps(TRUST),
            "worker": json.dumps(POLICY),
            "client": json.dumps(POLICY),
            "tls": "",
            "address_url": "http://127.0.0.1:1/",
            "code": "abc",
        }
        return [f"{key}={value}" for key, value in named.items()]

    def make(self) -> None:
        """Make all of it as it should be."""
        self.make_queues_and_bucket()
        ec2, iam = self.client("ec2"), self.client("iam")
        tags = [{"Key": "courier", "Value": self.name}]
        group = ec2.create_security_group(
            GroupName=self.name, Description="-", TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}]
        )["GroupId"]
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "203.0.113.7/32"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        ec2.create_key_pair(KeyName=self.name)
        machine = [{"ResourceType": "instance", "Tags": tags}]
        tokens = {"HttpTokens": "required"}
        ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, TagSpecifications=machine, MetadataOptions=tokens)
        iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(RoleName=self.name, PolicyName="courier-worker", PolicyDocument=json.dumps(POLICY))
        iam.create_instance_profile(InstanceProfileName=self.name)
        iam.add_role_to_instance_profile(InstanceProfileName=self.name, RoleName=self.name)
        iam.create_policy(PolicyName=self.name, PolicyDocument=json.dumps(POLICY))
        topic = self.client("sns").create_topic(Name=f"{self.name}-topic")["TopicArn"]
        self.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="operator@example.org")
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=f"{self.name}-alarm",
            Namespace="AWS/SQS",
            MetricName="x",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )

    def make_queues_and_bucket(self) -> None:
        sqs, s3 = self.client("sqs"), self.client("s3")
        for queue in (*self.queues.values(), f"{self.queues['RESPONSE_QUEUE']}-{secrets.token_hex(8)}"):
            sqs.create_queue(QueueName=queue, Attributes=ATTRIBUTES, tags={"courier": self.name})
        for variable in ("REQUEST_QUEUE", "IMAGE_INBOX"):
            dead = f"{self.queues[variable]}-dead"
            sqs.create_queue(QueueName=dead, tags={"courier": self.name})
            arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{dead}"
            policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"})
            url = sqs.get_queue_url(QueueName=self.queues[variable])["QueueUrl"]
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
        s3.create_bucket(Bucket=self.bucket)
        s3.put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": [{"Key": "courier", "Value": self.name}]})
        block = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=self.bucket, PublicAccessBlockConfiguration=dict.fromkeys(block, True))
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        expiry: dict[str, Any] = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": "images/"}}
        expiry |= {"Expiration": {"Days": 30}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
        s3.put_bucket_lifecycle_configuration(Bucket=self.bucket, LifecycleConfiguration={"Rules": [expiry]})
        s3.put_object(
            Bucket=self.bucket,
            Key="deploy/current",
            Body=b"abc  deploy/x",
            Metadata={"courier": self.name, "courier-content": "abc"},
        )


@pytest.fixture
def made(moto: Engine, monkeypatch: pytest.MonkeyPatch) -> SetUp:
    return SetUp(moto, monkeypatch)


def test_a_whole_set_up_is_read_and_only_the_workers_are_missing(
    made: SetUp, capsys: pytest.CaptureFixture[str]
) -> None:
    made.make()

    status = set_up.main(["doctor", "--json", *made.words])

    found = rows(capsys.readouterr().out, "aws-setup-status")
    assert [row["kind"] for row in found if row["verdict"] == "wrong"] == ["worker", "worker"]
    assert status == 1
    by_kind = {row["kind"]: row for row in found}
    assert (by_kind["replies"]["count"], by_kind["replies"]["stale"]) == (1, 0)
    assert (by_kind["alarm"]["name"], by_kind["alarm"]["state"]) == (f"{made.name}-alarm", "ok")
    assert by_kind["group"]["ssh_from"] == "203.0.113.7/32"
    assert by_kind["bucket"]["name"] == made.bucket
    assert set_up.main(["status", *made.words]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"account {ACCOUNT}, region {REGION}, endpoint http")
    # The doctor has taken its requests back.
    assert "1 waiting" not in shown


def test_a_reply_queue_counts_as_stale_when_it_is_old_enough_to_be_swept(
    made: SetUp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made.make_queues_and_bucket()
    # moto makes no queue in the past.
    monkeypatch.setattr(snapshot, "STALE_SECONDS", -60)

    set_up.main(["doctor", "--json", *made.words])

    (row,) = [row for row in rows(capsys.readouterr().out, "aws-setup-status") if row["kind"] == "replies"]
    assert (row["count"], row["stale"], "sweep" in row["fix"]) == (1, 1, True)


def test_nothing_of_it_there_is_missing(made: SetUp, capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up.main(["doctor", "--json", *made.words]) == 1

    found = rows(capsys.readouterr().out, "aws-setup-status")
    missing = [row["kind"] for row in found if row["state"] == "missing"]
    assert missing == [*["queue"] * 6, "bucket", "role", "policy", "group", "key", "instance"]


def test_a_group_of_instances_is_read(made: SetUp, moto: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    group = Group(moto)
    words = [word if not word.startswith("template=") else f"template={group.name}" for word in made.words]

    set_up.main(["status", "--json", *words])

    (row,) = [row for row in rows(capsys.readouterr().out, "aws-setup-status") if row["kind"] == "machines"]
    assert (row["wanted"], row["least"], row["most"]) == (1, 1, 2)


def test_processes_of_a_local_set_up_are_shown(made: SetUp, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    set_up.main(["status", "--json", f"name={made.name}", f"local={tmp_path}"])

    found = rows(capsys.readouterr().out, "aws-setup-status")
    assert [(row["name"], row["state"]) for row in found if row["kind"] == "process"] == [
        (name, "missing") for name in set_up.PROCESSES
    ]
