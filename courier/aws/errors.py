"""Make one AWS call and translate its errors into `AwsError`s, transient or final.

Only the call is translated. Responses are read elsewhere, so that a bug in this program surfaces as a bug.
"""

from __future__ import annotations

import os
import shlex
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConfigParseError,
    ConnectionClosedError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    InvalidConfigError,
    LoginError,
    MetadataRetrievalError,
    MissingDependencyException,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    ResponseStreamingError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NetworkError
from botocore.parsers import ResponseParserError
from botocore.retries.standard import RetryContext, ThrottledRetryableChecker, TransientRetryableChecker

from courier.aws.bucket_hooks import HEADS
from courier.aws.credentials import INVALID_CREDENTIALS, INVALID_CREDENTIALS_IN_A_HEAD
from courier.aws.credentials_file import explain
from courier.aws.responses import endpoint_hint, not_from_aws
from courier.errors import (
    AccessDenied,
    AwsError,
    BucketMissing,
    CredentialsRejected,
    CredentialsUnavailable,
    MessageTooLong,
    NoCredentials,
    ObjectMissing,
    ObjectReplaced,
    PurgeInProgress,
    QueueMissing,
    ReceiptHandleInvalid,
    Rejected,
    Throttled,
    Unreachable,
)
from courier.redaction import scrub
from courier.text import printable

P = ParamSpec("P")
T = TypeVar("T")
Translated = AwsError | Rejected

#: Whether this is a checkout, which has the scripts that hints name, and not an installed package.
IS_CHECKOUT = (Path(__file__).parents[2] / "run_local.sh").exists()
_LOCAL_AWS = 'For the local AWS: ./run_local.sh numbers, ./run_local.sh images, or eval "$(./run_local.sh env)".'
LOCAL_AWS = _LOCAL_AWS if IS_CHECKOUT else ""
CREDENTIALS_HINT = "Paste new credentials into ~/.aws/credentials, or run: aws configure."

_SET_UP = "Run ./aws_setup.sh, which creates what is missing." if IS_CHECKOUT else "Create it, or check the region."
_SERVER_ERROR = 500
_FORBIDDEN = 403
_WAIT_STATUSES = (408, 429)
#: Two conditional writes at once. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
CONFLICT = "ConditionalRequestConflict"
#: Error codes by their last part: `AWS.SimpleQueueService.X` and `com.amazonaws.sqs#X` are X.
_CODES: dict[type[Translated], tuple[str, ...]] = {
    QueueMissing: ("NonExistentQueue", "QueueDoesNotExist"),
    BucketMissing: ("NoSuchBucket",),
    ObjectMissing: ("NoSuchKey",),
    ObjectReplaced: ("PreconditionFailed", "412"),
    AccessDenied: ("AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation"),
    CredentialsRejected: (*INVALID_CREDENTIALS, "SignatureDoesNotMatch", "RequestTimeTooSkewed"),
    PurgeInProgress: ("PurgeQueueInProgress",),
    MessageTooLong: ("BatchRequestTooLong",),
    ReceiptHandleInvalid: ("ReceiptHandleIsInvalid", "MessageNotInflight"),
    # Those that botocore's own classification lacks.
    Throttled: ("ServiceUnavailable", "InternalError", "InternalFailure", "OverLimit", "OperationAborted", CONFLICT),
}
_CLASSES = {code: kind for kind, codes in _CODES.items() for code in codes}
_HEAD_CLASSES: dict[str, type[Translated]] = {"404": ObjectMissing, INVALID_CREDENTIALS_IN_A_HEAD: CredentialsRejected}
_HINTS: dict[type, str] = {
    QueueMissing: _SET_UP,
    BucketMissing: _SET_UP,
    AccessDenied: "Ask for the permission, or use other credentials (AWS_PROFILE).",
    CredentialsRejected: f"{CREDENTIALS_HINT.rstrip('.')} (and check that this machine's clock is right).",
    Throttled: "Try again in a moment.",
}
_PARSERS = "botocore.parsers"
_LIBRARIES = (_PARSERS, "boto3", "botocore", "urllib3")
_RETRIED_BY_BOTOCORE = (ThrottledRetryableChecker(), TransientRetryableChecker())


def call_aws(doing: str, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Make one boto3 call and return its response; `doing` completes "Could not ...".

    Raises: AwsError or a subclass, from botocore's error; Rejected. Other exceptions are bugs, and pass unchanged.
    """
    try:
        return call(*args, **kwargs)
    except Exception as error:
        translated = _translated(error, doing)
        if translated is None:
            raise
        raise translated from error


def read_configuration(doing: str, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Make a call in which botocore reads configuration, and blame its errors on the configuration.

    Raises: NoCredentials; AwsError.
    """
    try:
        return call_aws(doing, call, *args, **kwargs)
    except (AwsError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, AwsError) and type(error) is not AwsError:
            raise
        if not isinstance(error, AwsError) and _is_own(error):
            raise
        message = error.message if isinstance(error, AwsError) else f"Could not {doing}: {text_of(error)}."
        hint = "See the AWS_... environment variables, ~/.aws/config and ~/.aws/credentials."
        raise NoCredentials(message, hint=hint) from error


def text_of(error: BaseException) -> str:
    """Return an error's text for display: one line, no secret, no full stop."""
    return printable(scrub(str(error)).strip().rstrip(".:")) or type(error).__name__


def error_kind(code: str, message: str = "", *, status: int | None = None) -> type[Translated]:
    """Return the class of an AWS error from its HTTP status, botocore's retry classification and its code."""
    code = _last_part(code)
    if (status or 0) >= _SERVER_ERROR or status in _WAIT_STATUSES or _is_throttling(code):
        return Throttled
    if code == "InvalidParameterValue" and "receipthandle" in message.lower().replace(" ", ""):
        return ReceiptHandleInvalid
    if code == "InvalidParameterValue" and "shorter than" in message:
        return MessageTooLong
    if code == "InvalidParameterValue" and "Dead letter target does not exist" in message:
        return Throttled  # it was just created, and SQS does not know it everywhere yet
    return _CLASSES.get(code, AwsError)


def _is_throttling(code: str) -> bool:
    context = RetryContext(attempt_number=1, parsed_response={"Error": {"Code": code}})
    # botocore's lists are incomplete; a code with "throttl" in it is clear enough.
    return "throttl" in code.lower() or any(checker.is_retryable(context) for checker in _RETRIED_BY_BOTOCORE)


def _last_part(code: str) -> str:
    """Return a code without its namespace prefix and URL suffix."""
    return code.partition(":")[0].rpartition("#")[2].rpartition(".")[2]


def _translated(error: Exception, doing: str) -> Translated | None:
    """Return the translated error, or None if it is a bug."""
    if isinstance(error, ClientError):
        return _from_client_error(error, doing)
    for kinds, make in _MAKERS:
        if isinstance(error, kinds):
            return make(error, doing)
    return None if _is_own(error) else _unexpected(error, doing)


def _from_client_error(error: ClientError, doing: str) -> Translated:
    details = error.response.get("Error") or {}
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code, message = str(details.get("Code") or ""), str(details.get("Message") or "")
    is_head = error.operation_name in HEADS
    kind = (is_head and _HEAD_CLASSES.get(code)) or error_kind(code, message, status=status)
    if status == _FORBIDDEN and "AccessDenied" in message:  # an error body in another service's protocol
        kind, message = AccessDenied, ""
    elif kind is not Throttled and not is_head and (not code or message.lstrip().startswith("<")):
        return not_from_aws(doing, f"HTTP status {status}")
    reason = printable(scrub(message).strip().rstrip(".")) if not message.lstrip().startswith("<") else ""
    return kind(
        f"Could not {doing}: {reason or 'no reason given'} ({printable(code or str(status))}).",
        hint=_HINTS.get(kind, ""),
    )


def unreachable(error: Exception, doing: str) -> Translated:
    """Return the error for a call that got no response; `doing` completes "Could not ..."."""
    hint = "Check the network, the region and AWS_ENDPOINT_URL{}."
    hint += " A local AWS starts with: ./run_local.sh up" if IS_CHECKOUT else ""
    return Unreachable(f"Could not {doing}: AWS cannot be reached ({text_of(error)}).", hint=endpoint_hint(hint))


def _from_http_client(error: Exception, doing: str) -> Translated:
    """Distinguish a failed connection from a request that the HTTP client could not send.

    The text of the latter contains headers, and so credentials: only its type is shown.
    """
    cause = getattr(error, "kwargs", {}).get("error")
    if isinstance(cause, OSError) and cause.filename:
        return _from_os_error(cause, doing)
    if isinstance(cause, ValueError | TypeError | AttributeError):
        hint = "Check AWS_ENDPOINT_URL, the region and the credentials for wrong characters."
        return AwsError(f"Could not {doing}: the request cannot be sent ({type(cause).__name__}).", hint=hint)
    return unreachable(error, doing)


def _from_os_error(error: Exception, doing: str) -> Translated:
    """Name the file that the AWS configuration refers to; without a file, the connection failed."""
    name = error.filename if isinstance(error, OSError) else None
    if not name:
        return unreachable(error, doing)
    name = str(name)
    given_by = [variable for variable, value in os.environ.items() if variable.startswith("AWS_") and value == name]
    hint = f"It is set by {given_by[0]}." if given_by else "It is set in the AWS configuration (~/.aws/config)."
    reason = error.strerror if isinstance(error, OSError) else ""
    return NoCredentials(f"Could not {doing}: {printable(name)}: {reason}.", hint=hint)


def _no_credentials(error: Exception, doing: str) -> Translated:
    return NoCredentials(f"Could not {doing}: {text_of(error)}.", hint=f"{CREDENTIALS_HINT} {LOCAL_AWS}".rstrip())


def _no_profile(error: Exception, doing: str) -> Translated:
    name = str(getattr(error, "kwargs", {}).get("profile", ""))
    hint = f"Create it with: aws configure --profile {printable(shlex.quote(name))}  (AWS_PROFILE names it)"
    return NoCredentials(f"Could not {doing}: {text_of(error)}.", hint=hint)


def _wrong_configuration(error: Exception, doing: str) -> Translated:
    path = getattr(error, "kwargs", {}).get("path")
    if path and (problem := explain(Path(str(path)))):
        return NoCredentials(problem.message, hint=problem.hint)
    return NoCredentials(f"Could not {doing}: {text_of(error)}.", hint="Correct it, or run: aws configure.")


def _no_library(error: Exception, doing: str) -> Translated:
    hint = "Install it with: pip install 'botocore[crt]'. Profiles of aws login need it."
    return NoCredentials(f"Could not {doing}: {text_of(error)}.", hint=hint)


def _no_source(error: Exception, doing: str) -> Translated:
    login = "aws login" if isinstance(error, LoginError) else "aws sso login"
    hint = f"Log in again ({login}), or check their source in the AWS configuration."
    return CredentialsUnavailable(f"Could not {doing}: {text_of(error)}.", hint=hint)


def _unreadable(_error: Exception, doing: str) -> Translated:
    return not_from_aws(doing, "no such response")


def _other(error: Exception, doing: str) -> Translated:
    return AwsError(f"Could not {doing}: {text_of(error)}.")


_MAKERS: tuple[tuple[tuple[type[Exception], ...], Callable[[Exception, str], Translated]], ...] = (
    ((NoCredentialsError, PartialCredentialsError), _no_credentials),
    ((ProfileNotFound,), _no_profile),
    ((ConfigParseError, InvalidConfigError), _wrong_configuration),
    ((MissingDependencyException,), _no_library),
    ((CredentialRetrievalError, MetadataRetrievalError, TokenRetrievalError, SSOError, LoginError), _no_source),
    ((NetworkError, ConnectionClosedError, ReadTimeoutError, ResponseStreamingError), unreachable),
    ((IncompleteReadError, ChecksumError, FlexibleChecksumError), unreachable),
    ((HTTPClientError,), _from_http_client),
    ((ResponseParserError,), _unreadable),
    ((BotoCoreError,), _other),
    ((OSError,), _from_os_error),
)


def _unexpected(error: Exception, doing: str) -> Translated | None:
    """Translate an exception that botocore did not expect: a bad response or configuration; None if it is a bug."""
    if isinstance(error, RecursionError) or _PARSERS in _modules(error):
        return not_from_aws(doing, "no such response")
    if isinstance(error, RuntimeError):
        return _no_source(error, doing)
    return _other(error, doing) if isinstance(error, ValueError) else None


def _is_own(error: BaseException) -> bool:
    """Whether this program raised the error: the last known frame is in courier, not in a library."""
    known = [name for name in _modules(error) if name in ("courier", *_LIBRARIES)]
    return not known or known[-1] == "courier"


def _modules(error: BaseException) -> list[str]:
    """Return the packages in an error's traceback, outermost first; botocore's parsers by their full name."""
    names = [str(frame.f_globals.get("__name__", "")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [name if name == _PARSERS else name.partition(".")[0] for name in names]
