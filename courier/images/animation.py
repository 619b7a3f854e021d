"""Frames of an animation: decoded one by one, with durations and loop count."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image, ImageSequence

from courier.errors import CourierError
from courier.images import apng, gif
from courier.images.canvas import composed
from courier.images.decoding import damage
from courier.images.notes import Note
from courier.images.probe import Source, format_of
from courier.text import printable


def frames_of(image: Image.Image) -> int:
    """Return the number of frames of an animation, or of pages. Raises: NotAnImage if it cannot be determined.

    Does not count an APNG's fallback image.
    """
    try:
        return int(getattr(image, "n_frames", 1)) - bool(getattr(image, "default_image", False))
    except Exception as error:
        raise damage(image, printable(str(error), 120)) from error


def plays_of(image: Image.Image) -> int:
    """Return the number of times the frames are shown; 0: forever. A GIF stores the number of repetitions."""
    loop = image.info.get("loop")
    if format_of(image) != "GIF":
        return int(loop or 0)
    return 1 if loop is None else int(loop) and int(loop) + 1


def decoded_frames(source: Source, note: Note) -> Iterator[tuple[Image.Image, float]]:
    """Yield each frame in full, with its duration in milliseconds. Raises: NotAnImage."""
    try:
        if source.png:
            yield from composed(source.image.size, apng.parts(source, note))
        elif source.gif:
            yield from _counted(source.image, composed(source.image.size, gif.parts(source.gif)))
        else:
            for frame in ImageSequence.Iterator(source.image):
                pixels = frame.convert("RGBA")  # before its duration, which some formats have only after decoding
                yield pixels.crop(source.aperture) if source.aperture else pixels, float(frame.info.get("duration", 0))
    except (MemoryError, CourierError):
        raise
    except Exception as error:
        raise damage(source.image, printable(str(error), 120)) from error


def _counted(image: Image.Image, frames: Iterator[tuple[Image.Image, float]]) -> Iterator[tuple[Image.Image, float]]:
    """Yield the frames that Pillow has counted and that were checked against the limit. Raises: NotAnImage at more."""
    expected, count = frames_of(image), 0
    for frame in frames:
        count += 1
        if count > expected:
            break
        yield frame
    if count != expected:
        raise damage(image, f"{min(count, expected):,} of its frames can be read")


def count_frames(content: bytes) -> int:
    """Return the number of frames of a file, in which writers merge equal consecutive frames."""
    return int(getattr(Image.open(io.BytesIO(content)), "n_frames", 1))
