"""An image is decoded whole, or it is said how much of it can be read: damage never comes back as black rows."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images.probe import Bounds
from courier.images.processor import process
from tests.support.image_files import chunk, do, encoded, photo, png, rejected

# PNG transparency


def transparent_png(color: int, depth: int, pixels: Sequence[Sequence[int]], transparency: bytes) -> bytes:
    """Return a PNG of one row."""
    bits = "".join(format(sample, f"0{depth}b") for pixel in pixels for sample in pixel)
    row = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    content = png(color, depth, 0, zlib.compress(b"\0" + row), (len(pixels), 1))
    place = content.index(b"IDAT") - 4
    return content[:place] + chunk(b"tRNS", transparency) + content[place:]


def alphas(content: bytes, operations: str) -> list[int]:
    made = Image.open(io.BytesIO(do(content, operations).content))
    return list(made.convert("RGBA").getchannel("A").tobytes())


@pytest.mark.parametrize("operations", ["flip", "grayscale", "sepia", "convert=webp"])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_gray_is_transparent_in_every_depth(depth: int, operations: str) -> None:
    top = 2**depth - 1
    for key in {0, top // 3, top}:
        pixels = [[level] for level in (0, top // 3, key, max(0, key - 1), min(top, key + 1), top)]

        found = alphas(transparent_png(0, depth, pixels, struct.pack(">H", key)), operations)

        assert found == [255 * (level != key) for (level,) in pixels], key


@pytest.mark.parametrize("operations", ["flip", "grayscale", "sepia", "convert=webp"])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_transparent_color_is_transparent_by_all_its_bits(depth: int, operations: str) -> None:
    key = [2**depth * 5 // 16 + 3, 7, 2**depth - 2]
    others = [[level + step * (at == band) for at, level in enumerate(key)] for band in range(3) for step in (-1, 1)]

    found = alphas(transparent_png(2, depth, [key, *others, key], struct.pack(">HHH", *key)), operations)

    assert found == [0, *[255] * 6, 0]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_palettes_transparency_is_kept_in_every_depth(depth: int) -> None:
    levels = [(number * 90 + 20) % 256 for number in range(min(2**depth, 5))]
    pixels = [[number % 2**depth] for number in range(8)]

    found = alphas(transparent_png(3, depth, pixels, bytes(levels)), "flip")

    assert found == [levels[index] if index < len(levels) else 255 for (index,) in pixels]


def test_gray_of_sixteen_bits_with_a_transparent_level_says_what_it_lost() -> None:
    assert do(transparent_png(0, 16, [[1], [2]], b"\0\1")).notes == ["its 16 bits a channel became 8"]


# The others


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def shortened_webp(content: bytes) -> bytes:
    """Return a WebP that ends early and says so in its lengths."""
    short = bytearray(cut(content, 0.6)[:-1] if int(len(content) * 0.6) % 2 else cut(content, 0.6))
    short[4:8] = (len(short) - 8).to_bytes(4, "little")
    place = short.rindex(b"VP8")
    short[place + 4 : place + 8] = (len(short) - place - 8).to_bytes(4, "little")
    return bytes(short)


OTHERS: Sequence[tuple[str, str, dict[str, Any]]] = [
    ("GIF", "RGB", {}), ("GIF", "L", {}), ("WEBP", "RGB", {}), ("WEBP", "RGB", {"lossless": True}),
    ("WEBP", "RGBA", {}), ("BMP", "RGB", {}), ("BMP", "P", {}), ("BMP", "1", {}), ("TIFF", "RGB", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}), ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", "RGB", {"compression": "jpeg"}), ("TIFF", "RGB", {"compression": "packbits"}), ("AVIF", "RGB", {}),
]  # fmt: skip


@pytest.mark.parametrize(("image_format", "mode", "options"), OTHERS)
def test_an_image_cut_short_is_rejected_in_every_format(image_format: str, mode: str, options: dict[str, Any]) -> None:
    content = encoded(image_format, photo(mode=mode), **options)

    do(content)
    for share in (0.4, 0.7, 0.9):
        with pytest.raises(NotAnImage):
            do(cut(content, share))
    if image_format == "WEBP":
        assert rejected(shortened_webp(content))


# Limits look at what is decoded


def test_a_large_jpeg_is_taken_where_a_smaller_decode_will_do_and_rejected_where_not() -> None:
    bounds = Bounds(megapixels=0.5, frames=1)
    content = encoded("JPEG", photo((2000, 1000)))

    made = process(io.BytesIO(content), name="a.jpg", operations="grayscale,thumbnail=200", bounds=bounds)
    assert (made.width, made.height) == (200, 100)
    with pytest.raises(NotAnImage, match=r"2000 x 1000 pixels \(2.0 million\); at most 0.5 million") as raised:
        process(io.BytesIO(content), name="a.jpg", operations="flip", bounds=bounds)
    assert "larger if thumbnail or resize comes first" in raised.value.hint


@pytest.mark.parametrize(("image_format", "options"), [("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {})])
def test_what_is_decoded_whole_counts_whole(image_format: str, options: dict[str, Any]) -> None:
    content = encoded(image_format, photo((1000, 600)), **options)

    with pytest.raises(NotAnImage, match="1000 x 600") as raised:
        process(io.BytesIO(content), name="a", operations="thumbnail", bounds=Bounds(megapixels=0.5, frames=1))
    assert raised.value.reason == Reason.TOO_LARGE


def test_too_many_pixels_are_rejected_before_anything_is_decoded() -> None:
    content = png(2, 8, 0, b"", (60_000, 60_000))

    with pytest.raises(NotAnImage, match=r"60000 x 60000 pixels \(3600.0 million\); at most 50 million"):
        do(content)
