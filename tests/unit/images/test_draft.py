"""A JPEG is decoded no larger than its result needs, and the result is the same."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from courier.errors import NotAnImage
from courier.images.draft import drafted
from courier.images.pipeline import Pipeline, parse
from courier.images.probe import Bounds
from courier.images.processor import Processed, process
from tests.support.image_files import BOUNDS, encoded, photo


def processed(content: bytes, operations: str, *, bounds: Bounds = BOUNDS) -> Processed:
    return process(io.BytesIO(content), name="cat.jpg", operations=operations, bounds=bounds)


def test_a_draft_leaves_sizes_as_they_are_without_one() -> None:
    for width, height, operations in (
        (2221, 1362, "thumbnail=79"),
        (481, 484, "thumbnail=116"),
        (999, 700, "resize=100x90:outside"),
    ):
        made = [processed(encoded(name, photo((width, height))), operations) for name in ("JPEG", "PNG")]
        assert (made[0].width, made[0].height) == (made[1].width, made[1].height)


@pytest.mark.parametrize(
    ("operations", "size"),
    [
        ("thumbnail=80", (80, 60)),
        ("grayscale,thumbnail=80", (80, 60)),
        ("resize=50%", (600, 450)),
        ("resize=599", (599, 449)),
        ("resize=400x400:cover,sepia", (400, 400)),
        ("print", None),
    ],
)
def test_a_photo_above_the_limit_is_decoded_as_small_as_the_result_allows(
    operations: str, size: tuple[int, int] | None
) -> None:
    file = io.BytesIO()
    image = photo((1_201, 901))
    image.save(file, "JPEG", quality=95)
    bounds = Bounds(megapixels=0.3, frames=20)

    if size is None:
        with pytest.raises(NotAnImage, match=r"1201 x 901 pixels .*at most 0\.3 million"):
            processed(file.getvalue(), operations, bounds=bounds)
        return
    made = Image.open(io.BytesIO(processed(file.getvalue(), operations, bounds=bounds).content))
    whole = Image.open(io.BytesIO(processed(file.getvalue(), operations).content))
    assert made.size == size
    assert max(ImageStat.Stat(ImageChops.difference(made.convert("RGB"), whole.convert("RGB"))).mean) < 2


def test_one_of_108_megapixels_becomes_a_thumbnail_within_the_default_limits() -> None:
    file = io.BytesIO()
    Image.new("L", (12_000, 9_000), 99).save(file, "JPEG")

    made = processed(file.getvalue(), "web", bounds=Bounds(megapixels=50, frames=300))

    assert (made.width, made.height) == (1_600, 1_200)


def draft(
    operations: str, *, image_format: str = "JPEG", mode: str = "RGB", **known: Any
) -> tuple[Image.Image, Pipeline]:
    """Return an image of 800 x 600 pixels with its draft set up, and the pipeline for that."""
    options = {"is_sideways": False, "is_converted": False, "most_pixels": 50e6, **known}
    image = Image.open(io.BytesIO(encoded(image_format, photo((800, 600), mode))))
    return image, drafted(image, parse(operations), **options)


@pytest.mark.parametrize(
    ("operations", "size"),
    [
        ("thumbnail=100", (200, 150)),  # twice the result
        ("thumbnail=101", (400, 300)),
        ("resize=10%", (200, 150)),
        ("grayscale,thumbnail=100", (200, 150)),
        ("resize=50x50:cover", (200, 150)),
        ("resize=50x50:contain", (800, 600)),
        ("resize=10%:inside:center:linear", (800, 600)),
        ("flip,thumbnail=100", (800, 600)),
        ("sepia", (800, 600)),
    ],
)
def test_it_is_decoded_at_twice_the_size_of_the_result_or_more(operations: str, size: tuple[int, int]) -> None:
    assert draft(operations)[0].size == size


def test_the_pipeline_for_a_draft_ends_at_the_exact_size_of_the_whole_images_result() -> None:
    image, pipeline = draft("grayscale,thumbnail=101,sepia")

    assert [step.name for step in pipeline.steps] == ["grayscale", "resize", "sepia"]
    assert (
        pipeline.steps[1].size_after(image.size) == parse("thumbnail=101").steps[0].size_after((800, 600)) == (101, 76)
    )


def test_above_the_limit_it_is_decoded_at_the_size_of_the_result() -> None:
    assert draft("thumbnail=100", most_pixels=20_000)[0].size == (100, 75)


def test_a_sideways_images_sides_are_those_after_turning() -> None:
    assert draft("resize=100x", is_sideways=False)[0].size == (200, 150)
    assert draft("resize=100x", is_sideways=True)[0].size == (400, 300)


@pytest.mark.parametrize(
    ("operations", "known", "mode"),
    [
        ("grayscale", {}, "L"),
        ("grayscale", {"is_converted": True}, "RGB"),
        ("sepia", {}, "RGB"),
        ("flip,grayscale", {}, "RGB"),
        ("grayscale", {"mode": "CMYK"}, "CMYK"),
    ],
)
def test_only_the_luminance_is_decoded_where_the_result_is_gray(
    operations: str, known: dict[str, Any], mode: str
) -> None:
    assert draft(operations, **known)[0].mode == mode


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_other_formats_are_decoded_whole_by_the_same_pipeline(image_format: str) -> None:
    image, pipeline = draft("grayscale,thumbnail=100", image_format=image_format)

    assert (image.size, image.mode) == ((800, 600), "RGB")
    assert pipeline == parse("grayscale,thumbnail=100")
