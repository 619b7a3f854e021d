"""Objects in a bucket in memory; with two local AWS they are in tests/contract."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import IO, cast

import pytest

from courier.aws.download import CHUNK_BYTES
from courier.aws.s3 import LARGE_PART_BYTES, LONG_RANGE_BYTES, PART_BYTES, SHORT_RANGE_BYTES, Bucket
from courier.errors import (
    AccessDenied,
    AwsError,
    BucketMissing,
    ObjectMissing,
    ObjectReplaced,
    Reason,
    Rejected,
    Unreachable,
)
from tests.support.fakes import WAIT_LIMIT_SECONDS, FakeAws, client_error, no_network

PREFIX = "images/unprocessed/"
TYPE = "image/png"


@pytest.fixture
def aws() -> FakeAws:
    made = FakeAws()
    made.objects.create_bucket(Bucket="bucket")
    return made


@pytest.fixture
def bucket(aws: FakeAws) -> Bucket:
    return Bucket(aws, "bucket", PREFIX)


def put(bucket: Bucket, name: str, content: bytes = b"x") -> None:
    bucket.store(name, io.BytesIO(content), media_type=TYPE)


def fetched(bucket: Bucket, name: str, limit_bytes: int | None = None, etag: str = "") -> bytes:
    file = io.BytesIO()
    bucket.fetch(name, file, limit_bytes=limit_bytes, etag=etag)
    return file.getvalue()


# Storing


def test_a_short_body_is_stored_by_one_call_and_announced(aws: FakeAws, bucket: Bucket) -> None:
    moved: list[int] = []
    before = datetime.now(UTC)

    found = bucket.store("a", io.BytesIO(b"123"), media_type=TYPE, metadata={"from": "me"}, progress=moved.append)

    stored = aws.objects.buckets["bucket"][f"{PREFIX}a"]
    assert (stored.content, stored.media_type, stored.metadata) == (b"123", TYPE, {"from": "me"})
    assert (found.name, found.size_bytes, found.etag, moved) == ("a", 3, stored.etag, [3])
    assert before <= found.modified <= before + timedelta(minutes=5)
    assert aws.objects.operations[-1] == "put_object"


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.aws.s3.PART_BYTES", 4)
    monkeypatch.setattr("courier.aws.s3.LARGE_PART_BYTES", 8)
    monkeypatch.setattr("courier.testing.s3.LEAST_PART_BYTES", 4)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize(("size", "parts"), [(3, []), (4, [4]), (5, [4, 1]), (12, [4, 4, 4]), (13, [4, 4, 4, 1])])
def test_what_is_long_is_stored_in_parts(aws: FakeAws, bucket: Bucket, size: int, parts: list[int]) -> None:
    content = bytes(range(size))
    moved: list[int] = []

    found = bucket.store("a", io.BytesIO(content), media_type=TYPE, metadata={"a": "b"}, progress=moved.append)

    stored = aws.objects.buckets["bucket"][f"{PREFIX}a"]
    assert [len(given["Body"]) for given in aws.objects.given("upload_part")] == parts
    assert (stored.content, stored.media_type, stored.metadata) == (content, TYPE, {"a": "b"})
    assert (found.size_bytes, found.etag, moved) == (size, stored.etag, parts or [size])
    assert aws.objects.uploads == {}


@pytest.mark.usefixtures("small_parts")
def test_from_the_thousandth_part_on_they_are_larger(aws: FakeAws, bucket: Bucket) -> None:
    bucket.store("a", io.BytesIO(b"x" * (4 * 1000 + 20)), media_type=TYPE)

    sizes = [len(given["Body"]) for given in aws.objects.given("upload_part")]
    assert sizes == [4] * 1000 + [8, 8, 4]
    numbers = [given["PartNumber"] for given in aws.objects.given("upload_part")]
    assert numbers == list(range(1, 1004))


def test_ten_thousand_parts_are_enough_for_the_longest_object() -> None:
    assert 1_000 * PART_BYTES + 9_000 * LARGE_PART_BYTES > 5 * 10**11
    assert PART_BYTES >= 5 * 2**20


class Breaking(io.BytesIO):
    """A file whose second read fails."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise KeyboardInterrupt
        return super().read(size)


@pytest.mark.usefixtures("small_parts")
def test_an_upload_that_breaks_is_taken_back(aws: FakeAws, bucket: Bucket) -> None:
    with pytest.raises(KeyboardInterrupt):
        bucket.store("a", Breaking(b"12345678"), media_type=TYPE)

    assert (aws.objects.uploads, aws.objects.buckets["bucket"]) == ({}, {})


@pytest.mark.usefixtures("small_parts")
def test_what_cannot_be_taken_back_hides_nothing(aws: FakeAws, bucket: Bucket) -> None:
    aws.objects.fail("abort_multipart_upload", client_error("AccessDenied"))

    with pytest.raises(KeyboardInterrupt):
        bucket.store("a", Breaking(b"12345678"), media_type=TYPE)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("operation", ["put_object", "create_multipart_upload", "upload_part"])
def test_a_call_that_fails_is_raised_as_ours(aws: FakeAws, bucket: Bucket, operation: str) -> None:
    aws.objects.fail(operation, client_error("AccessDenied"))

    with pytest.raises(AccessDenied):
        put(bucket, "a", b"1" if operation == "put_object" else b"12345")


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("content", [b"new", b"new and long"])
def test_what_is_new_replaces_nothing_and_leaves_nothing(aws: FakeAws, bucket: Bucket, content: bytes) -> None:
    put(bucket, "a", b"old")

    with pytest.raises(ObjectReplaced):
        bucket.store("a", io.BytesIO(content), media_type=TYPE, is_new=True)

    assert fetched(bucket, "a") == b"old"
    assert aws.objects.uploads == {}
    put(bucket, "a", content)
    assert fetched(bucket, "a") == content


# Fetching


def test_an_object_is_fetched_piece_by_piece(bucket: Bucket) -> None:
    content = b"x" * (2 * CHUNK_BYTES + 5)
    put(bucket, "a", content)
    moved: list[int] = []
    opened: list[int] = []
    file = io.BytesIO()

    def note(size: int) -> None:
        opened.append(size)
        assert moved == []

    bucket.fetch("a", file, progress=moved.append, opened=note)

    assert file.getvalue() == content
    assert (opened, moved) == ([len(content)], [CHUNK_BYTES, CHUNK_BYTES, 5])


def test_an_object_of_just_the_limit_is_fetched_and_of_more_is_not(bucket: Bucket) -> None:
    put(bucket, "a.png", b"1234")

    assert fetched(bucket, "a.png", limit_bytes=4) == b"1234"
    with pytest.raises(Rejected, match=r"'a\.png'") as raised:
        fetched(bucket, "a.png", limit_bytes=3)
    assert raised.value.reason == Reason.FILE_TOO_BIG


def test_what_is_rejected_is_not_read_and_leaves_no_connection_open(
    aws: FakeAws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    put(bucket, "a", b"1234")
    answer = aws.objects.get_object(Bucket="bucket", Key=f"{PREFIX}a")
    monkeypatch.setattr(answer["Body"], "close", lambda: closed.append(True))
    monkeypatch.setattr(aws.objects, "get_object", lambda **_: answer)

    with pytest.raises(Rejected):
        fetched(bucket, "a", limit_bytes=3)

    assert closed == [True]
    assert answer["Body"].read() == b"1234"


def test_an_object_is_fetched_only_if_it_is_the_one_that_was_meant(bucket: Bucket) -> None:
    put(bucket, "a", b"old")
    found = bucket.find("a")
    assert found
    assert fetched(bucket, "a", etag=found.etag) == b"old"
    put(bucket, "a", b"new")

    with pytest.raises(ObjectReplaced, match="'a'"):
        fetched(bucket, "a", etag=found.etag)
    assert fetched(bucket, "a") == b"new"


def test_an_object_whose_connection_ends_early_is_no_object(aws: FakeAws, bucket: Bucket) -> None:
    put(bucket, "a", b"12345")
    aws.objects.cut_after = 3

    with pytest.raises(AwsError):
        fetched(bucket, "a")


def test_an_object_that_is_cut_off_is_fetched_from_there_on(
    aws: FakeAws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.aws.download.CHUNK_BYTES", 2)
    aws.outlast_for(WAIT_LIMIT_SECONDS)
    put(bucket, "a", b"1234567")
    aws.objects.cut_after = 4
    moved: list[int] = []
    file = io.BytesIO()

    bucket.fetch("a", file, progress=moved.append)

    found = bucket.find("a")
    assert found
    assert (file.getvalue(), moved) == (b"1234567", [2, 2, 2, 1])
    assert aws.objects.given("get_object")[1:] == [
        {"Bucket": "bucket", "Key": f"{PREFIX}a", "Range": "bytes=4-6", "IfMatch": found.etag}
    ]


def test_an_object_that_is_replaced_while_it_is_cut_off_is_not_pieced_together(
    aws: FakeAws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.aws.download.CHUNK_BYTES", 2)
    aws.outlast_for(WAIT_LIMIT_SECONDS)
    put(bucket, "a", b"1234567")
    aws.objects.cut_after = 4

    with pytest.raises(ObjectReplaced, match="'a'"):
        bucket.fetch("a", io.BytesIO(), progress=lambda _: put(bucket, "a", b"other"))


def test_a_range_that_is_cut_off_is_read_from_there_on(
    aws: FakeAws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.aws.download.CHUNK_BYTES", 2)
    monkeypatch.setattr("courier.aws.s3.SHORT_RANGE_BYTES", 3)
    aws.outlast_for(WAIT_LIMIT_SECONDS)
    put(bucket, "a", b"1234567")
    aws.objects.cut_after = 2

    assert blocks(bucket, 1, 2) == b"234567"
    assert ranges(aws) == ["bytes=1-4", "bytes=3-4", "bytes=5-7"]


def test_what_is_written_to_need_only_be_written_to(bucket: Bucket) -> None:
    class Sink:
        def __init__(self) -> None:
            self.written: list[bytes] = []

        def write(self, chunk: bytes) -> int:
            self.written.append(chunk)
            return len(chunk)

    put(bucket, "a", b"123")
    sink = Sink()

    bucket.fetch("a", cast("IO[bytes]", sink))

    assert b"".join(sink.written) == b"123"


def blocks(bucket: Bucket, start: int, stop: int) -> bytes:
    found = bucket.find("a")
    assert found
    return b"".join(bucket.blocks(found, start, stop))


def ranges(aws: FakeAws) -> list[str]:
    return [str(given["Range"]) for given in aws.objects.given("get_object")]


def test_a_range_is_requested_with_a_little_more_and_the_rest_by_little(aws: FakeAws, bucket: Bucket) -> None:
    content = bytes(number % 251 for number in range(3 * SHORT_RANGE_BYTES))
    put(bucket, "a", content)

    assert blocks(bucket, 10, 20) == content[10:]

    short = SHORT_RANGE_BYTES
    assert ranges(aws) == [
        f"bytes=10-{20 + short - 1}",
        f"bytes={20 + short}-{20 + 2 * short - 1}",
        f"bytes={20 + 2 * short}-{20 + 3 * short - 1}",
    ]


def test_a_long_range_is_requested_in_several(aws: FakeAws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.aws.s3.LONG_RANGE_BYTES", 100)
    content = bytes(250)
    put(bucket, "a", content)

    assert blocks(bucket, 0, 250) == content

    assert ranges(aws) == ["bytes=0-99", "bytes=100-199", "bytes=200-299"]
    assert LONG_RANGE_BYTES > SHORT_RANGE_BYTES


def test_nothing_is_requested_beyond_the_end(aws: FakeAws, bucket: Bucket) -> None:
    put(bucket, "a", b"123")

    assert blocks(bucket, 3, 3) == b""
    assert ranges(aws) == []


def test_ranges_are_of_one_object(bucket: Bucket) -> None:
    put(bucket, "a", b"old")
    found = bucket.find("a")
    assert found
    put(bucket, "a", b"new")

    with pytest.raises(ObjectReplaced):
        list(bucket.blocks(found, 0, 3))


# Finding


def test_an_object_is_found_with_its_metadata(aws: FakeAws, bucket: Bucket) -> None:
    bucket.store("a", io.BytesIO(b"123"), media_type=TYPE, metadata={"from": "me"})

    found = bucket.find("a")

    assert found
    stored = aws.objects.buckets["bucket"][f"{PREFIX}a"]
    assert (found.name, found.size_bytes, found.etag, found.metadata) == ("a", 3, stored.etag, {"from": "me"})
    assert found.modified == stored.modified
    assert bucket.find("b") is None


@pytest.mark.parametrize(
    ("prefix", "hint"),
    [("images/unprocessed/", "list command"), ("images/processed/", "list command"), ("numbers/", "")],
)
def test_a_missing_object_is_said_with_where_to_look(aws: FakeAws, prefix: str, hint: str) -> None:
    with pytest.raises(ObjectMissing, match=r"'a\.png'") as raised:
        fetched(Bucket(aws, "bucket", prefix), "a.png")

    assert hint in raised.value.hint
    assert bool(raised.value.hint) is bool(hint)
    assert prefix in raised.value.message


def test_a_replaced_object_is_said_with_what_to_do(bucket: Bucket) -> None:
    error = bucket.replaced("a.png")

    assert "'a.png'" in error.message
    assert "again" in error.hint


def test_a_listing_has_every_object_of_its_prefix_over_all_pages(aws: FakeAws, bucket: Bucket) -> None:
    for name in ("c", "a", "e", "b", "d"):
        put(bucket, name, name.encode())
    aws.objects.put_object(Bucket="bucket", Key=PREFIX, Body=b"")
    aws.objects.put_object(Bucket="bucket", Key="images/processed/x", Body=b"")

    found = list(bucket.names())

    assert [(one.name, one.size_bytes) for one in found] == [(name, 1) for name in "abcde"]
    assert found[0].etag == aws.objects.buckets["bucket"][f"{PREFIX}a"].etag
    assert found[0].modified == aws.objects.buckets["bucket"][f"{PREFIX}a"].modified


def test_a_listing_goes_on_where_it_failed(aws: FakeAws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.aws.backoff.delays", lambda: iter([0.0] * 1000))
    aws.outlast_for(WAIT_LIMIT_SECONDS)
    for name in "abcde":
        put(bucket, name)
    listed = bucket.names()
    first = next(listed)
    aws.objects.fail("list_objects_v2", *[no_network()] * 3)

    assert [one.name for one in (first, *listed)] == list("abcde")


def test_an_empty_prefix_has_no_objects(bucket: Bucket) -> None:
    assert list(bucket.names()) == []


def test_a_deleted_object_is_gone(bucket: Bucket) -> None:
    put(bucket, "a")

    bucket.delete("a")
    bucket.delete("a")

    assert bucket.find("a") is None


@pytest.mark.parametrize(
    ("operation", "act"),
    [
        ("head_object", lambda bucket: bucket.find("a")),
        ("delete_object", lambda bucket: bucket.delete("a")),
        ("list_objects_v2", lambda bucket: list(bucket.names())),
        ("get_object", lambda bucket: fetched(bucket, "a")),
        ("head_bucket", lambda bucket: bucket.check()),
    ],
)
def test_every_call_that_fails_is_raised_as_ours(
    aws: FakeAws, bucket: Bucket, operation: str, act: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courier.aws.backoff.delays", lambda: iter([0.0] * 1000))
    put(bucket, "a")
    aws.objects.fail(operation, *[no_network()] * 10)

    with pytest.raises(Unreachable):
        act(bucket)  # type: ignore[operator]


# The bucket itself


def test_a_bucket_that_is_there_is_well(bucket: Bucket) -> None:
    bucket.check()

    assert bucket.name == "bucket"


def test_a_bucket_that_is_not_there_is_said_with_what_creates_it(aws: FakeAws) -> None:
    with pytest.raises(BucketMissing, match="nowhere") as raised:
        Bucket(aws, "nowhere", PREFIX).check()

    assert "./aws_setup.sh bucket" in raised.value.hint


def test_a_bucket_without_a_name_is_the_accounts_requested_once(aws: FakeAws) -> None:
    own = Bucket(aws, None, PREFIX)
    aws.objects.create_bucket(Bucket="lab3-123456789012-us-east-1")
    aws.objects.calls.clear()

    assert own.name == "lab3-123456789012-us-east-1"
    assert own.name == "lab3-123456789012-us-east-1"
    looked_for = [given["Bucket"] for given in aws.objects.given("head_bucket")]
    assert looked_for == ["lab3-123456789012-us-east-1-an", "lab3-123456789012-us-east-1"]


def test_of_two_buckets_the_one_is_taken_whose_name_nobody_else_can_have(aws: FakeAws) -> None:
    for name in ("lab3-123456789012-us-east-1", "lab3-123456789012-us-east-1-an"):
        aws.objects.create_bucket(Bucket=name)

    assert Bucket(aws, None, PREFIX).name == "lab3-123456789012-us-east-1-an"


def test_two_conditional_writes_at_once_are_made_again(aws: FakeAws, bucket: Bucket) -> None:
    aws.outlast_for(WAIT_LIMIT_SECONDS)
    aws.objects.fail("put_object", client_error("ConditionalRequestConflict"))

    bucket.store("a", io.BytesIO(b"1"), media_type=TYPE, is_new=True)

    assert aws.objects.operations.count("put_object") == 2
    with pytest.raises(ObjectReplaced):
        bucket.store("a", io.BytesIO(b"2"), media_type=TYPE, is_new=True)


@pytest.mark.usefixtures("small_parts")
def test_an_upload_in_parts_that_collides_begins_again(aws: FakeAws, bucket: Bucket) -> None:
    aws.objects.fail("complete_multipart_upload", client_error("ConditionalRequestConflict"))

    with pytest.raises(ObjectReplaced):
        bucket.store("a", io.BytesIO(b"12345"), media_type=TYPE, is_new=True)

    assert aws.objects.operations.count("complete_multipart_upload") == 1
    assert aws.objects.uploads == {}
    bucket.store("a", io.BytesIO(b"12345"), media_type=TYPE, is_new=True)
