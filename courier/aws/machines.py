"""Read what the workers of a set-up run on: instances, their group, network, key, role and policies.

Each function returns what it found, or None if that does not exist. Raises: AwsError; Rejected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from courier.aws.errors import call_aws
from courier.aws.inventory import look_up
from courier.aws.session import Aws

#: The states of an instance that still exists.
ALIVE = ("pending", "running", "stopping", "stopped")
#: Types whose CPU credits may be unlimited, at extra cost.
BURSTABLE = ("t3.", "t3a.", "t4g.")
ANYWHERE = ("0.0.0.0/0", "::/0")
SSH = 22


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule of a security group for incoming connections; its port range is None for all ports."""

    protocol: str
    ports: tuple[int, int] | None
    source: str

    @property
    def covers_ssh(self) -> bool:
        """Whether the rule allows SSH."""
        return self.ports is None or self.ports[0] <= SSH <= self.ports[1]

    @property
    def port_text(self) -> str:
        """The ports for people, such as `port 22`."""
        if self.ports is None:
            return "all ports"
        first, last = self.ports
        return f"port {first}" if first == last else f"ports {first}-{last}"


@dataclass(frozen=True, kw_only=True)
class GroupState:
    """A security group; `ssh` is the value of its tag `courier-ssh`."""

    group_id: str
    owner: str | None
    ssh: str | None
    rules: Sequence[Rule]


@dataclass(frozen=True, kw_only=True)
class ScalingState:
    """An Auto Scaling group."""

    wanted: int
    least: int
    most: int
    has_metrics: bool


@dataclass(frozen=True, kw_only=True)
class InstanceState:
    """An instance that is not terminated."""

    instance_id: str
    state: str
    kind: str
    address: str
    needs_tokens: bool
    #: Whether it may spend CPU credits that cost extra; False if that was not read.
    is_unlimited: bool = False


@dataclass(frozen=True, kw_only=True)
class RoleState:
    """The role of the instances."""

    trust: object
    policy: object
    attached: Sequence[str]


def security_group(aws: Aws, name: str) -> GroupState | None:
    """Return the security group of this name."""
    ec2 = aws.client("ec2")
    named = [{"Name": "group-name", "Values": [name]}]
    found = look_up(f"find the security group {name}", ec2.describe_security_groups, Filters=named) or {}
    for group in found.get("SecurityGroups", []):
        tags = _tags(group)
        within = [{"Name": "group-id", "Values": [group["GroupId"]]}]
        rules = call_aws(f"read the rules of {name}", ec2.describe_security_group_rules, Filters=within)
        return GroupState(
            group_id=group["GroupId"],
            owner=tags.get("courier"),
            ssh=tags.get("courier-ssh"),
            rules=[_rule(one) for one in rules.get("SecurityGroupRules", []) if not one.get("IsEgress")],
        )
    return None


def _rule(one: Mapping[str, Any]) -> Rule:
    reference = one.get("ReferencedGroupInfo", {}).get("GroupId", "")
    source = one.get("CidrIpv4") or one.get("CidrIpv6") or one.get("PrefixListId") or reference
    is_all = one.get("IpProtocol") == "-1" or "FromPort" not in one
    return Rule(
        protocol=str(one.get("IpProtocol", "")),
        ports=None if is_all else (int(one["FromPort"]), int(one["ToPort"])),
        source=str(source),
    )


def key_pair(aws: Aws, name: str) -> str | None:
    """Return the name of the key pair."""
    found = look_up(f"find the key {name}", aws.client("ec2").describe_key_pairs, KeyNames=[name])
    return next((one["KeyName"] for one in (found or {}).get("KeyPairs", [])), None)


def instances(aws: Aws, set_up: str, *, with_credits: bool = False) -> list[InstanceState]:
    """Return the instances of a set-up that are not terminated."""
    wanted = [
        {"Name": "tag:courier", "Values": [set_up]},
        {"Name": "instance-state-name", "Values": list(ALIVE)},
    ]
    found = call_aws("list the instances", aws.client("ec2").describe_instances, Filters=wanted)
    listed = [one for reservation in found.get("Reservations", []) for one in reservation["Instances"]]
    unlimited = _unlimited(aws, listed) if with_credits else set()
    return [
        InstanceState(
            instance_id=one["InstanceId"],
            state=one["State"]["Name"],
            kind=one["InstanceType"],
            address=one.get("PublicIpAddress", ""),
            needs_tokens=one.get("MetadataOptions", {}).get("HttpTokens") == "required",
            is_unlimited=one["InstanceId"] in unlimited,
        )
        for one in listed
    ]


def _unlimited(aws: Aws, listed: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the IDs of those that may spend CPU credits without a limit."""
    ids = [one["InstanceId"] for one in listed if one["InstanceType"].startswith(BURSTABLE)]
    if not ids:
        return set()
    call = aws.client("ec2").describe_instance_credit_specifications
    found = call_aws("read the CPU credits of the instances", call, InstanceIds=ids)
    specified = found.get("InstanceCreditSpecifications", [])
    return {one["InstanceId"] for one in specified if one.get("CpuCredits") == "unlimited"}


def scaling_group(aws: Aws, name: str) -> ScalingState | None:
    """Return the Auto Scaling group of this name, unless it is being deleted."""
    call = aws.client("autoscaling").describe_auto_scaling_groups
    found = call_aws(f"find the Auto Scaling group {name}", call, AutoScalingGroupNames=[name])
    for group in found.get("AutoScalingGroups", []):
        if not group.get("Status"):
            return ScalingState(
                wanted=group["DesiredCapacity"],
                least=group["MinSize"],
                most=group["MaxSize"],
                has_metrics=bool(group.get("EnabledMetrics")),
            )
    return None


def profile_role(aws: Aws, name: str) -> str | None:
    """Return the role of an instance profile; empty if it has none."""
    found = look_up(
        f"find the instance profile {name}", aws.client("iam").get_instance_profile, InstanceProfileName=name
    )
    if found is None:
        return None
    return next((one["RoleName"] for one in found["InstanceProfile"].get("Roles", [])), "")


def role(aws: Aws, name: str, *, policy: str) -> RoleState | None:
    """Return the role of this name with its inline policy `policy`."""
    iam = aws.client("iam")
    found = look_up(f"find the role {name}", iam.get_role, RoleName=name)
    if found is None:
        return None
    inline = look_up(f"read the policy of {name}", iam.get_role_policy, RoleName=name, PolicyName=policy) or {}
    attached = look_up(f"list the policies of {name}", iam.list_attached_role_policies, RoleName=name) or {}
    return RoleState(
        trust=_document(found["Role"].get("AssumeRolePolicyDocument")),
        policy=_document(inline.get("PolicyDocument")),
        attached=[one["PolicyName"] for one in attached.get("AttachedPolicies", [])],
    )


def policy_version(aws: Aws, arn: str) -> str | None:
    """Return the default version of a managed policy."""
    found = look_up(f"find the policy {arn}", aws.client("iam").get_policy, PolicyArn=arn)
    return None if found is None else str(found["Policy"]["DefaultVersionId"])


def policy_document(aws: Aws, arn: str, version: str) -> object:
    """Return the document of a managed policy's version."""
    call = aws.client("iam").get_policy_version
    found = call_aws(f"read the policy {arn}", call, PolicyArn=arn, VersionId=version)
    return _document(found["PolicyVersion"]["Document"])


def _document(found: object) -> object:
    """Return a policy's document as values; boto3 has decoded it already where AWS sends it encoded."""
    return json.loads(found) if isinstance(found, str) else found


def _tags(resource: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
