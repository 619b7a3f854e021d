"""Move images between this machine, the bucket and the workers: upload, request, download.

A request pins the ETag of the source that was uploaded for it, and a download that of the result: whoever else uses
the same names, nobody is given another's picture.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from courier.aws.s3 import PART_BYTES, Bucket, StoredObject
from courier.cancellation import Canceled
from courier.errors import CourierError, ObjectReplaced, RequestCanceled, WrongUsage
from courier.files import MAX_SOURCE_NAME_BYTES, check_name, read_file, writing
from courier.images import preview
from courier.images.formats import FORMATS
from courier.images.probe import Bounds, Header, read_header
from courier.messaging.connection import Connection, answer_of, requester_for
from courier.messaging.pending import Asked, Outcome
from courier.settings import PROCESSED, UNPROCESSED, Settings

FOLDERS = {"unprocessed": UNPROCESSED, "processed": PROCESSED}


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """A picture in the bucket, as it was uploaded."""

    name: str
    etag: str
    header: Header
    size_bytes: int
    #: Whether it was there already, with the same content.
    was_there: bool


@dataclass(frozen=True, kw_only=True)
class Result:
    """A processed picture in the bucket."""

    source: str
    name: str
    seconds: float
    #: What the worker told of it: width, height, frames, bytes, etag, notes; any of it may be missing.
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """Its ETag, empty if the worker did not tell."""
        found = self.told.get("etag", "")
        return found if isinstance(found, str) else ""

    @property
    def notes(self) -> list[str]:
        """What could not be kept, each a clause."""
        found = self.told.get("notes", [])
        return [str(note) for note in found] if isinstance(found, list) else []

    def describe(self) -> str:
        """Return its size and what could not be kept, in words; empty if nothing is known."""
        numbers = {name: self.told.get(name) for name in ("width", "height", "bytes", "frames")}
        known = {name: value for name, value in numbers.items() if type(value) is int and value >= 0}
        words = [f"{known['width']} x {known['height']}"] if {"width", "height"} <= known.keys() else []
        words += [f"{known['frames']} frames"] if known.get("frames", 1) > 1 else []
        words += [f"{known['bytes']:,} bytes"] if "bytes" in known else []
        return ", ".join([*words, *self.notes])


class ImageTransfer:
    """The pictures of one bucket. For any number of threads, but for `results`."""

    def __init__(self, connection: Connection, settings: Settings, *, worker: str, timeout_seconds: float) -> None:
        self._connection = connection
        self._settings = settings
        self._worker = worker
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._buckets: dict[str, Bucket] = {}
        self.bounds = Bounds(megapixels=settings.image_max_megapixels, frames=settings.image_max_frames)

    def bucket(self, folder: str) -> Bucket:
        """Return a folder of the bucket, which is there. Raises: AwsError."""
        with self._lock:
            if folder not in self._buckets:
                made = Bucket(self._connection.aws(), self._settings.bucket, FOLDERS[folder])
                made.check()
                self._buckets[folder] = made
            return self._buckets[folder]

    def read(self, path: str) -> tuple[str, bytes, Header]:
        """Return a file's name, content and header; those of the sample picture, for an empty path.

        Raises: WrongUsage if it cannot be read; Rejected if it may not be uploaded.
        """
        name = check_name(Path(path).name if path else preview.SAMPLE_NAME, MAX_SOURCE_NAME_BYTES)
        limit_bytes = int(self._settings.image_max_megabytes * 1e6)
        content = read_file(Path(path), limit_bytes=limit_bytes) if path else preview.sample()
        return name, content, read_header(io.BytesIO(content))

    def upload(
        self,
        path: str,
        *,
        may_replace: Callable[[str], bool],
        moved: Callable[[int], None] = lambda _count: None,
        opened: Callable[[int], object] = lambda _size: None,
    ) -> Uploaded:
        """Upload a file, unless it is there already; `may_replace` is asked before another one is overwritten.

        Raises: WrongUsage; Rejected; AwsError.
        """
        name, content, header = self.read(path)
        bucket = self.bucket("unprocessed")
        there = bucket.find(name)
        is_same = there is not None and there.etag.strip('"') == etag_of(content)
        if there is not None and not is_same and not may_replace(name):
            raise WrongUsage(f"{name} is already in the bucket.", hint="Use --replace to overwrite it.")
        if there is None or not is_same:
            # What is pinned is what this very upload made, whoever else uses the name.
            media_type = FORMATS[header.format].media_type
            opened(len(content))
            try:
                file, is_new = io.BytesIO(content), there is None
                there = bucket.store(name, file, media_type=media_type, is_new=is_new, progress=moved)
            except ObjectReplaced:
                # Somebody else's upload of this name came in between: what is to be done is asked again.
                return self.upload(path, may_replace=may_replace, moved=moved, opened=opened)
        return Uploaded(name=name, etag=there.etag, header=header, size_bytes=len(content), was_there=is_same)

    def results(self, asked: Iterable[Asked], sources: Sequence[str]) -> Iterator[Result | CourierError]:
        """Have the pictures processed that the questions name; yield results or errors, in their order.

        Raises: AwsError if nothing could be asked; Canceled.
        """
        with requester_for(self._connection, asked) as (requester, questions):
            outcomes = requester.ask_many(questions, timeout_seconds=self._timeout_seconds)
            for source, outcome in zip(sources, outcomes, strict=False):
                if isinstance(outcome.result, RequestCanceled):
                    raise Canceled
                yield self._result(source, outcome)

    def _result(self, source: str, outcome: Outcome) -> Result | CourierError:
        try:
            answer = answer_of(outcome, worker=self._worker)
            name = check_name(answer.body)
        except CourierError as error:
            return error
        return Result(source=source, name=name, seconds=outcome.seconds, told=dict(answer.details))

    def download(
        self,
        name: str,
        target: Path,
        *,
        etag: str = "",
        replace: bool,
        moved: Callable[[int], None] = lambda _count: None,
        opened: Callable[[int], object] = lambda _size: None,
    ) -> None:
        """Fetch a processed picture into a file. Raises: WrongUsage; Rejected; AwsError."""
        with writing(target, replace=replace) as file:
            self.bucket("processed").fetch(name, file, etag=etag, progress=moved, opened=opened)

    def content(self, result: Result) -> bytes:
        """Return a processed picture. Raises: Rejected; AwsError."""
        file = io.BytesIO()
        self.bucket("processed").fetch(result.name, file, etag=result.etag)
        return file.getvalue()

    def names(self, folder: str) -> list[StoredObject]:
        """Return what is in a folder, by name. Raises: AwsError."""
        return list(self.bucket(folder).names())


def etag_of(content: bytes) -> str:
    """Return the ETag that S3 gives to what is stored, without quotes: an MD5, or that of the parts' MD5s.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    if len(content) < PART_BYTES:
        return hashlib.md5(content, usedforsecurity=False).hexdigest()
    parts = [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]
    digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
