"""One prefix of an S3 bucket: store, fetch, find, list and delete objects by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from courier.aws.download import Download
from courier.aws.errors import CONFLICT, IS_CHECKOUT, call_aws
from courier.aws.parts import Readable, read, send
from courier.aws.responses import needed
from courier.aws.session import Aws
from courier.errors import AwsError, BucketMissing, ObjectMissing, ObjectReplaced, Reason, Rejected, Throttled
from courier.text import quoted

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef

#: The size of requests for an object that is read in ranges.
LONG_RANGE_BYTES = 2**25
SHORT_RANGE_BYTES = 2**12

#: Called with the number of bytes of each chunk that was transferred.
Advance = Callable[[int], None]

#: The size of an upload's parts; larger from the thousandth on, since S3 allows 10,000 parts.
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_BYTES = 2**23
LARGE_PART_BYTES = 2**26
#: For uploads that send several parts at a time: four, or one of the large ones.
IN_FLIGHT_BYTES = 4 * PART_BYTES


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object's description; the ETag changes with its content."""

    name: str
    size_bytes: int
    modified: datetime
    etag: str
    #: The user metadata; not in a listing.
    metadata: Mapping[str, str] = field(default_factory=dict)


class Bucket:
    """The objects under one prefix. Without a name, the account's default bucket, resolved on first use."""

    def __init__(self, aws: Aws, name: str | None, prefix: str) -> None:
        self._aws = aws
        self._name = name
        self.prefix = prefix
        self._hint = "The list command shows what exists." if prefix.startswith("images/") else ""

    @property
    def name(self) -> str:
        """The bucket's name. Raises: AwsError if it cannot be resolved."""
        if self._name is None:
            self._name = self._aws.default_bucket()
        return self._name

    def folder(self, name: str | None) -> Bucket:
        """Return the objects in a folder of this prefix; without a name, these. Raises: AwsError."""
        return Bucket(self._aws, self.name, f"{self.prefix}{name}/") if name else self

    def check(self) -> None:
        """Check that the bucket exists. Raises: BucketMissing; AwsError."""
        try:
            self._aws.call(f"find the bucket {self.name}", self._aws.s3().head_bucket, Bucket=self.name)
        except ObjectMissing as error:
            hint = "Create it with: ./aws_setup.sh bucket (a local AWS: ./run_local.sh up)" if IS_CHECKOUT else ""
            raise BucketMissing(f"The bucket {self.name} does not exist.", hint=hint) from error

    def store(
        self,
        name: str,
        file: Readable,
        *,
        media_type: str,
        metadata: Mapping[str, str] | None = None,
        is_new: bool = False,
        progress: Advance = lambda _count: None,
        in_flight_bytes: int = 0,
    ) -> StoredObject:
        """Upload a file of any length, in parts if it is long; return the stored object.

        Sends one part at a time, or several of together `in_flight_bytes`. Reads the file once. A failed upload is
        aborted. With `is_new`, an existing object is not replaced.
        Raises: ObjectReplaced if `is_new` and the object exists; AwsError.
        """
        first = file.read(PART_BYTES)
        what: dict[str, Any] = {"ContentType": media_type, "Metadata": dict(metadata or {})}
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if is_new else {}
        target: dict[str, Any] = {"Bucket": self.name, "Key": self.prefix + name}
        if len(first) < PART_BYTES:
            put = self._aws.call(self._storing, self._aws.s3().put_object, **target, Body=first, **what, **condition)
            progress(len(first))
            return self._stored(name, len(first), put)
        begun = self._aws.call(self._storing, self._aws.s3().create_multipart_upload, **target, **what)
        place = {**target, "UploadId": needed(self._storing, begun, "UploadId")}
        try:
            parts = read(first, file, PART_BYTES, LARGE_PART_BYTES)
            with closing(send(partial(self._send_part, place), parts, in_flight_bytes)) as sent:
                return self._completed(name, place, condition, sent, progress)
        except BaseException:
            with suppress(AwsError), self._aws.cleaning_up():
                call_aws(f"abort an upload in {self.prefix}", self._aws.s3().abort_multipart_upload, **place)
            raise

    def _send_part(self, place: Mapping[str, Any], number: int, part: bytes) -> str:
        sent = self._aws.call(self._storing, self._aws.s3().upload_part, **place, PartNumber=number, Body=part)
        return str(needed(self._storing, sent, "ETag"))

    def _completed(
        self,
        name: str,
        place: Mapping[str, Any],
        condition: Mapping[str, Any],
        sent: Iterable[tuple[str, int]],
        progress: Advance,
    ) -> StoredObject:
        listed: list[dict[str, Any]] = []
        size = 0
        for etag, length in sent:
            listed.append({"ETag": etag, "PartNumber": len(listed) + 1})
            size += length
            progress(length)
        complete: Callable[..., Any] = self._aws.s3().complete_multipart_upload
        call = partial(call_aws, self._storing, complete, **place, **condition, MultipartUpload={"Parts": listed})
        return self._stored(name, size, self._aws.retry(partial(self._complete, name, call)))

    def _complete(self, name: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401  boto3's response
        """Complete an upload, which must begin again after a conflict with another write."""
        try:
            return call()
        except Throttled as error:
            if CONFLICT in error.message:
                raise self.replaced(name) from error
            raise

    @property
    def _storing(self) -> str:
        return f"store an object in {self.prefix}"

    @property
    def _fetching(self) -> str:
        return f"fetch an object of {self.prefix}"

    def _stored(self, name: str, size: int, response: Mapping[str, Any]) -> StoredObject:
        etag = needed(self._storing, response, "ETag")
        return StoredObject(name=name, size_bytes=size, modified=datetime.now(UTC), etag=etag)

    def fetch(
        self,
        name: str,
        file: IO[bytes],
        *,
        limit_bytes: int | None = None,
        etag: str = "",
        progress: Advance = lambda _count: None,
        opened: Callable[[int], object] = lambda _size: None,
    ) -> None:
        """Write the object `name` to `file`; call `opened` with its size before the first byte.

        Raises: ObjectMissing; ObjectReplaced if its ETag is not `etag`; Rejected, without reading, if it has more
        than `limit_bytes`; AwsError, also if the connection ends early.
        """
        response = self._get(name, **({"IfMatch": etag} if etag else {}))
        size = response["ContentLength"]
        if limit_bytes is not None and size > limit_bytes:
            response["Body"].close()
            message = f"{quoted(name, 220)} has {size:,} bytes; at most {limit_bytes:,} are allowed."
            raise Rejected(message, reason=Reason.FILE_TOO_BIG)
        opened(size)
        for chunk in self._chunks(name, response, 0):
            file.write(chunk)
            progress(len(chunk))

    def blocks(self, found: StoredObject, start: int, stop: int) -> Iterator[bytes]:
        """Yield an object's bytes from `start` to a little after `stop`, and further while the caller iterates.

        The first request includes a little more than the range, which saves a call. Raises: ObjectMissing;
        ObjectReplaced if the object has changed; AwsError.
        """
        while start < found.size_bytes:
            length = min(LONG_RANGE_BYTES, max(0, stop - start) + SHORT_RANGE_BYTES)
            response = self._get(found.name, Range=f"bytes={start}-{start + length - 1}", IfMatch=found.etag)
            yield from self._chunks(found.name, response, start)
            start += length

    def find(self, name: str) -> StoredObject | None:
        """Return the object `name`, or None if it does not exist. Raises: AwsError."""
        doing = f"look for an object in {self.prefix}"
        try:
            head = self._aws.call(doing, self._aws.s3().head_object, Bucket=self.name, Key=self.prefix + name)
        except ObjectMissing:
            return None
        return StoredObject(
            name=name,
            size_bytes=needed(doing, head, "ContentLength"),
            modified=needed(doing, head, "LastModified"),
            etag=needed(doing, head, "ETag"),
            metadata=head.get("Metadata", {}),
        )

    def delete(self, name: str) -> None:
        """Delete the object `name`, if it exists. Raises: AwsError."""
        doing = f"delete an object of {self.prefix}"
        self._aws.call(doing, self._aws.s3().delete_object, Bucket=self.name, Key=self.prefix + name)

    def cleaning_up(self) -> AbstractContextManager[None]:
        """Allow calls inside for a short time after a cancellation."""
        return self._aws.cleaning_up()

    def names(
        self, *, recursive: bool = False, in_folder: Callable[[str], object] = lambda _folder: None
    ) -> Iterator[StoredObject]:
        """Yield every object, sorted by name. Raises: AwsError.

        Those in folders of this prefix are left out, and `in_folder` is called with each folder's name. With
        `recursive`, they are there with their folder in their name.
        """
        doing = f"list {self.prefix}"
        where: dict[str, Any] = {"Bucket": self.name, "Prefix": self.prefix}
        where |= {} if recursive else {"Delimiter": "/"}
        is_truncated = True
        while is_truncated:
            page = self._aws.call(doing, self._aws.s3().list_objects_v2, **where)
            if is_truncated := needed(doing, page, "IsTruncated"):
                where["ContinuationToken"] = needed(doing, page, "NextContinuationToken")
            for folder in page.get("CommonPrefixes", []):
                in_folder(str(needed(doing, folder, "Prefix")).removeprefix(self.prefix).rstrip("/"))
            for entry in page.get("Contents", []):
                name = str(needed(doing, entry, "Key")).removeprefix(self.prefix)
                size, modified, etag = (needed(doing, entry, key) for key in ("Size", "LastModified", "ETag"))
                if name:
                    yield StoredObject(name=name, size_bytes=size, modified=modified, etag=etag)

    def _get(self, name: str, **conditions: Any) -> GetObjectOutputTypeDef:  # noqa: ANN401  the call's own
        try:
            response = self._aws.call(
                self._fetching, self._aws.s3().get_object, Bucket=self.name, Key=self.prefix + name, **conditions
            )
        except ObjectMissing as error:
            raise self.missing(name) from error
        except ObjectReplaced as error:
            raise self.replaced(name) from error
        needed(self._fetching, response, "ETag")
        return response

    def missing(self, name: str) -> ObjectMissing:
        """Return the error for an object that does not exist."""
        return ObjectMissing(f"There is no {quoted(name, 220)} in {self.prefix} of the bucket.", hint=self._hint)

    def replaced(self, name: str) -> ObjectReplaced:
        """Return the error for an object that has changed since the request."""
        message = f"{quoted(name, 220)} in {self.prefix} of the bucket was replaced after the request was sent."
        return ObjectReplaced(message, hint="Send the request again.")

    def _chunks(self, name: str, response: GetObjectOutputTypeDef, start: int) -> Iterator[bytes]:
        """Yield a body that begins at offset `start` of the object; after a lost connection, request the rest."""

        def rest(start: int, stop: int) -> GetObjectOutputTypeDef:
            return self._get(name, Range=f"bytes={start}-{stop - 1}", IfMatch=response["ETag"])

        with closing(Download(response, start, rest)) as download:
            while download.is_short and (chunk := self._aws.call(self._fetching, self._aws.run, download.read)):
                yield chunk
            # Verifies the checksum; there is nothing left to request again.
            call_aws(self._fetching, self._aws.run, download.read)


def etag_of(content: bytes) -> str:
    """Return the ETag of a stored object, without quotes: an MD5, or the MD5 of its parts' MD5s.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    if len(content) < PART_BYTES:
        return hashlib.md5(content, usedforsecurity=False).hexdigest()
    parts = [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]
    digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
