"""A image's frames: how many, how long, how often, and what is damaged."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images.animation import count_frames, decoded_frames, frames_of, plays_of
from courier.images.decoding import decode
from courier.images.formats import FORMATS
from courier.images.probe import Source, open_source


def moving(image_format: str, frames: int = 3, **options: Any) -> bytes:
    file = io.BytesIO()
    images = [Image.new("RGB", (8, 8), (60 * number, 0, 0)) for number in range(frames)]
    given: dict[str, Any] = {"duration": 100, **options}
    images[0].save(file, image_format, save_all=True, append_images=images[1:], **given)
    return file.getvalue()


def decoded(image: Image.Image) -> Image.Image:
    return decode(source_of(image), print)


def source_of(image: Image.Image) -> Source:
    return Source(image=image, format=FORMATS["PNG"])


def each(image: Image.Image) -> list[tuple[Image.Image, float]]:
    return list(decoded_frames(source_of(image), print))


def frames(content: bytes) -> list[tuple[Image.Image, float]]:
    return list(decoded_frames(open_source(io.BytesIO(content)), print))


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_frames_are_counted(image_format: str) -> None:
    content = moving(image_format)

    assert frames_of(opened(content)) == 3
    assert count_frames(content) == 3


def test_a_still_image_has_one() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")

    assert frames_of(opened(file.getvalue())) == 1
    assert count_frames(file.getvalue()) == 1


def test_a_pngs_fallback_image_is_no_frame() -> None:
    content = moving("PNG", default_image=True)

    assert frames_of(opened(content)) == 2
    assert len(frames(content)) == 2


@pytest.mark.parametrize(
    ("image_format", "options", "plays"),
    [
        ("GIF", {"loop": 0}, 0),
        ("GIF", {}, 1),
        ("GIF", {"loop": 2}, 3),
        ("PNG", {"loop": 0}, 0),
        ("PNG", {"loop": 2}, 2),
        ("WEBP", {"loop": 5}, 5),
        ("AVIF", {}, 0),
    ],
)
def test_how_often_frames_are_shown_is_one_number_for_all_formats(
    image_format: str, options: dict[str, int], plays: int
) -> None:
    assert plays_of(opened(moving(image_format, **options))) == plays


def test_an_image_that_says_nothing_of_it_is_shown_forever() -> None:
    image = Image.new("RGB", (1, 1))

    assert plays_of(image) == 0


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP"])
def test_each_frame_comes_whole_and_with_its_time(image_format: str) -> None:
    found = frames(moving(image_format, duration=[100, 200, 300]))

    assert [milliseconds for _, milliseconds in found] == [100, 200, 300]
    assert {frame.mode for frame, _ in found} == {"RGBA"}
    reds = [frame.getpixel((0, 0)) for frame, _ in found]
    assert len(set(reds)) == 3


def test_a_frame_without_a_time_has_none() -> None:
    (_, milliseconds), *_ = each(Image.new("RGB", (1, 1)))

    assert milliseconds == 0


def test_a_good_image_is_decoded() -> None:
    image = opened(moving("PNG"))

    assert decoded(image) is image
    assert image.getpixel((0, 0)) == (0, 0, 0)


def test_a_damaged_image_is_said_with_what_its_header_says() -> None:
    file = io.BytesIO()
    Image.effect_noise((64, 48), 50).save(file, "PNG")

    with pytest.raises(NotAnImage, match="PNG, 64 x 48") as raised:
        decoded(opened(file.getvalue()[:1500]))

    assert raised.value.reason == Reason.CORRUPT


def test_a_damaged_frame_is_said() -> None:
    content = moving("GIF", frames=8)

    with pytest.raises(NotAnImage):
        frames(content[: len(content) - 60])


class Broken(Image.Image):
    """A image that fails as a decoder does."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def load(self) -> Any:
        raise self._error

    def seek(self, frame: int) -> None:  # noqa: ARG002  Pillow's name
        raise self._error

    @property
    def n_frames(self) -> int:
        raise self._error


@pytest.mark.parametrize("read", [decoded, frames_of, each])
def test_whatever_a_decoder_raises_is_damage(read: Any) -> None:
    with pytest.raises(NotAnImage, match="divided"):
        read(Broken(ZeroDivisionError("divided")))


@pytest.mark.parametrize("read", [decoded, each])
def test_but_want_of_memory_is_none(read: Any) -> None:
    with pytest.raises(MemoryError):
        read(Broken(MemoryError()))
