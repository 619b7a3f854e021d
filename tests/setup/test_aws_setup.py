"""aws_setup.sh: its exact calls with a stand-in for the AWS CLI, and the whole of it against two local AWS."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.engines import REGION, Engine, fresh_account
from tests.support.place import ATTRIBUTES, QUEUES, ROOT, WAIT_SECONDS

#: Notes each call in a file of its own, since several are made at once, and does what a file of its name says.
STUB = """#!/bin/sh
printf '%s\\0' "$@" >"$STUB_CALLS/$$"
[ ! -f "$STUB_ANSWERS/$1 $2" ] || . "$STUB_ANSWERS/$1 $2"
"""
ANSWER = "printf '%s\\n' {out}; printf '%s\\n' {err} >&2; exit {status}\n"
DEAD = ("requestQueue-dead", "imageInbox-dead")
ACCOUNT = {"sts get-caller-identity": ["123456789012\tarn:aws:iam::123456789012:user/me", "", 0]}
NO_QUEUES = {"sqs list-queues": ["None", "", 0]}
#: What AWS says unless a test has it say something else.
USUAL = {"ec2 create-security-group": ["sg-1", "", 0], "ssm get-parameter": ["ami-1", "", 0]}
NO_BUCKET = {"s3api head-bucket": ["", "An error occurred (404) when calling HeadBucket: Not Found", 254]}


class Stub:
    """The script with a stand-in for the AWS CLI on PATH."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        program = folder / "bin" / "aws"
        program.parent.mkdir()
        program.write_text(STUB)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self._calls, self._answers = folder / "calls", folder / "answers"
        for made in (self._calls, self._answers):
            made.mkdir()
        stub = {"STUB_CALLS": str(self._calls), "STUB_ANSWERS": str(self._answers)}
        self._env = {**env, **stub, "PATH": f"{program.parent}:{env['PATH']}"}

    def run(
        self, *arguments: str, answers: dict[str, Any], stdout: int | IO[str] = subprocess.PIPE, **env: str
    ) -> subprocess.CompletedProcess[str]:
        for call, (out, err, status) in {**USUAL, **answers}.items():
            text = ANSWER.format(out=shlex.quote(out), err=shlex.quote(err), status=status)
            (self._answers / call).write_text(text)
        return setup({**self._env, **env}, *arguments, stdout=stdout)

    @property
    def calls(self) -> list[list[str]]:
        files = sorted(self._calls.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        return [file.read_text().split("\0")[:-1] for file in files]

    def options(self, call: str) -> list[str]:
        """Return the arguments of the only such call."""
        (found,) = [arguments for arguments in self.calls if " ".join(arguments[:2]) == call]
        return found[2:]


def setup(
    env: dict[str, str], *arguments: str, stdout: int | IO[str] = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "aws_setup.sh"), *arguments],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


@pytest.fixture
def env(ministack: Engine) -> dict[str, str]:
    return ministack.environment(fresh_account())


@pytest.fixture
def stub(tmp_path: Path, env: dict[str, str]) -> Stub:
    return Stub(tmp_path, env)


def value_of(option: str, arguments: list[str]) -> str:
    return arguments[arguments.index(option) + 1]


def test_up_makes_four_queues_and_the_bucket_with_these_very_calls(stub: Stub) -> None:
    done = stub.run("up", "--no-ec2", answers={**ACCOUNT, **NO_QUEUES, **NO_BUCKET})

    assert done.returncode == 0, done.stderr
    created = [call for call in stub.calls if call[:2] == ["sqs", "create-queue"]]
    from_file, for_dead = f"file://{ROOT}/create-queue.json", "MessageRetentionPeriod=1209600"
    assert {value_of("--queue-name", call): value_of("--attributes", call) for call in created} == {
        **dict.fromkeys(QUEUES, from_file),
        **dict.fromkeys(DEAD, for_dead),
    }
    assert len(created) == 6
    redrives = [call for call in stub.calls if call[:2] == ["sqs", "set-queue-attributes"]]
    policies = [json.loads(json.loads(value_of("--attributes", call))["RedrivePolicy"]) for call in redrives]
    arn = "arn:aws:sqs:us-east-1:123456789012:"
    assert {policy["deadLetterTargetArn"] for policy in policies} == {arn + name for name in DEAD}
    assert {policy["maxReceiveCount"] for policy in policies} == {"5"}
    bucket = "lab3-123456789012-us-east-1"
    assert value_of("--bucket", stub.options("s3api create-bucket")) == bucket
    assert "--create-bucket-configuration" not in stub.options("s3api create-bucket")
    blocked = value_of("--public-access-block-configuration", stub.options("s3api put-public-access-block"))
    assert blocked.count("=true") == 4
    lifecycle = value_of("--lifecycle-configuration", stub.options("s3api put-bucket-lifecycle-configuration"))
    rules = json.loads(lifecycle)["Rules"]
    assert [(rule["Filter"]["Prefix"], rule["Expiration"]["Days"]) for rule in rules] == [
        ("images/", 30),
        ("numbers/", 1),
    ]
    assert all(rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1} for rule in rules)
    for call in created:
        assert f"+ aws {' '.join(call[:4])} " in done.stdout


@pytest.mark.parametrize("verb", ["up", "plan", "queues", "bucket", "stop", "deploy", "down"])
def test_every_call_carries_the_endpoint_and_the_region(stub: Stub, env: dict[str, str], verb: str) -> None:
    everything = "\t".join(f"http://x/1/{name}" for name in (*QUEUES, *DEAD))
    answers = {**ACCOUNT, "sqs list-queues": [everything, "", 0], "sqs get-queue-attributes": ["1\t2", "", 0]}

    answers["ec2 describe-instances"] = ["i-1\trunning\t1.2.3.4\tt3.micro\trequired", "", 0]
    done = stub.run(verb, "--yes", "--region", "eu-west-1", "--ssh-cidr", "1.2.3.4", answers=answers, SETUP_PROOF="1")

    assert done.returncode in (0, 1), done.stderr
    assert ("The numbers worker did not respond: " in done.stderr) == (verb == "up")
    assert len(stub.calls) > 1
    for call in stub.calls:
        if call == ["--version"]:
            continue
        assert value_of("--endpoint-url", call) == env["AWS_ENDPOINT_URL"]
        assert value_of("--region", call) == "eu-west-1"


def test_without_an_endpoint_none_is_passed_and_a_profile_is(stub: Stub) -> None:
    stub.run("queues", "--profile", "me", answers={**ACCOUNT, **NO_QUEUES}, AWS_ENDPOINT_URL="")

    for call in stub.calls:
        assert "--endpoint-url" not in call
        assert value_of("--profile", call) == "me"


def test_another_region_is_named_to_the_bucket(stub: Stub) -> None:
    stub.run("bucket", "--region", "eu-west-1", answers={**ACCOUNT, **NO_BUCKET})

    arguments = stub.options("s3api create-bucket")
    assert value_of("--create-bucket-configuration", arguments) == "LocationConstraint=eu-west-1"
    assert value_of("--bucket", arguments) == "lab3-123456789012-eu-west-1"


def test_what_exists_is_not_created_again(stub: Stub) -> None:
    everything = "\t".join(f"https://sqs.us-east-1.amazonaws.com/1/{name}" for name in (*QUEUES, *DEAD))

    done = stub.run(
        "up",
        "--no-ec2",
        answers={
            **ACCOUNT,
            "sqs list-queues": [everything, "", 0],
            "sqs get-queue-attributes": ["{}", "", 0],
            "s3api get-bucket-tagging": ["lab3", "", 0],
        },
    )

    assert done.returncode == 0
    assert not re.search(r"aws \w+ create-", done.stdout)
    # What is asked of SQS creates nothing where there is a queue: only so it says that one is being deleted.
    assert {call[1] for call in stub.calls if call[1].startswith("create-")} == {"create-queue"}


def test_a_queue_whose_name_only_ends_alike_is_another(stub: Stub) -> None:
    urls = "http://x/1/my-requestQueue\thttp://x/1/requestQueue2"

    stub.run("queues", answers={**ACCOUNT, "sqs list-queues": [urls, "", 0]})

    assert "requestQueue" in [value_of("--queue-name", call) for call in stub.calls if call[1] == "create-queue"]


def test_a_warning_of_the_cli_is_no_part_of_its_answer(stub: Stub) -> None:
    answers = {**NO_QUEUES, **NO_BUCKET, "sts get-caller-identity": ["123456789012", "DeprecationWarning: old", 0]}

    done = stub.run("bucket", answers=answers)

    assert done.returncode == 0, done.stderr
    assert value_of("--bucket", stub.options("s3api create-bucket")) == "lab3-123456789012-us-east-1"


def test_settings_rename_things(stub: Stub) -> None:
    stub.run(
        "up",
        "--no-ec2",
        answers={**ACCOUNT, **NO_QUEUES, **NO_BUCKET},
        COURIER_REQUEST_QUEUE="mine",
        COURIER_BUCKET="my-bucket",
    )

    created = [value_of("--queue-name", call) for call in stub.calls if call[1] == "create-queue"]
    assert sorted(created) == sorted(["mine", *QUEUES[1:], "mine-dead", "imageInbox-dead"])
    assert value_of("--bucket", stub.options("s3api create-bucket")) == "my-bucket"


@pytest.mark.parametrize(
    ("call", "said_by_aws", "status", "fact"),
    [
        ("sts get-caller-identity", "(ExpiredToken) when calling X", 4, "credentials have expired"),
        ("sts get-caller-identity", "(RequestTimeTooSkewed) when calling X", 4, "clock is wrong"),
        ("sts get-caller-identity", "Signature expired: 2026 is now", 4, "clock is wrong"),
        ("sts get-caller-identity", "(InvalidClientTokenId) when calling X", 4, "rejects these credentials"),
        ("sts get-caller-identity", "Unable to locate credentials", 4, "no AWS credentials"),
        ("sqs list-queues", "Could not connect to the endpoint URL", 4, "cannot be reached at http"),
        ("sqs create-queue", "(AccessDenied) when calling X", 1, "no permission for sqs:create-queue"),
        ("sqs create-queue", "(Whatever) when calling X", 1, "AWS said: (Whatever) when calling X"),
        ("s3api create-bucket", "(BucketAlreadyExists) when calling X", 1, "belongs to another account"),
        ("s3api create-bucket", "(TooManyBucketsLimitExceeded) X", 1, "reached a limit (s3api:create-"),
        ("s3api head-bucket", "(ExpiredToken) when calling X", 4, "credentials have expired"),
        ("ec2 create-security-group", "(VPCIdNotSpecified) No default VPC", 1, "aws ec2 create-default-vpc"),
        ("ec2 run-instances", "(InsufficientInstanceCapacity) when calling X", 1, "no capacity for t3.micro"),
        ("ec2 run-instances", "(OptInRequired) when calling X", 1, "may not use the service yet"),
    ],
)
def test_an_aws_error_ends_it_with_a_sentence(stub: Stub, call: str, said_by_aws: str, status: int, fact: str) -> None:
    answers = {**ACCOUNT, **NO_QUEUES, **NO_BUCKET, call: ["", said_by_aws, 255]}

    options = ["--ssh-cidr", "1.2.3.4"] if call.startswith("ec2") else ["--no-ec2"]
    done = stub.run("up", *options, answers=answers)

    assert done.returncode == status
    notices = [line for line in done.stderr.splitlines() if line.startswith("aws_setup.sh: ")]
    assert any(fact in line for line in notices), done.stderr
    assert call.split() in [made[:2] for made in stub.calls]


def launched(stub: Stub, **more: list[Any]) -> list[str]:
    """Return the arguments of the launch of an `up` that makes everything."""
    answers = {**ACCOUNT, **NO_QUEUES, **NO_BUCKET, "ec2 run-instances": ["i-1", "", 0], **more}
    done = stub.run("up", "--ssh-cidr", "1.2.3.4", answers=answers, SETUP_PROOF="0")
    assert done.returncode == 0, done.stderr
    return stub.options("ec2 run-instances")


def test_a_launch_names_the_new_group_by_its_id_requests_an_address_and_can_be_made_again(stub: Stub) -> None:
    options = launched(stub)

    assert value_of("--security-group-ids", options) == "sg-1"
    assert "--associate-public-ip-address" in options
    assert re.fullmatch(r"lab3-[0-9]{10}-[0-9]{1,10}", value_of("--client-token", options))
    assert value_of("--image-id", options) == "ami-1"


def test_where_ssm_may_not_be_read_the_image_comes_from_the_list(stub: Stub) -> None:
    denied = ["", "An error occurred (AccessDeniedException) when calling the GetParameter operation: no", 254]

    options = launched(stub, **{"ssm get-parameter": denied, "ec2 describe-images": ["ami-2", "", 0]})

    assert value_of("--image-id", options) == "ami-2"
    listed = stub.options("ec2 describe-images")
    assert "Name=name,Values=al2023-ami-2023.*-kernel-*-x86_64" in listed
    assert value_of("--owners", listed) == "amazon"


def test_a_bucket_is_looked_for_under_the_name_that_is_this_accounts_alone(stub: Stub) -> None:
    skeleton = ["".join(f'"Filler{number}": "",\n' for number in range(9999)) + '"BucketNamespace": ""', "", 0]
    answers = {**ACCOUNT, **NO_QUEUES, **NO_BUCKET, "s3api create-bucket": skeleton}

    done = stub.run("bucket", answers=answers, AWS_ENDPOINT_URL="")

    assert done.returncode == 0, done.stderr
    looked_for = {value_of("--bucket", call) for call in stub.calls if call[1] == "head-bucket"}
    assert looked_for == {"lab3-123456789012-us-east-1-an", "lab3-123456789012-us-east-1"}
    (created,) = [call for call in stub.calls if call[1] == "create-bucket" and "--bucket-namespace" in call]
    assert value_of("--bucket", created) == "lab3-123456789012-us-east-1-an"
    assert value_of("--bucket-namespace", created) == "account-regional"


def test_where_that_bucket_exists_no_other_is_looked_for(stub: Stub) -> None:
    stub.run("bucket", answers={**ACCOUNT, "s3api get-bucket-tagging": ["lab3", "", 0]}, AWS_ENDPOINT_URL="")

    looked_for = {value_of("--bucket", call) for call in stub.calls if call[1] == "head-bucket"}
    assert looked_for == {"lab3-123456789012-us-east-1-an"}


@pytest.mark.parametrize("verb", ["up", "bucket", "deploy", "down"])
def test_every_call_to_s3_says_whose_bucket_it_is(stub: Stub, verb: str) -> None:
    answers = {**ACCOUNT, **NO_QUEUES, "s3api get-bucket-tagging": ["lab3", "", 0]}
    # Each call of a listing has an object, and its deletion fails: once around.
    answers["s3api list-objects-v2"] = ['{"Objects": [{"Key": "a"}]}', "", 0]
    answers["s3api delete-objects"] = ["It stays.", "", 0]

    stub.run(verb, "--yes", "--no-ec2", answers=answers)

    calls = [call for call in stub.calls if call[0].startswith("s3")]
    assert calls
    for call in calls:
        assert call[0] == "s3api"
        assert call[1] == "create-bucket" or value_of("--expected-bucket-owner", call) == "123456789012"


def test_head_of_a_bucket_in_another_region_is_no_matter_of_credentials(stub: Stub) -> None:
    elsewhere = ["", "An error occurred (400) when calling the HeadBucket operation: Bad Request", 254]

    done = stub.run("bucket", answers={**ACCOUNT, "s3api head-bucket": elsewhere}, COURIER_BUCKET="mine")

    assert done.returncode == 1
    assert "the bucket mine. It is in another region than us-east-1" in done.stderr


@pytest.mark.parametrize("umask", [0o022, 0o077])
@pytest.mark.parametrize("tar", ["tar", "bsdtar"])
def test_code_is_the_same_whichever_tar_packs_it_and_may_be_read_by_the_workers(
    tmp_path: Path, tar: str, umask: int
) -> None:
    program = shutil.which(tar)
    if program is None:
        pytest.skip(f"{tar} is not installed")
    (tmp_path / "tar").symlink_to(program)
    copy = tmp_path / "copy"
    for name in ("courier", "setup", "create-queue.json", "requirements.lock"):
        source = ROOT / name
        copied = shutil.copytree if source.is_dir() else shutil.copy
        copy.mkdir(exist_ok=True)
        copied(source, copy / name)
    for program_name in ("images_client", "images_worker", "numbers_client", "numbers_worker"):
        shutil.copy(ROOT / f"{program_name}.py", copy)
    if umask == 0o077:
        for path in copy.rglob("*"):
            path.chmod(path.stat().st_mode & ~umask)
    script = """
    set -o errexit -o nounset -o pipefail
    here=$1 scratch=$2; . setup/common.sh; . setup/deploy.sh
    list_code; sum_of_code; here=$3; sum_of_code; pack "$scratch/code.tar.gz"; tar -tzf "$scratch/code.tar.gz"
    """
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    done = subprocess.run(
        ["bash", "-c", script, "-", str(ROOT), str(tmp_path), str(copy)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )

    here, there, *names = done.stdout.splitlines()
    assert re.fullmatch("[0-9a-f]{64}", here)
    assert here == there
    assert "numbers_worker.py" in names


def test_a_bucket_of_another_account_is_reported(stub: Stub) -> None:
    answers = {**ACCOUNT, "s3api head-bucket": ["", "An error occurred (403): Forbidden", 254]}

    done = stub.run("bucket", answers=answers)

    assert done.returncode == 1
    assert "another account" in done.stderr
    assert "COURIER_BUCKET" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["frob"], 2, "no verb frob. Use up, plan, status, watch, down, queues"),
        (["--frob"], 2, "no option --frob"),
        (["up", "down"], 2, "One verb at a time"),
        (["--region"], 2, "--region needs a value"),
        (["policy"], 2, "policy client, or policy worker"),
        (["policy", "worker", "--no-purge"], 2, "--no-purge is for"),
        (["up", "--no-purge"], 2, "--no-purge is for"),
        (["--workers", "0-3"], 2, "--workers is '0-3'"),
        (["--workers", "3-2"], 2, "--workers is '3-2'"),
        (["--workers", "some"], 2, "--workers is 'some'"),
        ([""], 2, "There is an empty word. Use up, plan"),
        (["up", "--only", "races"], 2, "are options of verify"),
        (["queues", "--json"], 2, "--json is an option of"),
        (["status", "--once"], 2, "--once is"),
        (["--name", "Big Name"], 2, "--name is 'Big Name'"),
        (["--ssh-cidr", "0.0.0.0/0"], 2, "--ssh-cidr 0.0.0.0/0 would allow"),
        (["--ssh-cidr", "999.1.1.1/32"], 2, "and 999 is more than 255"),
        (["--ssh-cidr", "1.2.3.4/99"], 2, "at most 32 bits"),
        (["--ssh-cidr", "here"], 2, "--ssh-cidr is 'here'"),
        (["doctor", "--ssh-cidr", "here"], 2, "aws_setup.sh: --ssh-cidr is 'here'"),
        (["cost", "--type", "z9.huge"], 2, "price for z9.huge"),
    ],
)
def test_wrong_usage(stub: Stub, arguments: list[str], status: int, said: str) -> None:
    done = stub.run(*arguments, answers=ACCOUNT)

    assert done.returncode == status
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not [call for call in stub.calls if call[0] != "sts" and call[1].startswith(("create", "put", "delete"))]


def test_the_cost_needs_no_credentials_and_a_lab_has_its_own_type(stub: Stub) -> None:
    nobody = {"sts get-caller-identity": ["", "(ExpiredToken)", 255]}
    lab = {"sts get-caller-identity": ["123456789012\tarn:aws:sts::123456789012:assumed-role/voclabs/user1", "", 0]}

    offline = stub.run("cost", answers=nobody)
    in_lab = stub.run("cost", answers=lab)
    before = len(stub.calls)
    chosen = stub.run("cost", "--type", "t3.small", answers=nobody)

    assert (offline.returncode, in_lab.returncode, chosen.returncode) == (0, 0, 0)
    assert (offline.stderr, in_lab.stderr, chosen.stderr) == ("", "", "")
    assert "1 x t3.micro" in offline.stdout
    assert "1 x t2.micro" in in_lab.stdout
    assert "1 x t3.small" in chosen.stdout
    assert len(stub.calls) == before


def test_help_is_the_header(stub: Stub) -> None:
    done = stub.run("--help", answers={})

    assert done.returncode == 0
    assert "usage: ./aws_setup.sh [VERB]" in done.stdout
    assert "set -o errexit" not in done.stdout


def test_no_region_and_no_cli_are_said(stub: Stub, env: dict[str, str], tmp_path: Path) -> None:
    no_region = stub.run("up", "--no-ec2", answers={"configure get": ["", "", 1]}, AWS_DEFAULT_REGION="")
    (tmp_path / "empty").mkdir()
    for name in ("bash", "dirname"):
        found = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        (tmp_path / "empty" / name).symlink_to(found)
    no_cli = setup({**env, "PATH": str(tmp_path / "empty")}, "up")

    assert (no_region.returncode, no_cli.returncode) == (4, 2)
    assert "has no region. Use --region" in no_region.stderr
    assert "AWS CLI is not installed" in no_cli.stderr


def renamed() -> dict[str, str]:
    """Return settings that name everything again, for an engine that others use, too."""
    suffix = fresh_account()
    return {
        "COURIER_REQUEST_QUEUE": f"a{suffix}",
        "COURIER_RESPONSE_QUEUE": f"b{suffix}",
        "COURIER_IMAGE_INBOX": f"c{suffix}",
        "COURIER_IMAGE_OUTBOX": f"d{suffix}",
        "COURIER_BUCKET": f"bucket-{suffix}",
    }


def sqs(engine: Engine) -> Any:
    return boto3.client(
        "sqs", endpoint_url=engine.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )


def attributes_of(engine: Engine, name: str) -> dict[str, str]:
    url = sqs(engine).get_queue_url(QueueName=name)["QueueUrl"]
    return dict(sqs(engine).get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])


def test_up_again_heals_what_drifted_and_down_again_finds_nothing(ministack: Engine) -> None:
    names = renamed()
    env = {**ministack.environment(), **names}
    name = names["COURIER_RESPONSE_QUEUE"]
    sqs(ministack).create_queue(QueueName=name, Attributes={**ATTRIBUTES, "VisibilityTimeout": "77"})

    up = setup(env, "queues")
    again = setup(env, "queues")
    healed = attributes_of(ministack, name)
    asked = setup(env, "down", "--no-ec2")
    down, nothing = setup(env, "down", "--yes", "--no-ec2"), setup(env, "down", "--yes", "--no-ec2")

    assert up.returncode == down.returncode == nothing.returncode == 0
    assert "+ aws" not in again.stdout
    assert f"queue {name} is as it should" in again.stdout
    assert asked.returncode == 2
    assert "Add --yes" in asked.stderr
    assert f"queue {name} has drifted" in up.stdout
    assert up.stdout.count(" create-") == 5
    assert healed["VisibilityTimeout"] == "1"
    assert "nothing to remove" in nothing.stdout


@pytest.mark.parametrize("engine_name", ["ministack", "moto"])
def test_what_belongs_to_others_is_left_alone(request: pytest.FixtureRequest, engine_name: str) -> None:
    engine: Engine = request.getfixturevalue(engine_name)
    names = renamed()
    env = {**engine.environment(), **names}
    bucket = names["COURIER_BUCKET"]
    s3 = boto3.client(
        "s3", endpoint_url=engine.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )
    s3.create_bucket(Bucket=bucket)
    for key in ("holidays/cat.jpg", "deploy/courier-notes.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"a cat")

    mine = setup(env, "up", "--no-ec2")
    deployed = setup(env, "deploy")
    theirs = setup(env, "up", "--no-ec2", "--name", "theirs")
    gone = setup(env, "down", "--no-ec2", "--yes", "--name", "theirs")
    left = attributes_of(engine, names["COURIER_REQUEST_QUEUE"])
    down = setup(env, "down", "--no-ec2", "--yes")

    assert mine.returncode == down.returncode == 0, mine.stderr + down.stderr
    assert f"bucket {bucket} existed before" in mine.stdout
    assert theirs.returncode == 1
    assert "the set-up 'lab3'" in theirs.stderr
    assert "--name lab3" in theirs.stderr
    assert "nothing to remove" in gone.stdout
    assert left.items() >= ATTRIBUTES.items()
    assert f"queue {names['COURIER_REQUEST_QUEUE']}\n" in down.stdout
    assert "+ aws s3api put-object" in deployed.stdout
    assert f"code in bucket {bucket}, which stays\n" in down.stdout
    left_there = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert left_there == ["deploy/courier-notes.txt", "holidays/cat.jpg"]
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


@pytest.mark.parametrize("verb", ["up", "deploy"])
def test_a_bucket_of_another_set_up_is_rejected(stub: Stub, verb: str) -> None:
    answers = {**ACCOUNT, **NO_QUEUES, "s3api get-bucket-tagging": ["theirs", "", 0]}

    done = stub.run(verb, "--no-ec2", answers=answers)
    down = stub.run("down", "--no-ec2", "--yes", answers=answers)

    assert done.returncode == 1
    assert "the set-up 'theirs'" in done.stderr
    assert "--name theirs" in done.stderr
    assert "nothing to remove" in down.stdout
    assert not [call for call in stub.calls if call[0] == "s3" or call[1].startswith(("put", "delete"))]


def test_a_role_of_another_region_is_rejected_and_left(stub: Stub) -> None:
    elsewhere = ["lab3/eu-west-1\t{}", "", 0]
    answers = {
        **ACCOUNT,
        **NO_QUEUES,
        **NO_BUCKET,
        "iam get-role": elsewhere,
        "iam get-policy": elsewhere,
        "iam get-instance-profile": elsewhere,
    }

    done = stub.run("up", "--ssh-cidr", "1.2.3.4", answers=answers)
    down = stub.run("down", "--yes", answers=answers)

    assert done.returncode == 1
    assert "role lab3-worker" in done.stderr
    assert "(lab3 in eu-west-1)" in done.stderr
    assert "nothing to remove" in down.stdout
    assert not [call for call in stub.calls if call[0] == "iam" and not call[1].startswith(("get", "list"))]


@pytest.mark.parametrize("verb", ["up", "allow-me"])
def test_a_security_group_made_manually_is_rejected(stub: Stub, verb: str) -> None:
    answers = {**ACCOUNT, **NO_QUEUES, **NO_BUCKET, "ec2 describe-security-groups": ["sg-9\t-\t-", "", 0]}

    done = stub.run(verb, "--ssh-cidr", "1.2.3.4", answers=answers)

    assert done.returncode == 1
    assert "cloudGroup was not created by this set-up, and stays as it is. Remove it" in done.stderr
    assert not [call for call in stub.calls if call[1].startswith(("revoke", "authorize"))]


def test_a_new_bucket_that_gets_no_tag_is_taken_back(stub: Stub) -> None:
    rejected = ["", "An error occurred (ExpiredToken) when calling X", 254]
    answers = {**ACCOUNT, **NO_QUEUES, **NO_BUCKET, "s3api put-bucket-tagging": rejected}

    done = stub.run("bucket", answers=answers)

    assert done.returncode == 4
    assert "credentials have expired" in done.stderr
    assert stub.options("s3api delete-bucket")


def test_a_bucket_that_may_not_be_looked_at_is_not_taken_for_another(stub: Stub) -> None:
    forbidden = ["", "An error occurred (403) when calling the HeadBucket operation: Forbidden", 254]

    done = stub.run("down", "--yes", answers={**ACCOUNT, "s3api head-bucket": forbidden}, AWS_ENDPOINT_URL="")

    assert done.returncode == 1
    assert "cannot access the bucket" in done.stderr


def test_what_throttles_a_look_is_waited_for_and_said_as_it_is(stub: Stub) -> None:
    busy = ["", "An error occurred (RequestLimitExceeded) when calling X", 254]
    answers = {**ACCOUNT, **NO_QUEUES, **NO_BUCKET, "ec2 describe-instances": busy}

    done = stub.run("down", "--yes", answers=answers, SETUP_PAUSE="0.2", SETUP_RETRY_SECONDS="3")

    assert done.returncode == 1
    assert "AWS throttled the calls (ec2:describe-instances)" in done.stderr
    assert len([call for call in stub.calls if call[1] == "describe-instances"]) > 1


def test_what_could_not_be_looked_up_does_not_count_as_gone(stub: Stub) -> None:
    rejected = ["", "An error occurred (AccessDenied) when calling X", 254]
    answers = {**ACCOUNT, **NO_QUEUES, **NO_BUCKET, "iam get-policy": rejected}

    done = stub.run("down", "--yes", answers=answers)

    assert done.returncode == 1
    assert "no permission for iam:get-policy" in done.stderr + done.stdout
    assert "nothing to remove" not in done.stdout


def test_nothing_is_looked_up_within_a_condition() -> None:
    looked_up = re.compile(
        r"(\[\[|\bif\b|\bfor\b|\bwhile\b|\buntil\b).*\$\((look|need|find_\w+|\w+_id|own_\w+|owner_\w+|tarballs)\b"
    )
    parts = [ROOT / "aws_setup.sh", *(ROOT / "setup").glob("*.sh")]

    found = [
        f"{part.name}: {line}"
        for part in parts
        for line in part.read_text().splitlines()
        if looked_up.search(line) and not re.search(r"\]\] (\|\||&&) \w+=\$\(", line)
    ]

    assert len(parts) > 10
    assert found == []


@pytest.mark.parametrize("engine_name", ["ministack", "moto"])
def test_up_status_and_down_and_no_call_leaves_this_machine(
    request: pytest.FixtureRequest, engine_name: str, proxy: tuple[str, list[bytes]]
) -> None:
    engine: Engine = request.getfixturevalue(engine_name)
    url, asked = proxy
    names = renamed()
    queue = names["COURIER_REQUEST_QUEUE"]
    env = {**engine.environment(), **names, "HTTP_PROXY": url, "HTTPS_PROXY": url, "AWS_MAX_ATTEMPTS": "1"}

    up = setup(env, "up", "--no-ec2")
    attributes = attributes_of(engine, queue)
    status, watch = setup(env, "status", "--no-ec2"), setup(env, "watch", "--once", "--json")
    down = setup(env, "down", "--yes", "--no-ec2")

    assert up.returncode == 0, up.stderr
    assert queue in [one["name"] for one in json.loads(watch.stdout)["queues"]], watch.stderr
    assert len(re.findall(r"\+ aws \w+ create-", up.stdout)) == 7
    assert attributes.items() >= ATTRIBUTES.items()
    assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].endswith(f":{queue}-dead")
    assert re.search(rf"queue +{queue} +0 waiting, 0 in flight", status.stdout)
    assert re.search(rf"bucket +{names['COURIER_BUCKET']} +exists", status.stdout)
    assert down.returncode == 0, down.stderr
    assert asked == []


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that notes what is asked of it and rejects everything: what would have left this machine."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(4096).split(b"\r\n")[0])
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")

    thread = threading.Thread(target=listen)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_the_cli_alone_would_leave_this_machine(env: dict[str, str], proxy: tuple[str, list[bytes]]) -> None:
    url, asked = proxy

    subprocess.run(
        ["aws", "sqs", "list-queues"],
        env={**env, "HTTPS_PROXY": url, "AWS_MAX_ATTEMPTS": "1"},
        capture_output=True,
        check=False,
    )

    assert asked  # so the trap is real, and the proxy of these tests sees who falls into it
    assert b"amazonaws.com" in asked[0]
