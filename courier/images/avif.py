"""Read AVIF and HEIF files box by box: bit depth, color description, and how often an animation is shown.

Sources: ISO/IEC 14496-12, 23008-12 and 23000-22; https://aomediacodec.github.io/av1-isobmff/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from courier.images.profiles import Description

_HIGH, _TWELVE = 0x40, 0x20
#: The file type whose images follow each other in time, and the boxes that lead to what a track's samples are.
_SEQUENCE, _TO_SAMPLES = b"avis", (b"mdia", b"minf", b"stbl", b"stsd")
#: How much comes before the first box of a sample description, and of a sample entry with width and height in it.
_ENTRIES, _ENTRY, _ENTRY_SIZE = 8, 78, slice(24, 28)
#: Durations in version 0 and 1 of a track's header, the movie's and an edit list: where they begin and end.
_DURATIONS = {
    b"tkhd": (slice(20, 24), slice(28, 36)),
    b"mvhd": (slice(16, 20), slice(24, 32)),
    b"elst": (slice(8, 12), slice(8, 16)),
}
#: The flag of an edit list that is repeated for as long as the track lasts (23008-12, 9.6.1).
_REPEATS = 1


@dataclass(frozen=True, kw_only=True)
class Avif:
    """The properties of a file's first image."""

    bits: int = 8
    #: The clean aperture: left, top, right, bottom; None: the whole image.
    aperture: tuple[int, int, int, int] | None = None
    description: Description | None = None
    #: The types of the file's items, such as a gain map.
    items: frozenset[bytes] = frozenset()
    #: How often an animation is shown, 0 forever.
    plays: int = 0


def read(content: bytes) -> Avif:
    """Return the properties of an AVIF's first image; unreadable properties keep their defaults."""
    meta = next((data[4:] for name, data in _boxes(content) if name == b"meta"), b"")
    boxes = dict(_boxes(meta))
    parts = dict(_boxes(boxes.get(b"iprp", b"")))
    properties = list(_boxes(parts.get(b"ipco", b"")))
    wanted = _associated(parts.get(b"ipma", b""), boxes.get(b"pitm", b"")[4:6])
    own = [properties[index - 1] for index in wanted if 0 < index <= len(properties)]
    track = _track(content) if content[8:12] == _SEQUENCE else b""
    own = _of_samples(track) or own
    items = frozenset(
        data[8:12] for name, data in _boxes(boxes.get(b"iinf", b"")[6:]) if name == b"infe" and data[:1] == b"\2"
    )
    return Avif(
        bits=_bits(own) or _bits(properties) or 8,
        aperture=_aperture(dict(own)),
        description=_description(own or properties),
        items=items,
        plays=_plays(track),
    )


def with_plays(content: bytes, plays: int) -> bytes:
    """Return an animation as libavif writes it, forever, so that it is shown `plays` times (0: forever)."""
    if not plays:
        return content
    made = bytearray(content)
    for start, end in _found(content, (b"moov",)):
        tracks = _found(content, (b"trak",), start, end)
        lists = [place for track in tracks for place in _found(content, (b"edts", b"elst"), *track)]
        lasts = max((_duration(b"elst", content[slice(*place)]) for place in lists), default=0)
        for place, _ in lists:
            made[place + 3] = _REPEATS * (plays > 1)
        headers = [(b"mvhd", place) for place, _ in _found(content, (b"mvhd",), start, end)]
        headers += [(b"tkhd", place) for track in tracks for place, _ in _found(content, (b"tkhd",), *track)]
        for name, place in headers:
            where = _DURATIONS[name][1 if content[place] == 1 else 0]
            size = where.stop - where.start
            made[place + where.start : place + where.stop] = (plays * lasts).to_bytes(size, "big")
    return bytes(made)


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    for name, start, end in _places(content, 0, len(content)):
        yield name, content[start:end]


def _places(content: bytes, place: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield each box's name, and where its content begins and ends."""
    while place + 8 <= stop:
        size, name, start = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8], place + 8
        if size == 1:
            size, start = int.from_bytes(content[place + 8 : place + 16], "big"), place + 16
        end = place + size if size else stop
        if end < start:
            return
        yield name, start, min(end, stop)
        place = end


def _found(content: bytes, path: Sequence[bytes], start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Return where the boxes at the end of a path are, each box of which is in the one before."""
    places = [(start, len(content) if end is None else end)]
    for wanted in path:
        places = [(at, to) for place in places for name, at, to in _places(content, *place) if name == wanted]
    return places


def _first(content: bytes, *path: bytes) -> bytes:
    """Return the first box at the end of a path; empty if there is none."""
    return next((content[start:end] for start, end in _found(content, path)), b"")


def _track(content: bytes) -> bytes:
    """Return the track of an animation's images."""
    tracks = (content[start:end] for start, end in _found(content, (b"moov", b"trak")))
    return next((one for one in tracks if _first(one, b"mdia", b"hdlr")[8:12] == b"pict"), b"")


def _of_samples(track: bytes) -> list[tuple[bytes, bytes]]:
    """Return the properties of a track's images, in the form of an item's."""
    entry = next((data for _, data in _boxes(_first(track, *_TO_SAMPLES)[_ENTRIES:])), b"")
    if len(entry) < _ENTRY:
        return []
    size = struct.unpack(">HH", entry[_ENTRY_SIZE])
    return [(b"ispe", bytes(4) + struct.pack(">II", *size)), *_boxes(entry[_ENTRY:])]


def _plays(track: bytes) -> int:
    edits = _first(track, b"edts", b"elst")
    if not edits:
        return 0
    if not edits[3:4] or not edits[3] & _REPEATS:
        return 1
    header = _first(track, b"tkhd")
    whole, once = _duration(b"tkhd", header), _duration(b"elst", edits)
    is_endless = whole in {2**32 - 1, 2**64 - 1} or not once
    return 0 if is_endless else max(1, -(-whole // once))


def _duration(name: bytes, data: bytes) -> int:
    """Return the duration in a header or an edit list, of version 0 or 1."""
    return int.from_bytes(data[_DURATIONS[name][1 if data[:1] == b"\1" else 0]], "big")


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
