"""The handler of the images worker: fetch the source, process it, store the result, and return its name."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from courier import Request, Response
from courier.aws.s3 import Bucket, StoredObject
from courier.aws.session import Aws
from courier.errors import NoRoom, Reason, Rejected
from courier.files import MAX_SOURCE_NAME_BYTES, check_name
from courier.images import logo, naming
from courier.images.operation import DEFAULT
from courier.images.pipeline import Pipeline, parse
from courier.memory_budget import processes_that_fit
from courier.sandbox import Limits, Sandbox, SandboxFault
from courier.settings import PROCESSED, UNPROCESSED, Settings
from courier.text import quoted

log = logging.getLogger(__name__)

#: The program of the sandbox.
SANDBOX_MODULE = "courier.images.sandbox_child"
OPTIONS = ("operations", "etag")
#: The metadata keys of a stored result: the fingerprint of source and operations, the operations, the details.
MARK, DONE, DETAILS = "courier-mark", "courier-operations", "courier-told"
#: The longest metadata value, in characters: S3 stores 2 KB in all.
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
MAX_DETAILS = 1_300
MAX_DONE = 400
#: The memory for which an image process is planned, in megabytes: of most operations on 12 million pixels.
PLANNED_MEGABYTES = 200


def concurrency() -> int:
    """Return how many images to process at once: one per core, as far as memory goes."""
    return int(min(os.cpu_count() or 1, processes_that_fit(PLANNED_MEGABYTES)))


@dataclass(frozen=True, kw_only=True)
class _Folders:
    """The folders of a request's client in the bucket: of all without a name, or of one name."""

    unprocessed: Bucket
    processed: Bucket


class ImageHandler:
    """Answers requests: fetches the source, processes it, stores the result, and returns its name."""

    def __init__(self, aws: Aws, settings: Settings) -> None:
        self._unprocessed = Bucket(aws, settings.bucket, UNPROCESSED)
        self._processed = Bucket(aws, settings.bucket, PROCESSED)
        self._settings = settings
        self._limit_bytes = int(settings.image_max_megabytes * 1e6)
        limits = Limits(
            seconds=settings.image_seconds,
            memory_megabytes=settings.image_memory_megabytes,
            seconds_setting="COURIER_IMAGE_SECONDS",
            memory_setting="COURIER_IMAGE_MEMORY_MEGABYTES",
        )
        self._sandbox = Sandbox(SANDBOX_MODULE, limits)

    def prepare(self) -> None:
        """Start an image process, and log whether it has a network."""
        try:
            has_network = self._sandbox.has_network()
        except (NoRoom, SandboxFault):
            log.exception("no image process could be started")
            return
        if has_network:
            log.warning("image processes have a network: this system allows no namespace without one")
        else:
            log.info("image processes have no network")

    def memory_bytes(self) -> int:
        """Return the resident memory of the image processes that work."""
        return self._sandbox.resident_bytes()

    def answer(self, request: Request) -> Response:
        """Return the name of the processed image, with details.

        Raises: Rejected; ServiceError; SandboxFault.
        """
        name = check_name(request.body.strip(), MAX_SOURCE_NAME_BYTES)
        pipeline = _pipeline(request)
        own = _Folders(
            unprocessed=self._unprocessed.folder(request.name), processed=self._processed.folder(request.name)
        )
        source = self._source(own.unprocessed, name, request.options.get("etag", ""))
        logos = [self._source(own.unprocessed, check_name(one, MAX_SOURCE_NAME_BYTES), "") for one in pipeline.logos]
        mark = _mark(source, pipeline, logos)
        for likely in naming.likely_names(name, pipeline):
            done = own.processed.find(likely)
            if done and done.metadata.get(MARK) == mark:
                return _made(done)
        return self._work(own, source, pipeline, mark, logos)

    def _source(self, folder: Bucket, name: str, etag: str) -> StoredObject:
        found = folder.find(name)
        if found is None:
            folder.check()
            raise folder.missing(name)
        if etag and found.etag != etag:
            raise folder.replaced(name)
        if found.size_bytes > self._limit_bytes:
            hint = "To allow larger files, set COURIER_IMAGE_MAX_MEGABYTES on the worker."
            size = f"{found.size_bytes:,} bytes; at most {self._limit_bytes:,} are allowed"
            raise Rejected(f"{quoted(name, 220)} has {size}.", hint=hint, reason=Reason.FILE_TOO_BIG)
        return found

    def _work(
        self, own: _Folders, source: StoredObject, pipeline: Pipeline, mark: str, logos: Sequence[StoredObject]
    ) -> Response:
        order = {
            "name": source.name,
            "operations": pipeline.text,
            "megapixels": self._settings.image_max_megapixels,
            "frames": self._settings.image_max_frames,
            "logos": {one.name: _logo(own.unprocessed, one) for one in logos},
        }
        with self._sandbox.cell() as cell:
            own.unprocessed.fetch(source.name, cell.source, limit_bytes=self._limit_bytes, etag=source.etag)
            made = cell.run(order)
            # The name comes from the child, which a hostile image may control.
            name = check_name(made["name"])
            done = json.dumps(pipeline.text)[1 : MAX_DONE + 1]
            metadata = {MARK: mark, DONE: done, DETAILS: _short(made["details"])}
            with cell.result() as result:
                stored = own.processed.store(name, result, media_type=made["media_type"], metadata=metadata)
        return _made(replace(stored, metadata=metadata))


def _logo(folder: Bucket, found: StoredObject) -> str:
    """Return a logo's file, as text. Raises: Rejected if it is too large."""
    file = io.BytesIO()
    folder.fetch(found.name, file, limit_bytes=logo.MAX_BYTES, etag=found.etag)
    return base64.b64encode(file.getvalue()).decode()


def _short(details: dict[str, object]) -> str:
    """Return details as JSON, short enough for S3's metadata: if necessary without the notes."""
    text = json.dumps(details)
    return text if len(text) <= MAX_DETAILS else json.dumps({"notes": ["and more was not kept than fits here"]})


def _made(stored: StoredObject) -> Response:
    try:
        details = dict(json.loads(stored.metadata.get(DETAILS, "{}")))
    except (ValueError, TypeError, RecursionError):
        details = {}
    return Response(body=stored.name, details={**details, "bytes": stored.size_bytes, "etag": stored.etag})


def _mark(source: StoredObject, pipeline: Pipeline, logos: Sequence[StoredObject]) -> str:
    """Return the fingerprint of a source, operations and logos."""
    what = " ".join([source.etag, pipeline.meaning, *(one.etag for one in logos)])
    return f"{source.etag.strip(chr(34))} {hashlib.sha256(what.encode()).hexdigest()}"


def _pipeline(request: Request) -> Pipeline:
    for option in request.options:
        if option not in OPTIONS:
            raise Rejected(
                f"An image request has no option {quoted(option)}.", hint=f"Known options: {', '.join(OPTIONS)}."
            )
    return parse(request.options.get("operations", DEFAULT))
