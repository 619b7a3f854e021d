"""The connection to AWS, real or local: clients, identity, AWS's clock, and its errors in our words.

The only door to boto3. Profile, region, keys and endpoint (`AWS_ENDPOINT_URL`) come from AWS's standard
configuration; nothing here knows which AWS answers.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.exceptions import ConnectionError as NetworkError
from botocore.parsers import ResponseParserError

from courier.cancellation import CancelableClient, Cancellation
from courier.credentials import DEAD_KEYS, DEAD_KEYS_IN_A_HEAD, Patience, make_session
from courier.errors import (
    AccessDenied,
    AwsTrouble,
    BucketMissing,
    Busy,
    CredentialsRefused,
    InputRefused,
    MessageTooLong,
    NoCredentials,
    ObjectMissing,
    ObjectReplaced,
    PurgedLately,
    QueueMissing,
    Unreachable,
)
from courier.plain import printable

if TYPE_CHECKING:
    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The longest long poll SQS knows, in seconds.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
MAX_POLL_SECONDS = 20
CONNECT_TIMEOUT_SECONDS = 5
#: Longer than the longest long poll, so that a silent queue is no error.
READ_TIMEOUT_SECONDS = MAX_POLL_SECONDS + 15
#: How often botocore itself tries a call, the first time included.
MAX_ATTEMPTS = 3
#: As many calls as a worker ever has under way at once.
MAX_CONNECTIONS = 32
#: AWS's clock is read anew from an answer at most this often; it is exact to a second.
CLOCK_SECONDS = 60.0
#: A smaller difference between the clocks is the header's own coarseness.
CLOCK_TOLERANCE_SECONDS = 2.0

#: The calls to which S3 answers a bare 404, having no body to say more.
HEADS = ("HeadObject", "HeadBucket")

_SET_UP = "Run ./aws_setup.sh, which creates what is missing."
_MEND_KEYS = "Paste fresh keys into ~/.aws/credentials, or run: aws configure"
_CODES: dict[type[AwsTrouble | InputRefused], tuple[str, ...]] = {
    QueueMissing: ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
    BucketMissing: ("NoSuchBucket",),
    ObjectMissing: ("NoSuchKey",),
    ObjectReplaced: ("PreconditionFailed", "412", "ConditionalRequestConflict"),
    AccessDenied: ("AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation"),
    CredentialsRefused: (*DEAD_KEYS, DEAD_KEYS_IN_A_HEAD, "SignatureDoesNotMatch", "RequestTimeTooSkewed"),
    PurgedLately: ("AWS.SimpleQueueService.PurgeQueueInProgress", "PurgeQueueInProgress"),
    Busy: (
        "Throttling",
        "ThrottlingException",
        "RequestThrottled",
        "TooManyRequestsException",
        "SlowDown",
        "ServiceUnavailable",
        "InternalError",
        "InternalFailure",
        "500",
        "503",
    ),
}
_KINDS = {code: kind for kind, codes in _CODES.items() for code in codes}
_HINTS: dict[type, str] = {
    QueueMissing: _SET_UP,
    BucketMissing: _SET_UP,
    AccessDenied: "Ask for the right, or use other credentials (AWS_PROFILE).",
    CredentialsRefused: f"{_MEND_KEYS} (and see that this machine's clock is right).",
    Busy: "Try again in a moment.",
}


class Clock:
    """AWS's time, as its answers tell it: deadlines that travel must not depend on a laptop's clock."""

    def __init__(self) -> None:
        self._offset_seconds = 0.0
        self._read_at = -CLOCK_SECONDS

    def now(self) -> float:
        """Return seconds since the epoch by AWS's clock; by this machine's until AWS has answered once."""
        return time.time() + self._offset_seconds

    def is_past(self, moment: float) -> bool:
        """Whether `moment` (seconds since the epoch) is surely over, whatever this clock's coarseness."""
        return self.now() > moment + CLOCK_TOLERANCE_SECONDS

    @property
    def difference_seconds(self) -> float:
        """By how much this machine's clock is behind AWS's; negative if it is ahead."""
        return self._offset_seconds

    def read(self, date: str | None) -> None:
        """Take the time from an answer's Date header; what is no date is passed over."""
        if time.monotonic() - self._read_at < CLOCK_SECONDS:
            return
        try:
            sent_at = parsedate_to_datetime(date or "").timestamp()
        except ValueError:
            return
        self._read_at = time.monotonic()
        offset = sent_at - time.time()
        self._offset_seconds = offset if abs(offset) > CLOCK_TOLERANCE_SECONDS else 0.0


class Aws:
    """One connection: clients made once, shared by all threads (botocore's clients are thread-safe).

    Keys from the shared credentials file follow that file, and `patience` says how long a call that was
    refused for dead keys waits for fresh ones. A `cancellation` cancels every call under way, and makes those to
    come fail: Canceled. Raises: NoCredentials if AWS's configuration has no such profile, or names no region.
    """

    def __init__(self, patience: Patience | None = None, cancellation: Cancellation | None = None) -> None:
        self.clock = Clock()
        self._cancellation = cancellation
        #: Set when this process is about to end: no call waits for fresh keys any more.
        self.stopping = patience.stopped if patience else threading.Event()
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        with translated("read the AWS configuration"):
            session = make_session(patience or Patience(seconds=0, tell=log.warning, stopped=self.stopping))
            # boto3 reads AWS_DEFAULT_REGION only; other SDKs and the CLI read AWS_REGION, and it wins there.
            self._session = boto3.Session(botocore_session=session, region_name=os.environ.get("AWS_REGION") or None)
        if not self._session.region_name:
            hint = "Set AWS_DEFAULT_REGION (us-east-1, say), or run: aws configure"
            raise NoCredentials("AWS's configuration names no region.", hint=hint)
        self.region: str = self._session.region_name

    def sqs(self) -> SQSClient:
        """Return the client for queues."""
        return self._client("sqs")  # type: ignore[no-any-return]

    def s3(self) -> S3Client:
        """Return the client for buckets."""
        return self._client("s3")  # type: ignore[no-any-return]

    def cloudwatch(self) -> CloudWatchClient:
        """Return the client for metrics."""
        return self._client("cloudwatch")  # type: ignore[no-any-return]

    def autoscaling(self) -> AutoScalingClient:
        """Return the client for Auto Scaling groups."""
        return self._client("autoscaling")  # type: ignore[no-any-return]

    def account_id(self) -> str:
        """Return the account's twelve digits, asked of STS. Raises: AwsTrouble."""
        sts: STSClient = self._client("sts")
        with translated("ask STS for the account"):
            return sts.get_caller_identity()["Account"]

    def default_bucket(self) -> str:
        """Return the bucket's name by convention: lab3-<account id>-<region>.

        With -an behind it if only that is there: an account-regional name. Raises: AwsTrouble.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
        """
        plain = f"lab3-{self.account_id()}-{self.region}"
        return next(filter(self._has_bucket, (plain, f"{plain}-an")), plain)

    def _has_bucket(self, name: str) -> bool:
        try:
            with translated(f"find the bucket {name}"):
                self.s3().head_bucket(Bucket=name)
        except (ObjectMissing, AccessDenied):
            return False
        return True

    def _client(self, service: str) -> Any:  # noqa: ANN401  one of boto3's generated classes
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make_client(service)
            return self._clients[service]

    def _make_client(self, service: str) -> Any:  # noqa: ANN401  one of boto3's generated classes
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
            max_pool_connections=MAX_CONNECTIONS,
            tcp_keepalive=True,
            user_agent_extra="courier",
        )
        with translated(f"make a client for {service}"):
            if self._session.get_credentials() is None:
                raise NoCredentials("There are no AWS credentials.", hint=_MEND_KEYS)
            client: Any = self._session.client(service, config=config)  # type: ignore[call-overload]
        client.meta.events.register(f"before-parse.{service}", self._read_clock)
        return CancelableClient(client, self._cancellation) if self._cancellation else client

    def run(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, which reads from AWS by other means than a client. Raises: Canceled."""
        return self._cancellation.run(call) if self._cancellation else call()

    def cleaning_up(self) -> AbstractContextManager[None]:
        """Let calls within run although they are canceled, for a moment."""
        return self._cancellation.cleaning_up() if self._cancellation else nullcontext()

    def wait(self, seconds: float) -> None:
        """Wait for so long. Raises: Canceled."""
        if self._cancellation is None:
            threading.Event().wait(seconds)
        elif self._cancellation.wait(seconds):
            self._cancellation.check()

    def _read_clock(self, response_dict: Any, **_: object) -> None:  # noqa: ANN401  botocore's hook
        self.clock.read(response_dict["headers"].get("date"))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn every error of boto3 within into one of ours; `doing` completes "Could not ...".

    Raises: AwsTrouble or one of its kin, from botocore's error.
    """
    try:
        yield
    except ClientError as error:
        raise _from_client_error(error, doing) from error
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound) as error:
        raise NoCredentials(f"Could not {doing}: {_said(error)}.", hint=_MEND_KEYS) from error
    except (NetworkError, HTTPClientError) as error:
        hint = "Are the network up and AWS_ENDPOINT_URL (if set) right? A local AWS starts with: ./run_local.sh up"
        raise Unreachable(f"Could not {doing}: AWS cannot be reached ({_said(error)}).", hint=hint) from error
    except (ResponseParserError, KeyError, AttributeError, TypeError) as error:
        hint = "Is AWS_ENDPOINT_URL right?"
        raise Unreachable(f"Could not {doing}: what answers does not answer as AWS does.", hint=hint) from error
    except (BotoCoreError, ValueError) as error:
        raise AwsTrouble(f"Could not {doing}: {_said(error)}.") from error


def _from_client_error(error: ClientError, doing: str) -> AwsTrouble | InputRefused:
    code = str(error.response.get("Error", {}).get("Code", ""))
    said = printable(str(error.response.get("Error", {}).get("Message", "")).rstrip(".")) or "no reason given"
    if code == "InvalidParameterValue" and "shorter than" in said:
        return MessageTooLong(f"Could not {doing}: {said}.")
    kind = _KINDS.get(code, AwsTrouble)
    if code == "404" and error.operation_name in HEADS:
        kind = ObjectMissing
    return kind(f"Could not {doing}: {said} ({printable(code)}).", hint=_HINTS.get(kind, ""))


def _said(error: Exception) -> str:
    return printable(str(error).rstrip("."))
