"""How often one flipped bit in an image file is found: rejected, said in a note, or neither, with other pixels.

    python -m bench.flips [--flips N]

The flips are in the last seven eighths of the file, where its pixels are.
"""

from __future__ import annotations

import argparse
import io
import random
from collections import Counter
from typing import Any

from PIL import Image, ImageChops

from bench.images import photo
from courier.errors import Rejected
from courier.images.probe import Bounds
from courier.images.processor import process

BOUNDS = Bounds(megapixels=1, frames=1)
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "PNG": ("PNG", {}),
    "JPEG": ("JPEG", {"quality": 90}),
    "JPEG, progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "WebP": ("WEBP", {"quality": 80}),
    "WebP, without loss": ("WEBP", {"lossless": True}),
    "AVIF": ("AVIF", {"speed": 9}),
    "GIF": ("GIF", {}),
    "TIFF, LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "TIFF, deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "TIFF, fax (group 4)": ("TIFF", {"compression": "group4"}),
}


def _file(image: Image.Image, kind: str) -> bytes:
    name, options = KINDS[kind]
    file = io.BytesIO()
    (image.convert("1") if "fax" in kind else image).save(file, name, **options)
    return file.getvalue()


def _flipped(content: bytes, choose: random.Random) -> bytes:
    changed = bytearray(content)
    changed[choose.randrange(len(content) // 8, len(content) - 4)] ^= 1 << choose.randrange(8)
    return bytes(changed)


def _outcome(content: bytes, expected: Image.Image) -> str:
    try:
        made = process(io.BytesIO(content), name="a", operations="convert=png", bounds=BOUNDS)
    except Rejected:
        return "rejected"
    if any("damaged" in note or "missing" in note for note in made.notes):
        return "noted"
    found = Image.open(io.BytesIO(made.content)).convert("RGB")
    is_same = found.size == expected.size and ImageChops.difference(found, expected).getbbox() is None
    return "same pixels" if is_same else "not found"


def main() -> None:
    """Flip bits and print what comes of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=100, metavar="N", help="how many of each kind")
    given = parser.parse_args()
    image = Image.open(io.BytesIO(photo(320, 240, "RGB", "PNG")))
    print("| kind | rejected | noted | same pixels | not found |\n|---|--:|--:|--:|--:|")
    for kind in KINDS:
        content, choose = _file(image, kind), random.Random(1)
        expected = Image.open(io.BytesIO(content)).convert("RGB")
        seen = Counter(_outcome(_flipped(content, choose), expected) for _ in range(given.flips))
        counts = [seen[outcome] for outcome in ("rejected", "noted", "same pixels", "not found")]
        print(f"| {kind} | {' | '.join(map(str, counts))} |", flush=True)


if __name__ == "__main__":
    main()
