"""The IAM actions that aws_setup.sh itself needs, read from the calls in its code."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Calls of the CLI: `iam create-role`, or, where a helper makes the call, `stop-instances` alone.
_CALL = re.compile(
    r"\b(autoscaling|ec2|iam|s3api|sqs|ssm) ([a-z][a-z0-9]*(?:-[a-z0-9]+)+)|\b((?:start|stop)-instances)\b"
)
#: Calls whose action has another name, or that are no action of their own.
#: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_S3 = {
    "head-bucket": "ListBucket",
    "list-objects-v2": "ListBucket",
    "head-object": "GetObject",
    "delete-objects": "DeleteObject",
    "get-bucket-encryption": "GetEncryptionConfiguration",
    "put-bucket-encryption": "PutEncryptionConfiguration",
    "get-bucket-lifecycle-configuration": "GetLifecycleConfiguration",
    "put-bucket-lifecycle-configuration": "PutLifecycleConfiguration",
    "get-public-access-block": "GetBucketPublicAccessBlock",
    "put-public-access-block": "PutBucketPublicAccessBlock",
}
#: What these calls need besides: the tags they set, the role they pass on, and the role that Auto Scaling makes.
_BESIDES = {
    "iam": ("TagRole", "TagInstanceProfile", "TagPolicy", "PassRole", "CreateServiceLinkedRole"),
    "autoscaling": ("CreateOrUpdateTags",),
}
#: Only advised in a message, for the user to run.
_ADVISED = {"create-default-vpc"}


def setup_actions() -> dict[str, list[str]]:
    """Return the actions by service, in alphabetical order."""
    found: dict[str, set[str]] = defaultdict(set)
    for script in (ROOT / "aws_setup.sh", *sorted((ROOT / "setup").glob("*.sh"))):
        code = re.sub(r"^\s*#.*$", "", script.read_text(), flags=re.MULTILINE)
        for service, call, alone in _CALL.findall(code):
            if call not in _ADVISED:
                found[service.removesuffix("api") or "ec2"].add(_S3.get(call) or _camel(call or alone))
    for service, names in _BESIDES.items():
        found[service] |= set(names)
    return {service: sorted(found[service]) for service in sorted(found)}


def _camel(call: str) -> str:
    return "".join(word.capitalize() for word in call.split("-"))


def setup_table() -> str:
    """Return the table of these actions."""
    rows = (
        f"| `{service}` | {', '.join(f'`{name}`' for name in names)} |" for service, names in setup_actions().items()
    )
    return "\n".join(("| service | actions |", "| --- | --- |", *rows))
