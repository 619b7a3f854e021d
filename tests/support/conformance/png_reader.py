"""A decoder of PNGs of our own, to look at results with: every color type, depth and interlacing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tests.support.conformance.cell import Pixels, rgba

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: First column and row, and steps, of the seven passes of Adam7.
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(kw_only=True)
class Read:
    """A PNG's samples as stored, its bits and its chunks."""

    samples: Pixels
    bits: int
    kind: int
    chunks: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def pixels(self) -> Pixels:
        """RGBA from 0 to 1."""
        if self.kind == 3:
            return self._of_palette()
        shares = rgba(self.samples / (2**self.bits - 1))
        if b"tRNS" in self.chunks:
            clear = struct.unpack(f">{len(self.chunks[b'tRNS']) // 2}H", self.chunks[b"tRNS"])
            shares[..., 3] = (self.samples != np.array(clear)).any(axis=2)
        return shares

    def _of_palette(self) -> Pixels:
        colors = np.frombuffer(self.chunks[b"PLTE"], np.uint8).reshape(-1, 3)
        alpha = np.full((len(colors), 1), 255)
        clear = self.chunks.get(b"tRNS", b"")
        alpha[: len(clear), 0] = np.frombuffer(clear, np.uint8)
        return np.asarray(np.concatenate([colors, alpha], axis=1)[self.samples[..., 0].astype(int)] / 255)


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield a PNG's chunks: name and content."""
    place = len(SIGNATURE)
    while place < len(content):
        size, name = struct.unpack_from(">I4s", content, place)
        yield name, content[place + 8 : place + 8 + size]
        place += 12 + size


def read(content: bytes) -> Read:
    """Decode a PNG's (first) image."""
    found: dict[bytes, bytes] = {}
    for name, body in chunks(content):
        found[name] = found.get(name, b"") + body if name == b"IDAT" else body
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", found[b"IHDR"])
    data = zlib.decompress(found[b"IDAT"])
    samples = np.zeros((height, width, CHANNELS[kind]), np.uint16)
    for left, top, across, down in ADAM7 if interlaced else ((0, 0, 1, 1),):
        part = samples[top::down, left::across]
        if part.size:
            part[...], data = _pass(data, part.shape, bits)
    return Read(samples=samples, bits=bits, kind=kind, chunks=found)


def _pass(data: bytes, shape: tuple[int, ...], bits: int) -> tuple[Pixels, bytes]:
    height, width, channels = shape
    row_bytes, back = -(-width * channels * bits // 8), max(1, channels * bits // 8)
    above, rows = bytearray(row_bytes), []
    for number in range(height):
        start = number * (row_bytes + 1)
        above = _unfiltered(data[start], bytearray(data[start + 1 : start + 1 + row_bytes]), above, back)
        rows.append(bytes(above))
    samples = np.stack([_unpacked(row, bits)[: width * channels] for row in rows])
    return samples.reshape(shape), data[height * (row_bytes + 1) :]


def _unpacked(row: bytes, bits: int) -> Pixels:
    if bits == 16:
        return np.frombuffer(row, ">u2")
    spread = np.unpackbits(np.frombuffer(row, np.uint8)).reshape(-1, bits)
    return spread @ (1 << np.arange(bits)[::-1])


def _unfiltered(kind: int, row: bytearray, above: bytearray, back: int) -> bytearray:
    for place in range(len(row)):
        left = row[place - back] if place >= back else 0
        corner = above[place - back] if place >= back else 0
        row[place] = (row[place] + _predicted(kind, left, above[place], corner)) % 256
    return row


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        distances = [(abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner)]
        return min(distances)[2]
    return (0, left, up, (left + up) // 2)[kind]
