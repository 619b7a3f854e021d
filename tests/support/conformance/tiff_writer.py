"""A writer of TIFFs of our own (TIFF 6.0, its supplements, BigTIFF): samples of any kind, in any layout."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.support.conformance.cell import Pixels

TILE, ROWS = 16, 5
#: Number of the tag's type and its letter in struct, by the width of what a file addresses with.
_LONG = {False: (4, "I"), True: (16, "Q")}


@dataclass(frozen=True, kw_only=True)
class Tiff:
    """How samples (rows, columns, channels) are stored."""

    samples: Pixels
    bits: int
    photometric: int
    #: 1 whole, 2 signed, 3 fractions.
    sample_format: int = 1
    is_planar: bool = False
    is_tiled: bool = False
    compression: int = 1
    predictor: int = 1
    order: str = "<"
    is_big: bool = False
    fill_order: int = 1
    extra: tuple[int, ...] = ()
    #: Further tags: number, and its values as shorts.
    tags: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def content(self) -> bytes:
        """Return the file."""
        chunks = [self._stored(part) for part in self._parts()]
        return written(self._tags(chunks), chunks, self.order, is_big=self.is_big)

    def _tags(self, chunks: list[bytes]) -> dict[int, tuple[str, tuple[int, ...]]]:
        height, width, channels = self.samples.shape
        tags: dict[int, tuple[str, tuple[int, ...]]] = {
            256: ("H", (width,)),
            257: ("H", (height,)),
            258: ("H", (self.bits,) * channels),
            259: ("H", (self.compression,)),
            262: ("H", (self.photometric,)),
            266: ("H", (self.fill_order,)),
            277: ("H", (channels,)),
            284: ("H", (2 if self.is_planar else 1,)),
            339: ("H", (self.sample_format,) * channels),
        }
        if self.is_tiled:
            tags |= {322: ("H", (TILE,)), 323: ("H", (TILE,))}
        else:
            tags[278] = ("H", (ROWS,))
        if self.predictor > 1:
            tags[317] = ("H", (self.predictor,))
        if self.extra:
            tags[338] = ("H", self.extra)
        return (
            tags | {tag: ("H", values) for tag, values in self.tags.items()} | _places(chunks, is_tiled=self.is_tiled)
        )

    def _parts(self) -> Iterator[Pixels]:
        """Yield what is stored together: strips or tiles, of one channel each if it is planar."""
        for plane in np.split(self.samples, self.samples.shape[2], axis=2) if self.is_planar else [self.samples]:
            height, width, _ = plane.shape
            if not self.is_tiled:
                yield from (plane[top : top + ROWS] for top in range(0, height, ROWS))
                continue
            padded = np.pad(plane, ((0, -height % TILE), (0, -width % TILE), (0, 0)))
            for top in range(0, height, TILE):
                yield from (padded[top : top + TILE, left : left + TILE] for left in range(0, width, TILE))

    def _stored(self, part: Pixels) -> bytes:
        packed = COMPRESSIONS[self.compression]([self._row(row) for row in part])
        if self.fill_order == 2:
            return np.packbits(np.unpackbits(np.frombuffer(packed, np.uint8)), bitorder="little").tobytes()
        return packed

    def _row(self, row: Pixels) -> bytes:
        if self.predictor == 3:
            return _split_floats(row, self.bits)
        if self.bits not in {8, 16, 32, 64}:
            return packed_bits(row, self.bits)
        kind = "uif"[self.sample_format - 1]
        stored = row.astype(f"{kind}{self.bits // 8}")
        if self.predictor == 2:
            stored = np.diff(stored, axis=0, prepend=np.zeros_like(stored[:1]))
        return bytes(stored.astype(f"{self.order}{kind}{self.bits // 8}").tobytes())


def packed_bits(row: Pixels, bits: int) -> bytes:
    """Return whole samples side by side, the last byte filled up with zeros."""
    places = np.arange(bits - 1, -1, -1, dtype=np.uint64)
    spread = (row.reshape(-1, 1).astype(np.uint64) >> places) & np.uint64(1)
    return np.packbits(spread.reshape(-1).astype(np.uint8)).tobytes()


def _split_floats(row: Pixels, bits: int) -> bytes:
    """Return fractions by predictor 3: their first bytes, their second bytes, ..., each as a difference."""
    numbers = row.astype(f">f{bits // 8}")
    planes = np.frombuffer(numbers.tobytes(), np.uint8).reshape(-1, bits // 8).T.reshape(-1)
    stride = row.shape[1]
    return np.concatenate([planes[:stride], planes[stride:] - planes[:-stride]]).astype(np.uint8).tobytes()


def _places(chunks: list[bytes], *, is_tiled: bool) -> dict[int, tuple[str, tuple[int, ...]]]:
    """Return the tags of offsets, which `written` moves, and of sizes."""
    offsets, start = [], 0
    for chunk in chunks:
        offsets.append(start)
        start += len(chunk) + len(chunk) % 2
    first, second = (324, 325) if is_tiled else (273, 279)
    return {first: ("O", tuple(offsets)), second: ("N", tuple(map(len, chunks)))}


def written(
    tags: Mapping[int, tuple[str, Any]], chunks: list[bytes], order: str, *, is_big: bool, magic: bytes = b""
) -> bytes:
    """Return a TIFF of one directory; the letters O and N are offsets from the first chunk, and numbers as wide."""
    number, letter = _LONG[is_big]
    wide = struct.calcsize(f"<{letter}")
    head = 16 if is_big else 8
    data = b"".join(chunk + bytes(len(chunk) % 2) for chunk in chunks)
    place = head + len(data)
    entries, outside = b"", b""
    beyond = place + (8 + 20 * len(tags) + 8 if is_big else 2 + 12 * len(tags) + 4)
    for tag, (kind, values) in sorted(tags.items()):
        type_number, content = _encoded(kind, values, order, head, (number, letter))
        count = len(values)
        if len(content) > wide:
            shown = struct.pack(order + letter, beyond + len(outside))
            outside += content + bytes(len(content) % 2)
        else:
            shown = content.ljust(wide, b"\0")
        entries += struct.pack(f"{order}HH{letter}", tag, type_number, count) + shown
    mark = b"II" if order == "<" else b"MM"
    version = struct.pack(order + "HHHQ", 43, 8, 0, place) if is_big else struct.pack(order + "HI", 42, place)
    counted = struct.pack(order + ("Q" if is_big else "H"), len(tags))
    return (magic or mark) + version + data + counted + entries + bytes(wide) + outside


def _encoded(kind: str, values: Any, order: str, head: int, long: tuple[int, str]) -> tuple[int, bytes]:
    if kind == "B":
        return 7, bytes(values)
    if kind == "H":
        return 3, struct.pack(f"{order}{len(values)}H", *values)
    moved = [value + head if kind == "O" else value for value in values]
    return long[0], struct.pack(f"{order}{len(values)}{long[1]}", *moved)


def lzw(rows: list[bytes]) -> bytes:
    """Return rows by the LZW of TIFF 6.0: codes grow one early, highest bit first."""
    table: dict[bytes, int] = {}
    codes: list[tuple[int, int]] = []

    def restart() -> None:
        codes.append((256, 9 if not table else _code_bits(len(table) + 2)))
        table.clear()
        table.update({bytes([value]): value for value in range(256)})

    restart()
    known = b""
    for value in b"".join(rows):
        if known + bytes([value]) in table:
            known += bytes([value])
            continue
        codes.append((table[known], _code_bits(len(table) + 2)))
        table[known + bytes([value])] = len(table) + 2
        known = bytes([value])
        if len(table) + 2 >= 4094:
            restart()
    codes += [(table[known], _code_bits(len(table) + 2)), (257, _code_bits(len(table) + 3))]
    text = "".join(f"{code:0{bits}b}" for code, bits in codes)
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


def _code_bits(next_code: int) -> int:
    return max(9, next_code.bit_length())


def packbits(rows: list[bytes]) -> bytes:
    """Return rows by PackBits: runs, and what is none as it is."""
    return b"".join(_packed(row) for row in rows)


def _packed(row: bytes) -> bytes:
    out, place = b"", 0
    while place < len(row):
        run = 1
        while run < 128 and row[place : place + 1] * (run + 1) == row[place : place + run + 1]:
            run += 1
        if run > 1:
            out += bytes([257 - run, row[place]])
        else:
            out += bytes([0, row[place]])
        place += run
    return out


COMPRESSIONS: dict[int, Callable[[list[bytes]], bytes]] = {
    1: b"".join,
    5: lzw,
    8: lambda rows: zlib.compress(b"".join(rows)),
    32_773: packbits,
    32_946: lambda rows: zlib.compress(b"".join(rows)),
    34_925: lambda rows: lzma.compress(b"".join(rows), lzma.FORMAT_XZ, check=lzma.CHECK_NONE),
}
