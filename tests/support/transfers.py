"""Image transfers over a bucket in memory, and workers beside it that make results at once."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterable, Iterator

from courier import Request, Requester
from courier.errors import CourierError
from courier.images import naming
from courier.images.application import application
from courier.images.pipeline import parse
from courier.images.probe import read_header
from courier.images.transfer import ImageTransfer, Result
from courier.settings import PROCESSED, UNPROCESSED, load_settings
from tests.support.fakes import FakeAws


class LocalTransfer(ImageTransfer):
    """Transfers whose images are worked on right here: a result says which content and operations it was made from."""

    def __init__(self, aws: FakeAws, **settings: str) -> None:
        loaded = load_settings({"COURIER_BUCKET": "bucket", **settings})
        requester = Requester(application(loaded), timeout=5, tell=lambda _: None)
        requester._aws = aws
        super().__init__(requester, loaded)
        self._objects = aws.objects
        self.guard = threading.Lock()
        self.asked: list[Request] = []
        #: What goes wrong with a request, by its object's name.
        self.errors: dict[str, CourierError] = {}
        #: Called with an object's name before it is worked on, and before its result is fetched.
        self.before_work: Callable[[str], object] = lambda _name: None
        self.before_fetch: Callable[[str], object] = lambda _name: None

    def results(self, requests: Iterable[Request | CourierError | None]) -> Iterator[Result | CourierError]:
        """Yield what is made of each request's object."""
        for one in requests:
            if isinstance(one, Request):
                self.asked.append(one)
                self.before_work(one.body)
                self.check_canceled()
                yield self.errors.get(one.body) or self._made(one)

    def fetch(self, result: Result, *arguments: object, **more: object) -> None:
        """Fetch a result, unless that goes wrong."""
        self.before_fetch(result.name)
        if result.name in self.errors:
            raise self.errors[result.name]
        super().fetch(result, *arguments, **more)  # type: ignore[arg-type]

    def _made(self, request: Request) -> Result:
        content = self._objects.buckets["bucket"][UNPROCESSED + request.body].content
        assert request.options["etag"].strip('"') == hashlib.md5(content, usedforsecurity=False).hexdigest()
        operations = request.options["operations"]
        header = read_header(io.BytesIO(content))
        name = naming.name_for(request.body, parse(operations), header)
        put = self._objects.put_object(Bucket="bucket", Key=PROCESSED + name, Body=made_of(content, operations))
        return Result(name=name, seconds=1.0, details={"etag": put["ETag"], "width": 8, "height": 4})


def made_of(content: bytes, operations: str) -> bytes:
    """Return the result of a content."""
    return f"{operations} of {hashlib.sha256(content).hexdigest()}".encode()
