"""One prefix of an S3 bucket: store, fetch, find and list objects by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING

from courier.aws import Aws, translated
from courier.errors import BucketMissing, InputRefused, ObjectMissing
from courier.plain import quoted

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef

#: How much of a body is read at a time.
CHUNK_BYTES = 256 * 1024

#: Called with each further number of bytes that was moved.
Progress = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """What a listing tells of an object."""

    name: str
    size_bytes: int
    modified: datetime


class Bucket:
    """The objects under one prefix. Without a name it is the account's own, asked of STS at first need."""

    def __init__(self, aws: Aws, name: str | None, prefix: str) -> None:
        self._aws = aws
        self._name = name
        self.prefix = prefix

    @property
    def name(self) -> str:
        """The bucket's name. Raises: AwsTrouble if it has to be asked for and cannot be."""
        if self._name is None:
            self._name = self._aws.default_bucket()
        return self._name

    def check(self) -> None:
        """Make sure that the bucket is there. Raises: BucketMissing; AwsTrouble."""
        try:
            with translated(f"find the bucket {self.name}"):
                self._aws.s3().head_bucket(Bucket=self.name)
        except ObjectMissing as error:
            message = f"The bucket {self.name} does not exist."
            raise BucketMissing(
                message, hint="Create it with: ./aws_setup.sh bucket (a local AWS: ./run_local.sh up)"
            ) from error

    def store(self, name: str, file: IO[bytes], *, media_type: str, progress: Progress = lambda _count: None) -> None:
        """Upload `file` under `name`, in parts if it is large. Raises: AwsTrouble."""
        with translated(f"store an object in {self.prefix}"):
            self._aws.s3().upload_fileobj(
                file,
                self.name,
                self.prefix + name,
                ExtraArgs={"ContentType": media_type},
                Callback=progress,
            )

    def fetch(
        self,
        name: str,
        file: IO[bytes],
        *,
        limit_bytes: int | None = None,
        progress: Progress = lambda _count: None,
        opened: Callable[[int], object] = lambda _size: None,
    ) -> None:
        """Write the object `name` to `file`; `opened` is told its size before the first byte.

        Raises: ObjectMissing; InputRefused before anything is read if it has more than `limit_bytes`;
        AwsTrouble, also if the connection ends before the object does.
        """
        answer = self._get(name)
        size = answer["ContentLength"]
        if limit_bytes is not None and size > limit_bytes:
            answer["Body"].close()
            raise InputRefused(f"{quoted(name, 220)} has {size:,} bytes; at most {limit_bytes:,} are allowed.")
        opened(size)
        for chunk in self._chunks(answer["Body"]):
            file.write(chunk)
            progress(len(chunk))

    def size_bytes(self, name: str) -> int | None:
        """Return the size of the object `name`, or None if there is none. Raises: AwsTrouble."""
        try:
            with translated(f"look for an object in {self.prefix}"):
                return self._aws.s3().head_object(Bucket=self.name, Key=self.prefix + name)["ContentLength"]
        except ObjectMissing:
            return None

    def names(self) -> Iterator[StoredObject]:
        """Yield every object, by name. Raises: AwsTrouble."""
        with translated(f"list {self.prefix}"):
            for page in self._aws.s3().get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix):
                for entry in page.get("Contents", []):
                    name = entry["Key"].removeprefix(self.prefix)
                    if name:
                        yield StoredObject(name=name, size_bytes=entry["Size"], modified=entry["LastModified"])

    def _get(self, name: str) -> GetObjectOutputTypeDef:
        try:
            with translated(f"fetch an object of {self.prefix}"):
                return self._aws.s3().get_object(Bucket=self.name, Key=self.prefix + name)
        except ObjectMissing as error:
            message = f"There is no {quoted(name, 220)} in {self.prefix} of the bucket."
            raise ObjectMissing(message, hint="The list command shows what there is.") from error

    def _chunks(self, body: StreamingBody) -> Iterator[bytes]:
        with translated(f"fetch an object of {self.prefix}"), body:
            yield from body.iter_chunks(CHUNK_BYTES)
