"""Images as Pillow writes them, PNGs chunk by chunk, and what becomes of them."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Any

import pytest
from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images.pipeline import parse
from courier.images.preview import sample
from courier.images.probe import Bounds
from courier.images.processor import Processed, process

BOUNDS = Bounds(megapixels=50, frames=20)
#: The channels of a PNG's color types.
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@cache
def _photo(size: tuple[int, int]) -> Image.Image:
    return Image.open(io.BytesIO(sample())).convert("RGB").resize(size)


def photo(size: tuple[int, int] = (96, 64), mode: str = "RGB") -> Image.Image:
    """Return the sample in a size and a mode."""
    return _photo(size).convert(mode)


def encoded(image_format: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """Return a file with an image, or the photo."""
    file = io.BytesIO()
    (image or photo()).save(file, image_format, **options)
    return file.getvalue()


def moving(image_format: str) -> bytes:
    """Return an animation of three frames of 40 x 30 pixels, with all three different."""
    first, *others = (photo((40, 30)).rotate(30 * number) for number in range(3))
    return encoded(image_format, first, save_all=True, append_images=others, duration=50)


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a PNG's chunk."""
    return struct.pack(">I", len(data)) + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def broken(name: bytes, data: bytes) -> bytes:
    """Return a chunk with a wrong check sum."""
    return chunk(name, data)[:-1] + b"?"


def png(color: int, depth: int, interlace: int, packed: bytes, size: tuple[int, int] = (40, 20)) -> bytes:
    """Return a PNG of compressed rows."""
    palette = chunk(b"PLTE", bytes(range(3)) * 2**depth) if color == 3 else b""
    header = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, interlace)
    pixels = b"".join(chunk(b"IDAT", packed[start : start + 50]) for start in range(0, len(packed), 50))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + pixels + chunk(b"IEND", b"")


def do(content: bytes, operations: str = "flip,convert=png") -> Processed:
    """Return the result of an image."""
    return process(io.BytesIO(content), name="a", operations=operations, bounds=BOUNDS)


def rejected(content: bytes, operations: str = "flip,convert=png") -> str:
    """Return why an image is damaged."""
    with pytest.raises(NotAnImage) as raised:
        do(content, operations)
    assert raised.value.reason == Reason.CORRUPT
    return raised.value.message


def applied(text: str, image: Image.Image | None = None) -> Image.Image:
    """Return an image, or the photo of 80 x 60 pixels, after the steps of a pipeline."""
    image = image or photo((80, 60))
    for step in parse(text).steps:
        image = step.operation.apply(image, step.values) if step.operation.apply else image
    return image
