"""S3 in memory: the calls that this project uses, as AWS documents them."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.response import StreamingBody

from courier.testing.service import MemoryService, client_error, operation

#: The size of a listing's pages, which are longer on AWS.
PAGE = 2
#: The least size of all parts except the last.
LEAST_PART_BYTES = 5 * 2**20


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An object."""

    content: bytes
    media_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.content, usedforsecurity=False).hexdigest()}"'


@dataclass(kw_only=True)
class Upload:
    """A multipart upload in progress."""

    key: str
    given: Mapping[str, Any]
    parts: dict[int, bytes] = field(default_factory=dict)


class MemoryS3(MemoryService):
    """Buckets that live as long as a test."""

    def __init__(self) -> None:
        super().__init__()
        self.buckets: dict[str, dict[str, Stored]] = {}
        self.uploads: dict[str, Upload] = {}
        #: The number of bytes after which a body breaks off; None: never.
        self.cut_after: int | None = None

    @operation("Bucket")
    def create_bucket(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self.buckets.setdefault(given["Bucket"], {})
        return {}

    @operation("Bucket")
    def head_bucket(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if given["Bucket"] not in self.buckets:
            raise client_error("404", "Not Found", "HeadBucket")
        return {}

    @operation("Bucket", "Key", "Body", "ContentType", "Metadata", "IfNoneMatch")
    def put_object(self, given: Mapping[str, Any]) -> dict[str, Any]:
        body = given["Body"]
        content = bytes(body if isinstance(body, bytes | bytearray | memoryview) else body.read())
        return self._store(given, given["Key"], content, given)

    @operation("Bucket", "Key", "Range", "IfMatch")
    def get_object(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self._objects(given).get(given["Key"])
        if found is None:
            raise client_error("NoSuchKey", "The specified key does not exist.")
        if given.get("IfMatch", found.etag) != found.etag:
            raise client_error("PreconditionFailed", "At least one of the preconditions did not hold.")
        content = found.content[_range(given.get("Range", "bytes=0-"), len(found.content))]
        sent = io.BytesIO(content[: self.cut_after])
        return {**_described(found), "ContentLength": len(content), "Body": StreamingBody(sent, len(content))}

    @operation("Bucket", "Key")
    def head_object(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self.buckets.get(given["Bucket"], {}).get(given["Key"])
        if found is None:
            raise client_error("404", "Not Found", "HeadObject")
        return {**_described(found), "ContentLength": len(found.content)}

    @operation("Bucket", "Key")
    def delete_object(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._objects(given).pop(given["Key"], None)
        return {}

    @operation("Bucket", "Prefix", "Delimiter", "ContinuationToken")
    def list_objects_v2(self, given: Mapping[str, Any]) -> dict[str, Any]:
        objects = self._objects(given)
        under = (key for key in objects if key.startswith(given["Prefix"]))
        # A folder counts as one entry of a page.
        found = sorted({_up_to(key, given["Prefix"], given.get("Delimiter", "")) for key in under})
        start = int(given.get("ContinuationToken", 0))
        page = found[start : start + PAGE]
        entries = [_listed(key, objects[key]) for key in page if key in objects]
        folders = [{"Prefix": key} for key in page if key not in objects]
        rest = {"NextContinuationToken": str(start + PAGE)} if start + PAGE < len(found) else {}
        listed = {"Contents": entries, "CommonPrefixes": folders}
        return {**{name: some for name, some in listed.items() if some}, "IsTruncated": bool(rest), **rest}

    # Uploads in parts

    @operation("Bucket", "Key", "ContentType", "Metadata")
    def create_multipart_upload(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._objects(given)
        number = uuid.uuid4().hex
        self.uploads[number] = Upload(key=given["Key"], given=given)
        return {"UploadId": number}

    @operation("Bucket", "Key", "UploadId", "PartNumber", "Body")
    def upload_part(self, given: Mapping[str, Any]) -> dict[str, Any]:
        part = Stored(content=bytes(given["Body"]))
        self._upload(given).parts[given["PartNumber"]] = part.content
        return {"ETag": part.etag}

    @operation("Bucket", "Key", "UploadId", "MultipartUpload", "IfNoneMatch")
    def complete_multipart_upload(self, given: Mapping[str, Any]) -> dict[str, Any]:
        upload = self._upload(given)
        parts = given["MultipartUpload"]["Parts"]
        chosen = [upload.parts[part["PartNumber"]] for part in parts]
        if [Stored(content=one).etag for one in chosen] != [part["ETag"] for part in parts]:
            raise client_error("InvalidPart", "One or more of the specified parts could not be found.")
        if any(len(one) < LEAST_PART_BYTES for one in chosen[:-1]):
            raise client_error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.")
        stored = self._store(given, upload.key, b"".join(chosen), upload.given)
        del self.uploads[given["UploadId"]]
        return stored

    @operation("Bucket", "Key", "UploadId")
    def abort_multipart_upload(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._upload(given)
        del self.uploads[given["UploadId"]]
        return {}

    @operation("Bucket")
    def list_multipart_uploads(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._objects(given)
        return {"Uploads": [{"Key": one.key} for one in self.uploads.values()]}

    # The inside

    def _objects(self, given: Mapping[str, Any]) -> dict[str, Stored]:
        if given["Bucket"] not in self.buckets:
            raise client_error("NoSuchBucket", "The specified bucket does not exist.")
        return self.buckets[given["Bucket"]]

    def _upload(self, given: Mapping[str, Any]) -> Upload:
        if given["UploadId"] not in self.uploads:
            raise client_error("NoSuchUpload", "The specified upload does not exist.")
        return self.uploads[given["UploadId"]]

    def _store(
        self, given: Mapping[str, Any], key: str, content: bytes, described: Mapping[str, Any]
    ) -> dict[str, Any]:
        objects = self._objects(given)
        stored = Stored(
            content=content, media_type=described.get("ContentType", ""), metadata=dict(described.get("Metadata", {}))
        )
        if given.get("IfNoneMatch") != "*":
            objects[key] = stored
        elif objects.setdefault(key, stored) is not stored:  # one step: of two threads, one gets the key
            raise client_error("PreconditionFailed", "At least one of the preconditions did not hold.")
        return {"ETag": stored.etag}


def _up_to(key: str, prefix: str, delimiter: str) -> str:
    """Return a key as far as the first delimiter behind the prefix."""
    head, sign, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key[len(prefix) :], "", "")
    return prefix + head + sign


def _listed(key: str, found: Stored) -> dict[str, Any]:
    return {"Key": key, "Size": len(found.content), "LastModified": found.modified, "ETag": found.etag}


def _described(found: Stored) -> dict[str, Any]:
    return {
        "LastModified": found.modified,
        "ETag": found.etag,
        "ContentType": found.media_type,
        "Metadata": dict(found.metadata),
    }


def _range(text: str, size: int) -> slice:
    first, _, last = text.removeprefix("bytes=").partition("-")
    start = int(first)
    if start >= size and text != "bytes=0-":
        raise client_error("InvalidRange", "The requested range is not satisfiable.")
    return slice(start, int(last) + 1 if last else size)
