"""One SQS queue: send, receive, delete, release, extend and purge, in batches of ten.

Every call overrides the queues' defaults (create-queue.json), which are slow on purpose.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from courier.aws import backoff
from courier.aws.batches import by_size
from courier.aws.errors import IS_CHECKOUT, call_aws, error_kind
from courier.aws.message import Message
from courier.aws.responses import needed, needed_number
from courier.aws.retry import Failure
from courier.aws.session import Aws
from courier.errors import (
    AwsError,
    PurgeInProgress,
    QueueMissing,
    ReceiptHandleInvalid,
    Throttled,
    Undelivered,
)
from courier.redaction import scrub
from courier.text import printable

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_BATCH = 10
MAX_BODY_BYTES = 1_048_576
#: The attempts for failed entries of a batch, including the first.
BATCH_ATTEMPTS = 3
#: The time range of a metric: CloudWatch measures a queue every minute and publishes some minutes later.
METRIC_SPAN = timedelta(minutes=10)
#: SQS purges a queue at most once in this many seconds, and may take this long to do it.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
PURGE_SECONDS = 60
#: For so long after its creation, parts of SQS may not know a queue yet.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
NEW_SECONDS = 5.0
_MISSING = (
    "Check the region. Create it with: ./aws_setup.sh queues (a local AWS: ./run_local.sh up)"
    if IS_CHECKOUT
    else "Check the region. Create it with: courier.create_queues(application)"
)


@dataclass(frozen=True, kw_only=True)
class ReceivedMessage:
    """A message in flight, until its visibility timeout ends or it is deleted."""

    message: Message
    message_id: str
    receipt_handle: str
    #: The number of times it was received, including this one.
    receive_count: int
    #: When it was sent: seconds since the epoch by AWS's clock; None: unknown.
    sent_at: float | None = None
    #: When it was received: monotonic seconds.
    received_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, kw_only=True)
class Depth:
    """The approximate number of messages in a queue, by state."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """The sum of all states."""
        return self.visible + self.in_flight + self.delayed


class Mailbox:
    """A queue, by name. The first call looks up its URL, so the queue may be created later."""

    def __init__(self, aws: Aws, name: str, *, new_url: str | None = None) -> None:
        self.name = name
        self._aws = aws
        #: The URL that CreateQueue gave, of a queue that was just created.
        self._known_url = new_url
        #: Whether it was created by this program.
        self.is_new = new_url is not None
        self._new_until = time.monotonic() + NEW_SECONDS if self.is_new else 0.0

    def send(self, messages: Sequence[Message], *, group: str = "") -> list[Failure]:
        """Send all without delay, in calls of at most ten messages and 1 MiB; return the failures.

        SQS delivers the messages of other groups first while one `group` has many in flight (fair queues).
        Raises: AwsError.
        """
        failures: list[Failure] = []
        for batch in by_size(messages, limit=MAX_BATCH, limit_bytes=MAX_BODY_BYTES):
            if isinstance(batch, Failure):
                failures.append(batch)
                continue
            entries = {index: _send_entry(message, group) for index, message in batch.items()}
            failures += self._in_batch("send to", self._aws.sqs().send_message_batch, entries)
        return failures

    def receive(self, *, limit: int = MAX_BATCH, wait_seconds: int, visibility_seconds: int) -> list[ReceivedMessage]:
        """Return up to `limit` (1 to 10) messages, waiting up to `wait_seconds` (0 to 20) for the first.

        They are invisible to others for `visibility_seconds`. Raises: AwsError.
        """
        doing = f"receive from {self.name}"
        response = self._call(
            doing,
            self._aws.sqs().receive_message,
            MaxNumberOfMessages=limit,
            WaitTimeSeconds=wait_seconds,
            VisibilityTimeout=visibility_seconds,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        return [_received(doing, message) for message in response.get("Messages", [])]

    def acknowledge(self, messages: Sequence[ReceivedMessage]) -> list[Failure]:
        """Delete the messages from the queue; return the failures. Raises: AwsError."""
        return self._in_batches("delete from", self._aws.sqs().delete_message_batch, messages)

    def release(self, messages: Sequence[ReceivedMessage]) -> list[Failure]:
        """Make the messages visible to other consumers at once; return the failures. Raises: AwsError."""
        return self.extend(messages, visibility_seconds=0)

    def extend(self, messages: Sequence[ReceivedMessage], *, visibility_seconds: int) -> list[Failure]:
        """Set the visibility timeout to `visibility_seconds` from now; return the failures. Raises: AwsError."""
        if not messages:  # without credentials, nothing can be lost
            return []
        call = self._aws.sqs().change_message_visibility_batch
        return self._in_batches("extend in", call, messages, VisibilityTimeout=visibility_seconds)

    def purge(self) -> bool:
        """Delete every message; return False if SQS rejects it, after a purge under 60 s ago. Raises: AwsError."""
        try:
            self._call(f"purge {self.name}", self._aws.sqs().purge_queue)
        except PurgeInProgress:
            return False
        return True

    def depth(self) -> Depth:
        """Return the approximate number of messages. Raises: AwsError."""
        prefix = "ApproximateNumberOfMessages"
        visible, in_flight, delayed = map(int, self._numbers(prefix, f"{prefix}NotVisible", f"{prefix}Delayed"))
        return Depth(visible=visible, in_flight=in_flight, delayed=delayed)

    def oldest_seconds(self) -> float | None:
        """Return the age of the oldest message by CloudWatch's last measurement; None if there is none or no access.

        Receiving the message to read its age would count towards the limit that makes it a dead letter.
        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        """
        now, doing = datetime.now(UTC), f"get the metrics of {self.name} from CloudWatch"
        try:
            response = call_aws(
                doing,
                self._aws.cloudwatch().get_metric_statistics,
                Namespace="AWS/SQS",
                MetricName="ApproximateAgeOfOldestMessage",
                Dimensions=[{"Name": "QueueName", "Value": self.name}],
                StartTime=now - METRIC_SPAN,
                EndTime=now + timedelta(minutes=1),
                Period=60,
                Statistics=["Maximum"],
            )
        except AwsError:
            return None
        points = sorted(response.get("Datapoints", []), key=lambda point: needed(doing, point, "Timestamp"))
        return needed_number(doing, points[-1], "Maximum") if points else None

    def max_message_bytes(self) -> int:
        """Return the longest allowed message in bytes, including its attributes. Raises: AwsError."""
        return int(self._numbers("MaximumMessageSize")[0])

    def attributes(self, *names: Any) -> dict[str, str]:  # noqa: ANN401  boto3's own type of names
        """Return attributes, all read at the same moment; without names, all attributes. Raises: AwsError."""
        doing = f"read the attributes of {self.name}"
        call = self._aws.sqs().get_queue_attributes
        response = self._call(doing, call, AttributeNames=list(names) or ["All"])
        return dict(needed(doing, response, "Attributes"))

    def created_at(self) -> float:
        """Return when the queue was created, in seconds since the epoch. Raises: AwsError."""
        return self._numbers("CreatedTimestamp")[0]

    def delete(self) -> None:
        """Delete the queue and its messages. Raises: AwsError."""
        self._call(f"delete {self.name}", self._aws.sqs().delete_queue)

    def find(self) -> None:
        """Look the queue up. Raises: QueueMissing if it does not exist; AwsError."""
        self._url()

    def _numbers(self, *names: str) -> list[float]:
        found = self.attributes(*names)
        return [needed_number(f"read the attributes of {self.name}", found, name) for name in names]

    def _call(self, doing: str, call: Callable[..., Any], **given: Any) -> Any:  # noqa: ANN401  the call's own
        """Make a call about this queue. That a new one does not exist is transient."""
        try:
            return call_aws(doing, call, QueueUrl=self._url(), **given)
        except QueueMissing as error:
            if time.monotonic() >= self._new_until:
                raise
            raise Throttled(f"The new queue {self.name} is not known everywhere in SQS yet.") from error

    def _url(self) -> str:
        if self._known_url is None:
            doing = f"find the queue {self.name}"
            try:
                response = call_aws(doing, self._aws.sqs().get_queue_url, QueueName=self.name)
            except QueueMissing as error:
                # SQS does not distinguish a missing queue from a queue of another account.
                place = f"in {self._aws.region} at {printable(scrub(self._aws.endpoint()))}"
                message = f"The queue {self.name} does not exist {place}, or you have no access to it."
                raise QueueMissing(message, hint=_MISSING) from error
            self._known_url = str(needed(doing, response, "QueueUrl"))
        return self._known_url

    def _in_batches(
        self, doing: str, call: Callable[..., Any], messages: Sequence[ReceivedMessage], **extra: object
    ) -> list[Failure]:
        failures: list[Failure] = []
        for start in range(0, len(messages), MAX_BATCH):
            batch = range(start, min(start + MAX_BATCH, len(messages)))
            entries = {index: {"ReceiptHandle": messages[index].receipt_handle, **extra} for index in batch}
            failures += self._in_batch(doing, call, entries)
        return failures

    def _in_batch(self, doing: str, call: Callable[..., Any], entries: dict[int, dict[str, Any]]) -> list[Failure]:
        """Make one batch call, and retry the entries that failed with transient errors a few times.

        The failures that remain may be transient.
        """
        left = entries
        final: list[Failure] = []
        failed: list[Failure] = []
        for pause in [*islice(backoff.delays(), BATCH_ATTEMPTS - 1), 0.0]:
            given = [{"Id": str(key), **left[key]} for key in left]
            response = self._call(f"{doing} {self.name}", call, Entries=given)
            failures = self._failures(f"{doing} {self.name}", response, left)
            final += [failure for failure in failures if not failure.is_transient]
            failed = [failure for failure in failures if failure.is_transient]
            left = {failure.index: entries[failure.index] for failure in failed}
            if not left:
                break
            self._aws.wait(pause)
        return final + failed

    def _failures(self, doing: str, response: dict[str, Any], entries: Collection[int]) -> list[Failure]:
        """Return the failed entries of a batch, including those that the response does not mention."""
        failed = {needed(doing, entry, "Id"): entry for entry in response.get("Failed", [])}
        if "Successful" in response or "Failed" not in response:
            accepted = {needed(doing, entry, "Id") for entry in needed(doing, response, "Successful")}
            failed = {str(key): {} for key in entries if str(key) not in accepted} | failed
        return [Failure(index=key, error=self._error(failed[str(key)])) for key in entries if str(key) in failed]

    def _error(self, entry: dict[str, Any]) -> AwsError:
        code, message = str(entry.get("Code", "")), str(entry.get("Message", ""))
        reason = f"{printable(scrub(message)) or 'no reason given'} ({printable(code) or 'no code'})"
        kind = error_kind(code, message)
        if kind is ReceiptHandleInvalid:
            return ReceiptHandleInvalid(f"A message of {self.name} is no longer in flight: {reason}.")
        if kind is Throttled or not entry.get("SenderFault"):
            return Throttled(f"{self.name} did not accept a message: {reason}.")
        return Undelivered(f"{self.name} rejected a message: {reason}.")


def _send_entry(message: Message, group: str) -> dict[str, Any]:
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()}
    entry = {"MessageBody": message.body, "DelaySeconds": 0, "MessageAttributes": attributes}
    return {**entry, "MessageGroupId": group} if group else entry


def _received(doing: str, message: MessageTypeDef) -> ReceivedMessage:
    attributes = message.get("MessageAttributes", {})
    known = message.get("Attributes", {})
    count, sent = known.get("ApproximateReceiveCount", ""), known.get("SentTimestamp", "")
    return ReceivedMessage(
        message=Message(
            body=message.get("Body", ""),
            # A binary attribute has no string; decoding rejects an empty one that the protocol needs.
            attributes={name: value.get("StringValue", "") for name, value in attributes.items()},
        ),
        message_id=needed(doing, message, "MessageId"),
        receipt_handle=needed(doing, message, "ReceiptHandle"),
        receive_count=int(count) if count.isdigit() else 1,
        sent_at=int(sent) / 1000 if sent.isdigit() else None,
    )
