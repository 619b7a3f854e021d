"""Read PNG files chunk by chunk: check the required chunks, and omit metadata on which Pillow would fail.

Source: https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import contextlib
import itertools
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from courier.errors import NotAnImage, Reason
from courier.images.profiles import SRGB_PRIMARIES, Description, gamma_curve, srgb_curve
from courier.text import quoted

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: The maximum decompressed size of a text or a color profile, in bytes; larger ones are omitted.
MAX_UNPACKED = 2**24
#: The known critical chunks; a file with another one cannot be decoded correctly.
_PIXELS = (b"IDAT", b"fdAT")
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
#: Ancillary chunks that pixels need: animation and transparency.
_NEEDED = (b"acTL", b"fcTL", b"fdAT", b"tRNS")
#: Chunks that may occur once, and chunks without which pixels are wrong.
_ONCE = (b"IHDR", b"PLTE", b"tRNS", b"acTL")
_INDEXED, _MAX_ENTRIES = 3, 256
#: Metadata that may follow the pixels, where Pillow finds it only after decoding.
_MAY_BE_LATE = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
#: The number of bytes between the null-terminated name and the compressed data of each chunk type.
_PACKED = {b"iCCP": 1, b"zTXt": 1, b"iTXt": 2}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: The passes of an interlaced image: x and y of the first pixel, and the steps of both.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_MAX_FILTER = 4
#: The gamma of sRGB in gAMA, an approximation, and the tolerance for equal values.
_SRGB_GAMMA, _USUAL = 45_455, 500
#: The bytes decompressed at once: the precision with which damage is located.
_PIECE = 1024


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A chunk of a file."""

    name: bytes
    #: A view of the file, which may be large.
    data: Any
    #: Whether it is complete and its checksum is correct.
    is_sound: bool

    @property
    def is_ancillary(self) -> bool:
        """Whether it is not needed to decode pixels."""
        return bool(self.name[0] & 0x20)


@dataclass(kw_only=True)
class PixelData:
    """The compressed rows of an image or a frame."""

    width: int
    height: int
    parts: list[memoryview] = field(default_factory=list)
    is_sound: bool = True


@dataclass(frozen=True, kw_only=True)
class Png:
    """The chunks of a file, and the subset for Pillow."""

    depth: int
    color_type: int
    is_interlaced: bool
    #: The chunks by name, without pixels.
    chunks: dict[bytes, bytes]
    #: The names of omitted chunks.
    dropped: Sequence[str]
    images: Sequence[PixelData]
    #: The file for Pillow, and its chunks.
    content: bytes
    kept: Sequence[Chunk]

    @property
    def description(self) -> Description | None:
        """Its color description other than a profile; None: none, or a profile takes precedence."""
        code = self.chunks.get(b"cICP", b"")
        if len(code) == 4:  # noqa: PLR2004
            return Description(primaries=code[0], curve=code[1])
        if b"iCCP" in self.chunks or b"sRGB" in self.chunks or not self.chunks.keys() & {b"gAMA", b"cHRM"}:
            return None
        gamma = int.from_bytes(self.chunks.get(b"gAMA", b"")[:4], "big") or _SRGB_GAMMA
        points = struct.unpack(">8I", self.chunks.get(b"cHRM", b"")) if len(self.chunks.get(b"cHRM", b"")) == 32 else ()  # noqa: PLR2004
        primaries = tuple(point / 100_000 for point in (*points[2:], *points[:2])) or SRGB_PRIMARIES
        is_usual = abs(gamma - _SRGB_GAMMA) <= _USUAL
        return Description(primaries=primaries, curve=srgb_curve if is_usual else gamma_curve(100_000 / gamma))

    @property
    def entries(self) -> int:
        """The number of palette entries; 0: pixels are not palette indexes."""
        return len(self.chunks[b"PLTE"]) // 3 if self.color_type == _INDEXED else 0

    def bare(self) -> bytes:
        """Return the file with only the required chunks, in case Pillow fails on others."""
        return _joined([chunk for chunk in self.kept if not chunk.is_ancillary or chunk.name in _NEEDED])

    def rows_of(self, image: PixelData) -> tuple[int, int]:
        """Return the number of readable rows, and of all rows, over all passes of an interlaced image."""
        passes = list(self._passes(image))
        expected = sum(rows for _, rows in passes)
        return _readable_rows(_unpacked(image.parts, sum(size * rows for size, rows in passes)), passes), expected

    def _passes(self, image: PixelData) -> Iterator[tuple[int, int]]:
        """Yield the length of a row in bytes, with its filter byte, and the number of rows, for each pass."""
        bits = self.depth * _CHANNELS[self.color_type]
        for left, top, across, down in _PASSES if self.is_interlaced else ((0, 0, 1, 1),):
            columns, rows = -(-(image.width - left) // across), -(-(image.height - top) // down)
            if columns > 0 and rows > 0:
                yield 1 + -(-columns * bits // 8), rows


def read(content: bytes) -> Png:
    """Parse a PNG. Raises: NotAnImage if a required chunk is damaged or unknown."""
    chunks = list(_chunks(content))
    header = _header(chunks)
    kept, dropped = [], dict[str, None]()
    for chunk in chunks:
        if not chunk.is_ancillary or chunk.name in _NEEDED or _is_usable(chunk):
            kept.append(chunk)
        else:
            dropped[_word(chunk.name)] = None
    width, height, depth, color_type, _, _, interlace = header
    late = [chunk.name for chunk in _after_pixels(kept) if chunk.name in _MAY_BE_LATE]
    return Png(
        depth=depth,
        color_type=color_type,
        is_interlaced=bool(interlace),
        chunks={chunk.name: chunk.data for chunk in kept if chunk.name not in _PIXELS},
        dropped=list(dropped),
        images=_images(kept, width, height),
        content=_joined(kept) if dropped or late else content,
        kept=kept,
    )


def _chunks(content: bytes) -> Iterator[Chunk]:
    place, view = len(SIGNATURE), memoryview(content)
    while place + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        data: Any = view[place + 8 : place + 8 + length]
        data = data if name in _PIXELS else bytes(data)
        checksum = content[place + 8 + length : place + 12 + length]
        chunk = Chunk(name=name, data=data, is_sound=checksum == _checksum(name, data))
        if not chunk.is_sound and not name.isalpha():
            return  # not a chunk, so the rest is not either
        yield chunk
        if name == b"IEND":
            return
        place += 12 + length


def _checksum(name: bytes, data: bytes) -> bytes:
    return zlib.crc32(data, zlib.crc32(name)).to_bytes(4, "big")


def _header(chunks: Sequence[Chunk]) -> tuple[int, ...]:
    """Return the fields of the header. Raises: NotAnImage."""
    unknown = [chunk for chunk in chunks if not chunk.is_ancillary and chunk.name not in _CRITICAL]
    if not chunks or chunks[0].name != b"IHDR" or len(chunks[0].data) != 13 or chunks[0].data[9] not in _CHANNELS:  # noqa: PLR2004
        raise _damaged("its header is missing")
    if unknown and unknown[0].is_sound:
        said = (
            f"This PNG has a chunk {quoted(_word(unknown[0].name))}, which is not known here and is needed to show it."
        )
        raise NotAnImage(said, reason=Reason.UNSUPPORTED_FORMAT)
    _check_single(chunks)
    if chunks[0].data[9] == _INDEXED:
        _check_palette(chunks)
    return struct.unpack(">IIBBBBB", chunks[0].data)


def _check_single(chunks: Sequence[Chunk]) -> None:
    """Check that single chunks occur once: decoders differ in which of several they use. Raises: NotAnImage."""
    seen: set[bytes] = set()
    for chunk in chunks:
        if chunk.name not in _ONCE:
            continue
        if not chunk.is_sound:
            raise _damaged(f"the check sum of its {_word(chunk.name)} is wrong")
        if chunk.name in seen:
            raise _damaged(f"it has more than one {_word(chunk.name)}")
        seen.add(chunk.name)


def _check_palette(chunks: Sequence[Chunk]) -> None:
    """Check that a required palette is complete and precedes the pixels. Raises: NotAnImage."""
    before = itertools.takewhile(lambda chunk: chunk.name != b"IDAT", chunks)
    size = next((len(chunk.data) for chunk in before if chunk.name == b"PLTE"), 0)
    if not size:
        raise _damaged("its palette (PLTE) is missing")
    if size % 3 or size > 3 * _MAX_ENTRIES:
        raise _damaged(f"its palette (PLTE) has {size:,} bytes: not three for each of 1 to {_MAX_ENTRIES} colors")


def _word(name: bytes) -> str:
    return name.decode("latin-1")


def _damaged(what: str) -> NotAnImage:
    return NotAnImage(f"The image is damaged: {what}.", reason=Reason.CORRUPT)


def _is_usable(chunk: Chunk) -> bool:
    """Whether an ancillary chunk is valid and its decompressed size within the limit."""
    if not chunk.is_sound:
        return False
    if chunk.name not in _PACKED:
        return True
    _, zero, packed = chunk.data.partition(b"\0")
    if chunk.name == b"iTXt":
        # A compression flag and method, a language and a translated keyword precede the text.
        if packed[:1] != b"\1":
            return len(chunk.data) <= MAX_UNPACKED
        packed = packed[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        packed = packed[1:]
    try:
        return bool(zero) and len(zlib.decompressobj().decompress(packed, MAX_UNPACKED + 1)) <= MAX_UNPACKED
    except zlib.error:
        return False


def _after_pixels(chunks: Sequence[Chunk]) -> Sequence[Chunk]:
    last = max((number for number, chunk in enumerate(chunks) if chunk.name == b"IDAT"), default=len(chunks))
    return chunks[last:]


def _images(chunks: Sequence[Chunk], width: int, height: int) -> list[PixelData]:
    """Return the pixels of the image and of each further frame."""
    images = [PixelData(width=width, height=height)]
    for chunk in chunks:
        if chunk.name == b"fcTL" and images[0].parts and len(chunk.data) >= 12:  # noqa: PLR2004  as far as the size
            images.append(
                PixelData(**dict(zip(("width", "height"), struct.unpack_from(">II", chunk.data, 4), strict=True)))
            )
        elif chunk.name in _PIXELS:
            images[-1].parts.append(chunk.data[4:] if chunk.name == b"fdAT" else chunk.data)
            images[-1].is_sound &= chunk.is_sound
    return images


def _joined(chunks: Sequence[Chunk]) -> bytes:
    """Return a file of chunks, with all metadata before the pixels."""
    ordered = sorted(chunks, key=lambda chunk: (chunk.name != b"IHDR", chunk.name not in _MAY_BE_LATE))
    return SIGNATURE + b"".join(packed(chunk.name, chunk.data) for chunk in ordered)


def packed(name: bytes, data: Any) -> bytes:  # noqa: ANN401  bytes, or a view of them
    """Return an encoded chunk."""
    return b"".join((struct.pack(">I", len(data)), name, data, _checksum(name, data)))


def _unpacked(parts: Sequence[memoryview], most: int) -> Iterator[bytes]:
    """Yield the decompressed rows in pieces, up to the first error."""
    inflate, left = zlib.decompressobj(), most
    pieces = (part[start : start + _PIECE] for part in parts for start in range(0, len(part), _PIECE))
    with contextlib.suppress(zlib.error):
        for piece in pieces:
            if left <= 0:
                return
            found = inflate.decompress(piece, left)
            left -= len(found)
            yield found


def _readable_rows(pieces: Iterator[bytes], passes: list[tuple[int, int]]) -> int:
    """Return the number of complete rows with a valid filter, up to the first invalid row."""
    done, place = 0, 0
    for piece in pieces:
        start = 0
        while start < len(piece) and passes:
            size, rows = passes[0]
            end = start + min(len(piece) - start, size * rows - place)
            filters = piece[start + -place % size : end : size]
            if filters and max(filters) > _MAX_FILTER:
                return done + -(-place // size) + next(at for at, one in enumerate(filters) if one > _MAX_FILTER)
            place, start = place + end - start, end
            if place == size * rows:
                done, place = done + rows, 0
                passes = passes[1:]
    return done + (place // passes[0][0] if passes else 0)
