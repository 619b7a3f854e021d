"""A writer of AVIFs of our own: boxes around coded pixels (ISO/IEC 23008-12, AV1 Image File Format)."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from tests.support.conformance.cell import Pixels


@dataclass(frozen=True, kw_only=True)
class Avif:
    """Coded pixels and their metadata."""

    configuration: bytes
    pixels: bytes
    size: tuple[int, int]
    bits: int = 8
    channels: int = 3
    #: Numbers of H.273: primaries, transfer, matrix; None says nothing.
    cicp: tuple[int, int, int] | None = (1, 13, 6)
    #: Further properties, whole boxes: turns, clean aperture, profile.
    properties: Sequence[bytes] = ()

    def content(self) -> bytes:
        """Return the file."""
        head = box(b"ftyp", b"avif\0\0\0\0avifmif1miafMA1B")
        start = len(head) + len(self._meta(0)) + 8
        return head + self._meta(start) + box(b"mdat", self.pixels)

    def _meta(self, start: int) -> bytes:
        handler = full(b"hdlr", struct.pack(">I4s12xx", 0, b"pict"))
        primary = full(b"pitm", struct.pack(">H", 1))
        places = full(b"iloc", struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, start, len(self.pixels)))
        infos = full(b"iinf", struct.pack(">H", 1) + full(b"infe", struct.pack(">HH4sx", 1, 0, b"av01"), version=2))
        found = self._properties()
        shown = bytes(
            0x80 * (one[4:8] in {b"av1C", b"clap", b"irot", b"imir"}) | place + 1 for place, one in enumerate(found)
        )
        links = full(b"ipma", struct.pack(">IHB", 1, 1, len(found)) + shown)
        return full(b"meta", handler + primary + places + infos + box(b"iprp", box(b"ipco", b"".join(found)) + links))

    def _properties(self) -> list[bytes]:
        found = [full(b"ispe", struct.pack(">II", *self.size)), box(b"av1C", self.configuration)]
        found.append(full(b"pixi", bytes([self.channels, *[self.bits] * self.channels])))
        if self.cicp:
            found.append(box(b"colr", b"nclx" + struct.pack(">HHHB", *self.cicp, 0x80)))
        return [*found, *self.properties]


def box(name: bytes, content: bytes) -> bytes:
    """Return a box."""
    return struct.pack(">I4s", len(content) + 8, name) + content


def full(name: bytes, content: bytes, version: int = 0) -> bytes:
    """Return a box with a version and no flags."""
    return box(name, bytes([version, 0, 0, 0]) + content)


def clean_aperture(width: int, height: int, left: int, top: int, size: tuple[int, int]) -> bytes:
    """Return the property that shows a part: its size, and how far its middle is from the whole's."""
    across, down = 2 * left + width - size[0], 2 * top + height - size[1]
    return box(b"clap", struct.pack(">IIIIiIiI", width, 1, height, 1, across, 2, down, 2))


def coded(samples: Pixels, **options: Any) -> tuple[bytes, bytes]:
    """Return 8-bit samples as AV1: configuration and pixels."""
    file = io.BytesIO()
    chosen = {"quality": 100, "subsampling": "4:4:4", "speed": 9, **options}
    Image.fromarray(samples.astype(np.uint8).squeeze()).save(file, "AVIF", **chosen)
    content = file.getvalue()
    place = content.index(b"av1C") + 4
    return content[place : place + 4], content[content.index(b"mdat") + 4 :]


def shown(content: bytes, plays: int) -> bytes:
    """Return an animation that libavif wrote so that it is shown `plays` times (23008-12, 9.6.1); 0: forever."""
    made = bytearray(content)
    once = content.index(b"elst") + 12
    lasts = int.from_bytes(content[once : once + 8], "big")
    whole = plays * lasts if plays else 2**64 - 1
    place = content.find(b"tkhd")
    while place >= 0:
        made[place + 32 : place + 40] = whole.to_bytes(8, "big")
        edits = content.index(b"elst", place)
        made[edits + 7] = plays != 1
        place = content.find(b"tkhd", edits)
    return bytes(made)


def plays(content: bytes) -> int:
    """Return how often an animation that libavif wrote is shown, 0 forever."""
    edits, header = content.index(b"elst"), content.index(b"tkhd")
    if not content[edits + 7]:
        return 1
    whole = int.from_bytes(content[header + 32 : header + 40], "big")
    return 0 if whole == 2**64 - 1 else whole // int.from_bytes(content[edits + 12 : edits + 20], "big")
