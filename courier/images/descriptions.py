"""Color descriptions of TIFF and BMP other than profiles.

Sources: TIFF 6.0 section 20, Microsoft's BITMAPV4HEADER.
"""

from __future__ import annotations

import struct
from typing import IO

from PIL import Image

from courier.images.profiles import Description, gamma_curve, srgb_curve

#: TIFF's tags for the white point and the primaries.
_WHITE_POINT, _PRIMARIES = 318, 319
#: The smallest BMP header with a color space, the offset of its type, and the fields that follow.
_V4, _KIND, _POINTS, _END = 108, 70, 74, 122
_CALIBRATED = bytes(4)


def of_tiff(image: Image.Image) -> Description | None:
    """Return the primaries and the white point of a TIFF."""
    tags = getattr(image, "tag_v2", {})
    points = [float(point) for tag in (_PRIMARIES, _WHITE_POINT) for point in tags.get(tag, ())]
    return Description(primaries=tuple(points), curve=srgb_curve) if len(points) == 8 else None  # noqa: PLR2004


def of_bmp(image: Image.Image, file: IO[bytes]) -> Description | None:
    """Return the primaries and the tone curve of a calibrated BMP."""
    if image.format != "BMP":
        return None
    place = file.tell()
    file.seek(0)
    head = file.read(_END)
    file.seek(place)
    if len(head) < _END or int.from_bytes(head[14:18], "little") < _V4 or head[_KIND:_POINTS] != _CALIBRATED:
        return None
    *parts, red, _, _ = struct.unpack_from("<12i", head, _POINTS)
    colors = [parts[start : start + 3] for start in (0, 3, 6)]
    if not all(map(sum, colors)) or red <= 0:
        return None
    points = [*colors, [sum(column) for column in zip(*colors, strict=True)]]
    primaries = tuple(share / sum(point) for point in points for share in point[:2])
    return Description(primaries=primaries, curve=gamma_curve(red / 2**16))
