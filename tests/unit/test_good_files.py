"""Sixty kinds of good files: every mode in every format that Pillow writes it in comes back right.

Pixel by pixel where operation and format are exact, by structural similarity where not.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from courier.images.preview import sample
from courier.images.probe import Bounds
from courier.images.processor import process

SIZE = (96, 72)
BOUNDS = Bounds(megapixels=50, frames=20)
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    **{f"png {mode}": (mode, "PNG", {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
    "png palette with transparency": ("P", "PNG", {"transparency": 3}),
    "png gray with a transparent level": ("L", "PNG", {"transparency": 100}),
    "png of 2 bits": ("P", "PNG", {"bits": 2}),
    "png of 4 bits": ("P", "PNG", {"bits": 4}),
    "png, strongly compressed": ("RGB", "PNG", {"compress_level": 9}),
    "png with a resolution": ("RGB", "PNG", {"dpi": (300, 300)}),
    **{f"jpeg {mode}": (mode, "JPEG", {"quality": 95}) for mode in ("L", "RGB", "CMYK")},
    "jpeg, progressive": ("RGB", "JPEG", {"quality": 95, "progressive": True}),
    "jpeg 4:4:4": ("RGB", "JPEG", {"quality": 95, "subsampling": 0}),
    "jpeg 4:2:2": ("RGB", "JPEG", {"quality": 95, "subsampling": 1}),
    "jpeg with restarts": ("RGB", "JPEG", {"quality": 95, "restart_marker_blocks": 4}),
    "jpeg kept in RGB": ("RGB", "JPEG", {"quality": 95, "keep_rgb": True}),
    "jpeg, gray and progressive": ("L", "JPEG", {"quality": 95, "progressive": True}),
    "jpeg with a comment": ("RGB", "JPEG", {"quality": 95, "comment": b"hello"}),
    **{f"gif {mode}": (mode, "GIF", {}) for mode in ("1", "L", "P", "RGB", "RGBA")},
    "gif, not interlaced": ("P", "GIF", {"interlace": False}),
    "gif with transparency": ("P", "GIF", {"transparency": 3}),
    **{f"webp {mode}": (mode, "WEBP", {"quality": 95}) for mode in ("L", "LA", "RGB", "RGBA")},
    **{f"webp {mode}, lossless": (mode, "WEBP", {"lossless": True}) for mode in ("RGB", "RGBA")},
    "webp, lossless and exact": ("RGBA", "WEBP", {"lossless": True, "exact": True}),
    **{f"avif {mode}": (mode, "AVIF", {"quality": 95}) for mode in ("L", "RGB", "RGBA")},
    "avif 4:4:4": ("RGB", "AVIF", {"quality": 95, "subsampling": "4:4:4"}),
    **{f"tiff {mode}": (mode, "TIFF", {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")},
    **{
        f"tiff RGB, {compression}": ("RGB", "TIFF", {"compression": compression})
        for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma")
    },
    "tiff RGB, jpeg": ("RGB", "TIFF", {"compression": "jpeg", "quality": 95}),
    "tiff 1, group4": ("1", "TIFF", {"compression": "group4"}),
    "tiff 1, group3": ("1", "TIFF", {"compression": "group3"}),
    "tiff L, lzw": ("L", "TIFF", {"compression": "tiff_lzw"}),
    "tiff RGBA, deflate": ("RGBA", "TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff, big": ("RGB", "TIFF", {"big_tiff": True}),
    "tiff in strips": ("RGB", "TIFF", {"strip_size": 1024}),
    **{f"bmp {mode}": (mode, "BMP", {}) for mode in ("1", "L", "P", "RGB", "RGBA")},
}
#: Operations that move or calculate whole pixels, and the same in plain Pillow.
EXACT: dict[str, Callable[[Image.Image], Image.Image]] = {
    "flip": lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    "flop": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "rotate=90": lambda image: image.transpose(Image.Transpose.ROTATE_270),
    "crop=40x30+8+4": lambda image: image.crop((8, 4, 48, 34)),
    "negate": lambda image: _on_color(image, ImageOps.invert),
}
#: Operations that mix pixels, or are written with loss.
MIXING: dict[str, Callable[[Image.Image], Image.Image]] = {
    "convert=jpeg:95": lambda image: image,
    "convert=webp:95": lambda image: image,
    "convert=avif:95": lambda image: image,
    "resize=64x48:fill,convert=png": lambda image: image.resize((64, 48), Image.Resampling.LANCZOS),
    "blur=2,convert=png": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
}
ALIKE = 0.85


def _on_color(image: Image.Image, work: Callable[[Image.Image], Image.Image]) -> Image.Image:
    if image.mode == "L":
        return work(image)
    made = work(image.convert("RGB"))
    made.putalpha(image.convert("RGBA").getchannel("A"))
    return made


@cache
def written(kind: str) -> bytes:
    mode, image_format, options = KINDS[kind]
    image = Image.open(io.BytesIO(sample())).resize(SIZE)
    if mode == "I;16":
        image = image.convert("L").convert("I").point(lambda value: value * 257)
    if mode in {"LA", "RGBA"}:
        image.putalpha(Image.linear_gradient("L").resize(SIZE).point(lambda value: 64 + value // 2))
    file = io.BytesIO()
    image.convert(mode).save(file, format=image_format, **options)
    return file.getvalue()


def reference(content: bytes) -> Image.Image:
    """Return a file as plain Pillow decodes it, in a mode that has room for all of it."""
    image = Image.open(io.BytesIO(content))
    image.load()
    if image.mode.startswith("I;16"):
        return image
    if "transparency" in image.info or image.mode in {"LA", "RGBA"}:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def similarity(one: Image.Image, other: Image.Image) -> float:
    """Return the mean structural similarity of two images' grays in windows of 8 x 8 (Wang et al. 2004)."""
    x, y = (np.asarray(image.convert("L"), dtype=float) for image in (one, other))
    first, second = mean_in_windows(x), mean_in_windows(y)
    spread = mean_in_windows(x * x) - first**2 + mean_in_windows(y * y) - second**2
    common = mean_in_windows(x * y) - first * second
    a, b = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    shares = (2 * first * second + a) * (2 * common + b) / ((first**2 + second**2 + a) * (spread + b))
    return float(shares.mean())


def mean_in_windows(values: Any) -> Any:
    """Return the mean in each window of 8 x 8, from sums of all that is above and to the left."""
    sums = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    return (sums[8:, 8:] - sums[:-8, 8:] - sums[8:, :-8] + sums[:-8, :-8]) / 64


def on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    return paper.convert("RGB")


def made(content: bytes, operations: str) -> Image.Image:
    found = process(io.BytesIO(content), name="a", operations=operations, bounds=BOUNDS)
    image = Image.open(io.BytesIO(found.content))
    image.load()
    return image


def test_there_are_some_sixty_kinds() -> None:
    assert len(KINDS) >= 60


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_exact_is_right_pixel_by_pixel(kind: str) -> None:
    content = written(kind)
    for operation, plain in EXACT.items():
        expected = reference(content)
        if expected.mode.startswith("I;16") and operation == "negate":
            continue  # which has a test of its own
        expected = plain(expected)

        found = made(content, f"{operation},convert=png")

        assert found.size == expected.size, operation
        if expected.mode.startswith("I;16"):
            assert np.array_equal(np.asarray(found), np.asarray(expected)), operation
        else:
            pixels = np.asarray(found.convert("RGBA")), np.asarray(expected.convert("RGBA"))
            assert np.array_equal(*pixels), (operation, np.abs(pixels[0].astype(int) - pixels[1]).max())


@pytest.mark.parametrize("kind", [kind for kind, what in KINDS.items() if what[0] != "I;16"])
def test_what_is_mixed_or_lossy_looks_the_same(kind: str) -> None:
    content = written(kind)
    for operation, plain in MIXING.items():
        expected = on_white(plain(reference(content)))

        found = made(content, operation)

        alike = similarity(on_white(found.convert("RGBA")), expected)
        assert alike > ALIKE, (operation, alike)


def test_the_measure_of_likeness_tells_images_apart() -> None:
    image = Image.open(io.BytesIO(sample())).resize(SIZE)

    assert similarity(image, image) == 1
    assert similarity(image, ImageOps.invert(image)) < 0.5
    assert similarity(image, image.filter(ImageFilter.GaussianBlur(4))) < ALIKE
