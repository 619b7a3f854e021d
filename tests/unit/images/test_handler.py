"""The handler of the images worker, over a bucket in memory; what a sandbox does is done right here."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import Image

from courier import Request
from courier.errors import ObjectMissing, Reason, Rejected
from courier.images.handler import ImageHandler
from courier.images.sandbox_child import work
from courier.settings import PROCESSED, UNPROCESSED, load_settings
from tests.support.fakes import FakeAws


@pytest.fixture(scope="module")
def aws() -> FakeAws:
    made = FakeAws()
    made.objects.create_bucket(Bucket="bucket")
    return made


class NoSandbox:
    """Does the work in this process."""

    def __init__(self) -> None:
        self.source, self._made = io.BytesIO(), io.BytesIO()

    @contextmanager
    def cell(self) -> Iterator[NoSandbox]:
        """Have an empty source and no result."""
        self.source, self._made = io.BytesIO(), io.BytesIO()
        yield self

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        """Work on the source."""
        return work(json.loads(json.dumps(order)), self.source, self._made)

    @contextmanager
    def result(self) -> Iterator[io.BytesIO]:
        """Open the result."""
        self._made.seek(0)
        yield self._made


@pytest.fixture(scope="module")
def handler(aws: FakeAws) -> ImageHandler:
    made = ImageHandler(aws, load_settings({"COURIER_BUCKET": "bucket"}))
    made._sandbox = NoSandbox()  # type: ignore[assignment]
    return made


def store(aws: FakeAws, name: str, color: str, size: tuple[int, int] = (40, 40)) -> None:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "PNG")
    aws.objects.put_object(Bucket="bucket", Key=UNPROCESSED + name, Body=file.getvalue())


def test_another_logo_of_the_same_name_gives_another_result(aws: FakeAws, handler: ImageHandler) -> None:
    store(aws, "cat.png", "white")
    request = Request(body="cat.png", options={"operations": "logo=mark.png:center"})
    seen = []
    for color in ("red", "red", "blue"):
        store(aws, "mark.png", color, (10, 10))
        name = handler.answer(request).body
        content = aws.objects.buckets["bucket"][PROCESSED + name].content
        seen.append(Image.open(io.BytesIO(content)).convert("RGB").getpixel((20, 20)))

    assert seen == [(255, 0, 0), (255, 0, 0), (0, 0, 255)]


def test_a_logo_that_is_not_there_or_too_large_is_said(aws: FakeAws, handler: ImageHandler) -> None:
    store(aws, "cat.png", "white")
    with pytest.raises(ObjectMissing, match=r"none\.png"):
        handler.answer(Request(body="cat.png", options={"operations": "logo=none.png"}))

    aws.objects.put_object(Bucket="bucket", Key=f"{UNPROCESSED}large.png", Body=bytes(1_000_001))
    with pytest.raises(Rejected, match="1,000,001 bytes") as raised:
        handler.answer(Request(body="cat.png", options={"operations": "logo=large.png"}))
    assert raised.value.reason == Reason.FILE_TOO_BIG


def test_a_request_with_a_name_is_about_the_images_of_that_name(aws: FakeAws, handler: ImageHandler) -> None:
    for folder, color in (("", "white"), ("anna/", "red"), ("bob/", "blue")):
        store(aws, f"{folder}same.png", color)
        store(aws, f"{folder}own-mark.png", color, (10, 10))
    seen = {}
    for name in (None, "anna", "bob"):
        done = handler.answer(Request(body="same.png", options={"operations": "logo=own-mark.png"}, name=name))
        key = f"{PROCESSED}{name}/{done.body}" if name else PROCESSED + done.body
        content = aws.objects.buckets["bucket"][key].content
        seen[name] = Image.open(io.BytesIO(content)).convert("RGB").getcolors()

    assert seen == {
        None: [(1600, (255, 255, 255))],
        "anna": [(1600, (255, 0, 0))],
        "bob": [(1600, (0, 0, 255))],
    }
    with pytest.raises(ObjectMissing, match="images/unprocessed/carol/"):
        handler.answer(Request(body="same.png", name="carol"))


@pytest.mark.parametrize("name", ["../secret.png", "a/b.png"])
def test_a_logo_is_an_object_of_the_folder(handler: ImageHandler, aws: FakeAws, name: str) -> None:
    store(aws, "cat.png", "white")
    with pytest.raises(Rejected):
        handler.answer(Request(body="cat.png", options={"operations": f"logo={name}"}))
