"""Compare a snapshot with what the set-up should be: a row for each difference. Pure functions.

`aws_setup.sh plan` compares all of it, also the launch template of a group of instances.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from courier.aws.inventory import BucketSettings, BucketState, QueueState
from courier.aws.machines import ANYWHERE, SSH, GroupState, RoleState, Rule, ScalingState
from courier.errors import CourierError
from courier.monitoring.expected import Expected
from courier.monitoring.rows import Row, bucket_owner, is_without_machines, is_without_ssh, unreadable
from courier.monitoring.snapshot import Details, Machines, Snapshot

#: The policy that Session Manager needs.
SESSION_MANAGER = "AmazonSSMManagedInstanceCore"


def differences(snapshot: Snapshot, expected: Expected) -> list[Row]:
    """Return a row for each way in which what exists differs from what aws_setup.sh makes."""
    found = [*_queues(snapshot, expected), *_bucket(snapshot, expected)]
    if snapshot.machines and snapshot.details:
        found += [*_roles(snapshot, snapshot.details, expected), *_network(snapshot, expected)]
        found += _instances(snapshot.machines, expected)
    return found


def _drifted(what: str, text: str, fix: str) -> Row:
    return Row(kind="drift", name=what, state="drifted", text=text, fix=fix)


def _queues(snapshot: Snapshot, expected: Expected) -> Iterator[Row]:
    arn = f"arn:{snapshot.identity.partition}:sqs:{snapshot.identity.region}:{snapshot.identity.account}:"
    dead = {one.requests: one.dead_letters for one in snapshot.applications}
    for name, found in snapshot.queues.items():
        if not isinstance(found, QueueState):
            continue
        owner = (found.tags or {}).get("courier")
        if owner not in (None, expected.name):
            fix = f"Use that set-up (--name {owner}), or set COURIER_REQUEST_QUEUE and the other queues' names."
            yield Row(kind="drift", name=name, state="foreign", text=f"belongs to the set-up {owner}", fix=fix)
            continue
        if owner is None and found.tags is not None:
            yield _drifted(name, "has no tag of this set-up", expected.repair)
        wanted = json.loads(expected.dead_attributes if name in dead.values() else expected.attributes)
        for key, value in wanted.items():
            if (there := found.attributes.get(key, "not set")) != value:
                yield _drifted(name, f"{key} is {there}, not {value}", expected.repair)
        if name in dead and not _redrives(found.attributes, arn + dead[name], expected.max_deliveries):
            yield _drifted(name, f"does not move failing requests to {dead[name]}", expected.repair)


def _redrives(attributes: Mapping[str, str], target: str, deliveries: str) -> bool:
    policy = json.loads(attributes.get("RedrivePolicy", "{}"))
    return policy.get("deadLetterTargetArn") == target and str(policy.get("maxReceiveCount")) == deliveries


def _bucket(snapshot: Snapshot, expected: Expected) -> Iterator[Row]:
    bucket, settings = snapshot.bucket, snapshot.details.settings if snapshot.details else None
    if isinstance(settings, CourierError):
        yield unreadable("bucket", snapshot.bucket_name, settings)
    if not isinstance(bucket, BucketState):
        return
    if bucket_owner(snapshot, bucket, expected.name) == expected.name and isinstance(settings, BucketSettings):
        for text in _bucket_settings(snapshot, settings, expected):
            yield _drifted(snapshot.bucket_name, text, expected.repair)
    if expected.ec2 and not is_without_machines(snapshot) and expected.code and bucket.code != expected.code:
        text = "the active code is not this folder's" if bucket.code else "no code is deployed"
        yield _drifted("code", text, expected.command("deploy"))


def _bucket_settings(snapshot: Snapshot, settings: BucketSettings, expected: Expected) -> Iterator[str]:
    if len(settings.blocks) < 4 or not all(settings.blocks.values()):  # noqa: PLR2004  the four of S3
        yield "does not block public access"
    if not settings.encryption.startswith(("AES256", "aws:kms")):
        yield "is not encrypted"
    lifecycle = [f"{prefix} {days} {uploads}" for prefix, days, uploads in settings.lifecycle]
    if lifecycle != expected.lifecycle.split(","):
        yield "does not delete old objects as it should"
    wanted = expected.document("tls", snapshot.identity, snapshot.bucket_name)
    if snapshot.is_real and wanted and _document(settings.policy) != wanted:
        yield "does not demand TLS"


def _document(text: str) -> object:
    return json.loads(text) if text else None


def _roles(snapshot: Snapshot, details: Details, expected: Expected) -> Iterator[Row]:
    identity, machines = snapshot.identity, snapshot.machines
    if identity.is_lab or machines is None:
        return
    if isinstance(details.role, CourierError):
        yield unreadable("role", expected.role, details.role)
    if isinstance(details.client_policy, CourierError):
        yield unreadable("policy", expected.policy, details.client_policy)
    elif details.client_policy is not None and details.client_policy != _wanted(snapshot, expected, "client"):
        yield _drifted(expected.policy, "is not the policy of policy client", expected.repair)
    if isinstance(details.role, RoleState):
        for text in _role(snapshot, details.role, machines, expected):
            yield _drifted(expected.role, text, expected.repair)


def _role(snapshot: Snapshot, role: RoleState, machines: Machines, expected: Expected) -> Iterator[str]:
    if role.trust != _wanted(snapshot, expected, "trust"):
        yield "trusts others than EC2"
    if role.policy != _wanted(snapshot, expected, "worker"):
        yield "has another policy than that of policy worker"
    if isinstance(machines.profile_role, str) and machines.profile_role != expected.role:
        yield "is not in the instance profile"
    if is_without_ssh(machines, expected) and SESSION_MANAGER not in role.attached:
        yield f"lacks the policy {SESSION_MANAGER}"


def _wanted(snapshot: Snapshot, expected: Expected, name: str) -> Any:  # noqa: ANN401  JSON's values
    return expected.document(name, snapshot.identity, snapshot.bucket_name)


def _network(snapshot: Snapshot, expected: Expected) -> Iterator[Row]:
    machines, details = snapshot.machines, snapshot.details
    if machines is None or details is None or not isinstance(machines.group, GroupState):
        return
    group = machines.group
    if group.owner != expected.name:
        fix = f"Remove it (aws ec2 delete-security-group --group-id {group.group_id}), or choose another --name."
        yield Row(kind="drift", name=expected.group, state="foreign", text="was not created by this set-up", fix=fix)
        return
    wanted = _ssh_source(details, machines, expected)
    for rule in group.rules:
        if _is_too_open(rule, wanted):
            text = f"allows connections from {rule.source} ({rule.port_text}, {rule.protocol})"
            yield _drifted(expected.group, text, expected.repair)
    if wanted and not any(_is_ours(rule, wanted) for rule in group.rules):
        yield _drifted(expected.group, f"does not allow SSH from {wanted}", expected.command("allow-me"))


def _ssh_source(details: Details, machines: Machines, expected: Expected) -> str | None:
    """Return the range that may use SSH; empty for nobody, None if it is not known."""
    if is_without_ssh(machines, expected):
        return ""
    if expected.ssh_cidr:
        return expected.ssh_cidr
    return f"{details.address}/32" if isinstance(details.address, str) else None


def _is_ours(rule: Rule, wanted: str) -> bool:
    return rule.ports == (SSH, SSH) and rule.protocol == "tcp" and rule.source == wanted


def _is_too_open(rule: Rule, wanted: str | None) -> bool:
    if rule.source in ANYWHERE:
        return True
    return rule.covers_ssh and wanted is not None and not _is_ours(rule, wanted)


def _instances(machines: Machines, expected: Expected) -> Iterator[Row]:
    for one in () if isinstance(machines.instances, CourierError) else machines.instances or ():
        if not one.needs_tokens:
            yield _drifted(one.instance_id, "gives its credentials without a token (IMDSv1)", expected.repair)
        if one.is_unlimited:
            yield _drifted(one.instance_id, "has unlimited CPU credits, which may cost extra", expected.repair)
    scaling = machines.scaling
    if isinstance(scaling, ScalingState):
        if expected.workers not in ("", there := f"{scaling.least}-{scaling.most}"):
            yield _drifted(expected.template, f"has {there} instances, not {expected.workers}", expected.repair)
        if not scaling.has_metrics:
            yield _drifted(expected.template, "does not measure its instances", expected.repair)
