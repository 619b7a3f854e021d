"""Images between this machine, a bucket in memory and workers that are none; with real ones it is in acceptance."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from courier import Request, Requester, Response
from courier.aws.s3 import PART_BYTES, etag_of
from courier.errors import (
    BucketMissing,
    CourierError,
    NotAnImage,
    ObjectReplaced,
    Rejected,
    ResponseTimeout,
    WrongUsage,
)
from courier.files import MAX_SOURCE_NAME_BYTES, check_name
from courier.images.application import application
from courier.images.pipeline import parse
from courier.images.preview import SAMPLE_NAME, sample
from courier.images.probe import Header
from courier.images.transfer import ImageTransfer, LocalImage, Result
from courier.messaging.pending import Outcome
from courier.messaging.protocol import Rejection
from courier.settings import load_settings
from tests.support.fakes import FakeAws

UNPROCESSED, PROCESSED = "images/unprocessed/", "images/processed/"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    made = FakeAws()
    made.objects.create_bucket(Bucket="bucket")
    monkeypatch.setattr("courier.aws.session.Aws", lambda *_: made)
    return made


@pytest.fixture
def transfer(aws: FakeAws) -> ImageTransfer:
    assert aws.objects.buckets
    return transfer_with()


def transfer_with(**settings: str) -> ImageTransfer:
    made = load_settings({"COURIER_BUCKET": "bucket", **settings})
    return ImageTransfer(Requester(application(made), timeout=5, tell=lambda _: None), made)


def image_file(folder: Path, name: str = "cat.png", color: int = 7) -> Path:
    path = folder / name
    Image.new("L", (8, 4), color).save(path, "PNG")
    return path


def never(_: str) -> bool:
    raise AssertionError


# Logos


def test_a_logo_is_uploaded_under_its_digest_and_named_so(
    aws: FakeAws, transfer: ImageTransfer, tmp_path: Path
) -> None:
    path = image_file(tmp_path, "mark.png")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]

    pipeline = transfer.with_logos(parse(f"logo={path}:center,flip"))

    assert pipeline.text == f"logo=mark-{digest}.png:center,flip"
    assert aws.objects.buckets["bucket"][f"{UNPROCESSED}mark-{digest}.png"].content == path.read_bytes()


def test_what_cannot_be_a_logo_is_not_uploaded(aws: FakeAws, transfer: ImageTransfer, tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=r"none\.png"):
        transfer.with_logos(parse(f"logo={tmp_path}/none.png"))
    noise = Image.effect_noise((1_200, 1_200), 90)
    noise.save(tmp_path / "large.png")
    with pytest.raises(Rejected, match="The logo cannot be used"):
        transfer.with_logos(parse(f"logo={tmp_path}/large.png"))

    assert not aws.objects.buckets["bucket"]


# Reading


def test_a_file_is_read_with_its_name_and_header(transfer: ImageTransfer, tmp_path: Path) -> None:
    path = image_file(tmp_path)

    image = transfer.read(str(path))
    name, content, header = image.name, image.content, image.header

    assert (name, content) == ("cat.png", path.read_bytes())
    assert (header.format, header.width, header.height) == ("PNG", 8, 4)


def test_no_path_is_the_sample(transfer: ImageTransfer) -> None:
    image = transfer.read("")
    name, content = image.name, image.content

    assert (name, content) == (SAMPLE_NAME, sample())


def test_what_may_not_be_uploaded_is_rejected_beforehand(transfer: ImageTransfer, tmp_path: Path, aws: FakeAws) -> None:
    no_image = tmp_path / "a.png"
    no_image.write_text("none")

    with pytest.raises(NotAnImage):
        transfer.read(str(no_image))
    with pytest.raises(Rejected):
        transfer.read(str(image_file(tmp_path, ".hidden.png")))
    with pytest.raises(WrongUsage):
        transfer.read(str(tmp_path / "missing.png"))
    assert aws.objects.operations == ["create_bucket"]


def test_the_bounds_are_those_of_the_settings(aws: FakeAws, tmp_path: Path) -> None:
    assert aws
    path = str(image_file(tmp_path))

    with pytest.raises(Rejected):
        transfer_with(COURIER_IMAGE_MAX_MEGABYTES="0.001").read(str(image_of(2_000, tmp_path)))
    # How many pixels may be decoded is for the worker to say, whose limit may be another.
    assert transfer_with(COURIER_IMAGE_MAX_MEGAPIXELS="0.001").read(str(image_of(2_000, tmp_path)))
    assert transfer_with(COURIER_IMAGE_MAX_FRAMES="3").bounds.frames == 3
    assert transfer_with().read(path)


def image_of(pixels: int, folder: Path) -> Path:
    path = folder / "noisy.png"
    Image.effect_noise((pixels // 10, 10), 90).save(path, "PNG")
    return path


# Uploading


def test_an_image_is_uploaded_with_its_type_and_announced(
    transfer: ImageTransfer, aws: FakeAws, tmp_path: Path
) -> None:
    path = image_file(tmp_path)
    moved: list[int] = []
    opened: list[int] = []

    uploaded = transfer.upload(str(path), may_replace=never, moved=moved.append, opened=opened.append)

    stored = aws.objects.buckets["bucket"][f"{UNPROCESSED}cat.png"]
    size = len(path.read_bytes())
    assert (stored.content, stored.media_type) == (path.read_bytes(), "image/png")
    assert (uploaded.name, uploaded.etag, uploaded.size_bytes, uploaded.was_there) == (
        "cat.png",
        stored.etag,
        size,
        False,
    )
    assert (opened, moved) == ([size], [size])


def test_what_is_there_already_is_not_uploaded_again(transfer: ImageTransfer, aws: FakeAws, tmp_path: Path) -> None:
    path = str(image_file(tmp_path))
    first = transfer.upload(path, may_replace=never)

    again = transfer.upload(path, may_replace=never)

    assert (again.was_there, again.etag) == (True, first.etag)
    assert aws.objects.operations.count("put_object") == 1


def test_an_image_goes_beside_another_of_its_name(transfer: ImageTransfer, aws: FakeAws, tmp_path: Path) -> None:
    theirs = transfer.upload(str(image_file(tmp_path, color=1)), may_replace=never)
    mine = transfer.read(str(image_file(tmp_path, color=2)))

    first, again = transfer.upload_apart(mine), transfer.upload_apart(mine)

    assert first.name == again.name == f"cat-{mine.digest[:16]}.png"
    assert again.was_there
    stored = aws.objects.buckets["bucket"]
    assert stored[UNPROCESSED + first.name].content == mine.content
    assert stored[UNPROCESSED + "cat.png"].etag == theirs.etag


def test_what_stands_under_a_images_own_name_and_is_another_is_replaced(
    transfer: ImageTransfer, aws: FakeAws, tmp_path: Path
) -> None:
    mine = transfer.read(str(image_file(tmp_path)))
    for name in ("cat.png", mine.own_name):
        aws.objects.put_object(Bucket="bucket", Key=UNPROCESSED + name, Body=b"theirs")

    sent = transfer.upload_apart(mine)

    assert aws.objects.buckets["bucket"][UNPROCESSED + sent.name].content == mine.content
    assert aws.objects.buckets["bucket"][UNPROCESSED + "cat.png"].content == b"theirs"


@pytest.mark.parametrize("name", ["ä" * 98 + ".png", "a" * 200, "x.jpeg"])
def test_an_own_name_is_one_that_can_be_uploaded(name: str) -> None:
    image = LocalImage(name=name, content=b"1", header=Header(format="PNG", width=1, height=1, is_moving=False))

    assert check_name(image.own_name, MAX_SOURCE_NAME_BYTES) == image.own_name
    assert Path(image.own_name).suffix == Path(name).suffix


@pytest.mark.parametrize("agrees", [True, False])
def test_another_image_of_this_name_is_replaced_only_if_that_is_wanted(
    transfer: ImageTransfer, aws: FakeAws, tmp_path: Path, *, agrees: bool
) -> None:
    transfer.upload(str(image_file(tmp_path, color=1)), may_replace=never)
    path = image_file(tmp_path, color=2)
    asked: list[str] = []

    def may_replace(name: str) -> bool:
        asked.append(name)
        return agrees

    if agrees:
        assert not transfer.upload(str(path), may_replace=may_replace).was_there
    else:
        with pytest.raises(WrongUsage, match=r"cat\.png") as raised:
            transfer.upload(str(path), may_replace=may_replace)
        assert "--replace" in raised.value.hint
    assert asked == ["cat.png"]
    content = aws.objects.buckets["bucket"][f"{UNPROCESSED}cat.png"].content
    assert (content == path.read_bytes()) is agrees


def test_another_users_image_that_came_in_between_is_not_overwritten_unasked(
    transfer: ImageTransfer, aws: FakeAws, tmp_path: Path
) -> None:
    path = str(image_file(tmp_path))

    def come_between(_: object) -> None:
        del aws.objects.hooks["put_object"]
        aws.objects.put_object(Bucket="bucket", Key=f"{UNPROCESSED}cat.png", Body=b"theirs")

    aws.objects.hooks["put_object"] = come_between

    with pytest.raises(WrongUsage):
        transfer.upload(path, may_replace=lambda _: False)

    assert aws.objects.buckets["bucket"][f"{UNPROCESSED}cat.png"].content == b"theirs"


def test_a_bucket_that_is_missing_is_said_before_anything_is_uploaded(aws: FakeAws, tmp_path: Path) -> None:
    aws.objects.buckets.clear()

    with pytest.raises(BucketMissing):
        transfer_with().upload(str(image_file(tmp_path)), may_replace=never)


def test_the_bucket_is_looked_for_once_a_folder(transfer: ImageTransfer, aws: FakeAws) -> None:
    for folder in ("processed", "unprocessed", "processed"):
        transfer.names(folder)

    assert aws.objects.operations.count("head_bucket") == 2
    assert transfer.bucket("processed").prefix == PROCESSED


# Asking


class Asking:
    """A requester that has these outcomes for what it is asked."""

    reply_queue = "imageOutbox"

    def __init__(self, *outcomes: Response | Rejection | CourierError) -> None:
        self._outcomes = outcomes

    def request_many(self, questions: Any, *, timeout_seconds: float, is_expensive: bool) -> Iterator[Outcome]:
        assert (timeout_seconds, is_expensive) == (5, False)
        for number, (_, result) in enumerate(zip(questions, self._outcomes, strict=True)):
            yield Outcome(result=result, request_id="a", seconds=float(number))


def results(
    transfer: ImageTransfer, monkeypatch: pytest.MonkeyPatch, *outcomes: Response | Rejection | CourierError
) -> list[Result | CourierError]:
    @contextmanager
    def exchange_for(_connection: object, questions: Any) -> Iterator[tuple[Any, Any]]:
        yield Asking(*outcomes), questions

    monkeypatch.setattr("courier.messaging.requester.exchange_for", exchange_for)
    asked = [Request(body=str(number)) for number in range(len(outcomes))]
    return list(transfer.results(asked))


def test_each_image_has_its_result_or_its_error(transfer: ImageTransfer, monkeypatch: pytest.MonkeyPatch) -> None:
    found = results(
        transfer,
        monkeypatch,
        Response(body="a-flip.png", details={"etag": '"x"', "width": 8}),
        Rejection(reason="No such image.", code="corrupt"),
        ResponseTimeout("Silence."),
        Response(body="../../etc/passwd"),
    )

    first, rejected, silent, foreign = found
    assert first == Result(name="a-flip.png", seconds=0.0, details={"etag": '"x"', "width": 8})
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "corrupt"
    assert isinstance(silent, ResponseTimeout)
    assert "images_worker.py" in silent.hint
    assert isinstance(foreign, Rejected)


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({}, ""),
        ({"width": 8, "height": 4}, "8 x 4"),
        ({"width": 8, "height": "4"}, ""),
        ({"width": 8, "height": 4, "bytes": 12_345, "frames": 1}, "8 x 4, 12,345 bytes"),
        ({"frames": 3, "bytes": 0}, "3 frames, 0 bytes"),
        ({"bytes": -1, "frames": True, "notes": ["its profile went", 5]}, "its profile went, 5"),
        ({"notes": "none"}, ""),
    ],
)
def test_details_from_a_worker_are_described_as_far_as_they_make_sense(details: dict[str, Any], words: str) -> None:
    assert Result(name="b", seconds=1, details=details).describe() == words


@pytest.mark.parametrize(("details", "etag"), [({"etag": '"x"'}, '"x"'), ({}, ""), ({"etag": 5}, "")])
def test_an_etag_is_text_or_none(details: dict[str, Any], etag: str) -> None:
    assert Result(name="b", seconds=1, details=details).etag == etag


# Downloading


def put_result(aws: FakeAws, content: bytes = b"new") -> str:
    return str(aws.objects.put_object(Bucket="bucket", Key=f"{PROCESSED}a.png", Body=content)["ETag"])


def test_a_result_is_fetched_into_a_file(transfer: ImageTransfer, aws: FakeAws, tmp_path: Path) -> None:
    put_result(aws)
    moved: list[int] = []
    opened: list[int] = []

    transfer.download("a.png", tmp_path / "a.png", replace=False, moved=moved.append, opened=opened.append)

    assert ((tmp_path / "a.png").read_bytes(), opened, moved) == (b"new", [3], [3])


def test_only_the_announced_result_is_fetched(transfer: ImageTransfer, aws: FakeAws) -> None:
    etag = put_result(aws)
    put_result(aws, b"another's")

    with pytest.raises(ObjectReplaced):
        transfer.content(Result(name="a.png", seconds=1, details={"etag": etag}))


def test_a_file_that_is_there_is_replaced_only_if_that_is_wanted(
    transfer: ImageTransfer, aws: FakeAws, tmp_path: Path
) -> None:
    put_result(aws)
    (tmp_path / "a.png").write_bytes(b"old")

    with pytest.raises(WrongUsage):
        transfer.download("a.png", tmp_path / "a.png", replace=False)
    assert (tmp_path / "a.png").read_bytes() == b"old"
    transfer.download("a.png", tmp_path / "a.png", replace=True)
    assert (tmp_path / "a.png").read_bytes() == b"new"


def test_a_result_may_be_had_without_a_file(transfer: ImageTransfer, aws: FakeAws) -> None:
    etag = put_result(aws)

    assert transfer.content(Result(name="a.png", seconds=1, details={"etag": etag})) == b"new"


def test_a_folder_is_listed(transfer: ImageTransfer, aws: FakeAws) -> None:
    put_result(aws)

    assert [one.name for one in transfer.names("processed")] == ["a.png"]
    assert transfer.names("unprocessed") == []


@pytest.mark.parametrize("size", [0, 5, PART_BYTES - 1])
def test_an_etag_of_what_is_short_is_its_md5(size: int) -> None:
    content = b"x" * size

    assert etag_of(content) == hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(("size", "parts"), [(PART_BYTES, 1), (PART_BYTES + 1, 2), (2 * PART_BYTES, 2)])
def test_an_etag_of_what_is_long_is_that_of_its_parts(size: int, parts: int) -> None:
    content = b"x" * size
    file = io.BytesIO(content)
    digests = b"".join(
        hashlib.md5(part, usedforsecurity=False).digest() for part in iter(lambda: file.read(PART_BYTES), b"")
    )

    assert etag_of(content) == f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{parts}"
