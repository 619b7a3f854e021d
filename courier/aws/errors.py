"""Make one AWS call and translate its errors into ours, transient or final.

Only the call itself stands here. A response is read outside, so that a bug of ours surfaces as one.
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
    MetadataRetrievalError,
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

from courier.aws.credentials import DEAD_KEYS, DEAD_KEYS_IN_A_HEAD
from courier.aws.key_file import explain
from courier.aws.responses import endpoint_hint, unlike_aws
from courier.errors import (
    AccessDenied,
    AwsError,
    BucketMissing,
    CredentialsRefused,
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

#: The calls to which S3 answers a bare status, having no body to say more.
HEADS = ("HeadObject", "HeadBucket")
LOCAL_AWS = 'For the local AWS: ./run_local.sh numbers, or eval "$(./run_local.sh env)".'
MEND_KEYS = "Paste new credentials into ~/.aws/credentials, or run: aws configure."

_SET_UP = "Run ./aws_setup.sh, which creates what is missing."
_SERVER_ERROR = 500
_FORBIDDEN = 403
_WAIT_STATUSES = (408, 429)
#: Error codes by their last part: `AWS.SimpleQueueService.X` and `com.amazonaws.sqs#X` are X.
_CODES: dict[type[Translated], tuple[str, ...]] = {
    QueueMissing: ("NonExistentQueue", "QueueDoesNotExist"),
    BucketMissing: ("NoSuchBucket",),
    ObjectMissing: ("NoSuchKey",),
    ObjectReplaced: ("PreconditionFailed", "412", "ConditionalRequestConflict"),
    AccessDenied: ("AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation"),
    CredentialsRefused: (*DEAD_KEYS, "SignatureDoesNotMatch", "RequestTimeTooSkewed"),
    PurgeInProgress: ("PurgeQueueInProgress",),
    MessageTooLong: ("BatchRequestTooLong",),
    ReceiptHandleInvalid: ("ReceiptHandleIsInvalid", "MessageNotInflight"),
    # Those that botocore's own classification lacks.
    Throttled: ("ServiceUnavailable", "InternalError", "InternalFailure", "OverLimit", "OperationAborted"),
}
_KINDS = {code: kind for kind, codes in _CODES.items() for code in codes}
_HEAD_KINDS: dict[str, type[Translated]] = {"404": ObjectMissing, DEAD_KEYS_IN_A_HEAD: CredentialsRefused}
_HINTS: dict[type, str] = {
    QueueMissing: _SET_UP,
    BucketMissing: _SET_UP,
    AccessDenied: "Ask for the permission, or use other credentials (AWS_PROFILE).",
    CredentialsRefused: f"{MEND_KEYS.rstrip('.')} (and check that this machine's clock is right).",
    Throttled: "Try again in a moment.",
}
_PARSERS = "botocore.parsers"
_LIBRARIES = (_PARSERS, "boto3", "botocore", "urllib3")
_RETRIED_BY_BOTOCORE = (ThrottledRetryableChecker(), TransientRetryableChecker())


def call_aws(doing: str, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Make one call of boto3's and return its response; `doing` completes "Could not ...".

    Raises: AwsError or one of its kin, from botocore's error. A bug of ours passes as it is.
    """
    try:
        return call(*args, **kwargs)
    except Exception as error:
        translated = _translated(error, doing)
        if translated is None:
            raise
        raise translated from error


def read_configuration(doing: str, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Make a call in which botocore reads configuration: whatever it then stumbles over is in that.

    Raises: NoCredentials; AwsError.
    """
    try:
        return call_aws(doing, call, *args, **kwargs)
    except (AwsError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, AwsError) and type(error) is not AwsError:
            raise
        if not isinstance(error, AwsError) and _is_ours(error):
            raise
        message = error.message if isinstance(error, AwsError) else f"Could not {doing}: {said(error)}."
        hint = "See the AWS_... environment variables, ~/.aws/config and ~/.aws/credentials."
        raise NoCredentials(message, hint=hint) from error


def said(error: BaseException) -> str:
    """Return an error's own words, fit to be shown: one line, no secret, no full stop."""
    return printable(scrub(str(error)).strip().rstrip(".:")) or type(error).__name__


def error_kind(code: str, message: str = "", *, status: int | None = None) -> type[Translated]:
    """Return what an error of AWS's is, by its HTTP status, botocore's own retry classification, and its code."""
    code = _last_part(code)
    if (status or 0) >= _SERVER_ERROR or status in _WAIT_STATUSES or _is_throttling(code):
        return Throttled
    if code == "InvalidParameterValue" and "receipthandle" in message.lower().replace(" ", ""):
        return ReceiptHandleInvalid
    if code == "InvalidParameterValue" and "shorter than" in message:
        return MessageTooLong
    return _KINDS.get(code, AwsError)


def _is_throttling(code: str) -> bool:
    context = RetryContext(attempt_number=1, parsed_response={"Error": {"Code": code}})
    # botocore's lists are complete for no service: names with "throttl" in them are as plain.
    return "throttl" in code.lower() or any(checker.is_retryable(context) for checker in _RETRIED_BY_BOTOCORE)


def _last_part(code: str) -> str:
    """Return a code without the namespace before it and the address behind it."""
    return code.partition(":")[0].rpartition("#")[2].rpartition(".")[2]


def _translated(error: Exception, doing: str) -> Translated | None:
    """Return the error in our words, or None if it is a bug."""
    if isinstance(error, ClientError):
        return _from_client_error(error, doing)
    for kinds, make in _MAKERS:
        if isinstance(error, kinds):
            return make(error, doing)
    return None if _is_ours(error) else _stumbled(error, doing)


def _from_client_error(error: ClientError, doing: str) -> Translated:
    told = error.response.get("Error") or {}
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code, message = str(told.get("Code") or ""), str(told.get("Message") or "")
    is_head = error.operation_name in HEADS
    kind = (is_head and _HEAD_KINDS.get(code)) or error_kind(code, message, status=status)
    if status == _FORBIDDEN and "AccessDenied" in message:  # a body of another protocol than the service's
        kind, message = AccessDenied, ""
    elif kind is not Throttled and not is_head and (not code or message.lstrip().startswith("<")):
        return unlike_aws(doing, f"HTTP status {status}")
    reason = printable(scrub(message).strip().rstrip(".")) if not message.lstrip().startswith("<") else ""
    return kind(
        f"Could not {doing}: {reason or 'no reason given'} ({printable(code or str(status))}).",
        hint=_HINTS.get(kind, ""),
    )


def unreachable(error: Exception, doing: str) -> Translated:
    """Return what is said where a call meets no AWS, or a silent one; `doing` completes "Could not ..."."""
    hint = "Check the network, the region and AWS_ENDPOINT_URL{}. A local AWS starts with: ./run_local.sh up"
    return Unreachable(f"Could not {doing}: AWS cannot be reached ({said(error)}).", hint=endpoint_hint(hint))


def _from_http_client(error: Exception, doing: str) -> Translated:
    """Tell a connection that failed from a request that the HTTP client could not even send.

    What it says of the latter holds headers, and so credentials: only its kind is told.
    """
    cause = getattr(error, "kwargs", {}).get("error")
    if isinstance(cause, OSError) and cause.filename:
        return _from_os_error(cause, doing)
    if isinstance(cause, ValueError | TypeError | AttributeError):
        hint = "Check AWS_ENDPOINT_URL, the region and the credentials for wrong characters."
        return AwsError(f"Could not {doing}: the request cannot be sent ({type(cause).__name__}).", hint=hint)
    return unreachable(error, doing)


def _from_os_error(error: Exception, doing: str) -> Translated:
    """Name the file that AWS's configuration leads to; without one, it was the connection."""
    name = error.filename if isinstance(error, OSError) else None
    if not name:
        return unreachable(error, doing)
    name = str(name)
    given_by = [variable for variable, value in os.environ.items() if variable.startswith("AWS_") and value == name]
    hint = f"It is set by {given_by[0]}." if given_by else "It is set in the AWS configuration (~/.aws/config)."
    reason = error.strerror if isinstance(error, OSError) else ""
    return NoCredentials(f"Could not {doing}: {printable(name)}: {reason}.", hint=hint)


def _no_credentials(error: Exception, doing: str) -> Translated:
    return NoCredentials(f"Could not {doing}: {said(error)}.", hint=f"{MEND_KEYS} {LOCAL_AWS}")


def _no_profile(error: Exception, doing: str) -> Translated:
    name = str(getattr(error, "kwargs", {}).get("profile", ""))
    hint = f"Create it with: aws configure --profile {printable(shlex.quote(name))}  (AWS_PROFILE names it)"
    return NoCredentials(f"Could not {doing}: {said(error)}.", hint=hint)


def _wrong_configuration(error: Exception, doing: str) -> Translated:
    path = getattr(error, "kwargs", {}).get("path")
    if path and (problem := explain(Path(str(path)))):
        return NoCredentials(problem.what, hint=problem.cure)
    return NoCredentials(f"Could not {doing}: {said(error)}.", hint="Correct it, or run: aws configure.")


def _no_source(error: Exception, doing: str) -> Translated:
    hint = "Log in again (aws sso login), or check their source in the AWS configuration."
    return CredentialsUnavailable(f"Could not {doing}: {said(error)}.", hint=hint)


def _unreadable(_error: Exception, doing: str) -> Translated:
    return unlike_aws(doing, "no such response")


def _other(error: Exception, doing: str) -> Translated:
    return AwsError(f"Could not {doing}: {said(error)}.")


_MAKERS: tuple[tuple[tuple[type[Exception], ...], Callable[[Exception, str], Translated]], ...] = (
    ((NoCredentialsError, PartialCredentialsError), _no_credentials),
    ((ProfileNotFound,), _no_profile),
    ((ConfigParseError, InvalidConfigError), _wrong_configuration),
    ((CredentialRetrievalError, MetadataRetrievalError, TokenRetrievalError, SSOError), _no_source),
    ((NetworkError, ConnectionClosedError, ReadTimeoutError, ResponseStreamingError), unreachable),
    ((IncompleteReadError, ChecksumError, FlexibleChecksumError), unreachable),
    ((HTTPClientError,), _from_http_client),
    ((ResponseParserError,), _unreadable),
    ((BotoCoreError,), _other),
    ((OSError,), _from_os_error),
)


def _stumbled(error: Exception, doing: str) -> Translated | None:
    """Tell what botocore itself stumbled over: a response, or a value of the configuration; None if it is a bug."""
    if isinstance(error, RecursionError) or _PARSERS in _modules(error):
        return unlike_aws(doing, "no such response")
    if isinstance(error, RuntimeError):
        return _no_source(error, doing)
    return _other(error, doing) if isinstance(error, ValueError) else None


def _is_ours(error: BaseException) -> bool:
    """Whether our own code raised an error: what it came through last, of that and the libraries, is ours."""
    known = [name for name in _modules(error) if name in ("courier", *_LIBRARIES)]
    return not known or known[-1] == "courier"


def _modules(error: BaseException) -> list[str]:
    """Return the packages that an error came through, the last being where it was raised; and botocore's parsers."""
    names = [str(frame.f_globals.get("__name__", "")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [name if name == _PARSERS else name.partition(".")[0] for name in names]
