"""Move images between this machine, the bucket and the workers: upload, request, download.

A request pins the ETag of its uploaded source, and a download that of the result, so that users of the same names do
not get each other's images.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import IO, Any

from courier import Request, Requester, Response
from courier.aws.s3 import Bucket, StoredObject, etag_of
from courier.cancellation import Canceled
from courier.errors import CourierError, ObjectMissing, ObjectReplaced, RequestCanceled, WrongUsage
from courier.files import MAX_SOURCE_NAME_BYTES, check_name, expand_home, read_file, writing
from courier.images import logo, preview
from courier.images.formats import FORMATS
from courier.images.pipeline import Pipeline
from courier.images.probe import Bounds, Header, read_header
from courier.settings import PROCESSED, UNPROCESSED, Settings

#: The number of digits of the digest in an image's unique name.
OWN_DIGITS = 16
FOLDERS = {"unprocessed": UNPROCESSED, "processed": PROCESSED}


@dataclass(frozen=True, kw_only=True)
class LocalImage:
    """A local image."""

    name: str
    content: bytes
    header: Header

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of its content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def own_name(self) -> str:
        """A unique name: the image's name with its digest."""
        path = PurePath(self.name)
        ending = f"-{self.digest[:OWN_DIGITS]}{path.suffix}"
        room = MAX_SOURCE_NAME_BYTES - len(ending.encode())
        return path.stem.encode()[:room].decode(errors="ignore") + ending


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """An uploaded image in the bucket."""

    name: str
    etag: str
    header: Header
    size_bytes: int
    #: Whether the same content was stored already.
    was_there: bool


@dataclass(frozen=True, kw_only=True)
class Result:
    """A processed image in the bucket, or an existing result in the folder."""

    name: str
    seconds: float = 0.0
    was_there: bool = False
    #: The worker's details: width, height, frames, bytes, etag, notes; any may be missing.
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """Its ETag; empty if unknown."""
        found = self.details.get("etag", "")
        return found if isinstance(found, str) else ""

    @property
    def notes(self) -> list[str]:
        """Notes on what could not be kept."""
        found = self.details.get("notes", [])
        return [str(note) for note in found] if isinstance(found, list) else []

    @property
    def numbers(self) -> dict[str, int]:
        """Its width, height, frames and bytes, without missing and invalid values."""
        found = {name: self.details.get(name) for name in ("width", "height", "frames", "bytes")}
        return {name: value for name, value in found.items() if type(value) is int and value >= 0}

    def describe(self) -> str:
        """Describe its size and notes; empty if neither is known."""
        known = self.numbers
        words = [f"{known['width']} x {known['height']}"] if {"width", "height"} <= known.keys() else []
        words += [f"{known['frames']} frames"] if known.get("frames", 1) > 1 else []
        words += [f"{known['bytes']:,} bytes"] if "bytes" in known else []
        return ", ".join([*words, *self.notes])


class ImageTransfer:
    """The images of a bucket. Thread-safe, except `results`."""

    def __init__(self, requester: Requester, settings: Settings) -> None:
        self._requester = requester
        self._settings = settings
        self._lock = threading.Lock()
        self._buckets: dict[str, Bucket] = {}
        self.bounds = Bounds(megapixels=settings.image_max_megapixels, frames=settings.image_max_frames)

    def bucket(self, folder: str) -> Bucket:
        """Return a folder of the bucket, or the client's own one in it. Raises: AwsError, also without the bucket."""
        with self._lock:
            if folder not in self._buckets:
                made = Bucket(self._requester.aws(), self._settings.bucket, FOLDERS[folder])
                made.check()
                self._buckets[folder] = made.folder(self._settings.name)
            return self._buckets[folder]

    @property
    def connection(self) -> Requester:
        """The connection to the workers."""
        return self._requester

    def prepare(self) -> None:
        """Begin to prepare for many requests, in the background."""
        self._requester.prepare()

    def check_canceled(self) -> None:
        """Raise Canceled if the program was canceled."""
        self._requester.cancellation.check()

    def read(self, path: str) -> LocalImage:
        """Read a file; the sample image for an empty path.

        Raises: WrongUsage if it cannot be read; Rejected if it may not be uploaded.
        """
        name = check_name(Path(path).name if path else preview.SAMPLE_NAME, MAX_SOURCE_NAME_BYTES)
        limit_bytes = int(self._settings.image_max_megabytes * 1e6)
        content = read_file(Path(path), limit_bytes=limit_bytes) if path else preview.sample()
        return LocalImage(name=name, content=content, header=read_header(io.BytesIO(content)))

    def upload(
        self,
        path: str,
        *,
        may_replace: Callable[[str], bool],
        moved: Callable[[int], None] = lambda _count: None,
        opened: Callable[[int], object] = lambda _size: None,
    ) -> Uploaded:
        """Upload a file, unless the same is stored; calls `may_replace` before overwriting a different one.

        Raises: WrongUsage; Rejected; AwsError.
        """
        image = self.read(path)
        sent = self._store(image, image.name, may_replace, moved, opened)
        if sent is None:
            raise WrongUsage(f"{image.name} is already in the bucket.", hint="Use --replace to overwrite it.")
        return sent

    def upload_apart(
        self,
        image: LocalImage,
        *,
        moved: Callable[[int], None] = lambda _count: None,
        opened: Callable[[int], object] = lambda _size: None,
    ) -> Uploaded:
        """Upload an image under its name, or under its unique name if a different image has it. Raises: AwsError."""
        sent = self._store(image, image.name, lambda _name: False, moved, opened)
        while sent is None:
            sent = self._store(image, image.own_name, lambda _name: True, moved, opened)
        return sent

    def with_logos(self, pipeline: Pipeline) -> Pipeline:
        """Upload the files that a pipeline takes logos from; return it with the names of their objects.

        Raises: WrongUsage; Rejected; AwsError.
        """
        names = {}
        for path in pipeline.logos:
            image = self.read(expand_home(path))
            logo.check(image.content)
            # Its digest is in its name: nobody else's upload takes its place.
            self._store(image, image.own_name, lambda _name: True, lambda _count: None, lambda _size: None)
            names[path] = image.own_name
        return pipeline.with_logos(names)

    def _store(
        self,
        image: LocalImage,
        name: str,
        may_replace: Callable[[str], bool],
        moved: Callable[[int], None],
        opened: Callable[[int], object],
    ) -> Uploaded | None:
        """Upload an image, unless the same is stored; None if a different one must not be replaced."""
        bucket = self.bucket("unprocessed")
        there = bucket.find(name)
        is_same = there is not None and there.etag.strip('"') == etag_of(image.content)
        if there is not None and not is_same and not may_replace(name):
            return None
        if there is None or not is_same:
            # Pin the ETag of this upload, since other users may use the same name.
            media_type = FORMATS[image.header.format].media_type
            opened(len(image.content))
            try:
                file, is_new = io.BytesIO(image.content), there is None
                there = bucket.store(name, file, media_type=media_type, is_new=is_new, progress=moved)
            except ObjectReplaced:
                # Another client has uploaded this name in the meantime: decide again.
                return self._store(image, name, may_replace, moved, opened)
        size_bytes = len(image.content)
        return Uploaded(name=name, etag=there.etag, header=image.header, size_bytes=size_bytes, was_there=is_same)

    def results(self, requests: Iterable[Request | CourierError | None]) -> Iterator[Result | CourierError]:
        """Send requests, and yield their results or errors, in order. Raises: AwsError; Canceled."""
        with closing(self._requester.request_many(requests)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, RequestCanceled):
                    raise Canceled
                yield outcome if isinstance(outcome, CourierError) else _result(outcome)

    def fetch(
        self,
        result: Result,
        file: IO[bytes],
        *,
        moved: Callable[[int], None] = lambda _count: None,
        opened: Callable[[int], object] = lambda _size: None,
    ) -> None:
        """Download a processed image into an open file. Raises: Rejected; AwsError."""
        self.bucket("processed").fetch(result.name, file, etag=result.etag, progress=moved, opened=opened)

    def download(
        self,
        name: str,
        target: Path,
        *,
        replace: bool,
        moved: Callable[[int], None] = lambda _count: None,
        opened: Callable[[int], object] = lambda _size: None,
    ) -> None:
        """Download a processed image into a file. Raises: WrongUsage; Rejected; AwsError."""
        with writing(target, replace=replace) as file:
            self.fetch(Result(name=name), file, moved=moved, opened=opened)

    def content(self, result: Result) -> bytes:
        """Return a processed image. Raises: Rejected; AwsError."""
        file = io.BytesIO()
        self.fetch(result, file)
        return file.getvalue()

    def uploaded(self, name: str) -> bytes:
        """Return an uploaded image. Raises: ObjectMissing; Rejected if it is too large; AwsError."""
        file = io.BytesIO()
        limit_bytes = int(self._settings.image_max_megabytes * 1e6)
        self.bucket("unprocessed").fetch(name, file, limit_bytes=limit_bytes)
        return file.getvalue()

    def stored(self, name: str) -> bytes:
        """Return the result of that name, or else the upload. Raises: ObjectMissing; Rejected; AwsError."""
        try:
            return self.content(Result(name=name))
        except ObjectMissing:
            return self.uploaded(name)

    @property
    def client(self) -> str | None:
        """The client's name."""
        return self._settings.name

    def names(self, folder: str, *, in_folder: Callable[[str], object] = lambda _folder: None) -> list[StoredObject]:
        """Return the objects in a folder of the bucket, sorted by name, without other clients'. Raises: AwsError.

        Without a name of its own, the client sees those of all others without one; `in_folder` is called with each
        name that has a folder beside them.
        """
        return list(self.bucket(folder).names(in_folder=in_folder))

    def all_names(self, folder: str) -> list[StoredObject]:
        """Return the objects of all clients, those with a client's folder as NAME/OBJECT. Raises: AwsError."""
        whole = Bucket(self._requester.aws(), self._settings.bucket, FOLDERS[folder])
        whole.check()
        return list(whole.names(recursive=True))


def _result(response: Response) -> Result | CourierError:
    try:
        name = check_name(response.body)
    except CourierError as error:
        return error
    return Result(name=name, seconds=response.seconds, details=dict(response.details))
