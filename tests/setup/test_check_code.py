"""check_code.py against a real S3 service: one request says whether the code in the bucket is another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import check_code
import pytest

from tests.support.engines import REGION, Engine, fresh_account

ACCOUNT = "123456789012"


class Bucket:
    def __init__(self, engine: Engine, folder: Path) -> None:
        self.name = f"bucket-{fresh_account()}"
        self.etag = folder / "etag"
        self._s3: Any = boto3.client(
            "s3", endpoint_url=engine.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )
        self._s3.create_bucket(Bucket=self.name)

    def put(self, body: bytes) -> str:
        return str(self._s3.put_object(Bucket=self.name, Key="deploy/current", Body=body)["ETag"])

    def check(self) -> int:
        return check_code.main([self.name, ACCOUNT, str(self.etag)])


@pytest.fixture
def bucket(moto: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name, value in moto.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return Bucket(moto, tmp_path)


def test_the_installed_code_is_unchanged_and_newer_code_is_not(bucket: Bucket) -> None:
    assert bucket.check() == check_code.CHANGED  # nothing is known yet
    bucket.etag.write_text(bucket.put(b"one") + "\n")
    assert bucket.check() == check_code.UNCHANGED

    bucket.put(b"two")

    assert bucket.check() == check_code.CHANGED


def test_what_cannot_be_asked_is_unknown(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    bucket.etag.write_text('"x"')
    assert bucket.check() == check_code.UNKNOWN
    assert "status 404" in capsys.readouterr().err

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert bucket.check() == check_code.UNKNOWN

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    assert bucket.check() == check_code.UNKNOWN
    assert "credentials" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("bucket_name", "region", "url"),
    [
        ("lab3-1-us-east-1", "us-east-1", "https://lab3-1-us-east-1.s3.us-east-1.amazonaws.com/deploy/current"),
        ("my.bucket", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/my.bucket/deploy/current"),
        ("mine", "cn-north-1", "https://mine.s3.cn-north-1.amazonaws.com.cn/deploy/current"),
    ],
)
def test_the_address_is_that_of_the_region(
    bucket_name: str, region: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    assert check_code.url_of(bucket_name, region) == url
