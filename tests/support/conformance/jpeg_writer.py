"""A writer of JPEGs of our own (ITU-T T.81): blocks of equal samples, in frames that libraries do not write."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.support.conformance.cell import Pixels

BASELINE, EXTENDED, PROGRESSIVE, LOSSLESS, HIERARCHICAL = 0xC0, 0xC1, 0xC2, 0xC3, 0xC5
BLOCK = 8


@dataclass(frozen=True, kw_only=True)
class Component:
    """A component: its number, its blocks (rows, columns), and how many of them an MCU has."""

    number: int
    blocks: Pixels
    across: int = 1
    down: int = 1


@dataclass(frozen=True, kw_only=True)
class Jpeg:
    """Components of an image, and how they are stored."""

    components: Sequence[Component]
    size: tuple[int, int]
    bits: int = 8
    frame: int = BASELINE
    #: Segments before the frame, whole.
    segments: bytes = b""
    #: How many MCUs stand between restart markers; 0 for none.
    restart: int = 0

    def content(self) -> bytes:
        """Return the file."""
        head = b"\xff\xd8" + self.segments + _segment(0xDB, b"\0" + bytes([8] * 64)) + self._frame() + _tables()
        if self.restart:
            head += _segment(0xDD, struct.pack(">H", self.restart))
        details = b"".join(map(self._details, self.components)) if self.frame == PROGRESSIVE else b""
        return head + self._scan() + details + b"\xff\xd9"

    def _frame(self) -> bytes:
        body = struct.pack(">BHHB", self.bits, self.size[1], self.size[0], len(self.components))
        parts = (bytes([one.number, one.across << 4 | one.down, 0]) for one in self.components)
        return _segment(self.frame, body + b"".join(parts))

    def _scan(self) -> bytes:
        numbers = b"".join(bytes([one.number, 0]) for one in self.components)
        last = 0 if self.frame == PROGRESSIVE else 63
        head = _segment(0xDA, bytes([len(self.components)]) + numbers + bytes([0, last, 0]))
        out, bits, before, count = b"", "", [2 ** (self.bits - 1)] * len(self.components), 0
        for number, unit in enumerate(self._units()):
            if self.restart and number and number % self.restart == 0:
                out += _stuffed(bits) + bytes([0xFF, 0xD0 + count % 8])
                bits, before, count = "", [2 ** (self.bits - 1)] * len(self.components), count + 1
            for place, value in unit:
                bits += _coded(value - before[place], has_end=last > 0)
                before[place] = value
        return head + out + _stuffed(bits)

    def _details(self, one: Component) -> bytes:
        """Return the scan of a component's other coefficients, of which there are none: an end for each block."""
        widest, tallest = (max(part.across for part in self.components), max(part.down for part in self.components))
        across, down = -(-self.size[0] * one.across // widest), -(-self.size[1] * one.down // tallest)
        blocks = -(-across // BLOCK) * -(-down // BLOCK)
        head = _segment(0xDA, bytes([1, one.number, 0, 1, 63, 0]))
        interval = self.restart or blocks
        data = b""
        for number, start in enumerate(range(0, blocks, interval)):
            data += bytes([0xFF, 0xD0 + (number - 1) % 8]) * (number > 0)
            data += _stuffed("0" * min(interval, blocks - start))
        return head + data

    def _units(self) -> Iterator[list[tuple[int, int]]]:
        """Yield MCUs: components' places, and values of blocks."""
        widest, tallest = max(one.across for one in self.components), max(one.down for one in self.components)
        alone = len(self.components) == 1
        columns, rows = (
            -(-side // (BLOCK * (1 if alone else most)))
            for side, most in zip(self.size, (widest, tallest), strict=True)
        )
        for row in range(rows):
            for column in range(columns):
                unit = []
                for place, one in enumerate(self.components):
                    across, down = (1, 1) if alone else (one.across, one.down)
                    for y in range(row * down, (row + 1) * down):
                        for x in range(column * across, (column + 1) * across):
                            height, width = one.blocks.shape
                            unit.append((place, int(one.blocks[min(y, height - 1), min(x, width - 1)])))
                yield unit


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def _tables() -> bytes:
    """Return Huffman tables: sixteen codes of 5 bits for differences, one of 1 bit for the end of a block."""
    of_differences = b"\0" + bytes([0, 0, 0, 0, 16, *[0] * 11]) + bytes(range(16))
    of_the_rest = b"\x10" + bytes([1, *[0] * 15]) + b"\0"
    return _segment(0xC4, of_differences + of_the_rest)


def _coded(difference: int, *, has_end: bool) -> str:
    size = abs(difference).bit_length()
    number = difference if difference > 0 else difference + 2**size - 1
    return f"{size:05b}" + (f"{number:0{size}b}" if size else "") + "0" * has_end


def _stuffed(bits: str) -> bytes:
    padded = bits + "1" * (-len(bits) % 8)
    return int("1" + padded, 2).to_bytes(len(padded) // 8 + 1, "big")[1:].replace(b"\xff", b"\xff\0")


def segment(marker: int, body: bytes) -> bytes:
    """Return a marker's segment."""
    return _segment(marker, body)


def adobe(transform: int) -> bytes:
    """Return Adobe's marker."""
    return _segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))


JFIF = _segment(0xE0, b"JFIF\0" + struct.pack(">HBHHBB", 0x0102, 0, 1, 1, 0, 0))
