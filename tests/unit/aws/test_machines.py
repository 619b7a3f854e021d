"""What the workers run on is read as it is; what does not exist is None, and what may not be read is an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from courier.aws import machines
from courier.aws.machines import GroupState, InstanceState, RoleState, Rule, ScalingState
from courier.errors import AccessDenied
from tests.support.stubbed import StubbedAws

NAMED = {"Filters": [{"Name": "group-name", "Values": ["g"]}]}
WITHIN = {"Filters": [{"Name": "group-id", "Values": ["sg-1"]}]}
DOCUMENT = {"Version": "2012-10-17", "Statement": []}
ARN = "arn:aws:iam::123456789012:policy/x-client"


@pytest.fixture
def aws() -> Iterator[StubbedAws]:
    made = StubbedAws()
    yield made
    made.check_all_made()


# The security group


@pytest.mark.parametrize(
    ("ports", "covers_ssh", "text"),
    [
        (None, True, "all ports"),
        ((22, 22), True, "port 22"),
        ((1, 22), True, "ports 1-22"),
        ((22, 99), True, "ports 22-99"),
        ((23, 99), False, "ports 23-99"),
        ((1, 21), False, "ports 1-21"),
    ],
)
def test_a_rule_covers_ssh_if_port_22_is_within(ports: tuple[int, int] | None, text: str, *, covers_ssh: bool) -> None:
    rule = Rule(protocol="tcp", ports=ports, source="::/0")

    assert (rule.covers_ssh, rule.port_text) == (covers_ssh, text)


def test_a_group_has_its_rules_for_incoming_connections_from_every_kind_of_source(aws: StubbedAws) -> None:
    tags = [{"Key": "courier", "Value": "lab3"}, {"Key": "courier-ssh", "Value": "none"}]
    tcp: dict[str, Any] = {"IsEgress": False, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 23}
    rules = [
        {**tcp, "CidrIpv4": "203.0.113.7/32"},
        {**tcp, "CidrIpv6": "::/0"},
        {**tcp, "PrefixListId": "pl-1"},
        {**tcp, "ReferencedGroupInfo": {"GroupId": "sg-2"}},
        {**tcp, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0"},
        {"IsEgress": True, "IpProtocol": "-1", "CidrIpv4": "198.51.100.1/32"},
    ]
    aws.returns("ec2", "describe_security_groups", {"SecurityGroups": [{"GroupId": "sg-1", "Tags": tags}]}, NAMED)
    aws.returns("ec2", "describe_security_group_rules", {"SecurityGroupRules": rules}, WITHIN)

    found = machines.security_group(aws, "g")

    sources = ("203.0.113.7/32", "::/0", "pl-1", "sg-2")
    assert found == GroupState(
        group_id="sg-1",
        owner="lab3",
        ssh="none",
        rules=[
            *(Rule(protocol="tcp", ports=(22, 23), source=source) for source in sources),
            Rule(protocol="-1", ports=None, source="0.0.0.0/0"),
        ],
    )


def test_a_group_without_tags_is_nobodys_and_none_is_none(aws: StubbedAws) -> None:
    aws.returns("ec2", "describe_security_groups", {"SecurityGroups": [{"GroupId": "sg-1"}]}, NAMED)
    aws.returns("ec2", "describe_security_group_rules", {}, WITHIN)
    aws.returns("ec2", "describe_security_groups", {}, NAMED)
    aws.fails("ec2", "describe_security_groups", "InvalidGroup.NotFound")

    assert machines.security_group(aws, "g") == GroupState(group_id="sg-1", owner=None, ssh=None, rules=[])
    assert machines.security_group(aws, "g") is None
    assert machines.security_group(aws, "g") is None


def test_a_key_that_is_not_there_is_none_and_one_that_may_not_be_seen_an_error(aws: StubbedAws) -> None:
    aws.returns("ec2", "describe_key_pairs", {"KeyPairs": [{"KeyName": "k"}]}, {"KeyNames": ["k"]})
    aws.fails("ec2", "describe_key_pairs", "InvalidKeyPair.NotFound")
    aws.fails("ec2", "describe_key_pairs", "UnauthorizedOperation")

    assert [machines.key_pair(aws, "k"), machines.key_pair(aws, "k")] == ["k", None]
    with pytest.raises(AccessDenied):
        machines.key_pair(aws, "k")


# Instances


def an_instance(number: int, kind: str, **known: Any) -> dict[str, Any]:
    return {"InstanceId": f"i-{number}", "State": {"Name": "running"}, "InstanceType": kind, **known}


FILTERS = [
    {"Name": "tag:courier", "Values": ["lab3"]},
    {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
]


def test_instances_of_all_reservations_are_listed(aws: StubbedAws) -> None:
    first = an_instance(1, "m6i.large", PublicIpAddress="198.51.100.1", MetadataOptions={"HttpTokens": "required"})
    second = an_instance(2, "t3.micro", MetadataOptions={"HttpTokens": "optional"})
    found = {"Reservations": [{"Instances": [first]}, {"Instances": [second]}]}
    aws.returns("ec2", "describe_instances", found, {"Filters": FILTERS})

    assert machines.instances(aws, "lab3") == [
        InstanceState(instance_id="i-1", state="running", kind="m6i.large", address="198.51.100.1", needs_tokens=True),
        InstanceState(instance_id="i-2", state="running", kind="t3.micro", address="", needs_tokens=False),
    ]


def test_credits_are_read_where_a_type_has_them(aws: StubbedAws) -> None:
    kinds = ("m6i.large", "t3.micro", "t4g.nano", "t2.micro")
    listed = [an_instance(number, kind) for number, kind in enumerate(kinds)]
    specified = [{"InstanceId": "i-1", "CpuCredits": "unlimited"}, {"InstanceId": "i-2", "CpuCredits": "standard"}]
    aws.returns("ec2", "describe_instances", {"Reservations": [{"Instances": listed}]}, {"Filters": FILTERS})
    aws.returns(
        "ec2",
        "describe_instance_credit_specifications",
        {"InstanceCreditSpecifications": specified},
        {"InstanceIds": ["i-1", "i-2"]},
    )

    found = machines.instances(aws, "lab3", with_credits=True)

    assert [one.instance_id for one in found if one.is_unlimited] == ["i-1"]
    aws.returns("ec2", "describe_instances", {"Reservations": [{"Instances": listed[:1]}]}, {"Filters": FILTERS})
    assert len(machines.instances(aws, "lab3", with_credits=True)) == 1


def test_a_group_of_instances_that_is_being_deleted_is_none(aws: StubbedAws) -> None:
    sizes = {"DesiredCapacity": 2, "MinSize": 1, "MaxSize": 4}
    fixed = {"AutoScalingGroupName": "x", **sizes, "DefaultCooldown": 1, "AvailabilityZones": ["a"]}
    required = {**fixed, "HealthCheckType": "EC2", "CreatedTime": "2026-11-30T00:00:00Z"}
    groups: list[dict[str, Any]] = [{**required, "Status": "Delete in progress"}]
    named = {"AutoScalingGroupNames": ["x"]}
    measured = {**required, "EnabledMetrics": [{"Metric": "GroupInServiceInstances"}]}
    for found in (groups, [*groups, required], [measured], []):
        aws.returns("autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroups": found}, named)

    states = [machines.scaling_group(aws, "x") for _ in range(4)]

    assert states == [
        None,
        ScalingState(wanted=2, least=1, most=4, has_metrics=False),
        ScalingState(wanted=2, least=1, most=4, has_metrics=True),
        None,
    ]


# Roles and policies


def a_role(**known: Any) -> dict[str, Any]:
    fixed = {"Path": "/", "RoleId": "AROA" + "X" * 16, "Arn": "arn:aws:iam::123456789012:role/w"}
    return {"RoleName": "w", **fixed, "CreateDate": "2026-11-30T00:00:00Z", **known}


def a_profile(*roles: dict[str, Any]) -> dict[str, Any]:
    fixed = {"Path": "/", "InstanceProfileId": "AIPA" + "X" * 16, "Arn": "arn:aws:iam::123456789012:x/p"}
    named = {"InstanceProfileName": "p", **fixed, "CreateDate": "2026-11-30T00:00:00Z", "Roles": [*roles]}
    return {"InstanceProfile": named}


def test_a_profile_without_a_role_is_empty_and_no_profile_is_none(aws: StubbedAws) -> None:
    for found in (a_profile(a_role()), a_profile()):
        aws.returns("iam", "get_instance_profile", found, {"InstanceProfileName": "p"})
    aws.fails("iam", "get_instance_profile", "NoSuchEntity")

    assert [machines.profile_role(aws, "p") for _ in range(3)] == ["w", "", None]


def test_documents_of_a_role_are_values(aws: StubbedAws) -> None:
    named = {"RoleName": "w"}
    aws.returns("iam", "get_role", {"Role": a_role(AssumeRolePolicyDocument=json.dumps(DOCUMENT))}, named)
    inline = {"RoleName": "w", "PolicyName": "p", "PolicyDocument": json.dumps(DOCUMENT)}
    aws.returns("iam", "get_role_policy", inline, {**named, "PolicyName": "p"})
    attached = {"AttachedPolicies": [{"PolicyName": "AmazonSSMManagedInstanceCore"}]}
    aws.returns("iam", "list_attached_role_policies", attached, named)

    assert machines.role(aws, "w", policy="p") == RoleState(
        trust=DOCUMENT, policy=DOCUMENT, attached=["AmazonSSMManagedInstanceCore"]
    )


def test_a_role_without_policies_has_none_and_no_role_is_none(aws: StubbedAws) -> None:
    aws.returns("iam", "get_role", {"Role": a_role()}, {"RoleName": "w"})
    aws.fails("iam", "get_role_policy", "NoSuchEntity")
    aws.returns("iam", "list_attached_role_policies", {}, {"RoleName": "w"})
    aws.fails("iam", "get_role", "NoSuchEntity")

    assert machines.role(aws, "w", policy="p") == RoleState(trust=None, policy=None, attached=[])
    assert machines.role(aws, "w", policy="p") is None


def test_a_managed_policy_is_read_in_its_default_version(aws: StubbedAws) -> None:
    aws.returns("iam", "get_policy", {"Policy": {"DefaultVersionId": "v3"}}, {"PolicyArn": ARN})
    aws.fails("iam", "get_policy", "NoSuchEntity")
    version = {"PolicyVersion": {"Document": json.dumps(DOCUMENT)}}
    aws.returns("iam", "get_policy_version", version, {"PolicyArn": ARN, "VersionId": "v3"})

    assert [machines.policy_version(aws, ARN), machines.policy_version(aws, ARN)] == ["v3", None]
    assert machines.policy_document(aws, ARN, "v3") == DOCUMENT
