"""A writer of PNGs of our own: samples of any color type and depth, filtered and interlaced, and any chunks."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tests.support.conformance.cell import Pixels
from tests.support.conformance.png_reader import ADAM7, SIGNATURE
from tests.support.conformance.tiff_writer import packed_bits

Chunks = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, kw_only=True)
class Png:
    """How samples (rows, columns, channels) are stored."""

    samples: Pixels
    bits: int
    kind: int
    is_interlaced: bool = False
    #: The filter of every row; 5 takes them in turn.
    filtering: int = 0
    #: How many parts the data come in.
    parts: int = 1
    #: Chunks before and after the data.
    before: Chunks = ()
    after: Chunks = ()

    def content(self) -> bytes:
        """Return the file."""
        return assembled([(b"IHDR", self.header()), *self.before, *self.data(), *self.after, (b"IEND", b"")])

    def header(self) -> bytes:
        """Return what IHDR says."""
        height, width, _ = self.samples.shape
        return struct.pack(">IIBBBBB", width, height, self.bits, self.kind, 0, 0, self.is_interlaced)

    def data(self) -> list[tuple[bytes, bytes]]:
        """Return the chunks of data."""
        packed = zlib.compress(self.rows())
        size = -(-len(packed) // self.parts)
        return [(b"IDAT", packed[start : start + size]) for start in range(0, len(packed), size)]

    def rows(self) -> bytes:
        """Return the rows with their filters, not yet compressed."""
        if not self.is_interlaced:
            return self._filtered(self.samples)
        parts = [self.samples[top::down, left::across] for left, top, across, down in ADAM7]
        return b"".join(self._filtered(part) for part in parts if part.size)

    def _filtered(self, part: Pixels) -> bytes:
        if self.bits == 16:
            rows = [row.astype(">u2").tobytes() for row in part]
        else:
            rows = [packed_bits(row, self.bits) for row in part]
        back = max(1, part.shape[2] * self.bits // 8)
        above, out = bytes(len(rows[0])), b""
        for number, row in enumerate(rows):
            kind = number % 5 if self.filtering == 5 else self.filtering
            out += bytes([kind]) + _difference(kind, row, above, back)
            above = row
        return out


def _difference(kind: int, row: bytes, above: bytes, back: int) -> bytes:
    x = np.frombuffer(row, np.uint8).astype(int)
    up = np.frombuffer(above, np.uint8).astype(int)
    left = np.concatenate([np.zeros(back, int), x[:-back]])[: len(x)]
    corner = np.concatenate([np.zeros(back, int), up[:-back]])[: len(x)]
    guess = left + up - corner
    nearest = np.stack([abs(guess - left), abs(guess - up), abs(guess - corner)]).argmin(axis=0)
    paeth = np.choose(nearest, [left, up, corner])
    predicted = (0 * x, left, up, (left + up) // 2, paeth)[kind]
    return bytes(((x - predicted) % 256).astype(np.uint8))


def assembled(chunks: Chunks) -> bytes:
    """Return a PNG of chunks."""
    return SIGNATURE + b"".join(chunk(name, body) for name, body in chunks)


def chunk(name: bytes, body: bytes, *, is_damaged: bool = False) -> bytes:
    """Return a chunk with its checksum, or another."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body) ^ is_damaged)
