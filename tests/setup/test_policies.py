"""The policies of setup/policies: enough for everything that client and worker do, and for nothing else.

A strict AWS decides every call of the real programs by them. What each flow was allowed is replayed with each action
and each resource taken out of the policies: something must be rejected then, or the right was not needed.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pexpect
import pytest
from botocore.exceptions import ClientError

from courier.aws.s3 import Bucket
from courier.aws.scale_in import ScaleInProtection
from courier.aws.session import Aws
from courier.images.preview import sample
from courier.settings import LISTS, PROCESSED, UNPROCESSED
from tests.setup.test_aws_setup import setup
from tests.support.engines import REGION, Engine
from tests.support.place import ATTRIBUTES, Place, WorkerProcess, wait_for
from tests.support.strictmoto import allows, listed

ACCOUNT = "123456789012"
BUCKET = f"lab3-{ACCOUNT}-{REGION}"
GROUP = "lab3-workers"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
PARTS = 9_000_000

#: What is rejected and does no harm: a client may not look for reply queues that others have left, and neither may look
#: for a bucket of another name than the one there is.
HARMLESS = {
    ("client", "sqs:ListQueues", "*"),
    *((who, "s3:ListBucket", f"arn:aws:s3:::{BUCKET}-an") for who in ("client", "worker")),
}


class Strict:
    """A strict AWS with a client, a worker and an administrator."""

    def __init__(self, engine: Engine, place: Place) -> None:
        self.engine = engine
        self.place = place
        self._keys: dict[str, dict[str, str]] = {}
        env = engine.environment()
        for verb in ("queues", "bucket"):
            assert setup(env, verb).returncode == 0
        self.policies = {who: json.loads(setup(env, "policy", who).stdout) for who in ("client", "worker")}
        student = json.loads(setup(env, "policy", "client", "--no-purge").stdout)
        for name, policy in {**self.policies, "student": student, "admin": EVERYTHING}.items():
            self._make_user(name, policy)
        self._make_group()
        self.as_("admin", "s3").put_object(Bucket=BUCKET, Key="deploy/current", Body=b"code")
        request = urllib.request.Request(
            f"{engine.url}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}
        )
        urllib.request.urlopen(request, timeout=10).close()

    def _make_user(self, name: str, policy: dict[str, Any]) -> None:
        iam = self._client("iam", "test", "test")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self._keys[name] = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def _make_group(self) -> None:
        ec2, scaling = (self._client(service, "test", "test") for service in ("ec2", "autoscaling"))
        ec2.create_launch_template(
            LaunchTemplateName=GROUP, LaunchTemplateData={"ImageId": "ami-1", "InstanceType": "t3.micro"}
        )
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            LaunchTemplate={"LaunchTemplateName": GROUP, "Version": "$Latest"},
            MinSize=1,
            MaxSize=2,
            AvailabilityZones=[f"{REGION}a"],
        )
        found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"][0]
        self.instance_id: str = found["Instances"][0]["InstanceId"]

    def _client(self, service: str, key: str, secret: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.engine.url,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )

    def as_(self, user: str, service: str) -> Any:
        return self._client(service, *self._keys[user].values())

    def url(self, queue: str) -> str:
        return f"{self.engine.url}/{ACCOUNT}/{queue}"

    def env(self, user: str) -> dict[str, str]:
        return self._keys[user]

    def run(self, program: str, *arguments: str, status: int = 0) -> str:
        """Run a client to its end, which must be a good one."""
        done = self.place.run(program, *arguments, "--timeout", "30", env=self.env("client"))
        assert done.returncode == status, (arguments, done.stderr)
        return done.stdout

    def worker(self, program: str, **env: str) -> WorkerProcess:
        given = {"COURIER_POLL_SECONDS": "1", **self.env("worker"), **env}
        return self.place.worker(program, ready=True, **given)

    def post(self, queue: str, body: str, **attributes: str) -> None:
        named = {
            name.replace("_", "-"): {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        self.as_("admin", "sqs").send_message(
            QueueUrl=self.url(queue), MessageBody=body, MessageAttributes=named, DelaySeconds=0
        )

    def await_message(self, queue: str) -> None:
        """Receive a message, and leave it there."""
        receive, url = self.as_("admin", "sqs").receive_message, self.url(queue)
        wait_for(lambda: receive(QueueUrl=url, VisibilityTimeout=0).get("Messages"), what=f"a message in {queue}")

    def connect(self, user: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
        for name, value in {**self.engine.environment(), **self.env(user)}.items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        return Aws()

    @property
    def decisions(self) -> list[tuple[str, str, str, bool]]:
        lines = (self.engine.folder / "decisions").read_text().splitlines()
        return [tuple(json.loads(line)) for line in lines]


@pytest.fixture
def strict(bare_place: Place, tmp_path: Path) -> Iterator[Strict]:
    engine = Engine(name="strict moto", folder=tmp_path / "engine").start()
    bare_place.env = {**engine.environment(), "HOME": bare_place.env["HOME"]}
    try:
        yield Strict(engine, bare_place)
        bare_place.stack.close()
    finally:
        engine.stop()


def every_flow(strict: Strict, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do everything that client and worker can do."""
    numbers_and_images(strict)
    with_answers_of_others(strict)
    slow_and_dead_requests(strict)
    uploads_that_break(strict, monkeypatch)
    aws = strict.connect("worker", monkeypatch)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(strict.place.folder))
    ScaleInProtection(aws, group=GROUP, instance_id=strict.instance_id, is_busy=lambda: True)._protect(1.0)
    copied = subprocess.run(
        ["aws", "s3", "cp", f"s3://{BUCKET}/deploy/current", "-", "--endpoint-url", strict.engine.url],
        env={**strict.place.env, **strict.env("worker")},
        capture_output=True,
        check=True,
    )
    assert copied.stdout == b"code"


def numbers_and_images(strict: Strict) -> None:
    numbers = strict.worker("numbers_worker.py", COURIER_STATUS_SECONDS="1")
    images = strict.worker("images_worker.py")
    folder = strict.place.folder
    (folder / "lists").write_text("1,2\n" * 30)
    (folder / "long").write_text("1," * 600_000 + "1")
    names = [f"p{number}.png" for number in range(22)]
    for name in names:
        strict.as_("admin", "s3").put_object(Bucket=BUCKET, Key=UNPROCESSED + name, Body=sample())

    assert json.loads(strict.run("numbers_client.py", "send", "1,2", "--json"))["sum"] == 3
    assert len(strict.run("numbers_client.py", "batch", "lists").splitlines()) == 30
    assert json.loads(strict.run("numbers_client.py", "file", "long", "--json"))["count"] == 600_001
    strict.run("images_client.py", "run")
    strict.run("images_client.py", "process", *names)
    strict.run("images_client.py", "download", "p0-grayscale.png")
    assert "p21.png" in strict.run("images_client.py", "list")
    for program in ("numbers_client.py", "images_client.py"):
        strict.run(program, "check")
    for worker in (numbers, images):
        assert worker.end() == 0
    for program in ("numbers_client.py", "images_client.py"):
        strict.run(program, "purge", "--yes")


def with_answers_of_others(strict: Strict) -> None:
    """Receive a response to another client, which is put back."""
    worker = strict.worker("numbers_worker.py")
    strict.post("responseQueue", "{}", request_id="another", status="ok", deadline="4000000000")

    strict.run("numbers_client.py", "send", "1,2")

    assert worker.end() == 0


def slow_and_dead_requests(strict: Strict) -> None:
    """Have work that needs heartbeats, and requests that were received too often."""
    for queue in ("requestQueue", "imageInbox"):
        strict.post(queue, "again and again")
        strict.await_message(queue)
    workers = [strict.worker(f"{name}_worker.py", COURIER_MAX_DELIVERIES="2") for name in ("numbers", "images")]
    for queue, worker in zip(("requestQueue-dead", "imageInbox-dead"), workers, strict=True):
        strict.await_message(queue)
        assert worker.end() == 0
    slow = strict.worker("tests/workers/slow_numbers_worker.py")
    strict.post("requestQueue", "slow 2.2", request_id="slow")
    slow.until_logged("request slow numbers ok")
    assert slow.end() == 0


def uploads_that_break(strict: Strict, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= PARTS // 2:
                raise OSError("the pipe broke")
            return super().read(size)

    for user, prefix in (("client", UNPROCESSED), ("client", LISTS), ("worker", PROCESSED)):
        bucket = Bucket(strict.connect(user, monkeypatch), BUCKET, prefix)
        with pytest.raises(OSError, match="the pipe broke"):
            bucket.store("broken", Broken(bytes(PARTS)), media_type="text/plain")


def mutations(policy: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the policy's statements with one action or one resource less, and what that is."""
    statements = policy["Statement"]
    for place, statement in enumerate(statements):
        for part in ("Action", "Resource"):
            for one in listed(statement[part]):
                left = [other for other in listed(statement[part]) if other != one]
                changed = [{**statement, part: left}] if left else []
                yield f"{statement['Sid']} without {one}", [*statements[:place], *changed, *statements[place + 1 :]]


@pytest.mark.long
def test_the_real_programs_need_all_of_their_policies_and_nothing_else(
    strict: Strict, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_flow(strict, monkeypatch)
    decisions = strict.decisions

    rejected = {(user, action, resource) for user, action, resource, allowed in decisions if not allowed}
    assert rejected - HARMLESS == set()
    for user, policy in strict.policies.items():
        done = {(action, resource) for who, action, resource, allowed in decisions if who == user and allowed}
        mutants = dict(mutations(policy))
        assert len(mutants) > 20
        unnoticed = [what for what, statements in mutants.items() if all(allows(statements, *one) for one in done)]
        assert unnoticed == [], user
    nobody_may_forge_read_overwrite_or_purge(strict)
    a_student_may_do_all_but_purge(strict)
    a_policy_with_less_fails_its_program_with_a_sentence(strict)
    a_menu_that_may_not_create_queues_shares_one(strict)


def a_student_may_do_all_but_purge(strict: Strict) -> None:
    """Purge as a student, whose policy differs from a client's in that alone."""
    policy = strict.as_("admin", "iam").get_user_policy(UserName="student", PolicyName="p")["PolicyDocument"]
    (asking, *others), (whole, *all_others) = policy["Statement"], strict.policies["client"]["Statement"]
    assert set(whole["Action"]) - set(asking["Action"]) == {"sqs:PurgeQueue"}
    assert {**asking, "Action": whole["Action"]} == whole
    assert others == all_others
    for program in ("numbers_client.py", "images_client.py"):
        done = strict.place.run(program, "purge", "--yes", env=strict.env("student"))
        assert (done.returncode, done.stdout) == (4, "")
        assert "nothing was deleted" in done.stderr


def a_menu_that_may_not_create_queues_shares_one(strict: Strict) -> None:
    less = [one for one in strict.policies["client"]["Statement"] if one["Sid"] != "OwnReplyQueues"]
    document = json.dumps({**strict.policies["client"], "Statement": less})
    strict.as_("admin", "iam").put_user_policy(UserName="client", PolicyName="p", PolicyDocument=document)
    before = len(strict.decisions)
    menu = strict.place.menu("numbers_client.py", **strict.env("client"))
    wait_for(lambda: "sqs:CreateQueue" in [action for _, action, _, _ in strict.decisions[before:]])
    for _ in range(2):
        menu.expect_exact("Your choice: ")
        menu.sendline("1")
        menu.expect(r"answered in \d+\.\d{3} s")
    menu.expect_exact("Your choice: ")
    menu.sendline("0")
    menu.expect(pexpect.EOF)
    denied = [action for _, action, _, allowed in strict.decisions[before:] if not allowed]
    assert denied == ["sqs:CreateQueue"]


def a_policy_with_less_fails_its_program_with_a_sentence(strict: Strict) -> None:
    iam = strict.as_("admin", "iam")
    worker = strict.worker("numbers_worker.py")
    for what, status, said in (
        ("Ask without sqs:SendMessage", 4, "Could not send to requestQueue"),
        ("TakeAnswers without sqs:ReceiveMessage", 4, "Could not receive from responseQueue"),
    ):
        less = {**strict.policies["client"], "Statement": dict(mutations(strict.policies["client"]))[what]}
        iam.put_user_policy(UserName="client", PolicyName="p", PolicyDocument=json.dumps(less))

        done = strict.place.run("numbers_client.py", "send", "1,2", "--timeout", "5", env=strict.env("client"))

        assert done.returncode == status, done.stderr
        assert said in done.stderr
        assert "Ask for the permission" in done.stderr
    assert worker.process.poll() is None


def rejections(strict: Strict) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Return what neither may do: user, service, call and its arguments."""
    place, url = {"Bucket": BUCKET}, strict.url
    one = {"MessageBody": "{}"}
    return [
        ("client", "sqs", "send_message", {"QueueUrl": url("responseQueue"), **one}),
        ("client", "sqs", "send_message", {"QueueUrl": url("imageOutbox"), **one}),
        ("client", "sqs", "send_message", {"QueueUrl": url("responseQueue-abc"), **one}),
        ("client", "sqs", "receive_message", {"QueueUrl": url("requestQueue")}),
        ("client", "sqs", "receive_message", {"QueueUrl": url("imageInbox")}),
        ("client", "sqs", "receive_message", {"QueueUrl": url("requestQueue-dead")}),
        ("client", "sqs", "delete_queue", {"QueueUrl": url("requestQueue")}),
        ("client", "sqs", "set_queue_attributes", {"QueueUrl": url("responseQueue"), "Attributes": ATTRIBUTES}),
        ("client", "sqs", "create_queue", {"QueueName": "another"}),
        ("client", "s3", "put_object", {**place, "Key": f"{PROCESSED}a", "Body": b"x"}),
        ("client", "s3", "delete_object", {**place, "Key": f"{PROCESSED}a"}),
        ("client", "s3", "put_object", {**place, "Key": "deploy/current", "Body": b"x"}),
        ("client", "s3", "get_object", {**place, "Key": "deploy/current"}),
        ("client", "s3", "get_object", {**place, "Key": f"{LISTS}a"}),
        ("client", "s3", "get_object", {**place, "Key": "status/a"}),
        ("client", "s3", "put_object", {**place, "Key": "status/a", "Body": b"x"}),
        ("client", "autoscaling", "set_instance_protection", _protection(strict)),
        ("worker", "sqs", "purge_queue", {"QueueUrl": url("requestQueue")}),
        ("worker", "sqs", "purge_queue", {"QueueUrl": url("responseQueue")}),
        ("worker", "sqs", "send_message", {"QueueUrl": url("requestQueue"), **one}),
        ("worker", "sqs", "receive_message", {"QueueUrl": url("responseQueue")}),
        ("worker", "sqs", "create_queue", {"QueueName": "responseQueue-abc"}),
        ("worker", "sqs", "delete_queue", {"QueueUrl": url("requestQueue")}),
        ("worker", "s3", "put_object", {**place, "Key": "deploy/current", "Body": b"x"}),
        ("worker", "s3", "put_object", {**place, "Key": f"{UNPROCESSED}a", "Body": b"x"}),
        ("worker", "s3", "delete_object", {**place, "Key": f"{PROCESSED}a"}),
        ("worker", "s3", "put_object", {**place, "Key": f"{LISTS}a", "Body": b"x"}),
        ("worker", "s3", "get_object", {**place, "Key": "status/a"}),
        ("worker", "iam", "list_users", {}),
    ]


def _protection(strict: Strict) -> dict[str, Any]:
    return {"AutoScalingGroupName": GROUP, "InstanceIds": [strict.instance_id], "ProtectedFromScaleIn": False}


def nobody_may_forge_read_overwrite_or_purge(strict: Strict) -> None:
    before = len(strict.decisions)
    for user, service, call, arguments in rejections(strict):
        with pytest.raises(ClientError) as raised:
            getattr(strict.as_(user, service), call)(**arguments)
        assert raised.value.response["Error"]["Code"] in {"AccessDenied", "403", "AccessDeniedException"}, call
    rejected = strict.decisions[before:]
    assert len(rejected) == len(rejections(strict))
    assert not any(allowed for *_, allowed in rejected)


def test_the_linter_finds_nothing_in_the_policies(moto: Engine) -> None:
    texts = [setup(moto.environment(), "policy", who).stdout for who in ("client", "worker")]

    found = linted([*texts, *(text.replace("sqs:GetQueueUrl", "sqs:GetQueueURI") for text in texts)])

    assert found[:2] == ["[]", "[]"]
    assert all("UNKNOWN_ACTION" in spoiled for spoiled in found[2:])
    for statement in (one for text in texts for one in json.loads(text)["Statement"]):
        assert "*" not in listed(statement["Action"])
        if "*" in listed(statement["Resource"]):
            assert listed(statement["Action"]) == ["cloudwatch:GetMetricStatistics"]


def linted(texts: list[str]) -> list[str]:
    """Return what the linter finds in each policy.

    It has a process of its own, in which its old ways are no errors; it reads for seconds before the first.
    """
    lint = (
        "import json, sys, parliament; "
        "print(json.dumps([str(parliament.analyze_policy_string(one).findings) for one in json.load(sys.stdin)]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", lint],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout))
