from __future__ import annotations

import os
import time
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ParamValidationError

from courier import errors
from courier.aws.credentials import CredentialRefresh
from courier.aws.session import Aws, Clock
from courier.aws.sqs import Mailbox

ROOT = Path(__file__).parents[3]
SECRET = "wJalrXUtnFEMIK7MDENG"


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


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials and a region in the environment, and nothing else of AWS's configuration."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def client_error(**environment: str) -> errors.NoCredentials:
    """Return what is said of AWS's configuration when it is used."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value) if value else patch.delenv(name, raising=False)
        with pytest.raises(errors.NoCredentials) as raised:
            Aws().sqs()
    assert not raised.value.is_transient
    assert raised.value.exit_status == 4
    assert raised.value.hint
    assert SECRET not in raised.value.sentence
    return raised.value


@pytest.mark.parametrize(
    ("name", "value", "facts"),
    [
        ("AWS_SESSION_TOKEN", f"{SECRET}\r", ["AWS_SESSION_TOKEN ends in a carriage return"]),
        ("AWS_SESSION_TOKEN", f"{SECRET}\n", ["AWS_SESSION_TOKEN ends in a line ending"]),
        ("AWS_SESSION_TOKEN", f"{SECRET}\x01x", ["AWS_SESSION_TOKEN", "U+0001"]),
        ("AWS_SECRET_ACCESS_KEY", f"{SECRET} ", ["AWS_SECRET_ACCESS_KEY ends in a blank"]),
        ("AWS_SECRET_ACCESS_KEY", f'"{SECRET}"', ["AWS_SECRET_ACCESS_KEY", "quotes"]),
        ("AWS_ACCESS_KEY_ID", "AKIA\xf6", ["AWS_ACCESS_KEY_ID", "U+00F6"]),
        ("AWS_DEFAULT_REGION", "us-east-1 ", ["AWS_DEFAULT_REGION ends in a blank"]),
        ("AWS_REGION", "us-east-1\r", ["AWS_REGION ends in a carriage return"]),
        ("AWS_DEFAULT_REGION", "us-east-1a", ["'us-east-1a'", "availability zone", "us-east-1"]),
        ("AWS_DEFAULT_REGION", "", ["has no region", "AWS_DEFAULT_REGION", "./run_local.sh images"]),
        ("AWS_DEFAULT_REGION", "us_east_1", ["us_east_1"]),
        ("AWS_PROFILE", "lab ", ["AWS_PROFILE ends in a blank"]),
        ("AWS_PROFILE", "nope", ["nope", "aws configure --profile nope"]),
        ("AWS_ENDPOINT_URL", "localhost:9841", ["AWS_ENDPOINT_URL", "http:// is missing", "http://localhost:9841"]),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1 ", ["AWS_ENDPOINT_URL ends in a blank"]),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:x", ["AWS_ENDPOINT_URL", "'http://127.0.0.1:x'"]),
        ("AWS_ENDPOINT_URL", "http:/127.0.0.1", ["AWS_ENDPOINT_URL", "http:// is missing"]),
        ("AWS_ENDPOINT_URL", f"ftp://me:{SECRET}@127.0.0.1", ["AWS_ENDPOINT_URL", "ftp://***@127.0.0.1"]),
        ("AWS_ENDPOINT_URL_SQS", "localhost:9841", ["AWS_ENDPOINT_URL_SQS"]),
        (
            "AWS_ACCESS_KEY_ID",
            "",
            ["no AWS credentials", "./run_local.sh numbers", "./run_local.sh images", "./run_local.sh env"],
        ),
        ("AWS_SECRET_ACCESS_KEY", "", ["AWS_SECRET_ACCESS_KEY"]),
        ("AWS_CA_BUNDLE", "/nope/bundle", ["/nope/bundle", "AWS_CA_BUNDLE"]),
        ("REQUESTS_CA_BUNDLE", "/nope/bundle", ["/nope/bundle"]),
        ("AWS_STS_REGIONAL_ENDPOINTS", "foo", ["foo"]),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(name: str, value: str, facts: list[str]) -> None:
    sentence = client_error(**{name: value}).sentence

    assert all(fact in sentence for fact in facts), sentence


def test_of_keys_that_are_not_used_nothing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text("[default]\naws_access_key_id=A\naws_secret_access_key=B\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "x\r")

    assert Aws().sqs()


@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_a_file_that_cannot_be_read_is_the_cause_that_is_reported(tmp_path: Path, variable: str) -> None:
    without = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}

    sentence = client_error(**without, **{variable: str(tmp_path)}).sentence

    assert f"{tmp_path} is a directory" in sentence


def test_a_credentials_file_that_no_aws_tool_parses_is_said_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("[default]\nrubbish\n")
    without = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}

    assert "line 2" in client_error(**without, AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "keys")).message


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("[default]\nrubbish\n", ["line 2"]),
        ("[default]\ncredential_process = /nope/program\n", ["/nope/program"]),
        ("[default]\ncredential_process = echo no json\n", ["find AWS credentials"]),
        ("[default]\ncredential_process = echo []\n", ["find AWS credentials"]),
        ("[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = other\n", ["other"]),
        ("[default]\naws_access_key_id = A\n", ["aws_secret_access_key"]),
        ("[default]\nregion = us-east-1b\n", ["us-east-1b", "availability zone"]),
    ],
)
def test_a_configuration_that_cannot_be_used_is_said(tmp_path: Path, text: str, facts: list[str]) -> None:
    (tmp_path / "config").write_text(text)
    without = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_DEFAULT_REGION": ""}
    region = {"AWS_DEFAULT_REGION": "us-east-1"} if "zone" not in facts[-1] else {}

    sentence = client_error(**{**without, **region}, AWS_CONFIG_FILE=str(tmp_path / "config")).sentence

    assert all(fact in sentence for fact in facts), sentence


def test_a_web_identity_token_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nope/token")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    with pytest.raises(errors.NoCredentials, match="/nope/token") as raised:
        Mailbox(Aws(), "queue").find()

    assert not raised.value.is_transient
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" in raised.value.hint


def test_the_region_of_other_tools_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")

    assert Aws().region == "eu-west-3"


def test_a_client_retries_a_transient_error_and_a_worker_leaves_that_to_its_loops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("courier.aws.retry.backoff.delays", lambda: iter([0.0] * 100))
    outcomes = iter([errors.Throttled("No."), errors.Throttled("No.")] * 2)

    def call() -> str:
        for error in outcomes:
            raise error
        return "done"

    patient = Aws(CredentialRefresh(seconds=0, tell=print, transient_seconds=60))

    assert patient.call("do it", call) == "done"
    outcomes = iter([errors.Throttled("No.")])
    with pytest.raises(errors.Throttled):
        Aws().call("do it", call)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A connection whose S3 answers nothing by itself."""
    monkeypatch.setattr(Aws, "account_id", lambda _aws: "123456789012")
    return Aws()


def response(status: int, **headers: str) -> AWSResponse:
    """Return a response without a body."""
    named: Any = {name.replace("_", "-"): value for name, value in headers.items()}
    raw: Any = SimpleNamespace(stream=list, read=lambda *_: b"")
    return AWSResponse("https://bucket", status, named, raw)


def sent_user_agents(client: Any) -> list[str]:
    """Have all calls answered by 404, and return a list of the user agents that they show."""
    sent: list[str] = []

    def answer(request: Any, **_: object) -> AWSResponse:
        sent.append(request.headers["User-Agent"].decode())
        return response(404)

    client.meta.events.register("before-send", answer)
    return sent


def test_calls_of_sqs_are_checked_by_sqs_alone() -> None:
    client: Any = Aws().sqs()
    sent = sent_user_agents(client)

    with pytest.raises(ClientError):
        client.send_message_batch(QueueUrl="https://sqs.us-east-1.amazonaws.com/1/q", Entries=[{"Id": "1"}])

    assert len(sent) == 1


def test_calls_of_s3_are_checked_before_they_are_made(aws: Aws) -> None:
    """Without a key, botocore would list the bucket instead of reading an object."""
    with pytest.raises(ParamValidationError):
        aws.s3().get_object(Bucket="bucket", Key="")


def test_aws_is_shown_who_calls() -> None:
    client = Aws().sqs()
    sent = sent_user_agents(client)

    with pytest.raises(ClientError):
        client.list_queues()

    assert sent[0].startswith("courier Boto3/")
    assert f"Botocore/{botocore.__version__}" in sent[0]
