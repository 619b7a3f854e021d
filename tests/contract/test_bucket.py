"""What the engine relies on of a bucket, held against two local AWS."""

from __future__ import annotations

import io
import secrets

import pytest

from courier.aws import Aws
from courier.bucket import Bucket
from courier.errors import BucketMissing, InputRefused, ObjectMissing


@pytest.fixture
def bucket(aws: Aws) -> Bucket:
    name = f"bucket-{secrets.token_hex(6)}"
    aws.s3().create_bucket(Bucket=name)
    return Bucket(aws, name, "images/unprocessed/")


def store(bucket: Bucket, name: str, content: bytes) -> None:
    bucket.store(name, io.BytesIO(content), media_type="image/png")


def fetch(bucket: Bucket, name: str, limit_bytes: int | None = None) -> bytes:
    file = io.BytesIO()
    bucket.fetch(name, file, limit_bytes=limit_bytes)
    return file.getvalue()


@pytest.mark.parametrize("size", [0, 1, 20_000_000], ids=["empty", "one byte", "in parts"])
def test_an_object_comes_back_as_it_was_stored(bucket: Bucket, size: int) -> None:
    content = secrets.token_bytes(size)
    moved: list[int] = []

    bucket.store("cat.png", io.BytesIO(content), media_type="image/png", progress=moved.append)

    assert fetch(bucket, "cat.png") == content
    assert sum(moved) == size


def test_a_fetch_tells_size_and_progress(bucket: Bucket) -> None:
    store(bucket, "cat.png", b"x" * 700_000)
    sizes: list[int] = []
    moved: list[int] = []

    bucket.fetch("cat.png", io.BytesIO(), opened=sizes.append, progress=moved.append)

    assert sizes == [700_000]
    assert sum(moved) == 700_000
    assert len(moved) > 1


def test_an_odd_name_is_a_name_like_any_other(bucket: Bucket) -> None:
    store(bucket, "Größe 7 [a]+%2F&?.png", b"x")

    assert fetch(bucket, "Größe 7 [a]+%2F&?.png") == b"x"
    assert [item.name for item in bucket.names()] == ["Größe 7 [a]+%2F&?.png"]


def test_a_listing_holds_this_prefix_only(bucket: Bucket, aws: Aws) -> None:
    store(bucket, "b.png", b"12")
    store(bucket, "a.png", b"1")
    aws.s3().put_object(Bucket=bucket.name, Key="images/processed/c.png", Body=b"")
    aws.s3().put_object(Bucket=bucket.name, Key="images/unprocessed/", Body=b"")

    assert [(item.name, item.size_bytes) for item in bucket.names()] == [("a.png", 1), ("b.png", 2)]
    assert all(item.modified.tzinfo for item in bucket.names())


def test_finding_tells_what_is_there(bucket: Bucket) -> None:
    store(bucket, "a.png", b"1")

    assert bucket.size_bytes("a.png") == 1
    assert bucket.size_bytes("b.png") is None


def test_an_object_that_is_not_there_is_said(bucket: Bucket) -> None:
    with pytest.raises(ObjectMissing, match=r"There is no 'a.png' in images/unprocessed/"):
        fetch(bucket, "a.png")


def test_an_object_over_the_limit_is_refused_before_it_travels(bucket: Bucket) -> None:
    store(bucket, "a.png", b"x" * 1001)
    file = io.BytesIO()

    with pytest.raises(InputRefused, match="has 1,001 bytes; at most 1,000"):
        bucket.fetch("a.png", file, limit_bytes=1000)

    assert file.getvalue() == b""


def test_a_bucket_that_is_not_there_is_said_with_what_creates_it(aws: Aws) -> None:
    nowhere = Bucket(aws, f"nowhere-{secrets.token_hex(6)}", "images/processed/")

    with pytest.raises(BucketMissing, match="does not exist") as raised:
        nowhere.check()
    assert "./aws_setup.sh bucket" in raised.value.hint
    with pytest.raises(BucketMissing):
        fetch(nowhere, "a.png")
    with pytest.raises(BucketMissing):
        store(nowhere, "a.png", b"x")


def test_a_bucket_without_a_name_is_the_accounts(aws: Aws) -> None:
    account = aws.account_id()

    assert len(account) == 12
    assert Bucket(aws, None, "x/").name == f"lab3-{account}-us-east-1"
