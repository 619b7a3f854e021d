"""BMP: read the color profile, which Pillow ignores, cut long palettes, and explain why a file is not supported.

Source: Microsoft, BITMAPV5HEADER; OS/2's headers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images import bmp_runs

#: The offset of the header, to which other offsets refer.
_START = 14
#: Header lengths: OS/2's two, Windows 3, and its later versions.
_OS2, _OS2_SHORT, _WINDOWS, _VERSION_3, _VERSION_5 = 12, 16, 40, 56, 124
_READ_HEADERS = (_OS2, _WINDOWS, 52, _VERSION_3, 64, 108, _VERSION_5)
_READ_BITS = (1, 4, 8, 16, 24, 32)
#: The offset of the color space, its value for an embedded profile, and the offset of that profile's position.
_COLOR_SPACE, _EMBEDDED, _PROFILE = 56, b"DEBM", 112
#: The compression methods with bit fields, and the index of the alpha field.
_FIELDS, _MASKS, _ALPHA = (3, 6), struct.Struct("<4I"), 3
_INSIDE = {4: "a JPEG", 5: "a PNG"}
_SIXTEEN = 16
#: How many colors pixels can tell apart by number; where a width stands that is not OS/2's.
_MAX_COLORS, _WIDTH = 256, slice(4, 8)
#: With how many bits pixels are numbers of colors, and where it stands how many colors there are; 0 for all.
_PALETTE_BITS, _COLORS_USED = 8, slice(32, 36)
_HINT = "Save it as a BMP of 24 bits, or as a PNG."


@dataclass(frozen=True, kw_only=True)
class _Header:
    content: bytes
    bits: int
    compression: int
    #: The bit masks of red, green, blue and alpha.
    masks: tuple[int, ...]


def why_unread(file: IO[bytes]) -> NotAnImage | None:
    """Return why a BMP is not supported, by its header; None if it is not a BMP, or its header has no reason."""
    header = _header(file)
    what = _unusual(header) if header else ""
    if not what:
        return None
    return NotAnImage(f"The BMP has {what}, which cannot be read here.", hint=_HINT, reason=Reason.UNSUPPORTED_FORMAT)


def prepare(image: Image.Image, file: IO[bytes]) -> None:
    """Attach the color profile to a BMP, and cut a palette of more colors than pixels can have.

    Raises: NotAnImage for transparency that Pillow would lose, and a width that there cannot be.
    """
    header = _header(file)
    if header is None:
        return
    width = int.from_bytes(header.content[_WIDTH], "little", signed=True)
    if len(header.content) > _OS2 and width <= 0:
        raise NotAnImage(f"The image is damaged: its header says a width of {width:,}.", reason=Reason.CORRUPT)
    image.tile = [  # type: ignore[attr-defined]
        tile._replace(codec_name=bmp_runs.OURS) if tile.codec_name == bmp_runs.PILLOWS else tile
        for tile in image.tile  # type: ignore[attr-defined]
    ]
    if image.palette and isinstance(image.palette.palette, bytes):
        image.palette.palette = image.palette.palette[: _MAX_COLORS * len(image.palette.rawmode or "")]
    if header.bits == _SIXTEEN and len(header.masks) > _ALPHA and header.masks[_ALPHA]:
        said = "The BMP has 16 bits a pixel with transparency, which cannot be read here."
        raise NotAnImage(said, hint=_HINT, reason=Reason.UNSUPPORTED_FORMAT)
    if len(header.content) >= _VERSION_5 and header.content[_COLOR_SPACE : _COLOR_SPACE + 4] == _EMBEDDED:
        place, size = struct.unpack_from("<II", header.content, _PROFILE)
        file.seek(_START + place)
        image.info["icc_profile"] = file.read(size)
    file.seek(0)


def colors_of(file: IO[bytes]) -> int:
    """Return how many colors the palette of a BMP has; 0 if its pixels are colors, or the palette has all."""
    header = _header(file)
    if header is None or header.bits > _PALETTE_BITS or len(header.content) < _WINDOWS:
        return 0
    used = int.from_bytes(header.content[_COLORS_USED], "little")
    return used if used < 2**header.bits else 0


def _header(file: IO[bytes]) -> _Header | None:
    """Return a BMP's header; None if the file is not a BMP."""
    file.seek(0)
    head = file.read(_START + 4)
    size = int.from_bytes(head[_START:], "little")
    content = head[_START:] + file.read(min(size, _VERSION_5) + _MASKS.size)
    if head[:2] != b"BM" or len(content) < _OS2_SHORT:
        return None
    if size == _OS2:
        return _Header(content=content[:size], bits=int.from_bytes(content[10:12], "little"), compression=0, masks=())
    bits, compression = struct.unpack_from("<HI", content.ljust(20, b"\0"), 14)
    has_fields = compression in _FIELDS and len(content) >= _WINDOWS + _MASKS.size
    # The masks follow a 40-byte header and are part of later ones, the first of which has no alpha.
    masks = _MASKS.unpack_from(content, _WINDOWS) if has_fields else ()
    return _Header(
        content=content[:size], bits=bits, compression=compression if size > _OS2_SHORT else 0,
        masks=masks if size >= _VERSION_3 else masks[:_ALPHA],
    )  # fmt: skip


def _unusual(header: _Header) -> str:
    if len(header.content) not in _READ_HEADERS:
        return f"a header of {len(header.content)} bytes"
    if header.compression in _INSIDE:
        return f"{_INSIDE[header.compression]} inside"
    if header.bits not in _READ_BITS:
        return f"{header.bits} bits a pixel"
    if header.masks:
        return f"bit fields of an unusual order or size ({', '.join(f'{mask:X}' for mask in header.masks)})"
    return ""
