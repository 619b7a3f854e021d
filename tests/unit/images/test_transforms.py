"""Turning, cutting and resizing: where pixels go, and what fills the rest.

What Pillow makes of images by the same names, and sizes, are in test_operations.
"""

from __future__ import annotations

import pytest
from PIL import Image

from courier.errors import NotAnImage, Reason
from tests.support.image_files import applied, photo

SAMPLE = photo((80, 60))


def test_gravity_says_what_is_kept() -> None:
    halves = Image.new("RGB", (80, 20), "red")
    halves.paste((0, 0, 255), (40, 0, 80, 20))

    assert applied("resize=20x20:cover:west", halves).getpixel((10, 10)) == (255, 0, 0)
    assert applied("resize=20x20:cover:east", halves).getpixel((10, 10)) == (0, 0, 255)
    padded = applied("resize=80x80:contain:south", halves)
    assert padded.getpixel((5, 5)) == (255, 255, 255)
    assert padded.getpixel((5, 75)) == (255, 0, 0)


def test_corners_have_the_color_that_was_requested() -> None:
    assert applied("rotate=45").getpixel((0, 0)) == (255, 255, 255)
    assert applied("rotate=45:blue").getpixel((0, 0)) == (0, 0, 255)
    assert applied("rotate=45:transparent").getpixel((0, 0)) == (0, 0, 0, 0)
    assert applied("border=2:transparent").getpixel((0, 0)) == (0, 0, 0, 0)
    assert applied("rotate=45", SAMPLE.convert("RGBA")).getpixel((0, 0)) == (0, 0, 0, 0)


def test_a_cut_outside_is_rejected() -> None:
    with pytest.raises(NotAnImage, match="crop at 100, 0 is outside of the image of 80 x 60"):
        applied("crop=10x10+100+0")


def test_a_crop_ends_at_the_images_edge() -> None:
    assert applied("crop=50x50+60+30", SAMPLE).tobytes() == SAMPLE.crop((60, 30, 80, 60)).tobytes()
    with pytest.raises(NotAnImage) as raised:
        applied("crop=1x1+0+60", SAMPLE)
    assert raised.value.reason == Reason.IMPOSSIBLE


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize(
    ("text", "kept"), [("rotate=10", True), ("rotate=10:red", False), ("rotate=10:transparent", None)]
)
def test_corners_add_a_color_or_an_alpha_channel_only_where_they_must(
    mode: str, text: str, *, kept: bool | None
) -> None:
    made = applied(text, SAMPLE.convert(mode))

    with_alpha = {"L": "LA", "RGB": "RGBA"}.get(mode, mode)
    with_color = {"L": "RGB", "LA": "RGBA"}.get(mode, mode)
    assert made.mode == (with_alpha if kept is None else mode if kept else with_color)


def test_padding_is_white_transparent_or_of_deep_gray_black() -> None:
    corners = {
        mode: applied(
            "resize=80x80:contain",
            SAMPLE.convert("L").convert("I").convert("I;16") if mode == "I;16" else SAMPLE.convert(mode),
        ).getpixel((0, 0))
        for mode in ("L", "LA", "RGB", "RGBA", "I;16")
    }

    assert corners == {"L": 255, "LA": (0, 0), "RGB": (255, 255, 255), "RGBA": (0, 0, 0, 0), "I;16": 0}


def test_what_keeps_its_size_is_not_resampled() -> None:
    for text in ("resize=80x60", "resize=100%", "thumbnail=400", "rotate=0", "rotate=360"):
        assert applied(text, SAMPLE) is SAMPLE


def test_a_cover_of_another_shape_scales_the_part_that_is_seen() -> None:
    image = Image.new("RGB", (90, 30), "blue")
    image.paste("red", (30, 0, 60, 30))

    red, _, blue = applied("resize=10x10:cover", image).split()

    assert red.getextrema()[0] > 200  # type: ignore[operator]
    assert blue.getextrema()[1] < 50  # type: ignore[operator]
