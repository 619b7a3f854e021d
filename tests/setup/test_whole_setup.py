"""aws_setup.sh from an empty account to an empty account, against moto; what moto does not do is injected before it."""

from __future__ import annotations

import base64
import json
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.setup.test_aws_setup import proxy, renamed
from tests.support.engines import REGION, Engine, fresh_account
from tests.support.lags import LAGS, LAGS_OF_A_GROUP, LAGS_OF_ITS_END, UNLISTED
from tests.support.place import ATTRIBUTES, ROOT, WAIT_SECONDS, Place
from tests.support.rows import rows

__all__ = ["proxy"]
ADDRESS = "203.0.113.7/32"
#: How the names of calls begin that change nothing.
READING = re.compile("describe-|get-|head-|list-|wait")


class Account:
    """One set-up on moto, under a name of its own."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.name = f"t{fresh_account()}"
        self.engine = engine
        self.folder = folder
        (folder / "home").mkdir()
        (folder / "bin").mkdir()
        (folder / "faults").write_text("[]")
        names = renamed()
        self.queues = [names[f"COURIER_{one}"] for one in ("REQUEST_QUEUE", "RESPONSE_QUEUE")]
        self.bucket = names["COURIER_BUCKET"]
        env = engine.environment()
        self.env = {
            **env,
            **names,
            "HOME": str(folder / "home"),
            "SETUP_PAUSE": "0.2",
            "SETUP_PROOF": "30",
            "AWS_CALLS": str(folder),
            "PATH": f"{folder / 'bin'}:{env['PATH']}",
        }

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the script with this name and address, to its end."""
        where = () if "--no-ssh" in arguments else ("--ssh-cidr", ADDRESS)
        return self.run_bare("--name", self.name, *where, *arguments, **env)

    def run_bare(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the script with these options alone."""
        return subprocess.run(
            [str(ROOT / "aws_setup.sh"), *arguments],
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )

    def done(self, *arguments: str, **env: str) -> str:
        """Run it; it must end well."""
        ended = self.run(*arguments, **env)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def planned(self) -> list[str]:
        return list(json.loads(self.done("plan", "--json"))["commands"])

    def changes_since(self, count: int) -> list[str]:
        """Return the calls after the first `count` that change something.

        The call that checks whether a listed queue is being deleted has no query.
        """
        made = [call for call in self.calls[count:] if call != ["--version"]]
        made = [call for call in made if call[1] != "create-queue" or "--query" in call]
        return [" ".join(call[:2]) for call in made if not READING.match(call[1])]

    def inject(self, errors: dict[str, str], times: int = 1) -> None:
        """Have the next calls of these names fail with this message, `times` times each."""
        faults = [
            {"call": call, "error": f"An error occurred {error} when calling X", "times": times}
            for call, error in errors.items()
        ]
        (self.folder / "faults").write_text(json.dumps(faults))

    def have_lags(self, lags: Iterable[tuple[str, str]], *more: dict[str, object]) -> None:
        """Have the next of each of these calls fail with these words, once."""
        faults: list[dict[str, object]] = [{"call": call, "error": error, "times": 1} for call, error in lags]
        (self.folder / "faults").write_text(json.dumps([*faults, *more]))

    @property
    def lags_left(self) -> list[str]:
        """The calls that did not come and fail."""
        faults = json.loads((self.folder / "faults").read_text())
        return [one["call"] for one in faults if one["times"] and "error" in one]

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.engine.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def queue(self, number: int) -> str:
        return str(self.client("sqs").get_queue_url(QueueName=self.queues[number])["QueueUrl"])

    @property
    def instances(self) -> list[dict[str, Any]]:
        found = self.client("ec2").describe_instances(
            Filters=[
                {"Name": "tag:courier", "Values": [self.name]},
                {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
            ]
        )
        return [instance for reservation in found["Reservations"] for instance in reservation["Instances"]]

    @property
    def group(self) -> dict[str, Any]:
        found = self.client("ec2").describe_security_groups(
            Filters=[{"Name": "group-name", "Values": [f"cloudGroup-{self.name}"]}]
        )
        return dict(found["SecurityGroups"][0])

    @property
    def open_to(self) -> list[tuple[int, str]]:
        return [
            (rule["FromPort"], place["CidrIp"]) for rule in self.group["IpPermissions"] for place in rule["IpRanges"]
        ]


@pytest.fixture
def account(moto: Engine, tmp_path: Path) -> Account:
    return Account(moto, tmp_path)


@pytest.fixture
def workers(account: Account, tmp_path: Path, _forks: None) -> Iterator[None]:
    """Workers that serve this set-up from here, as a machine of it would."""
    with ExitStack() as stack:
        place = Place(env=account.env, folder=tmp_path, stack=stack)
        for program in ("numbers_worker.py", "images_worker.py"):
            place.worker(program, ready=False, COURIER_POLL_SECONDS="1")
        yield


@pytest.mark.long
@pytest.mark.usefixtures("workers")
def test_up_again_drift_heal_and_down_and_no_call_leaves_this_machine(
    account: Account, proxy: tuple[str, list[bytes]]
) -> None:
    url, asked = proxy
    account.env |= {"HTTP_PROXY": url, "HTTPS_PROXY": url, "AWS_MAX_ATTEMPTS": "1"}
    account.have_lags(LAGS, UNLISTED)
    first = account.done("up")
    assert account.lags_left == []
    account.inject({})
    assert "proof: numbers responded after" in first
    assert "proof: images responded after" in first
    made = [call[1] for call in account.calls]
    assert made.index("run-instances") < made.index("get-console-output")
    assert made[-1] == "describe-instance-credit-specifications"  # moto's instances are never unlimited
    assert f"./aws_setup.sh down --name {account.name}" in first
    assert "24 changes were made" in first

    drift(account)
    check_that_all_drift_is_found(account)

    account.done("up", SETUP_PROOF="0")
    assert re.search(r"^0 changes", account.done("up", SETUP_PROOF="0"), re.MULTILINE)
    assert "WRONG" not in account.done("doctor")
    check_what_is_there(account)

    remove_in_two_attempts(account)
    assert asked == []
    for made in account.calls:
        assert made == ["--version"] or "--endpoint-url" in made, made


def check_that_all_drift_is_found(account: Account) -> None:
    """Doctor names each difference, plan the call for each, and neither changes anything."""
    seen = len(account.calls)
    planned = account.planned()
    sick = account.run("doctor")
    assert account.changes_since(seen) == []
    assert sick.returncode == 1
    assert "WRONG  instance" in sick.stdout
    for difference in (
        f"{account.queues[1]} +VisibilityTimeout is 77, not 1",
        f"{account.queues[0]} +does not move failing requests to {account.queues[0]}-dead",
        "does not block public access",
        "does not delete old objects",
        "-worker +trusts others than EC2",
        "-worker +has another policy",
        "-client +is not the policy",
        "allows connections from 0.0.0.0/0",
        "allows connections from 198.51.100.1/32",
        "without a token",
    ):
        assert re.search(f"^WRONG +drift .*{difference}", sick.stdout, re.MULTILINE), difference
    for call in (
        "sqs set-queue-attributes",
        "s3api put-public-access-block",
        "s3api put-bucket-encryption",
        "s3api put-bucket-lifecycle-configuration",
        "iam put-role-policy",
        "iam update-assume-role-policy",
        "iam create-policy-version",
        "ec2 revoke-security-group-ingress",
        "ec2 start-instances",
        "ec2 modify-instance-metadata-options",
    ):
        assert any(f"aws {call}" in command for command in planned), call


def remove_in_two_attempts(account: Account) -> None:
    """Remove everything, though the credentials expire at first and what is removed is still in use for a while."""
    account.inject({"iam delete-role": "(ExpiredToken)", "ec2 delete-security-group": "(DependencyViolation)"}, times=2)
    expired = account.run("down", "--yes")
    assert expired.returncode == 4
    assert "credentials have expired" in expired.stderr
    assert "The resource to remove is still in use. Waiting" in expired.stderr
    account.inject({})
    assert "Everything is removed" in account.done("down", "--yes")
    assert "nothing to remove" in account.done("down")
    check_nothing_is_left(account)


def drift(account: Account) -> None:
    """Change everything that a user might change."""
    sqs, s3, iam, ec2 = (account.client(service) for service in ("sqs", "s3", "iam", "ec2"))
    sqs.set_queue_attributes(QueueUrl=account.queue(1), Attributes={"VisibilityTimeout": "77"})
    sqs.set_queue_attributes(QueueUrl=account.queue(0), Attributes={"RedrivePolicy": ""})
    s3.delete_public_access_block(Bucket=account.bucket)
    s3.delete_bucket_encryption(Bucket=account.bucket)
    s3.delete_bucket_lifecycle(Bucket=account.bucket)
    role = f"{account.name}-worker"
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=role, PolicyName="courier-worker", PolicyDocument=json.dumps(everything))
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    iam.create_policy_version(
        PolicyArn=f"arn:aws:iam::123456789012:policy/{account.name}-client",
        PolicyDocument=json.dumps(everything),
        SetAsDefault=True,
    )
    world = {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    stale = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "198.51.100.1/32"}]}
    mine = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "198.51.100.1/32"}]}
    ec2.authorize_security_group_ingress(GroupId=account.group["GroupId"], IpPermissions=[world, stale, mine])
    (instance,) = account.instances
    ec2.modify_instance_metadata_options(InstanceId=instance["InstanceId"], HttpTokens="optional")
    ec2.stop_instances(InstanceIds=[instance["InstanceId"]])


def check_what_is_there(account: Account) -> None:
    sqs, s3, iam, ec2 = (account.client(service) for service in ("sqs", "s3", "iam", "ec2"))
    for number in range(2):
        found = sqs.get_queue_attributes(QueueUrl=account.queue(number), AttributeNames=["All"])["Attributes"]
        assert found.items() >= ATTRIBUTES.items()
    assert set(s3.get_public_access_block(Bucket=account.bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert sorted(account.open_to) == [(22, ADDRESS), (8080, "198.51.100.1/32")]
    (instance,) = account.instances
    assert instance["State"]["Name"] == "running"
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["IamInstanceProfile"]["Arn"].endswith(f"/{account.name}-worker")
    assert instance["KeyName"] == f"{account.name}-key"
    (disk,) = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}])[
        "Volumes"
    ]
    assert (disk["VolumeType"], disk["Encrypted"]) == ("gp3", True)
    granted = iam.get_role_policy(RoleName=f"{account.name}-worker", PolicyName="courier-worker")["PolicyDocument"]
    assert granted == json.loads(account.done("policy", "worker"))
    key = account.folder / "home" / ".ssh" / f"{account.name}-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def check_nothing_is_left(account: Account) -> None:
    sqs, s3, iam, ec2 = (account.client(service) for service in ("sqs", "s3", "iam", "ec2"))
    assert not [url for url in sqs.list_queues().get("QueueUrls", []) if any(one in url for one in account.queues)]
    assert account.bucket not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert account.instances == []
    named = [{"Name": "group-name", "Values": [f"cloudGroup-{account.name}"]}]
    assert ec2.describe_security_groups(Filters=named)["SecurityGroups"] == []
    assert ec2.describe_key_pairs(Filters=[{"Name": "key-name", "Values": [f"{account.name}-key"]}])["KeyPairs"] == []
    assert f"{account.name}-worker" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]
    profiles = iam.list_instance_profiles()["InstanceProfiles"]
    assert f"{account.name}-worker" not in [profile["InstanceProfileName"] for profile in profiles]
    assert f"{account.name}-client" not in [one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]]


@pytest.mark.long
def test_a_lab_has_its_own_profile_and_key_and_makes_no_roles(account: Account) -> None:
    taken = account.client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/voclabs", RoleSessionName="user1"
    )["Credentials"]
    lab = {
        "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
        "AWS_SESSION_TOKEN": taken["SessionToken"],
    }
    iam = account.client("iam")
    if "LabInstanceProfile" not in [p["InstanceProfileName"] for p in iam.list_instance_profiles()["InstanceProfiles"]]:
        iam.create_instance_profile(InstanceProfileName="LabInstanceProfile")

    ended = account.run("up", SETUP_PROOF="0", **lab)

    assert "use LabInstanceProfile" in ended.stdout
    (instance,) = account.instances
    assert instance["InstanceType"] == "t2.micro"
    assert instance["KeyName"] == "vockey"
    assert instance["IamInstanceProfile"]["Arn"].endswith("/LabInstanceProfile")
    assert not [call for call in account.calls if call[0] == "iam" or call[1] == "import-key-pair"]
    assert "a Learner Lab" in account.done("status", "--no-ec2", **lab)
    elsewhere = account.run("up", "--region", "eu-west-1", **lab)
    too_many = account.run("up", "--workers", "1-10", **lab)
    assert (elsewhere.returncode, too_many.returncode) == (1, 2)
    assert "us-east-1 and us-west-2 only, and the region is eu-west-1" in elsewhere.stderr
    assert "at most 9 instances" in too_many.stderr
    assert "Everything is removed" in account.done("down", "--yes", **lab)
    assert account.instances == []
    assert "LabInstanceProfile" in [p["InstanceProfileName"] for p in iam.list_instance_profiles()["InstanceProfiles"]]


@pytest.mark.long
def test_a_group_of_machines_follows_the_backlog(account: Account) -> None:
    named = [{"ResourceType": "instance", "Tags": [{"Key": "courier", "Value": account.name}]}]
    account.client("ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, TagSpecifications=named)
    (alone,) = account.instances
    account.have_lags(LAGS_OF_A_GROUP, UNLISTED)
    account.done("up", "--workers", "2-4", "--type", "t3.small", SETUP_PROOF="0")
    assert account.lags_left == []
    account.inject({})

    scaling = account.client("autoscaling")
    name = f"{account.name}-workers"
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    assert (group["MinSize"], group["MaxSize"]) == (2, 4)
    assert alone["InstanceId"] not in [one["InstanceId"] for one in account.instances]
    (policy,) = scaling.describe_policies(AutoScalingGroupName=name)["ScalingPolicies"]
    tracking = policy["TargetTrackingConfiguration"]
    metrics = {one["Id"]: one for one in tracking["CustomizedMetricSpecification"]["Metrics"]}
    assert metrics["backlog"]["Expression"] == "(numbers+images)/machines"
    assert metrics["machines"]["MetricStat"]["Metric"]["MetricName"] == "GroupInServiceInstances"
    assert group["EnabledMetrics"][0]["Metric"] == "GroupInServiceInstances"
    template = account.client("ec2").describe_launch_template_versions(LaunchTemplateName=name, Versions=["$Latest"])
    text = base64.b64decode(template["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"]).decode()
    assert f"export COURIER_SCALING_GROUP={name}" in text
    said = template["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert said["ImageId"].startswith("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-")
    assert said["CreditSpecification"] == {"CpuCredits": "standard"}
    assert "2 wanted, from 2 to 4" in account.done("status")

    assert said["InstanceType"] == "t3.small"

    assert account.planned() == []  # without --workers and --type, the group stays what it is
    wider = account.run("plan", "--workers", "2-5").stdout
    assert "update-auto-scaling-group" in wider
    assert "up would make 1 changes" in wider
    assert "Auto Scaling group" in account.run("stop").stderr
    account.have_lags(LAGS_OF_ITS_END)
    assert "Everything is removed" in account.done("down", "--yes")
    assert account.lags_left == []
    assert scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"] == []
    check_nothing_is_left(account)


def test_what_was_made_manually_under_our_names_is_not_removed(account: Account) -> None:
    ec2 = account.client("ec2")
    ec2.create_security_group(GroupName=f"cloudGroup-{account.name}", Description="manually")
    ec2.create_key_pair(KeyName=f"{account.name}-key")
    account.client("sqs").create_queue(QueueName=account.queues[0])

    done = account.run("down", "--yes")

    assert "nothing to remove" in done.stdout
    assert f"left as it is: queue {account.queues[0]}, " in done.stderr
    assert f"left as it is: security group cloudGroup-{account.name}, " in done.stderr
    assert account.queue(0)
    assert account.group
    assert len(ec2.describe_key_pairs(KeyNames=[f"{account.name}-key"])["KeyPairs"]) == 1


def check_user_data(account: Account) -> None:
    """They are small, and hold no secret."""
    (instance,) = account.instances
    found = account.client("ec2").describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    text = base64.b64decode(found["UserData"]["Value"]).decode()
    assert len(text) < 16_384
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "export COURIER_IMAGE_SECONDS=25\n" in text
    assert f"MACHINE_BUCKET={account.bucket} MACHINE_ACCOUNT=123456789012" in text
    for secret in ("a-token-of-theirs", "AWS_SECRET", "ACCESS_KEY", "SETUP_", account.env["HOME"]):
        assert secret not in text


def test_ssh_logs_allow_me_stop_start_and_deploy(account: Account) -> None:
    account.done("up", SETUP_PROOF="0", COURIER_IMAGE_SECONDS="25", AWS_SESSION_TOKEN="a-token-of-theirs")
    check_user_data(account)
    program = account.folder / "bin" / "ssh"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{account.folder}/ssh\n')
    program.chmod(0o755)

    account.done("ssh")
    address = account.instances[0]["PublicIpAddress"]
    assert f"ec2-user@{address}" in (account.folder / "ssh").read_text()
    # The address is another machine's tomorrow.
    assert f"HostKeyAlias={account.instances[0]['InstanceId']}\n" in (account.folder / "ssh").read_text()
    account.done("logs")
    asked = (account.folder / "ssh").read_text()
    assert "sudo tail -n 50 -F /var/log/courier/numbers_worker.py.log /var/log/courier/images_worker.py.log" in asked
    assert "journalctl --no-pager --lines 50 --unit courier-first-boot" in asked
    assert "ConnectTimeout=10\n" in asked
    program.write_text("#!/bin/sh\nexit ${SSH_ENDS:-255}\n")
    silent, ended = account.run("logs"), account.run("logs", SSH_ENDS="130")
    assert silent.returncode == 255
    assert f"allow-me --name {account.name}. If that was not it" in silent.stderr
    assert (ended.returncode, ended.stderr) == (130, "")

    account.done("allow-me", "--ssh-cidr", "198.51.100.9/25")
    assert account.open_to == [(22, "198.51.100.0/25")]
    # Nothing answers there: what is open stays open, unless a change was requested.
    account.env["SETUP_ADDRESS_URL"] = "http://127.0.0.1:1/"
    kept, rejected = (account.run_bare("--name", account.name, verb) for verb in ("plan", "allow-me"))
    assert (kept.returncode, "SSH stays open to 198.51.100.0/25" in kept.stderr) == (0, True)
    assert "security-group-ingress" not in kept.stdout
    assert (rejected.returncode, "Give it with --ssh-cidr" in rejected.stderr) == (1, True)
    # What EC2 takes for a description; moto takes anything.
    assert re.fullmatch(r"[A-Za-z0-9. _\-:/()#,@\[\]+=&;{}!$*]+", account.group["Description"])
    account.done("stop")
    assert account.instances[0]["State"]["Name"] == "stopped"
    assert "No instance of" in account.run("ssh").stderr
    assert "running, " in account.done("start")
    assert "is active" in account.done("deploy")
    assert "dollars_a_month" in account.done("cost", "--json")
    states = rows(account.done("status", "--json"), "aws-setup-status")
    assert [(row["waiting"], row["in_flight"]) for row in states if row["kind"] == "queue"] == [(0, 0)] * 6
    assert (states[-1]["kind"], states[-1]["state"]) == ("instance", "running")


@pytest.mark.long
def test_what_passes_is_waited_for_what_is_half_made_finished_and_no_ssh_remembered(account: Account) -> None:
    account.inject(
        {
            "sqs create-queue": "(AWS.SimpleQueueService.QueueDeletedRecently) You must wait 60 seconds",
            "iam create-role": "(Throttling) Rate exceeded",
            "ec2 run-instances": "(VcpuLimitExceeded)",
        }
    )
    broken = account.run("up", "--no-ssh")
    assert broken.returncode == 1
    assert "deleted less than a minute ago. Waiting, up to 90 s" in broken.stderr
    assert "busy or not ready" in broken.stderr
    assert "reached a limit (ec2:run-instances)" in broken.stderr

    seen = len(account.calls)
    account.inject({"ec2 run-instances": "(InvalidParameterValue) Invalid IAM Instance Profile name"}, times=2)
    account.env["SETUP_ADDRESS_URL"] = "http://127.0.0.1:1/"  # asked, it would reject
    fixed = account.run_bare("--name", account.name, "up", SETUP_PROOF="0")
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    assert "The new instance profile" in fixed.stderr
    assert account.changes_since(seen) == ["ec2 run-instances"] * 3
    there_is_no_key_and_no_open_port_until_it_is_requested(account)


def there_is_no_key_and_no_open_port_until_it_is_requested(account: Account) -> None:
    (instance,) = account.instances
    assert "KeyName" not in instance
    assert account.open_to == []
    attached = account.client("iam").list_attached_role_policies(RoleName=f"{account.name}-worker")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["AmazonSSMManagedInstanceCore"]

    given = ["--name", account.name]
    again, plugin, let_in = (account.run_bare(*given, *rest) for rest in (["plan"], ["ssh"], ["allow-me"]))
    assert "up would make 0 changes" in again.stdout
    assert "its plugin" in plugin.stderr
    assert "made without SSH" in let_in.stderr

    account.done("allow-me")
    assert account.open_to == [(22, ADDRESS)]
    assert {"Key": "courier-ssh", "Value": "one"} in account.group["Tags"]
    assert "launched without a key" in account.done("plan")


def test_the_same_files_make_the_same_tarball(account: Account, tmp_path: Path) -> None:
    account.done("bucket")
    account.done("deploy")
    (first,) = deployed(account)
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
    for name in changed():
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    given = ["--name", account.name, "deploy"]

    same = subprocess.run(
        [str(copy / "aws_setup.sh"), *given], env=account.env, capture_output=True, text=True, check=True
    )
    (copy / "courier" / "new.py").write_text("")
    subprocess.run([str(copy / "aws_setup.sh"), *given], env=account.env, capture_output=True, check=True)

    assert f"code {first[:12]} is active" in same.stdout
    assert len(deployed(account)) == 2
    for number in range(2):
        (copy / "courier" / "new.py").write_text(f"{number}\n")
        subprocess.run([str(copy / "aws_setup.sh"), *given], env=account.env, capture_output=True, check=True)
    assert len(deployed(account)) == 3
    current = account.client("s3").get_object(Bucket=account.bucket, Key="deploy/current")["Body"].read().decode()
    assert current.split()[0] in deployed(account)
    assert not current.startswith(first)


def changed() -> list[str]:
    """Return the files of this folder that no commit has as they are."""
    calls = (["diff", "--name-only", "HEAD"], ["ls-files", "--others", "--exclude-standard"])
    found = [subprocess.check_output(["git", *call], cwd=ROOT, text=True) for call in calls]
    return "".join(found).split()


def deployed(account: Account) -> list[str]:
    found = account.client("s3").list_objects_v2(Bucket=account.bucket, Prefix="deploy/courier-")["Contents"]
    return [Path(one["Key"]).name.removeprefix("courier-").removesuffix(".tar.gz") for one in found]
