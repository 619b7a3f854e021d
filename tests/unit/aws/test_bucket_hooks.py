"""Each call to S3 says whose bucket it means, and what is in another region is said to be there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from courier import errors
from courier.aws.bucket_hooks import region_elsewhere
from courier.aws.s3 import Bucket
from courier.aws.session import Aws
from tests.support.place import ROOT


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials and a region in the environment, and nothing else of AWS's configuration."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "HOME": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)


def response(status: int, **headers: str) -> AWSResponse:
    """Return a response without a body."""
    named: Any = {name.replace("_", "-"): value for name, value in headers.items()}
    raw: Any = SimpleNamespace(stream=list, read=lambda *_: b"")
    return AWSResponse("https://bucket", status, named, raw)


#: A call of each kind that this program makes to S3.
OBJECT = {"Bucket": "bucket", "Key": "key"}
UPLOAD = {**OBJECT, "UploadId": "1"}
S3_CALLS: dict[str, dict[str, Any]] = {
    "head_bucket": {"Bucket": "bucket"},
    "list_objects_v2": {"Bucket": "bucket"},
    "head_object": OBJECT,
    "get_object": OBJECT,
    "put_object": {**OBJECT, "Body": b"x"},
    "delete_object": OBJECT,
    "create_multipart_upload": OBJECT,
    "upload_part": {**UPLOAD, "PartNumber": 1, "Body": b"x"},
    "complete_multipart_upload": UPLOAD,
    "abort_multipart_upload": UPLOAD,
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A connection whose S3 answers nothing by itself."""
    monkeypatch.setattr(Aws, "account_id", lambda _aws: "123456789012")
    return Aws()


@pytest.mark.parametrize("call", S3_CALLS)
def test_each_call_to_s3_says_whose_bucket_it_is(aws: Aws, call: str) -> None:
    sent: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(request)
        return response(200)

    when_sent(aws, answer)

    getattr(aws.s3(), call)(**S3_CALLS[call])

    assert [one.headers["x-amz-expected-bucket-owner"] for one in sent] == [b"123456789012"]


def test_every_call_to_s3_is_among_them() -> None:
    text = (ROOT / "courier/aws/s3.py").read_text() + (ROOT / "courier/aws/session.py").read_text()

    assert set(re.findall(r"s3\(\)\.(\w+)", text)) == {*S3_CALLS}


def when_sent(aws: Aws, answer: Callable[..., AWSResponse]) -> None:
    """Have a function answer instead of S3."""
    events: Any = aws.s3().meta.events
    events.register("before-send.s3", answer)


@pytest.mark.parametrize("status", [301, 400])
def test_a_bucket_in_another_region_is_said_and_is_no_matter_of_credentials(
    aws: Aws, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At an address that is given, botocore does not look for the bucket's region itself.
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://localhost:1")
    when_sent(aws, lambda **_: response(status, x_amz_bucket_region="eu-west-1"))

    with pytest.raises(errors.AwsError, match=r"is in the region eu-west-1, and this program uses us-east-1"):
        Bucket(aws, "bucket", "x/").find("key")


def test_the_same_status_from_the_bucket_of_this_region_is_a_matter_of_credentials(aws: Aws) -> None:
    when_sent(aws, lambda **_: response(400, x_amz_bucket_region="us-east-1"))

    with pytest.raises(errors.CredentialsRejected):
        Bucket(aws, "bucket", "x/").find("key")


def test_a_call_that_takes_no_owner_has_none(aws: Aws) -> None:
    sent: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(request)
        return response(404)

    when_sent(aws, answer)

    with pytest.raises(ClientError):
        aws.s3().create_bucket(Bucket="bucket")

    assert "x-amz-expected-bucket-owner" not in sent[0].headers


@pytest.mark.parametrize(
    ("status", "region", "client", "elsewhere"),
    [
        (400, "eu-west-1", "us-east-1", "eu-west-1"),
        (301, "eu-west-1", "us-east-1", "eu-west-1"),
        (200, "eu-west-1", "us-east-1", ""),
        (403, "eu-west-1", "us-east-1", ""),
        (400, "us-east-1", "us-east-1", ""),
        (400, "", "us-east-1", ""),
        (400, "eu-west-1", None, ""),
    ],
)
def test_a_bucket_is_elsewhere_only_if_s3_rejects_the_call_and_names_another_region(
    status: int, region: str, client: str | None, elsewhere: str
) -> None:
    headers = {"x-amz-bucket-region": region} if region else {}
    parsed = {"ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers}}

    assert region_elsewhere(parsed, {"client_region": client} if client else {}) == elsewhere
    assert region_elsewhere({}, {}) == ""
