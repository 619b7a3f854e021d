from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from courier import errors
from courier.aws import Aws, Clock, translated


def client_error(code: str, message: str = "Said so.") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def fail_in(doing: str, error: Exception) -> None:
    with translated(doing):
        raise error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (client_error("AWS.SimpleQueueService.NonExistentQueue"), errors.QueueMissing),
        (client_error("QueueDoesNotExist"), errors.QueueMissing),
        (client_error("NoSuchBucket"), errors.BucketMissing),
        (client_error("NoSuchKey"), errors.ObjectMissing),
        (client_error("ExpiredToken"), errors.CredentialsRefused),
        (client_error("InvalidClientTokenId"), errors.CredentialsRefused),
        (client_error("AccessDenied"), errors.AccessDenied),
        (client_error("403"), errors.AccessDenied),
        (client_error("SlowDown"), errors.Busy),
        (client_error("AWS.SimpleQueueService.PurgeQueueInProgress"), errors.PurgedLately),
        (client_error("InvalidParameterValue", "Message must be shorter than 262144 bytes."), errors.MessageTooLong),
        (client_error("SomethingNew"), errors.AwsTrouble),
        (EndpointConnectionError(endpoint_url="http://x"), errors.Unreachable),
        (ConnectTimeoutError(endpoint_url="http://x"), errors.Unreachable),
        (ReadTimeoutError(endpoint_url="http://x"), errors.Unreachable),
        (NoCredentialsError(), errors.NoCredentials),
        (ParamValidationError(report="x"), errors.AwsTrouble),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:50]),
)
def test_every_error_of_aws_becomes_one_of_ours(error: Exception, kind: type[errors.CourierError]) -> None:
    with (
        pytest.raises(errors.CourierError, match=r"^Could not do it: ") as raised,
        translated("do it"),
    ):
        raise error

    assert type(raised.value) is kind
    assert raised.value.__cause__ is error


def test_what_aws_says_cannot_reach_a_terminal_raw() -> None:
    with pytest.raises(errors.AwsTrouble) as raised, translated("do it"):
        raise client_error("\x1b[2J", "\x07")

    assert raised.value.sentence.isprintable()


def test_errors_of_ours_pass_untouched() -> None:
    with pytest.raises(errors.NoAnswer), translated("do it"):
        raise errors.NoAnswer


def test_the_clock_follows_aws_and_not_this_machine() -> None:
    clock = Clock()
    clock.read(formatdate(time.time() + 240, usegmt=True))

    assert clock.now() - time.time() == pytest.approx(240, abs=2)


@pytest.mark.parametrize("date", [None, "", "yesterday", "Tue, 99 Foo 2026"])
def test_a_date_that_is_none_changes_nothing(date: str | None) -> None:
    clock = Clock()
    clock.read(date)

    assert clock.now() == pytest.approx(time.time(), abs=1)


def test_a_difference_within_the_headers_coarseness_is_none() -> None:
    clock = Clock()
    clock.read(formatdate(time.time() - 1, usegmt=True))

    assert clock.now() == pytest.approx(time.time(), abs=0.1)


def test_without_a_region_a_sentence_says_how_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    with pytest.raises(errors.NoCredentials, match="names no region") as raised:
        Aws()

    assert "AWS_DEFAULT_REGION" in raised.value.hint


def test_a_profile_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    with pytest.raises(errors.NoCredentials, match="nobody"):
        Aws()


def test_the_region_of_other_tools_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.delenv("AWS_PROFILE", raising=False)

    assert Aws().region == "eu-west-3"
