"""Checks of the IAM policies on the real AWS: with a policy, each call is allowed; without its line, it is rejected."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from scripts.verify.account import Account, keys_of, wait_until
from scripts.verify.runner import CannotRun, CheckFailed, Figure, Finding

#: The longest session policy that STS takes, in characters.
#: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
MAX_POLICY = 2048
ROLE_SECONDS = 120
LEAST_SECONDS = 900
DELETION = "sqs:DeleteQueue"
DENIED = {"AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation", "Forbidden"}

Statement = Mapping[str, Any]
Clients = Callable[[str], Any]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A policy without one action or one resource of a statement, and the calls that it must reject."""

    what: str
    statements: list[Statement]
    #: Pairs of action and resource.
    lost: list[tuple[str, str]]


def listed(found: Any) -> list[str]:  # noqa: ANN401  a string or a list of strings
    """Return what stands in a policy for one or several, as a list."""
    return list(found) if isinstance(found, list) else [found]


def mutants(statements: list[Statement]) -> Iterator[Mutant]:
    """Yield the policy without each action, and without each resource, of each statement."""
    for place, statement in enumerate(statements):
        actions, resources = listed(statement["Action"]), listed(statement["Resource"])
        for part, other in (("Action", resources), ("Resource", actions)):
            for one in listed(statement[part]):
                left = [each for each in listed(statement[part]) if each != one]
                changed = [{**statement, part: left}] if left else []
                lost = [(one, each) if part == "Action" else (each, one) for each in other]
                what = f"{statement.get('Sid', place)} without {one}"
                yield Mutant(what=what, statements=[*statements[:place], *changed, *statements[place + 1 :]], lost=lost)


def session_policy(statements: list[Statement]) -> str:
    """Return the shortest JSON of a policy."""
    bare = [{name: value for name, value in one.items() if name != "Sid"} for one in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": bare}, separators=(",", ":"))


def call(clients: Clients, action: str, resource: str) -> None:
    """Make a call that needs this action on this resource. Raises: ClientError, also for what is not there."""
    service, _, name = action.partition(":")
    if service == "sqs":
        _call_sqs(clients("sqs"), name, resource)
    elif service == "s3":
        bucket, _, key = resource.rpartition(":")[2].partition("/")
        _call_s3(clients("s3"), name, bucket, key)
    elif action == "cloudwatch:GetMetricStatistics":
        clients("cloudwatch").get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="X",
            StartTime=time.time() - 600,
            EndTime=time.time(),
            Period=60,
            Statistics=["Sum"],
        )
    elif action == "autoscaling:SetInstanceProtection":
        clients("autoscaling").set_instance_protection(
            AutoScalingGroupName=resource.rpartition("/")[2],
            InstanceIds=["i-0123456789abcdef0"],
            ProtectedFromScaleIn=False,
        )
    else:
        raise CheckFailed(f"there is no call here that needs {action}")


def _call_sqs(sqs: Any, name: str, arn: str) -> None:  # noqa: ANN401  boto3's client
    *_, account, queue = arn.split(":")
    url = {"QueueUrl": f"{sqs.meta.endpoint_url}/{account}/{queue}"}
    calls: dict[str, Callable[[], Any]] = {
        "GetQueueUrl": lambda: sqs.get_queue_url(QueueName=queue),
        "SendMessage": lambda: sqs.send_message(**url, MessageBody="1"),
        "ReceiveMessage": lambda: sqs.receive_message(**url, VisibilityTimeout=0, WaitTimeSeconds=0),
        "DeleteMessage": lambda: sqs.delete_message(**url, ReceiptHandle="none"),
        "ChangeMessageVisibility": lambda: sqs.change_message_visibility(
            **url, ReceiptHandle="none", VisibilityTimeout=0
        ),
        "GetQueueAttributes": lambda: sqs.get_queue_attributes(**url, AttributeNames=["QueueArn"]),
        "PurgeQueue": lambda: sqs.purge_queue(**url),
        "CreateQueue": lambda: sqs.create_queue(QueueName=queue),
        "DeleteQueue": lambda: sqs.delete_queue(**url),
    }
    calls[name]()


def _call_s3(s3: Any, name: str, bucket: str, key: str) -> None:  # noqa: ANN401  boto3's client
    place = {"Bucket": bucket, "Key": key}
    calls: dict[str, Callable[[], Any]] = {
        "ListBucket": lambda: s3.list_objects_v2(Bucket=bucket, MaxKeys=1),
        "PutObject": lambda: s3.put_object(**place, Body=b"check"),
        "GetObject": lambda: s3.get_object(**place),
        "DeleteObject": lambda: s3.delete_object(**place),
        "AbortMultipartUpload": lambda: s3.abort_multipart_upload(**place, UploadId="none"),
    }
    calls[name]()


def is_denied(attempt: Callable[[], None]) -> bool:
    """Whether AWS rejects a call for want of a permission; any other error is none of it."""
    try:
        attempt()
    except ClientError as error:
        return error.response["Error"]["Code"] in DENIED
    return False


def policy_check(account: Account, who: str) -> Finding:
    """Take each line out of a policy. Raises: CannotRun, CheckFailed."""
    statements: list[Statement] = _policy(account, who)
    stand_in = f"check-{who}"
    if len(session_policy(statements)) > MAX_POLICY:
        raise CannotRun(f"the policy is longer than the {MAX_POLICY} characters of a session policy")
    _make_role(account)
    _make_resources(account, statements, stand_in)
    whole = _clients(account, statements)
    pairs = sorted(
        {(action, one) for each in statements for action in listed(each["Action"]) for one in listed(each["Resource"])}
    )
    _must_allow(whole, stand_in, [pair for pair in pairs if pair[0] != DELETION])
    unnoticed, count = [], 0
    for mutant in mutants(statements):
        denied = _denied(_clients(account, mutant.statements), stand_in, mutant.lost)
        count += len(denied)
        unnoticed += [f"{mutant.what}: {action} on {one}" for action, one in mutant.lost if (action, one) not in denied]
    # What it deletes was needed until now.
    _must_allow(whole, stand_in, [pair for pair in pairs if pair[0] == DELETION])
    figures: dict[str, Figure] = {"allowed": len(pairs), "rejected": count}
    if unnoticed:
        raise CheckFailed(f"still allowed: {'; '.join(unnoticed[:3])}", figures)
    return Finding(detail=f"{len(pairs)} calls are allowed; with a line less, {count} are rejected", figures=figures)


def _policy(account: Account, who: str) -> list[Statement]:
    """Return the statements of a policy; a warning of the AWS CLI may stand before it."""
    text = account.setup("policy", who).text
    return list(json.loads(text[text.index("{") :])["Statement"])


def concrete(resource: str, stand_in: str) -> str:
    """Return a resource that a pattern of a policy stands for."""
    return resource if resource == "*" else resource.replace("*", stand_in)


def _denied(clients: Clients, stand_in: str, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in pairs if is_denied(partial(call, clients, pair[0], concrete(pair[1], stand_in)))]


def _must_allow(clients: Clients, stand_in: str, pairs: list[tuple[str, str]]) -> None:
    for action, resource in _denied(clients, stand_in, pairs):
        raise CheckFailed(f"the whole policy rejects {action} on {resource}")


def _make_role(account: Account) -> None:
    """Make the role to assume; what it may do is what the session's policy says. Raises: CannotRun."""
    iam = account.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}],
    }
    services = [f"{service}:*" for service in ("sqs", "s3", "cloudwatch", "autoscaling")]
    all_of_it = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": services, "Resource": "*"}]}
    if account.caller.endswith(":root"):
        raise CannotRun("the account's root user cannot assume a role")
    try:
        iam.create_role(
            RoleName=account.role,
            AssumeRolePolicyDocument=json.dumps(trust),
            Tags=[{"Key": "courier", "Value": account.name}],
        )
    except iam.exceptions.EntityAlreadyExistsException:
        account.has_role = True
        return
    except ClientError as error:
        raise CannotRun(f"these credentials may not make a role: {error.response['Error']['Code']}") from error
    account.has_role = True
    iam.put_role_policy(RoleName=account.role, PolicyName="verify", PolicyDocument=json.dumps(all_of_it))
    # A new role, and what it may do, are known everywhere some seconds later.
    wait_until(partial(_may_be_used, account), ROLE_SECONDS, "the role")


def _may_be_used(account: Account) -> bool:
    everything: list[Statement] = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    queue = account.queues["COURIER_REQUEST_QUEUE"]
    return not is_denied(lambda: _clients(account, everything)("sqs").get_queue_url(QueueName=queue))


def _clients(account: Account, statements: list[Statement]) -> Clients:
    """Return what makes clients with the rights of these statements only."""
    taken = account.client("sts").assume_role(
        RoleArn=f"arn:{account.partition}:iam::{account.id}:role/{account.role}",
        RoleSessionName="verify",
        DurationSeconds=LEAST_SECONDS,
        Policy=session_policy(statements),
    )
    made: dict[str, Any] = {}

    def client(service: str) -> Any:  # noqa: ANN401  boto3's
        if service not in made:
            made[service] = account.client(service, **keys_of(taken["Credentials"]))
        return made[service]

    return client


def _make_resources(account: Account, statements: list[Statement], stand_in: str) -> None:
    """Make the queues and objects that are used: of what is missing, AWS does not say whether it would be allowed."""
    for resource in {concrete(each, stand_in) for one in statements for each in listed(one["Resource"])} - {"*"}:
        _, _, service, *_, name = resource.split(":")
        bucket, _, key = name.partition("/")
        if service == "s3" and key:
            account.client("s3").put_object(Bucket=bucket, Key=key, Body=b"check")
        elif service == "sqs" and name.endswith(stand_in):
            account.client("sqs").create_queue(QueueName=name)
            account.extra_queues.append(name)
