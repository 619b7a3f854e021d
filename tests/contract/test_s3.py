"""What the engine relies on of a bucket, held against two local AWS."""

from __future__ import annotations

import io
import secrets

import pytest

from courier.aws.s3 import PART_BYTES, Bucket, StoredObject
from courier.aws.session import Aws
from courier.errors import BucketMissing, ObjectMissing, ObjectReplaced, Rejected


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


def test_a_folder_of_a_prefix_has_its_own_objects_and_a_listing_leaves_it_out(bucket: Bucket) -> None:
    annas = bucket.folder("anna")
    for place, content in ((bucket, b"1"), (annas, b"12"), (bucket.folder("bob"), b"123")):
        store(place, "cat.png", content)
        store(place, "anna", content)  # as the folder is called
    others: list[str] = []

    assert [(item.name, item.size_bytes) for item in annas.names()] == [("anna", 2), ("cat.png", 2)]
    assert [item.name for item in bucket.names(in_folder=others.append)] == ["anna", "cat.png"]
    assert others == ["anna", "bob"]
    everything = ["anna", "anna/anna", "anna/cat.png", "bob/anna", "bob/cat.png", "cat.png"]
    assert [item.name for item in bucket.names(recursive=True)] == everything
    assert fetch(bucket, "cat.png") + fetch(annas, "cat.png") == b"112"
    assert bucket.folder(None) is bucket


def find(bucket: Bucket, name: str) -> StoredObject:
    found = bucket.find(name)
    assert found
    return found


def test_finding_tells_what_is_there(bucket: Bucket) -> None:
    store(bucket, "a.png", b"1")

    assert find(bucket, "a.png").size_bytes == 1
    assert [find(bucket, "a.png").etag] == [item.etag for item in bucket.names()]
    assert bucket.find("b.png") is None


def test_blocks_begin_anywhere_and_go_on_to_the_end(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.aws.s3.LONG_RANGE_BYTES", 70_000)
    content = secrets.token_bytes(200_001)
    store(bucket, "list", content)
    found = find(bucket, "list")

    assert b"".join(bucket.blocks(found, 0, 200_001)) == content
    assert b"".join(bucket.blocks(found, 1_234, 190_000)) == content[1_234:]
    assert next(iter(bucket.blocks(found, 200_000, 200_000))) == content[-1:]
    assert list(bucket.blocks(found, 200_001, 200_001)) == []


@pytest.mark.parametrize("size", [0, 5, 2**23, 2**23 + 1, 20_000_000])
def test_a_stream_of_any_length_is_stored_as_it_is(bucket: Bucket, size: int) -> None:
    content = secrets.token_bytes(size)
    moved: list[int] = []

    stored = bucket.store("list", io.BytesIO(content), media_type="text/plain", progress=moved.append)

    assert fetch(bucket, "list") == content
    assert sum(moved) == stored.size_bytes == size
    assert (stored.name, stored.etag) == ("list", find(bucket, "list").etag)


def test_a_stream_that_breaks_leaves_nothing(bucket: Bucket, aws: Aws) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 2**23:
                raise KeyboardInterrupt
            return super().read(size)

    with pytest.raises(KeyboardInterrupt):
        bucket.store("list", Breaking(bytes(2**25)), media_type="text/plain")

    assert bucket.find("list") is None
    assert not aws.s3().list_multipart_uploads(Bucket=bucket.name).get("Uploads")


def test_an_object_that_was_replaced_is_not_read(bucket: Bucket) -> None:
    store(bucket, "list", b"1,2,3")
    found = find(bucket, "list")
    store(bucket, "list", b"4,5,6")

    with pytest.raises(ObjectReplaced, match="'list' in images/unprocessed/ of the bucket was replaced"):
        list(bucket.blocks(found, 0, 5))


@pytest.mark.parametrize("size", [5, PART_BYTES + 1])
def test_what_is_new_replaces_nothing(bucket: Bucket, size: int) -> None:
    bucket.store("list", io.BytesIO(b"a" * size), media_type="text/plain", is_new=True)

    with pytest.raises(ObjectReplaced):
        bucket.store("list", io.BytesIO(b"b" * size), media_type="text/plain", is_new=True)

    assert fetch(bucket, "list") == b"a" * size


def test_what_was_deleted_is_gone_and_may_be_deleted_again(bucket: Bucket) -> None:
    store(bucket, "list", b"1,2,3")
    found = find(bucket, "list")

    bucket.delete("list")
    bucket.delete("list")

    assert bucket.find("list") is None
    with pytest.raises(ObjectMissing):
        list(bucket.blocks(found, 0, 5))


def test_an_object_that_is_not_there_is_said(bucket: Bucket) -> None:
    with pytest.raises(ObjectMissing, match=r"There is no 'a.png' in images/unprocessed/"):
        fetch(bucket, "a.png")


def test_an_object_over_the_limit_is_rejected_before_it_travels(bucket: Bucket) -> None:
    store(bucket, "a.png", b"x" * 1001)
    file = io.BytesIO()

    with pytest.raises(Rejected, match="has 1,001 bytes; at most 1,000"):
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
