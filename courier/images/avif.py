"""Read AVIF and HEIF files box by box: bit depth and color description.

Sources: ISO/IEC 14496-12, 23008-12 and 23000-22; https://aomediacodec.github.io/av1-isobmff/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from courier.images.profiles import Description

_HIGH, _TWELVE = 0x40, 0x20


@dataclass(frozen=True, kw_only=True)
class Avif:
    """The properties of a file's first image."""

    bits: int = 8
    #: The clean aperture: left, top, right, bottom; None: the whole image.
    aperture: tuple[int, int, int, int] | None = None
    description: Description | None = None
    #: The types of the file's items, such as a gain map.
    items: frozenset[bytes] = frozenset()


def read(content: bytes) -> Avif:
    """Return the properties of an AVIF's first image; unreadable properties keep their defaults."""
    meta = next((data[4:] for name, data in _boxes(content) if name == b"meta"), b"")
    boxes = dict(_boxes(meta))
    parts = dict(_boxes(boxes.get(b"iprp", b"")))
    properties = list(_boxes(parts.get(b"ipco", b"")))
    wanted = _associated(parts.get(b"ipma", b""), boxes.get(b"pitm", b"")[4:6])
    own = [properties[index - 1] for index in wanted if 0 < index <= len(properties)]
    items = frozenset(
        data[8:12] for name, data in _boxes(boxes.get(b"iinf", b"")[6:]) if name == b"infe" and data[:1] == b"\2"
    )
    return Avif(
        bits=_bits(own) or _bits(properties) or 8,
        aperture=_aperture(dict(own)),
        description=_description(own or properties),
        items=items,
    )


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + 8 <= len(content):
        size, name, start = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8], place + 8
        if size == 1:
            size, start = int.from_bytes(content[place + 8 : place + 16], "big"), place + 16
        end = place + size if size else len(content)
        if end < start:
            return
        yield name, content[start:end]
        place = end


def _associated(table: bytes, item: bytes) -> list[int]:
    """Return the indexes of an item's properties."""
    if len(table) < 8 or not item:  # noqa: PLR2004
        return []
    long_item, long_index = table[0] >= 1, bool(table[3] & 1)
    place, count = 8, int.from_bytes(table[4:8], "big")
    for _ in range(min(count, len(table))):
        width = 4 if long_item else 2
        number, many = int.from_bytes(table[place : place + width], "big"), table[place + width : place + width + 1]
        place += width + 1
        step = 2 if long_index else 1
        size = (many[0] if many else 0) * step
        if number == int.from_bytes(item, "big"):
            entries = [table[at : at + step] for at in range(place, min(place + size, len(table)), step)]
            return [int.from_bytes(entry, "big") & (0x7FFF if long_index else 0x7F) for entry in entries]
        place += size
    return []


def _aperture(properties: dict[bytes, bytes]) -> tuple[int, int, int, int] | None:
    """Return the clean aperture, which the file stores as a size and the offset of its center (14496-12, 12.1.4)."""
    size, aperture = properties.get(b"ispe", b"")[4:12], properties.get(b"clap", b"")
    if len(size) < 8 or len(aperture) < 32:  # noqa: PLR2004
        return None
    numbers = struct.unpack(">IIIIiIiI", aperture[:32])
    if not all(numbers[1::2]):
        return None
    width, height, across, down = (Fraction(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True))
    whole = struct.unpack(">II", size)
    left, top = (whole[0] - width) / 2 + across, (whole[1] - height) / 2 + down
    if min(left, top) < 0 or min(width, height) < 1 or left + width > whole[0] or top + height > whole[1]:
        return None
    return int(left), int(top), int(left + width), int(top + height)


def _bits(properties: list[tuple[bytes, bytes]]) -> int:
    for name, data in properties:
        if name == b"pixi" and len(data) > 5:  # noqa: PLR2004  behind version, flags and their number
            return data[5]
        if name == b"hvcC" and len(data) > 17:  # noqa: PLR2004  that of the brightness (14496-15, 8.3.3)
            return (data[17] & 7) + 8
        if name == b"av1C" and len(data) > 2:  # noqa: PLR2004
            return (12 if data[2] & _TWELVE else 10) if data[2] & _HIGH else 8
    return 0


def _description(properties: list[tuple[bytes, bytes]]) -> Description | None:
    for name, data in properties:
        if name == b"colr" and data[:4] == b"nclx" and len(data) >= 8:  # noqa: PLR2004
            return Description(primaries=int.from_bytes(data[4:6], "big"), curve=int.from_bytes(data[6:8], "big"))
    return None
