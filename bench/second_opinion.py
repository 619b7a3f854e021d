"""Decoders that share no code with ours or Pillow's: tifffile for TIFF, ffmpeg for BMP and APNG, libvips for the rest.

They look at what the matrix makes, so that a cell's samples are what other programs see in it, and at results. What
they cannot read themselves is nobody's opinion.
"""

from __future__ import annotations

import io
import logging
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg  # type: ignore[import-not-found,import-untyped,unused-ignore]
import numpy as np
import pyvips  # type: ignore[import-not-found,import-untyped,unused-ignore]
import tifffile  # type: ignore[import-not-found,import-untyped,unused-ignore]
from PIL import Image

from tests.support.conformance import judge
from tests.support.conformance.cell import Cell, Frame, Made, Pixels, rgba

#: What cells' names say of which programs have their own view: libvips converts ink by a profile of its own; ffmpeg has
#: no alpha in most BMPs, sees one in the spare byte of others, and animates neither low depths nor RGB that is cleared.
_NOT_BY_VIPS = ("CMYK", "YCCK")
_NOT_BY_FFMPEG = {
    "BMP": ("alpha", "fourth byte 77", "444"),
    "APNG": (
        " 16",
        "gray 2",
        "palette 4",
        *(f"{kind} 8, disposal {number}" for kind in ("gray", "RGB") for number in (1, 2)),
    ),
}
_DEPTH_STEP, _LOSS, _BLENDING = 1.01, 4.0, 0.001
#: How far off a result may be from its source as others decode that, of 255: on average.
_MEAN = 1.0
#: What a note says where pixels must differ.
_CHANGED = re.compile(r"color|profile|transparency|dynamic range|damaged|gamma|rounded|fractions", re.IGNORECASE)


def agrees(cell: Cell) -> bool | None:
    """Return whether another program sees in a cell's file what its maker says; None if it has no opinion."""
    made = cell.make()
    if cell.is_bad or cell.is_free or cell.format == "others":
        return None
    try:
        return _AGREE[cell.format](cell, made) if cell.format in _AGREE else _agrees_vips(cell, made)
    except (pyvips.Error, tifffile.TiffFileError, ValueError, KeyError, NotImplementedError):
        return None


def _agrees_tifffile(cell: Cell, made: Made) -> bool | None:
    """Compare samples as stored: their meaning is the maker's."""
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    from tests.support.conformance import tiff

    fitting = [kind for kind in tiff.kinds() if cell.name.startswith(f"{kind.name}, ")]
    if not fitting or not made.content:
        return None
    kind = max(fitting, key=lambda kind: len(kind.name))
    expected = tiff.samples_of(kind)
    with tifffile.TiffFile(io.BytesIO(made.content)) as file:
        page: Any = file.pages[0]
        found = page.asarray()
        found = np.moveaxis(found, 0, -1) if page.planarconfig == 2 and found.ndim == 3 else found
    return bool(np.array_equal(found.reshape(expected.shape), expected.astype(found.dtype)))


def _agrees_vips(cell: Cell, made: Made) -> bool | None:
    if any(words in cell.name for words in _NOT_BY_VIPS):
        return None
    return _agree(cell, made, vips_frames(made.content))


def _agrees_ffmpeg(cell: Cell, made: Made) -> bool | None:
    if any(words in cell.name for words in _NOT_BY_FFMPEG[cell.format]):
        return None
    demuxer = {"APNG": "apng", "BMP": "bmp_pipe"}[cell.format]
    options = ["-f", demuxer, "-i", "-", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgba", "-"]
    ran = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *options], input=made.content, capture_output=True, check=False
    )
    if ran.returncode or not ran.stdout:
        return None
    pixels = np.frombuffer(ran.stdout, np.uint8).reshape(-1, *made.frames[0].pixels.shape) / 255
    return _agree(cell, made, [Frame(pixels=one) for one in pixels])


def _agree(cell: Cell, made: Made, frames: list[Frame]) -> bool | None:
    if cell.space and cell.space.name != "sRGB":
        return None
    off = 0.0
    for expected, found in zip(made.frames, frames, strict=False):
        if expected.pixels.shape != found.pixels.shape:
            return False
        off = max(off, judge.distance(expected.pixels, found.pixels, is_lossy=cell.is_lossy))
    return off <= (_LOSS if cell.is_lossy else _BLENDING) + cell.tolerance + (_DEPTH_STEP if cell.bits > 8 else 0)


_AGREE: dict[str, Callable[[Cell, Made], bool | None]] = {
    "TIFF": _agrees_tifffile,
    "BMP": _agrees_ffmpeg,
    "APNG": _agrees_ffmpeg,
}


def vips_frames(content: bytes) -> list[Frame]:
    """Decode a file by libvips: RGBA from 0 to 1, upright."""
    try:
        image = pyvips.Image.new_from_buffer(content, "", n=-1)
    except pyvips.Error:
        image = pyvips.Image.new_from_buffer(content, "")
    fields = image.get_fields()
    height = image.get("page-height") if "page-height" in fields else image.height
    delays = image.get("delay") if "delay" in fields else []
    image = image.autorot() if height == image.height else image
    height = image.height if len(delays) < 2 else height
    pixels = _shares(image)
    count = pixels.shape[0] // height
    times = [float(one) for one in delays] if len(delays) == count else [0.0] * count
    return [Frame(pixels=pixels[n * height : (n + 1) * height], milliseconds=times[n]) for n in range(count)]


def _shares(image: pyvips.Image) -> Pixels:
    if image.interpretation in {"rgb16", "grey16"}:
        image = image.colourspace("rgb16")
        most = 65_535
    else:
        image = image.colourspace("srgb")
        most = 255
    pixels = image.numpy().astype(float) / most
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return pixels if pixels.shape[2] == 4 else np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=2)


def decoded(content: bytes) -> list[Frame]:
    """Decode a result; what libvips does not read as a whole, by Pillow."""
    with Image.open(io.BytesIO(content)) as image:
        is_moving = image.format in {"PNG", "AVIF"} and getattr(image, "n_frames", 1) > 1
    return judge.decoded(content) if is_moving else vips_frames(content)


# Files whose samples nobody knows


def difference(source: Path, result: Path, notes: list[str]) -> str | None:
    """Return how far a PNG is from its source by others' decoders; empty for equal, None if there is no opinion.

    Libraries differ in what they make of color and chroma, so it is enough if one sees in the source what is there.
    """
    if any(_CHANGED.search(note) for note in notes):
        return None
    found, said = _first_frame(result.read_bytes()), ""
    for name, expected in _opinions(source.read_bytes()):
        if expected.shape != found.shape:
            said = said or f"{found.shape[1::-1]} pixels, by {name} {expected.shape[1::-1]}"
            continue
        off = _mean_distance(expected, found)
        if off <= _MEAN:
            return ""
        said = said or f"off by {off:.1f} of 255 on average, by {name}"
    return said or None


def _first_frame(content: bytes) -> Pixels:
    return _by_ffmpeg(content).astype(np.float32) if b"acTL" in content[:200] else _by_vips(content)


def _mean_distance(expected: Pixels, found: Pixels) -> float:
    seen = [np.concatenate([one[..., :3] * one[..., 3:], one[..., 3:]], axis=2) for one in (expected, found)]
    return float(abs(seen[0] - seen[1]).mean() * 255)


def _opinions(content: bytes) -> Iterator[tuple[str, Pixels]]:
    is_moving_png = content[:4] == b"\x89PNG" and b"acTL" in content[:200]
    for name, reader in _READERS.items():
        if is_moving_png and name != "ffmpeg":
            continue  # what others see is the image for programs that know no animation
        try:
            pixels = reader(content)
        except Exception:  # noqa: BLE001, S112  whatever another decoder says of a file that it cannot read
            continue
        yield name, pixels.astype(np.float32)


def _by_vips(content: bytes) -> Pixels:
    """Decode by libvips, which fails at what is damaged."""
    image = pyvips.Image.new_from_buffer(content, "", fail_on="error").autorot()
    if image.interpretation == "cmyk" or image.format not in {"uchar", "ushort"}:
        raise ValueError("how to show it is open")
    deep = image.interpretation in {"rgb16", "grey16"}
    pixels = image.colourspace("rgb16" if deep else "srgb").numpy().astype(np.float32) / (65_535 if deep else 255)
    return rgba(pixels if pixels.ndim == 3 else pixels[..., None])


def _by_ffmpeg(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as image:
        shape = (image.height, image.width, 4)
        demuxer = {"BMP": "bmp_pipe", "PNG": "apng", "GIF": "gif", "WEBP": "webp_pipe"}[image.format or ""]
    options = ["-f", demuxer, "-i", "-", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgba", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *options]
    ran = subprocess.run(command, input=content, capture_output=True, check=True)
    return np.frombuffer(ran.stdout, np.uint8).reshape(shape) / 255


def _by_tifffile(content: bytes) -> Pixels:
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page: Any = file.pages[0]
        found, photometric = page.asarray(), page.photometric.name
        if photometric not in {"RGB", "MINISBLACK", "MINISWHITE", "PALETTE"} or 1 in page.extrasamples:
            raise ValueError("samples are not colors")
        found = np.moveaxis(found, 0, -1) if page.planarconfig == 2 and found.ndim == 3 else found
        if photometric == "PALETTE":
            return rgba(np.moveaxis(page.colormap, 0, -1)[found] / 65_535)
        shares = found.reshape(*found.shape[:2], -1) / (2.0**page.bitspersample - 1)
        return rgba(1 - shares if photometric == "MINISWHITE" else shares)


def _by_imagecodecs(content: bytes) -> Pixels:
    import imagecodecs  # type: ignore[import-not-found,import-untyped,unused-ignore]

    if content[:4] in {b"II*\0", b"MM\0*"} or content[4:12] == b"ftypavis":
        raise ValueError("samples are not colors, or frames are stacked")
    found: Any = imagecodecs.imread(content)
    return rgba(found.reshape(*found.shape[:2], -1) / np.iinfo(found.dtype).max)


_READERS: dict[str, Callable[[bytes], Pixels]] = {
    "libvips": _by_vips,
    "ffmpeg": _by_ffmpeg,
    "tifffile": _by_tifffile,
    "imagecodecs": _by_imagecodecs,
}
