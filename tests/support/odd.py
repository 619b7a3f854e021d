"""Odd images of the kinds that break programs: cut short, flipped, bombs, lies, chimeras. Made here, by rule.

    python -m tests.support.odd [--cuts N] [--flips N]

Processes each in a sandbox with 600 MB and 10 s, and prints the outcomes, the longest time and the most memory.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import struct
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from PIL import Image

from courier.errors import CourierError
from courier.images.preview import sample
from courier.sandbox import Limits, Sandbox

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")


def good(image_format: str, size: tuple[int, int] = (120, 90), **options: Any) -> bytes:
    """Return a good image of a format."""
    file = io.BytesIO()
    Image.open(io.BytesIO(sample())).convert("RGB").resize(size).save(file, image_format, **options)
    return file.getvalue()


def moving(image_format: str, frames: int, size: tuple[int, int] = (16, 16)) -> bytes:
    """Return a number of small frames."""
    file = io.BytesIO()
    images = [Image.new("RGB", size, (number % 256, number // 256, 0)) for number in range(frames)]
    images[0].save(file, image_format, save_all=True, append_images=images[1:], duration=10)
    return file.getvalue()


def png(width: int, height: int, data: bytes, color: int = 2) -> bytes:
    """Return a PNG whose header says a size and whose data are these."""
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def gif(width: int, height: int) -> bytes:
    """Return a GIF whose header says a size, with one frame of it and next to no data."""
    screen = struct.pack("<6sHHBBB", b"GIF89a", width, height, 0x80, 0, 0) + bytes(6)
    frame = struct.pack("<BHHHHB", 0x2C, 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00"
    return screen + frame + b";"


def bmp(width: int, height: int) -> bytes:
    """Return a BMP whose header says a size."""
    return (
        b"BM"
        + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    )


def tiff(width: int, height: int) -> bytes:
    """Return a TIFF of one empty strip whose tags say a size."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 4)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(4)


def cut(content: bytes, pieces: int) -> Iterator[bytes]:
    """Yield a file cut short in a number of places."""
    for piece in range(pieces):
        yield content[: len(content) * piece // pieces]


def flipped(content: bytes, times: int, seed: int) -> Iterator[bytes]:
    """Yield a file with a few of its bits flipped, a number of times."""
    chance = random.Random(seed)
    for _ in range(times):
        spoiled = bytearray(content)
        for _ in range(chance.randint(1, 8)):
            spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
        yield bytes(spoiled)


def corpus(cuts: int, flips: int) -> Iterator[tuple[str, bytes]]:
    """Yield odd files and what they are called."""
    endings = {"JPEG": "jpg", "TIFF": "tif"}
    for number, image_format in enumerate(FORMATS):
        ending = endings.get(image_format, image_format.lower())
        content = good(image_format)
        for place, piece in enumerate(cut(content, cuts)):
            yield f"cut-{place}.{ending}", piece
        for place, spoiled in enumerate(flipped(content, flips, number)):
            yield f"flipped-{place}.{ending}", spoiled
        yield f"tail.{ending}", content + bytes(10_000)
        yield f"lie-{ending}.{'png' if ending == 'jpg' else 'jpg'}", content
        yield f"zip-{ending}.{ending}", b"PK\x03\x04" + content
    for image_format in ("GIF", "PNG", "WEBP"):
        for place, piece in enumerate(cut(moving(image_format, 4), cuts)):
            yield f"cut-frames-{place}.{image_format.lower()}", piece
    yield from _bombs()
    yield "empty.png", b""
    yield "one-byte.gif", b"G"
    yield "page.html.png", b"<html><script>alert(1)</script></html>"
    yield "script.eps.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n/a {a} def a\n"
    yield "vector.png", b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>"
    yield "chimera.png", good("PNG") + good("JPEG")
    yield "chimera.jpg", good("JPEG") + b"PK\x03\x04" + bytes(1000)


def _bombs() -> Iterator[tuple[str, bytes]]:
    yield "bomb.png", png(30_000, 30_000, bytes(20_000_000))
    yield "stuffed.png", png(10, 10, bytes(50_000_000))
    yield "bomb.gif", gif(60_000, 60_000)
    yield "bomb.bmp", bmp(60_000, 60_000)
    yield "bomb.tif", tiff(60_000, 60_000)
    yield "bomb.webp", good("WEBP", (16, 16)).replace(b"\x10\x00\x10\x00", b"\xff\x3f\xff\x3f", 1)
    yield "wide.png", png(2**31 - 1, 1, b"")
    yield "zero.png", png(0, 0, b"")
    yield "zero.gif", gif(0, 0)
    yield "zero.bmp", bmp(0, 0)
    yield "zero.tif", tiff(0, 0)
    yield "negative.bmp", bmp(-5, -5)
    jpeg = good("JPEG", progressive=True)
    scan = jpeg.rfind(b"\xff\xda")
    yield "scans.jpg", jpeg[:scan] + jpeg[scan:-2] * 3_000
    yield "frames.gif", moving("GIF", 1_000)
    yield "frames.png", moving("PNG", 400)


def main() -> None:
    """Process odd images in a sandbox. Raises SandboxFault if one meets a bug."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=200, metavar="N", help="how often each file is cut (200)")
    parser.add_argument("--flips", type=int, default=1_500, metavar="N", help="how often bits are flipped (1,500)")
    given = parser.parse_args()
    sandbox = Sandbox(
        "courier.images.sandbox_child",
        Limits(seconds=10, memory_megabytes=600),
    )
    seen: Counter[str] = Counter()
    longest = 0.0
    for name, content in corpus(given.cuts, given.flips):
        for operations in ("grayscale,thumbnail=40", "flip,convert=webp"):
            order = {"name": name, "operations": operations, "megapixels": 50, "frames": 300}
            started = time.monotonic()
            try:
                with sandbox.cell() as process:
                    process.source.write(content)
                    process.run(order)
                seen["done"] += 1
            except CourierError as error:
                seen[error.message[:23]] += 1
            longest = max(longest, time.monotonic() - started)
    print(f"longest {longest:.2f} s, most memory {_most_memory(sandbox)} MB")
    for what, times in seen.most_common(20):
        print(f"{times:7,}  {what}")


def _most_memory(sandbox: Sandbox) -> int:
    """End the processes and return the largest resident memory that any had, in megabytes."""
    for process in sandbox._idle:
        process.end()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


if __name__ == "__main__":
    main()
