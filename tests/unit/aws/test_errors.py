from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    LoginRefreshRequired,
    MissingDependencyException,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSLError,
    SSOTokenLoadError,
)
from botocore.parsers import ResponseParserError

from courier import errors
from courier.aws.errors import call_aws, error_kind, read_configuration
from courier.aws.responses import needed
from courier.redaction import remember

TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE"


def client_error(
    code: str, message: str = "Said so.", *, status: int | None = 400, operation: str = "Operation"
) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


def failure(error: Exception) -> errors.CourierError:
    """Return what a call that raises `error` raises here."""

    def call() -> None:
        raise error

    with pytest.raises(errors.CourierError, match=r"^Could not do it: ") as raised:
        call_aws("do it", call)
    assert raised.value.__cause__ is error
    return raised.value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (client_error("AWS.SimpleQueueService.NonExistentQueue"), errors.QueueMissing),
        (client_error("QueueDoesNotExist"), errors.QueueMissing),
        (client_error("com.amazonaws.sqs#QueueDoesNotExist"), errors.QueueMissing),
        (client_error("NoSuchBucket"), errors.BucketMissing),
        (client_error("NoSuchKey"), errors.ObjectMissing),
        (client_error("404", operation="HeadObject"), errors.ObjectMissing),
        (client_error("400", operation="HeadObject"), errors.CredentialsRejected),
        (client_error("400"), errors.AwsError),
        (client_error("404"), errors.AwsError),
        (client_error("412"), errors.ObjectReplaced),
        (client_error("ConditionalRequestConflict", status=409), errors.Throttled),
        (LoginRefreshRequired(), errors.CredentialsUnavailable),
        (MissingDependencyException(msg="awscrt"), errors.NoCredentials),
        (client_error("ExpiredToken"), errors.CredentialsRejected),
        (client_error("InvalidClientTokenId"), errors.CredentialsRejected),
        (client_error("AccessDenied"), errors.AccessDenied),
        (client_error("403", status=403), errors.AccessDenied),
        (client_error("AWS.SimpleQueueService.PurgeQueueInProgress"), errors.PurgeInProgress),
        (client_error("AWS.SimpleQueueService.BatchRequestTooLong"), errors.MessageTooLong),
        (client_error("ReceiptHandleIsInvalid"), errors.ReceiptHandleInvalid),
        (client_error("InvalidParameterValue", "The receipt handle has expired."), errors.ReceiptHandleInvalid),
        (client_error("InvalidParameterValue", "Message must be shorter than 262144 bytes."), errors.MessageTooLong),
        (client_error("InvalidParameterValue", "Reason: Dead letter target does not exist."), errors.Throttled),
        (client_error("SomethingNew"), errors.AwsError),
        (EndpointConnectionError(endpoint_url="http://x"), errors.Unreachable),
        (ConnectTimeoutError(endpoint_url="http://x"), errors.Unreachable),
        (ConnectionClosedError(endpoint_url="http://x"), errors.Unreachable),
        (ReadTimeoutError(endpoint_url="http://x"), errors.Unreachable),
        (SSLError(endpoint_url="http://x", error=ssl.SSLError()), errors.Unreachable),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), errors.Unreachable),
        (HTTPClientError(error=ConnectionResetError()), errors.Unreachable),
        (HTTPClientError(error=socket.gaierror()), errors.Unreachable),
        (HTTPClientError(error=ValueError("Invalid header value")), errors.AwsError),
        (HTTPClientError(error=FileNotFoundError(2, "No such file", "/nope")), errors.NoCredentials),
        (ConnectionResetError(), errors.Unreachable),
        (FileNotFoundError(2, "No such file", "/nope"), errors.NoCredentials),
        (NoCredentialsError(), errors.NoCredentials),
        (PartialCredentialsError(provider="env", cred_var="x"), errors.NoCredentials),
        (ProfileNotFound(profile="nope"), errors.NoCredentials),
        (CredentialRetrievalError(provider="x", error_msg="y"), errors.CredentialsUnavailable),
        (SSOTokenLoadError(error_msg="x"), errors.CredentialsUnavailable),
        (ResponseParserError("x"), errors.Unreachable),
        (ParamValidationError(report="x"), errors.AwsError),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:50]),
)
def test_every_aws_error_becomes_an_error_of_courier(error: Exception, kind: type[errors.CourierError]) -> None:
    assert type(failure(error)) is kind


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 520, 599, 408, 429])
@pytest.mark.parametrize(("code", "message"), [("", ""), ("502", "<html>x</html>"), ("AccessDenied", "No.")])
def test_what_a_status_says_is_transient_is_so_whatever_the_body_says(status: int, code: str, message: str) -> None:
    error = failure(client_error(code, message, status=status))

    assert type(error) is errors.Throttled
    assert error.is_transient
    assert "<" not in error.sentence


@pytest.mark.parametrize(
    "code",
    [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "AWS.SimpleQueueService.ThrottlingException",
        "com.amazonaws.sqs#RequestThrottled",
        "com.amazonaws.sqs#RequestThrottled:http://internal.amazon.com/",
        "KMS.ThrottlingException",
        "KmsThrottled",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
        "SlowDown",
        "RequestTimeout",
        "RequestTimeoutException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "OverLimit",
        "InternalError",
        "ServiceUnavailable",
    ],
)
def test_throttling_of_any_name_is_transient(code: str) -> None:
    assert type(failure(client_error(code))) is errors.Throttled
    assert error_kind(code) is errors.Throttled


@pytest.mark.parametrize("status", [200, 301, 400, 403, 404])
def test_an_error_without_a_code_or_as_a_page_is_none_of_awss(status: int) -> None:
    for error in (client_error("", "", status=status), client_error(str(status), "<html>Proxy</html>", status=status)):
        failed = failure(error)

        assert type(failed) is errors.Unreachable
        assert str(status) in failed.message
        assert "<" not in failed.sentence


def test_what_aws_says_cannot_reach_a_terminal_raw() -> None:
    assert failure(client_error("\x1b[2J", "\x07")).sentence.isprintable()


def test_no_secret_is_repeated_from_any_source() -> None:
    remember(TOKEN)

    failures = [
        failure(client_error("Odd", f"The token {TOKEN} is bad.")),
        failure(HTTPClientError(error=ValueError(f"Invalid header value b'{TOKEN}\\r'"))),
        failure(EndpointConnectionError(endpoint_url=f"http://me:{TOKEN}@x")),
        failure(EndpointConnectionError(endpoint_url="http://me:pw@x")),
        failure(ParamValidationError(report=f"{TOKEN} is no number")),
    ]

    for error in failures:
        assert TOKEN not in error.sentence
        assert "pw@" not in error.sentence


def test_what_the_http_client_cannot_send_is_no_connection_that_failed() -> None:
    error = failure(HTTPClientError(error=ValueError("Invalid header value b'x\\r'")))

    assert isinstance(error, errors.AwsError)
    assert not error.is_transient
    assert "reached" not in error.message
    assert "ValueError" in error.message


def test_own_errors_pass_untouched() -> None:
    def call() -> None:
        raise errors.ResponseTimeout

    with pytest.raises(errors.ResponseTimeout):
        call_aws("do it", call)


@pytest.mark.parametrize("bug", [KeyError, AttributeError, TypeError, ValueError, ZeroDivisionError, RuntimeError])
def test_a_bug_is_no_aws_error(bug: type[Exception]) -> None:
    def call() -> None:
        raise bug

    for make in (call_aws, read_configuration):
        with pytest.raises(bug):
            make("do it", call)


def test_a_call_made_wrongly_is_a_bug() -> None:
    with pytest.raises(TypeError):
        call_aws("do it", len)  # type: ignore[call-arg]


def test_a_response_without_what_aws_always_sends_is_reported() -> None:
    assert needed("do it", {"a": {"b": 1}}, "a", "b") == 1
    responses: list[dict[str, Any]] = [{}, {"a": {}}, {"a": 5}]
    for response in responses:
        with pytest.raises(errors.Unreachable, match=r"Could not do it: .*response is not one of AWS"):
            needed("do it", response, "a", "b")
