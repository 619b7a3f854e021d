"""Connection to AWS, real or local: clients, identity and AWS's clock.

The only module that imports boto3. Profile, region, credentials and endpoint (`AWS_ENDPOINT_URL`) come from AWS's
standard configuration.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import boto3
import botocore
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.parsers import ResponseParserError

from courier.aws import bucket_hooks
from courier.aws.credentials import CredentialRefresh, make_session
from courier.aws.credentials_file import invalid_character
from courier.aws.environment import check_certificates, check_environment, check_region, file_problems
from courier.aws.errors import CREDENTIALS_HINT, LOCAL_AWS, call_aws, read_configuration
from courier.aws.responses import needed
from courier.aws.retry import Retrier
from courier.cancellation import CancelableClient, Cancellation
from courier.errors import AccessDenied, NoCredentials, ObjectMissing
from courier.redaction import remember

if TYPE_CHECKING:
    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient

log = logging.getLogger(__name__)

#: The longest long poll that SQS allows, in seconds.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
MAX_POLL_SECONDS = 20
CONNECT_TIMEOUT_SECONDS = 5
#: Longer than the longest long poll, which is no error.
READ_TIMEOUT_SECONDS = MAX_POLL_SECONDS + 15
#: The attempts of botocore itself, including the first.
MAX_ATTEMPTS = 3
#: The most concurrent calls of a worker.
MAX_CONNECTIONS = 32
#: The interval between reads of AWS's clock from a response.
CLOCK_SECONDS = 60.0
#: Ignored clock differences: the Date header has a resolution of one second.
CLOCK_TOLERANCE_SECONDS = 2.0

#: As a text: botocore builds its own again, twice, for each call, which costs a tenth of a call.
_USER_AGENT = " ".join(
    ("courier", f"Boto3/{boto3.__version__}", f"Botocore/{botocore.__version__}", f"Python/{platform.python_version()}")
)

P = ParamSpec("P")
T = TypeVar("T")


class Clock:
    """AWS's time, from its responses: deadlines in messages must not depend on a machine's clock."""

    def __init__(self) -> None:
        self._offset_seconds = 0.0
        self._read_at = -CLOCK_SECONDS

    def now(self) -> float:
        """Return seconds since the epoch by AWS's clock; by this machine's until the first response."""
        return time.time() + self._offset_seconds

    def is_past(self, moment: float) -> bool:
        """Whether `moment` (seconds since the epoch) is past, by more than the clock's tolerance."""
        return self.now() > moment + CLOCK_TOLERANCE_SECONDS

    @property
    def difference_seconds(self) -> float:
        """The seconds by which this machine's clock is behind AWS's; negative if it is ahead."""
        return self._offset_seconds

    def read(self, date: str | None) -> None:
        """Update the clock offset from a response's Date header. Ignores invalid dates."""
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
    """A connection: clients that are created once and shared by all threads (botocore's clients are thread-safe).

    Credentials from the shared credentials file follow that file; `refresh` sets how long a rejected call waits
    for new ones. A `cancellation` cancels calls in progress and rejects later ones with Canceled.
    Raises: NoCredentials if AWS's configuration has no such profile or no region, or cannot be used.
    """

    def __init__(self, refresh: CredentialRefresh | None = None, cancellation: Cancellation | None = None) -> None:
        self.clock = Clock()
        self._cancellation = cancellation
        #: Set when this process is about to end: calls stop waiting for new credentials.
        self.stopping = refresh.stopped if refresh else threading.Event()
        self._refresh = refresh or CredentialRefresh(seconds=0, tell=log.warning, stopped=self.stopping)
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._owner = ""
        check_environment()
        self._session = self._make_session()
        if not self._session.region_name:
            hint = f"Set AWS_DEFAULT_REGION (us-east-1, say), or run: aws configure. {LOCAL_AWS}".rstrip()
            raise NoCredentials(_with_problems("The AWS configuration has no region."), hint=hint)
        self.region: str = self._session.region_name
        check_region(self.region, "The region of the AWS configuration")

    def _make_session(self) -> boto3.Session:
        session = read_configuration("read the AWS configuration", make_session, self._refresh)
        check_certificates(read_configuration("read the AWS configuration", session.get_config_variable, "ca_bundle"))
        # boto3 reads AWS_DEFAULT_REGION only; other SDKs and the CLI read AWS_REGION, and it wins there.
        region = os.environ.get("AWS_REGION") or None
        return read_configuration(
            "read the AWS configuration", boto3.Session, botocore_session=session, region_name=region
        )

    def call(self, doing: str, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a call, retrying it after transient errors for `transient_seconds`. Raises: AwsError; Rejected."""
        return self.retry(partial(call_aws, doing, call, *args, **kwargs))

    def retry(self, call: Callable[[], T]) -> T:
        """Return the result of `call`, retried as `call` does. Raises: AwsError; Rejected."""
        until = time.monotonic() + self._refresh.transient_seconds
        retrier = Retrier("calling AWS", self._cancellation or self.stopping, self._refresh.tell)
        return retrier.retry(call, until)

    def sqs(self) -> SQSClient:
        """Return the client for queues."""
        return self._client("sqs")  # type: ignore[no-any-return]

    def s3(self) -> S3Client:
        """Return the client for buckets of this account; S3 rejects its calls for others. Raises: AwsError."""
        self._owner = self._owner or self.account_id()
        return self._client("s3")  # type: ignore[no-any-return]

    def cloudwatch(self) -> CloudWatchClient:
        """Return the client for metrics."""
        return self._client("cloudwatch")  # type: ignore[no-any-return]

    def autoscaling(self) -> AutoScalingClient:
        """Return the client for Auto Scaling groups."""
        return self._client("autoscaling")  # type: ignore[no-any-return]

    def client(self, service: str) -> Any:  # noqa: ANN401  one of boto3's generated classes
        """Return the client for a service without a method of its own here."""
        return self._client(service)

    def endpoint(self) -> str:
        """Return the address of SQS."""
        return str(self.sqs().meta.endpoint_url)

    def account_id(self) -> str:
        """Return the account ID, from STS. Raises: AwsError."""
        sts: STSClient = self._client("sts")
        doing = "get the account from STS"
        return str(needed(doing, self.call(doing, sts.get_caller_identity), "Account"))

    def default_bucket(self) -> str:
        """Return the bucket's name by convention: lab3-<account id>-<region>.

        With the suffix -an if that bucket exists: only this account can have an account-regional name.
        Raises: AwsError.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
        """
        self._owner = self._owner or self.account_id()
        plain = f"lab3-{self._owner}-{self.region}"
        return next(filter(self._has_bucket, (f"{plain}-an", plain)), plain)

    def _has_bucket(self, name: str) -> bool:
        try:
            self.call(f"find the bucket {name}", self.s3().head_bucket, Bucket=name)
        except (ObjectMissing, AccessDenied):
            return False
        return True

    def _client(self, service: str) -> Any:  # noqa: ANN401  one of boto3's generated classes
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.run(lambda: self._make_client(service))
            return self._clients[service]

    def _make_client(self, service: str) -> Any:  # noqa: ANN401  one of boto3's generated classes
        limit_seconds = self._refresh.call_seconds
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=min(READ_TIMEOUT_SECONDS, limit_seconds or READ_TIMEOUT_SECONDS),
            retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
            max_pool_connections=MAX_CONNECTIONS,
            tcp_keepalive=True,
            user_agent=_USER_AGENT,
            # What goes to SQS is made by `Mailbox` alone, and SQS checks it: botocore's check costs a tenth of a call.
            parameter_validation=service != "sqs",
        )
        self._check_credentials()
        make: Callable[..., Any] = self._session.client
        client = read_configuration(f"create a client for {service}", make, service, config=config)
        client.meta.events.register(f"before-parse.{service}", self._read_clock)
        if service == "sqs":
            client.meta.events.register("before-parse.sqs", _check_json)
        if service == "s3":
            bucket_hooks.register(client.meta.events, self._owner)
        return CancelableClient(client, self._cancellation, limit_seconds) if self._cancellation else client

    def run(self, call: Callable[[], T]) -> T:
        """Return the result of `call`, which reads from AWS without a client. Raises: Canceled."""
        return self._cancellation.run(call) if self._cancellation else call()

    def cleaning_up(self) -> AbstractContextManager[None]:
        """Allow calls inside for a short time after a cancellation."""
        return self._cancellation.cleaning_up() if self._cancellation else nullcontext()

    def wait(self, seconds: float) -> None:
        """Wait. Raises: Canceled."""
        if self._cancellation is None:
            threading.Event().wait(seconds)
        elif self._cancellation.wait(seconds):
            self._cancellation.check()

    def _check_credentials(self) -> None:
        """Check that there are usable credentials. Raises: NoCredentials."""
        credentials = read_configuration("find AWS credentials", self._session.get_credentials)
        if credentials is None:
            message = _with_problems("There are no AWS credentials.")
            raise NoCredentials(message, hint=f"{CREDENTIALS_HINT} {LOCAL_AWS}".rstrip())
        if isinstance(credentials, RefreshableCredentials):
            return  # their source does not add line endings
        keys = credentials.get_frozen_credentials()
        remember(keys.secret_key, keys.token)
        for name, value in zip(("access key id", "secret access key", "session token"), keys, strict=False):
            if what := invalid_character(value or ""):
                raise NoCredentials(f"The {name} ({credentials.method}) {what}.", hint=CREDENTIALS_HINT)

    def _read_clock(self, response_dict: Any, **_: object) -> None:  # noqa: ANN401  botocore's hook
        self.clock.read(response_dict["headers"].get("date"))


class _Factory:
    """Creates connections instead of `Aws`, if it is set."""

    make: Callable[[CredentialRefresh, Cancellation | None], Aws] | None = None


def connect(refresh: CredentialRefresh, cancellation: Cancellation | None = None) -> Aws:
    """Return a connection to AWS, or to its substitute in a test. Raises: NoCredentials."""
    return (_Factory.make or Aws)(refresh, cancellation)


def connect_worker() -> Aws:
    """Return a worker's connection, whose calls wait for new credentials without a limit.

    Raises: NoCredentials.
    """
    return connect(CredentialRefresh(seconds=None, tell=lambda sentence: log.warning("%s", sentence)))


@contextmanager
def connected_to(make: Callable[[CredentialRefresh, Cancellation | None], Aws]) -> Iterator[None]:
    """Create all connections by `make` while the body runs, in every thread."""
    before, _Factory.make = _Factory.make, staticmethod(make)
    try:
        yield
    finally:
        _Factory.make = before


def _with_problems(message: str) -> str:
    return f"{message} {file_problems()}".rstrip()


def _check_json(response_dict: Any, operation_model: Any, **_: object) -> None:  # noqa: ANN401  botocore's hook
    """Reject a response that is not a JSON object (a proxy's page, say), which botocore reads as an empty one.

    Raises: ResponseParserError.
    """
    is_good = response_dict["status_code"] == HTTPStatus.OK
    body = response_dict["body"].lstrip()
    if is_good and (body or operation_model.output_shape is not None) and not body.startswith(b"{"):
        raise ResponseParserError("The response is not a JSON object.")
