"""What each operation costs, beside plain Pillow as one would write it, and pyvips and ImageMagick where they are.

    python -m bench.images [OPERATION...]

Processor time from file to file in memory, decoding and writing included, on a 12-megapixel JPEG and a 2-megapixel
PNG with transparency; the least of three runs.
"""

from __future__ import annotations

import io
import resource
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Collection
from functools import cache, partial
from importlib.util import find_spec
from typing import Any

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from courier.images import preview, processor
from courier.images.probe import Bounds

BOUNDS = Bounds(megapixels=100, frames=300)
RUNS = 3
Plain = Callable[[Image.Image], Image.Image]

#: An operation, and how one would write it: in Pillow, and as ImageMagick's arguments.
OPERATIONS: dict[str, tuple[Plain, str]] = {
    "grayscale": (lambda image: image.convert("LA" if image.mode == "RGBA" else "L"), "-colorspace Gray"),
    "thumbnail=800": (lambda image: ImageOps.contain(image, (800, 800)), "-resize 800x800>"),
    "resize=800x600:cover": (
        lambda image: ImageOps.fit(image, (800, 600), Image.Resampling.LANCZOS),
        "-resize 800x600^ -gravity center -extent 800x600",
    ),
    "rotate=90": (lambda image: image.transpose(Image.Transpose.ROTATE_270), "-rotate 90"),
    "negate": (lambda image: _on_color(image, ImageOps.invert), "-channel RGB -negate"),
    "brightness=1.2": (lambda image: ImageEnhance.Brightness(image).enhance(1.2), "-modulate 120"),
    "blur=3": (lambda image: image.filter(ImageFilter.GaussianBlur(3)), "-blur 0x3"),
    "sharpen": (lambda image: image.filter(ImageFilter.UnsharpMask(2, 150, 2)), "-unsharp 0x2"),
    "convert=webp:80": (lambda image: image, "-quality 80"),
}


def _on_color(image: Image.Image, work: Plain) -> Image.Image:
    made = work(image.convert("RGB"))
    if image.mode == "RGBA":
        made.putalpha(image.getchannel("A"))
    return made


def photo(width: int, height: int, mode: str, image_format: str) -> bytes:
    """Return something like a photograph: gradients, shapes, and noise."""
    noise = Image.effect_noise((width // 2, height // 2), 30).resize((width, height)).convert("RGB")
    drawn = Image.open(io.BytesIO(preview.sample())).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    image = Image.blend(drawn, noise, 0.2).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize((width, height)))
    file = io.BytesIO()
    image.save(file, image_format, quality=90)
    return file.getvalue()


def ours(content: bytes, operation: str, _target: str) -> None:
    """Do it as a worker's cell does."""
    processor.process(io.BytesIO(content), name="a", operations=operation, bounds=BOUNDS)


def plain(content: bytes, operation: str, target: str) -> None:
    """Do it as one would with Pillow."""
    image = OPERATIONS[operation][0](Image.open(io.BytesIO(content)))
    image.save(io.BytesIO(), "WEBP" if "webp" in operation else target, quality=80 if "webp" in operation else 90)


def vips(content: bytes, operation: str, target: str) -> None:
    """Do it with pyvips, for what that has one call for."""
    import pyvips  # type: ignore[import-not-found,import-untyped,unused-ignore]

    image = pyvips.Image.new_from_buffer(content, "")
    calls: dict[str, Callable[[], Any]] = {
        "grayscale": lambda: image.colourspace("b-w"),
        "thumbnail=800": lambda: pyvips.Image.thumbnail_buffer(content, 800, height=800, size="down"),
        "resize=800x600:cover": lambda: pyvips.Image.thumbnail_buffer(content, 800, height=600, crop="centre"),
        "rotate=90": image.rot90,
        "negate": image.invert,
        "blur=3": lambda: image.gaussblur(3),
        "sharpen": image.sharpen,
        "convert=webp:80": lambda: image,
    }
    ending = ".webp" if "webp" in operation else f".{target.lower()}"
    calls[operation]().write_to_buffer(ending)


def magick(content: bytes, operation: str, target: str) -> None:
    """Do it with ImageMagick, a process."""
    ending = "webp" if "webp" in operation else target.lower()
    subprocess.run(
        [imagemagick(), "-", *OPERATIONS[operation][1].split(), f"{ending}:-"],
        input=content,
        capture_output=True,
        check=True,
    )


@cache
def imagemagick() -> str:
    """Return ImageMagick's program; an empty string if it is not installed."""
    for program in filter(None, map(shutil.which, ("magick", "convert"))):
        done = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
        if "Version: ImageMagick" in done.stdout:
            return program
    return ""


def missing() -> dict[str, str]:
    """Return the contenders that are not installed, and how they get there."""
    found = {}
    if not find_spec("pyvips"):
        found["pyvips"] = "not installed: pip install -r bench/requirements.txt"
    if not imagemagick():
        found["ImageMagick"] = "not installed: apt-get install imagemagick"
    return found


#: Who does it, and how.
CONTENDERS: dict[str, Callable[[bytes, str, str], None]] = {
    "courier": ours,
    "plain Pillow": plain,
    "pyvips": vips,
    "ImageMagick": magick,
}


def spent(work: Callable[[], object]) -> float | None:
    """Return the least processor time of some runs, children included, in seconds; None if it cannot be done."""
    found = []
    for _ in range(RUNS):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
        try:
            work()
        except (ImportError, KeyError, OSError, subprocess.CalledProcessError):
            return None
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        children = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found.append(time.process_time() - started + children)
    return min(found)


def bomb() -> bytes:
    """Return a PNG whose header promises far more than it has."""
    content = bytearray(preview.sample())
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


def sources() -> dict[str, bytes]:
    """Return the images to work on, by format."""
    return {"JPEG": photo(4000, 3000, "RGB", "JPEG"), "PNG": photo(1600, 1250, "RGBA", "PNG")}


def measure(operations: Collection[str] = OPERATIONS.keys()) -> dict[str, Any]:
    """Return the processor seconds of each contender, by format and operation; None for what it cannot do."""
    return {
        target: {
            operation: {name: spent(partial(work, content, operation, target)) for name, work in CONTENDERS.items()}
            for operation in operations
        }
        for target, content in sources().items()
    }


def main(arguments: list[str]) -> None:
    """Measure all of it and print it."""
    for target, operations in measure(arguments or OPERATIONS.keys()).items():
        print(f"{target}: ms of processor time: {', '.join(CONTENDERS)}")
        for operation, times in operations.items():
            shown = [f"{one * 1e3:6.0f}" if one is not None else "     -" for one in times.values()]
            ratio = f"{(times['plain Pillow'] or 0) / (times['courier'] or 1):.1f} times plain Pillow's speed"
            print(f"  {operation:22}{'  '.join(shown)}   {ratio}")


if __name__ == "__main__":
    main(sys.argv[1:])
