"""Read what exists of a set-up: queues, bucket and alarms. `machines` reads what the workers run on.

Each function returns what it found, or None if that does not exist. Raises: AwsError; Rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec

from botocore.exceptions import ClientError

from courier.aws.errors import call_aws
from courier.aws.responses import needed
from courier.aws.session import Aws
from courier.errors import AwsError, BucketMissing, ObjectMissing, QueueMissing, Rejected

P = ParamSpec("P")

#: What the codes of errors contain that say that something does not exist.
_MISSING = ("NoSuch", "NotFound", "NonExistent")
_COUNTS = "ApproximateNumberOfMessages"
#: How the ARN of a Learner Lab's identity goes on after `assumed-role/`.
_LAB_ROLES = ("voclabs", "LabRole")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whose credentials these are."""

    account: str
    arn: str
    region: str

    @property
    def is_lab(self) -> bool:
        """Whether the account is an AWS Academy Learner Lab."""
        return any(f":assumed-role/{role}/" in self.arn for role in _LAB_ROLES)

    @property
    def partition(self) -> str:
        """The partition of AWS, `aws` in most regions."""
        return self.arn.split(":")[1]


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """A queue: its attributes, and its tags if they were read."""

    url: str
    attributes: Mapping[str, str]
    tags: Mapping[str, str] | None = None

    @property
    def waiting(self) -> int:
        """The approximate number of visible messages."""
        return self._count("")

    @property
    def in_flight(self) -> int:
        """The approximate number of messages that were received and not yet deleted."""
        return self._count("NotVisible")

    @property
    def delayed(self) -> int:
        """The approximate number of messages whose delay is not over."""
        return self._count("Delayed")

    def _count(self, state: str) -> int:
        return int(self.attributes.get(f"{_COUNTS}{state}", 0))


@dataclass(frozen=True, kw_only=True)
class BucketState:
    """A bucket of this account; `owner` is the value of the tag `courier`."""

    name: str
    owner: str | None
    has_tags: bool
    #: The set-up whose code is in the bucket, and the SHA-256 of that code's files; None if they were not read.
    code_owner: str | None = None
    code: str | None = None


@dataclass(frozen=True, kw_only=True)
class BucketSettings:
    """The settings of a bucket; each is empty if it is not set."""

    blocks: Mapping[str, bool]
    encryption: str
    #: Each enabled rule: prefix, days until objects expire, days until unfinished uploads do.
    lifecycle: Sequence[tuple[str, int, int]]
    policy: str


@dataclass(frozen=True, kw_only=True)
class TopicState:
    """The topic through which alarms send mail: how many addresses get it, and how many have not confirmed yet."""

    confirmed: int
    pending: int


@dataclass(frozen=True, kw_only=True)
class AlarmState:
    """An alarm of CloudWatch; its state is ok, alarm or insufficient-data."""

    name: str
    state: str
    reason: str


def look_up(doing: str, call: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401
    """Make a call that reads, and return its response; None if what it reads does not exist."""
    try:
        return call_aws(doing, call, *args, **kwargs)
    except (AwsError, Rejected) as error:
        if not _is_missing(error):
            raise
        return None


def _is_missing(error: AwsError | Rejected) -> bool:
    if isinstance(error, QueueMissing | BucketMissing | ObjectMissing):
        return True
    cause = error.__cause__
    code = cause.response.get("Error", {}).get("Code", "") if isinstance(cause, ClientError) else ""
    return any(part in code for part in _MISSING)


def identity(aws: Aws) -> Identity:
    """Return whose credentials these are."""
    doing = "get the account from STS"
    found = aws.call(doing, aws.client("sts").get_caller_identity)
    return Identity(
        account=str(needed(doing, found, "Account")), arn=str(needed(doing, found, "Arn")), region=aws.region
    )


def queue(aws: Aws, name: str, *, with_tags: bool = False, url: str = "") -> QueueState | None:
    """Return the state of a queue, whose URL may be known.

    A queue that was just deleted may be found without attributes.
    """
    sqs: Any = aws.sqs()
    if not url:
        found = look_up(f"find the queue {name}", sqs.get_queue_url, QueueName=name)
        if found is None:
            return None
        url = str(needed(f"find the queue {name}", found, "QueueUrl"))
    attributes = look_up(
        f"read the attributes of {name}", sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["All"]
    )
    if attributes is None:
        return None
    tags = None
    if with_tags:
        tags = (look_up(f"read the tags of {name}", sqs.list_queue_tags, QueueUrl=url) or {}).get("Tags", {})
    return QueueState(url=url, attributes=attributes.get("Attributes", {}), tags=tags)


def queue_names(aws: Aws, prefix: str) -> list[str]:
    """Return the names of the first thousand queues that begin with `prefix`."""
    sqs: Any = aws.sqs()
    found = look_up(f"list the queues {prefix}*", sqs.list_queues, QueueNamePrefix=prefix, MaxResults=1000) or {}
    return [url.rpartition("/")[2] for url in found.get("QueueUrls", [])]


def bucket(aws: Aws, name: str, *, account: str, with_code: bool = False) -> BucketState | None:
    """Return the state of a bucket of this account."""
    s3, its = aws.client("s3"), {"Bucket": name, "ExpectedBucketOwner": account}
    if look_up(f"find the bucket {name}", s3.head_bucket, **its) is None:
        return None
    found = look_up(f"read the tags of the bucket {name}", s3.get_bucket_tagging, **its)
    tags = {tag["Key"]: tag["Value"] for tag in (found or {}).get("TagSet", [])}
    code_owner = code = None
    if with_code:
        current = look_up(f"read the active code of {name}", s3.head_object, Key="deploy/current", **its)
        if current:
            metadata = current.get("Metadata", {})
            code_owner, code = metadata.get("courier"), metadata.get("courier-content")
    return BucketState(name=name, owner=tags.get("courier"), has_tags=bool(tags), code_owner=code_owner, code=code)


def bucket_settings(aws: Aws, name: str, *, account: str) -> BucketSettings:
    """Return the settings of a bucket that exists."""
    s3, its = aws.client("s3"), {"Bucket": name, "ExpectedBucketOwner": account}
    blocks = look_up(f"read the public access block of {name}", s3.get_public_access_block, **its) or {}
    encryption = look_up(f"read the encryption of {name}", s3.get_bucket_encryption, **its) or {}
    lifecycle = look_up(f"read the lifecycle of {name}", s3.get_bucket_lifecycle_configuration, **its) or {}
    policy = look_up(f"read the policy of {name}", s3.get_bucket_policy, **its) or {}
    rules = encryption.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    kinds = [rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "") for rule in rules]
    return BucketSettings(
        blocks=blocks.get("PublicAccessBlockConfiguration", {}),
        encryption=next(iter(kinds), ""),
        lifecycle=sorted(_expiry(rule) for rule in lifecycle.get("Rules", []) if rule.get("Status") == "Enabled"),
        policy=policy.get("Policy", ""),
    )


def _expiry(rule: Mapping[str, Any]) -> tuple[str, int, int]:
    uploads = rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation", 0)
    return rule.get("Filter", {}).get("Prefix", ""), rule.get("Expiration", {}).get("Days", 0), uploads


def alarms(aws: Aws, names: Sequence[str]) -> list[AlarmState]:
    """Return the alarms of these names that exist."""
    call = aws.client("cloudwatch").describe_alarms
    found = call_aws("read the alarms", call, AlarmNames=list(names))
    return [
        AlarmState(
            name=one["AlarmName"],
            state=one.get("StateValue", "").lower().replace("_", "-"),
            reason=one.get("StateReason", ""),
        )
        for one in found.get("MetricAlarms", [])
    ]


def topic(aws: Aws, arn: str) -> TopicState | None:
    """Return the state of a topic of SNS."""
    call = aws.client("sns").list_subscriptions_by_topic
    found = look_up("read the subscriptions of the alarms' topic", call, TopicArn=arn)
    if found is None:
        return None
    is_confirmed = [one.get("SubscriptionArn", "").startswith("arn:") for one in found.get("Subscriptions", [])]
    return TopicState(confirmed=sum(is_confirmed), pending=len(is_confirmed) - sum(is_confirmed))
