"""TIFF: have Pillow read it correctly, and explain why a file is not supported.

Pillow decodes some uncompressed TIFFs incorrectly, such as planar 16-bit ones; libtiff, which decodes all others for
Pillow, is correct. This module completes Pillow's table of sample layouts (`OPEN_INFO`) by the layouts that libtiff
returns, and removes those whose samples Pillow would misread.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Mapping
from typing import IO, Any, cast

from PIL import Image, ImageChops, TiffImagePlugin

from courier.errors import NotAnImage, Reason
from courier.text import printable

_II, _MM = b"II", b"MM"
_BITS, _COMPRESSION, _PHOTOMETRIC, _CHANNELS, _PLANES, _SAMPLE_FORMAT, _DNG = 258, 259, 262, 277, 284, 339, 50_706
#: The tags of the image type, of sub-images, and of the camera's maker.
_SUBFILE_TYPE, _SUB_IFDS, _MAKER = 254, 330, 271
_WHITE_IS_ZERO, _SENSOR = 0, 32_803
_WHOLE, _SIGNED, _FRACTIONS = 1, 2, 3
#: White in 12 and 16 bits.
_MOST_OF_TWELVE, _MOST = 4_095, 65_535
_COLORS = {
    0: "gray", 1: "gray", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr", 8: "Lab", 9: "ICC Lab",
    10: "ITU Lab", 32_844: "LogL", 32_845: "LogLuv", 34_892: "linear raw",
}  # fmt: skip
_COLOR_CHANNELS = {"RGB": 3, "CMYK": 4, "YCbCr": 3, "Lab": 3, "ICC Lab": 3, "ITU Lab": 3}
#: Compressions that the libtiff of Pillow's wheels does not know.
_COMPRESSIONS = {
    9: "JBIG", 10: "JBIG", 34_661: "JBIG", 34_676: "SGI LogLuv", 34_677: "SGI LogLuv", 33_003: "JPEG 2000",
    33_005: "JPEG 2000", 34_712: "JPEG 2000", 34_887: "LERC", 50_001: "WebP", 50_002: "JPEG XL", 52_546: "JPEG XL",
}  # fmt: skip
_RAW = "a camera's raw data"
#: The offset of a Canon CR2's signature.
_CR2_PLACE = 8
_HINT = "Save it as a TIFF of RGB, 8 or 16 bits a channel, compressed with LZW."
#: Pillow's error for an unknown sample layout, and a BigTIFF's version number.
_UNKNOWN_KIND, _BIG = "unknown pixel mode", 43
_Key = tuple[bytes, int, tuple[int, ...], int, tuple[int, ...], tuple[int, ...]]


def _additions() -> Iterator[tuple[_Key, tuple[str, str]]]:
    """Yield sample layouts that Pillow can unpack after libtiff, with their modes."""
    for order in (_II, _MM):
        yield (order, _WHITE_IS_ZERO, (_WHOLE,), 1, (16,), ()), ("I;16", "I;16")
        yield (order, 1, (_WHOLE,), 1, (12,), ()), ("I;16", "I;12")
        yield (order, 1, (_WHOLE,), 1, (32,), ()), ("I", "I;32NS")
        yield (order, 1, (_SIGNED,), 1, (16,), ()), ("I", "I;16NS")
        yield (order, 1, (_SIGNED,), 1, (32,), ()), ("I", "I;32NS")
        yield (order, 1, (_FRACTIONS,), 1, (32,), ()), ("F", "F;32NF")


def _prepare() -> None:
    TiffImagePlugin.READ_LIBTIFF = True
    table = cast("dict[_Key, tuple[str, str]]", TiffImagePlugin.OPEN_INFO)
    for key in [key for key in table if _is_misread(key)]:
        del table[key]
    table.update(_additions())
    # libtiff handles the bit order.
    for (order, photometric, sample_format, _, bits, extra), modes in list(table.items()):
        table.setdefault((order, photometric, sample_format, 2, bits, extra), modes)


def _is_misread(key: _Key) -> bool:
    """Whether Pillow would read signed samples as unsigned."""
    return key[2] == (_SIGNED,) and key[4] == (8,)


_prepare()


def check(image: Image.Image, file: IO[bytes]) -> None:
    """Check that Pillow reads a TIFF correctly, and that it is not a raw file's preview. Raises: NotAnImage."""
    tags = cast("TiffImagePlugin.TiffImageFile", image).tag_v2
    bands = len(image.getbands())
    file.seek(_CR2_PLACE)
    if file.read(2) == b"CR":
        raise _unread(_RAW)
    if tags.get(_COMPRESSION, 1) in _COMPRESSIONS:
        raise _unread(_described(tags))
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and image.mode == "F":
        raise _unread(f"{_described(tags)} whose zero is white")
    if tags.get(_PLANES, 1) != 1 and (
        image.mode in {"LA", "La", "PA", "LAB"} or tags.get(_CHANNELS, 1) > max(bands, 4)
    ):
        raise _unread(f"{_described(tags)} in separate planes")


def corrected(image: Image.Image) -> None:
    """Scale and invert a decoded TIFF's deep grayscale so that white is the maximum. Raises: NotAnImage."""
    tags = cast("TiffImagePlugin.TiffImageFile", image).tag_v2
    bits, photometric = tags.get(_BITS, (1,)), tags.get(_PHOTOMETRIC)
    if photometric is None and image.mode in {"1", "L"}:
        # Without this tag, zero is black for other programs, but white for Pillow.
        image.paste(ImageChops.invert(image))
    if bits == (12,):
        _replace(image, _MOST / _MOST_OF_TWELVE, 0)
    if bits == (16,) and photometric == _WHITE_IS_ZERO:
        _replace(image, -1, _MOST)
    if image.mode == "I" and tags.get(_SAMPLE_FORMAT, (1,))[0] == _WHOLE and cast("int", image.getextrema()[0]) < 0:
        raise _unread("gray of 32 bits with values above 2,147,483,647")


def _replace(image: Image.Image, factor: float, summand: float) -> None:
    made = image.convert("I").point(lambda value: value * factor + (summand + 0.5)).convert("I;16")
    image.paste(made)


def why_unread(file: IO[bytes]) -> NotAnImage | None:
    """Return why a TIFF is not supported, by its tags; None if the file is not a TIFF."""
    file.seek(0)
    head = file.read(16)
    if head[:4] == b"MM\0+":
        return _unread("big-endian byte order as a BigTIFF")
    if head[:4] not in TiffImagePlugin.PREFIXES:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd tags
        return _pillow_error(file, _tags(file, head))


def _pillow_error(file: IO[bytes], tags: Mapping[int, Any]) -> NotAnImage | None:
    """Return Pillow's error for a TIFF; None if it opens the file."""
    file.seek(0)
    try:
        TiffImagePlugin.TiffImageFile(file)
    except (OSError, SyntaxError, TypeError, ValueError, OverflowError) as error:
        if str(error) == _UNKNOWN_KIND or tags.get(_COMPRESSION, 1) not in TiffImagePlugin.COMPRESSION_INFO:
            return _unread(_described(tags))
        return NotAnImage(f"The TIFF is damaged: {printable(str(error), 120)}.", reason=Reason.CORRUPT)
    return None


def _tags(file: IO[bytes], head: bytes) -> Mapping[int, Any]:
    """Return the tags of a TIFF that Pillow does not open; empty if they are unreadable."""
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(head if head[2] == _BIG else head[:8])
        file.seek(tags.next)
        tags.load(file)
        return dict(tags)
    except (OSError, SyntaxError, TypeError, ValueError, OverflowError, struct.error):
        return {}


def _described(tags: Mapping[int, Any]) -> str:
    """Describe the samples of a TIFF, such as `RGB of 32 bits (fractions)`."""
    if _DNG in tags or tags.get(_PHOTOMETRIC) == _SENSOR:
        return _RAW
    color = _COLORS.get(tags.get(_PHOTOMETRIC, 0), f"photometric interpretation {tags.get(_PHOTOMETRIC)}")
    further = tags.get(_CHANNELS, 1) - _COLOR_CHANNELS.get(color, 1)
    bits = "/".join(str(one) for one in dict.fromkeys(tags.get(_BITS, (1,))))
    form = {_SIGNED: " (signed)", _FRACTIONS: " (fractions)"}.get(tags.get(_SAMPLE_FORMAT, (1,))[0], "")
    number = tags.get(_COMPRESSION, 1)
    is_known = number in TiffImagePlugin.COMPRESSION_INFO and number not in _COMPRESSIONS
    compressed = "" if is_known else f", compressed as {_COMPRESSIONS.get(number, f'number {number}')}"
    return f"{color}{' and alpha or other channels' * (further > 0)} of {bits} bits{form}{compressed}"


def _unread(what: str) -> NotAnImage:
    return NotAnImage(f"The TIFF has {what}, which cannot be read here.", hint=_HINT, reason=Reason.UNSUPPORTED_FORMAT)


def raw_kind(image: Image.Image) -> str:
    """Return the kind of raw camera image; empty if it is not one."""
    tags = getattr(image, "tag_v2", {})
    if _DNG in tags:
        return "DNG"
    # Its first image is a preview with sub-images.
    is_preview = tags.get(_SUBFILE_TYPE, 0) == 1 and _SUB_IFDS in tags
    maker = str(tags.get(_MAKER, "")).strip("\0 ") or "of an unknown camera"
    return maker if is_preview else ""
