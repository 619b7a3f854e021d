"""moto with rights: each call is decided by the caller's IAM policies as AWS decides it, and noted.

    python -m tests.support.strictmoto PORT DECISIONS

moto decides itself once `POST /moto-api/reset-auth` with 0 has switched that on, but it takes batch calls for
actions of their own, knows CloudWatch by its signing name, and finds no resource for some calls; what is replaced
here is the decision, with the name of the action and of the resource that AWS's Service Authorization Reference gives.
Each decision is a line of JSON in the file DECISIONS: user, action, resource, whether it was allowed.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

#: The actions of calls that IAM knows by another name.
ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "monitoring:GetMetricStatistics": "cloudwatch:GetMetricStatistics",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
}
#: Actions that have no resource: only a statement for all of them matches.
UNBOUND = ("sqs:ListQueues", "cloudwatch:GetMetricStatistics", "s3:ListAllMyBuckets")
#: AWS does not say that an object is missing to a caller without the right to list.
MISSING = "s3:ListBucket"

Statement = Mapping[str, Any]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern), re.DOTALL)


def listed(found: Any) -> list[str]:
    """Return what stands in a policy for one or several, as a list."""
    return found if isinstance(found, list) else [found]


def allows(statements: Iterable[Statement], action: str, resource: str) -> bool:
    """Whether AWS would allow it: these are statements of Effect, Action and Resource, and no more."""
    effects = {
        statement["Effect"]
        for statement in statements
        if any(_compiled(one.lower()).fullmatch(action.lower()) for one in listed(statement["Action"]))
        and any(_compiled(one).fullmatch(resource) for one in listed(statement["Resource"]))
    }
    return effects == {"Allow"}


def replace_decisions(decisions: Path) -> None:
    """Have moto decide as `allows` does, and note it."""
    from moto.autoscaling.responses import AutoScalingResponse
    from moto.core.authorization import ActionAuthenticatorMixin
    from moto.iam.access_control import IAMPolicy, IAMRequestBase
    from moto.sqs.responses import SQSResponse

    def check_action_permitted(self: Any, resource: str) -> None:
        action = ACTIONS.get(self._action, self._action)
        if action == "sts:GetCallerIdentity":
            return
        policies = [IAMPolicy(policy)._policy_json["Statement"] for policy in self._access_key.collect_policies()]
        statements = [one for found in policies for one in (found if isinstance(found, list) else [found])]
        resource = "*" if action in UNBOUND else resource
        allowed = allows(statements, action, resource)
        user = self._access_key.arn.rpartition("/")[2]
        with decisions.open("a") as file:
            file.write(json.dumps([user, action, resource, allowed]) + "\n")
        if not allowed:
            self._raise_access_denied()

    def queue_arn(self: Any) -> str:
        name = self._get_param("QueueName") or str(self._get_param("QueueUrl") or "").rpartition("/")[2]
        return f"arn:aws:sqs:{self.region}:{self.current_account}:{name}"

    def group_arn(self: Any) -> str:
        group = self._get_param("AutoScalingGroupName")
        return (
            f"arn:aws:autoscaling:{self.region}:{self.current_account}:autoScalingGroup:1:autoScalingGroupName/{group}"
        )

    for owner, name, replacement in (
        (IAMRequestBase, "check_action_permitted", check_action_permitted),
        (SQSResponse, "_determine_resource", queue_arn),
        (AutoScalingResponse, "_determine_resource", group_arn),
    ):
        setattr(owner, name, replacement)
    _demand_listing(ActionAuthenticatorMixin)


def _demand_listing(mixin: Any) -> None:
    """Have a read of a missing object demand the right to list, too."""
    from moto import settings

    original = mixin._authenticate_and_authorize_s3_action

    def authorize(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        original(self, bucket_name, key_name)
        is_on = mixin.request_count >= settings.INITIAL_NO_AUTH_ACTION_COUNT
        if not (is_on and key_name and self.data.get("Action") == "GetObject"):
            return
        if self.backend.get_object(bucket_name, key_name) is None:
            self.data["Action"] = MISSING.removeprefix("s3:")
            original(self, bucket_name)
            self.data["Action"] = "GetObject"

    mixin._authenticate_and_authorize_s3_action = authorize


def main(port: str, decisions: str) -> None:
    """Serve until SIGTERM."""
    from moto.server import ThreadedMotoServer

    replace_decisions(Path(decisions))
    server = ThreadedMotoServer("127.0.0.1", int(port), verbose=False)
    server.start()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
