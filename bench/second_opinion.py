"""Decoders that share no code with ours or Pillow's: tifffile for TIFF, ffmpeg for BMP and APNG, libvips for the rest.

They look at what the matrix makes, so that a cell's samples are what other programs see in it, and at results. What
they cannot read themselves is nobody's opinion.
"""

from __future__ import annotations

import io
import logging
import subprocess
from collections.abc import Callable

import imageio_ffmpeg  # type: ignore[import-not-found,import-untyped,unused-ignore]
import numpy as np
import pyvips  # type: ignore[import-not-found,import-untyped,unused-ignore]
import tifffile  # type: ignore[import-not-found,import-untyped,unused-ignore]
from PIL import Image

from tests.support.conformance import judge
from tests.support.conformance.cell import Cell, Frame, Made, Pixels

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
        page = file.pages[0]
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
        is_moving_png = image.format == "PNG"
    return judge.decoded(content) if is_moving_png else vips_frames(content)
