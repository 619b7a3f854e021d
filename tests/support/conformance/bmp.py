"""The BMPs of the matrix: depths, headers, bit fields, run lengths, either way up (Microsoft's and OS/2's)."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from tests.support.conformance import space
from tests.support.conformance.cell import HEIGHT, WIDTH, Cell, Made, Pixels, pattern, rgba, shades, still
from tests.support.conformance.space import Space
from tests.support.conformance.tiff_writer import packed_bits

#: How far rows are filled up, in bytes.
_ROW = 4
RGB, RLE8, RLE4, BITFIELDS, JPEG, PNG, ALPHABITFIELDS = 0, 1, 2, 3, 4, 5, 6
HEADERS = {
    12: "OS/2 1",
    16: "OS/2 2, short",
    40: "Windows 3",
    52: "version 2",
    56: "version 3",
    64: "OS/2 2",
    108: "version 4",
    124: "version 5",
}
MASKS = {
    "555": (16, (0x7C00, 0x03E0, 0x001F, 0)),
    "565": (16, (0xF800, 0x07E0, 0x001F, 0)),
    "444": (16, (0x0F00, 0x00F0, 0x000F, 0)),
    "1555 with alpha": (16, (0x7C00, 0x03E0, 0x001F, 0x8000)),
    "4444 with alpha": (16, (0x0F00, 0x00F0, 0x000F, 0xF000)),
    "888": (32, (0xFF0000, 0xFF00, 0xFF, 0)),
    "888, red lowest": (32, (0xFF, 0xFF00, 0xFF0000, 0)),
    "888, high": (32, (0xFF000000, 0xFF0000, 0xFF00, 0)),
    "8888 with alpha": (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "8888 with alpha, red lowest": (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
    "8888 with alpha lowest": (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF)),
    "101010": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0)),
}
TRUTH = r"\bbits?\b|\bRLE|\brun|compress|mask|fields?|BMP"


@dataclass(frozen=True, kw_only=True)
class Bmp:
    """How rows are stored."""

    rows: Sequence[bytes]
    bits: int
    header: int = 40
    compression: int = RGB
    palette: Pixels = field(default_factory=lambda: np.zeros((0, 3), int))
    masks: tuple[int, ...] = ()
    is_top_down: bool = False
    colors_used: int = 0
    gap: int = 0
    profile: bytes = b""

    def content(self) -> bytes:
        """Return the file."""
        data = b"".join(self.rows if self.is_top_down else self.rows[::-1])
        if self.compression in {RLE8, RLE4}:
            data += b"\0\1"
        table = self._table()
        head = self._header(len(data), len(table))
        start = 14 + len(head) + len(table) + self.gap
        return (
            struct.pack("<2sIHHI", b"BM", start + len(data), 0, 0, start)
            + head
            + table
            + bytes(self.gap)
            + data
            + self.profile
        )

    def _table(self) -> bytes:
        width = 3 if self.header == 12 else 4
        return b"".join(bytes(int(part) for part in color[::-1]).ljust(width, b"\0") for color in self.palette)

    def _header(self, size: int, table: int) -> bytes:
        if self.header == 12:
            return struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, self.bits)
        height = -HEIGHT if self.is_top_down else HEIGHT
        head = struct.pack(
            "<IiiHHIIiiII",
            self.header,
            WIDTH,
            height,
            1,
            self.bits,
            self.compression,
            size,
            2835,
            2835,
            self.colors_used,
            0,
        )
        masks = struct.pack(f"<{len(self.masks)}I", *self.masks)
        if self.header <= 40:
            return head[: self.header] + masks
        head = (head + masks).ljust(self.header, b"\0")
        if self.header < 108:
            return head
        if not self.profile:
            return head[:56] + b"BGRs" + head[60:]
        places = struct.pack("<IIII", 4, len(head) + table + self.gap + size, len(self.profile), 0)
        return head[:56] + b"DEBM" + head[60:108] + places


def cells() -> Iterator[Cell]:
    """Yield the BMPs."""
    yield from _indexed()
    yield from _direct()
    yield from _fields()
    yield from _runs()
    yield from _broken_runs()
    yield from _odd()


def _made(bmp: Bmp, shown: Pixels | None) -> Made:
    return Made(content=bmp.content(), frames=()) if shown is None else still(bmp.content(), shown)


def _filled(row: bytes) -> bytes:
    return row + bytes(-len(row) % _ROW)


def _colors(bits: int) -> Pixels:
    return np.arange(3 * 2**bits).reshape(-1, 3) * 9_973 % 256


#: OS/2's short header of its second version, which nothing but OS/2 wrote.
_RARE_HEADER = 16


def _cell(
    name: str, bmp: Bmp, shown: Pixels, *, truth: str = "", described: Space | None = None, bits: int = 8
) -> Cell:
    return Cell(format="BMP", name=name, make=partial(_made, bmp, shown), truth=truth, space=described, bits=bits)


def indexed(bits: int) -> tuple[Bmp, Pixels]:
    """Return a BMP of a palette, and what it shows."""
    samples = pattern(1, bits)
    palette = _colors(bits)
    bmp = Bmp(rows=[_filled(packed_bits(row, bits)) for row in samples], bits=bits, palette=palette)
    return bmp, rgba(palette[samples[..., 0].astype(int)] / 255)


def _indexed() -> Iterator[Cell]:
    for bits, header in itertools.product((1, 2, 4, 8), HEADERS):
        bmp, shown = indexed(bits)
        yield _cell(
            f"palette {bits}, {HEADERS[header]}",
            replace(bmp, header=header),
            shown,
            truth=TRUTH if bits == 2 or header == _RARE_HEADER else "",
        )
    for bits in (1, 4, 8):
        bmp, shown = indexed(bits)
        yield _cell(f"palette {bits}, top down", replace(bmp, is_top_down=True), shown)
        yield _cell(f"palette {bits}, a gap before the pixels", replace(bmp, gap=12), shown)
        yield _cell(f"palette {bits}, number of colors given", replace(bmp, colors_used=2**bits), shown)
    samples = pattern(1, 8) % 5
    short = Bmp(rows=[_filled(packed_bits(row, 8)) for row in samples], bits=8, palette=_colors(8)[:5], colors_used=5)
    more = np.concatenate([_colors(8), _colors(8)[:44]])
    samples = pattern(1, 8)
    long = Bmp(rows=[_filled(packed_bits(row, 8)) for row in samples], bits=8, palette=more, colors_used=300)
    yield _cell("palette 8, 300 colors", long, rgba(more[samples[..., 0].astype(int)] / 255))
    samples = pattern(1, 8) % 5
    yield _cell("palette 8, five colors", short, rgba(_colors(8)[samples[..., 0].astype(int)] / 255))
    gray = np.arange(256).repeat(3).reshape(-1, 3)
    samples = pattern(1, 8)
    bmp = Bmp(rows=[_filled(packed_bits(row, 8)) for row in samples], bits=8, palette=gray)
    yield _cell("gray 8", bmp, rgba(samples / 255))
    for name, palette in (("black first", gray[[0, 255]]), ("white first", gray[[255, 0]])):
        samples = pattern(1, 1)
        bmp = Bmp(rows=[_filled(packed_bits(row, 1)) for row in samples], bits=1, palette=palette)
        yield _cell(f"palette 1, {name}", bmp, rgba(palette[samples[..., 0].astype(int)] / 255))


def _direct() -> Iterator[Cell]:
    samples = pattern(3, 8)
    rows = [_filled(row[:, ::-1].astype(np.uint8).tobytes()) for row in samples]
    for header, name in HEADERS.items():
        bmp = Bmp(rows=rows, bits=24, header=header)
        yield _cell(f"RGB 24, {name}", bmp, rgba(samples / 255), truth=TRUTH if header == _RARE_HEADER else "")
    yield _cell("RGB 24, top down", Bmp(rows=rows, bits=24, is_top_down=True), rgba(samples / 255))
    described = space.DISPLAY_P3
    with_profile = Bmp(rows=rows, bits=24, header=124, profile=space.profile(described))
    yield _cell("RGB 24, version 5 with a profile", with_profile, rgba(samples / 255), described=described)
    for header, fourth, is_top_down in itertools.product((40, 108, 124), (0, 255, 77), (False, True)):
        stored = [b"".join(bytes([*map(int, pixel[::-1]), fourth]) for pixel in row) for row in samples]
        name = f"RGB 32, {HEADERS[header]}, fourth byte {fourth}" + ", top down" * is_top_down
        yield _cell(name, Bmp(rows=stored, bits=32, header=header, is_top_down=is_top_down), rgba(samples / 255))
    five = pattern(3, 5)
    packed = five[..., 0] << np.uint64(10) | five[..., 1] << np.uint64(5) | five[..., 2]
    for header in (12, 40, 108):
        bmp = Bmp(rows=[_filled(row.astype("<u2").tobytes()) for row in packed], bits=16, header=header)
        yield _five_bits(f"RGB 16, {HEADERS[header]}", bmp, rgba(shades(five, 5)), truth=TRUTH if header == 12 else "")


def _five_bits(name: str, bmp: Bmp, shown: Pixels, *, truth: str = "") -> Cell:
    # Five bits become eight by repeating or by scaling: one step apart.
    return Cell(format="BMP", name=name, make=partial(_made, bmp, shown), truth=truth, tolerance=1.01)


def _fields() -> Iterator[Cell]:
    for (name, (bits, masks)), header in itertools.product(MASKS.items(), (40, 52, 56, 108, 124)):
        has_alpha = bool(masks[3])
        if has_alpha and header in {40, 52}:
            continue
        depths = [mask.bit_count() for mask in masks]
        samples = np.stack([pattern(4, depth)[..., place] for place, depth in enumerate(depths)], axis=2)
        packed = np.zeros((HEIGHT, WIDTH), np.uint64)
        shares = np.ones((HEIGHT, WIDTH, 4))
        for place, mask in enumerate(masks):
            if mask:
                packed |= samples[..., place] << np.uint64((mask & -mask).bit_length() - 1)
                shares[..., place] = samples[..., place] / (2 ** depths[place] - 1)
        rows = [_filled(row.astype(f"<u{bits // 8}").tobytes()) for row in packed]
        bmp = Bmp(
            rows=rows, bits=bits, header=header, compression=BITFIELDS, masks=masks[: 3 if header in {40, 52} else 4]
        )
        is_rare = name in {
            "444",
            "4444 with alpha",
            "101010",
            "1555 with alpha",
            "888, high",
            "8888 with alpha lowest",
            "888, red lowest",
        }
        yield Cell(
            format="BMP",
            name=f"fields {name}, {HEADERS[header]}",
            truth=TRUTH if is_rare else "",
            tolerance=1.01,
            make=partial(_made, bmp, shares),
            bits=10 if name == "101010" else 8,
        )


# Run lengths


def _runs() -> Iterator[Cell]:
    for bits, compression in ((8, RLE8), (4, RLE4)):
        samples = np.sort(pattern(1, bits), axis=1)[..., 0].astype(int)
        palette = _colors(bits)
        shown = rgba(palette[samples] / 255)
        for name, coded in (("runs", _coded_runs), ("as they are", _coded_plain)):
            bmp = Bmp(rows=[coded(row, bits) for row in samples], bits=bits, compression=compression, palette=palette)
            yield _cell(f"RLE{bits}, {name}", bmp, shown)
            yield _cell(f"RLE{bits}, {name}, version 4", replace(bmp, header=108), shown)
        skipped = samples.copy()
        skipped[:, 5:9] = 0
        rows = [_coded_runs(row[:5], bits)[:-2] + b"\0\2\4\0" + _coded_runs(row[9:], bits) for row in samples]
        bmp = Bmp(rows=rows, bits=bits, compression=compression, palette=palette)
        yield _cell(f"RLE{bits}, pixels left out", bmp, rgba(palette[skipped] / 255))
        early = samples.copy()
        early[:, 7:] = 0
        bmp = Bmp(
            rows=[_coded_runs(row[:7], bits) for row in samples], bits=bits, compression=compression, palette=palette
        )
        yield _cell(f"RLE{bits}, rows ended early", bmp, rgba(palette[early] / 255))


def _broken_runs() -> Iterator[Cell]:
    """Yield runs that go beyond their row, rows that are left out as a whole, and data that end too early."""
    for bits, compression in ((8, RLE8), (4, RLE4)):
        samples = np.sort(pattern(1, bits), axis=1)[..., 0].astype(int)
        palette = _colors(bits)
        rows = [_coded_runs(row, bits) for row in samples]
        build = partial(Bmp, bits=bits, compression=compression, palette=palette)
        empty = samples.copy()
        empty[4:6], empty[-1] = 0, 0
        left = [b"\0\0" if not row.any() else coded for row, coded in zip(empty, rows, strict=True)]
        yield _cell(f"RLE{bits}, rows left out", build(rows=left), rgba(palette[empty] / 255))
        high = np.concatenate([np.zeros_like(samples[:6]), samples[6:]])
        yield _cell(f"RLE{bits}, ended before the last rows", build(rows=rows[6:]), rgba(palette[high] / 255))
        beyond = {
            "a run beyond its row": bytes([WIDTH + 2, 17]),
            "single pixels beyond their row": bytes([0, WIDTH + 1])
            + bytes(WIDTH + 1 + (WIDTH + 1) % 2)[: 12 if bits == 4 else None],
            "a move beyond its row": bytes([0, 2, WIDTH, 0, 1, 17]),
            "a row too many": b"\0\0" * HEIGHT + bytes([1, 17]),
        }
        for name, data in beyond.items():
            bmp = build(rows=[*rows[:3], data + b"\0\0", *rows[4:]])
            yield Cell(
                format="BMP", name=f"RLE{bits}, {name}", make=partial(_made, bmp, None), is_bad=True, truth="beyond"
            )
        cut = build(rows=rows).content()
        yield Cell(
            format="BMP",
            name=f"RLE{bits}, cut in the middle",
            is_bad=True,
            truth="only [0-9]+ of 18 rows",
            make=partial(Made, content=cut[: -len(b"".join(rows)) // 2], frames=()),
        )


def _coded_runs(row: Pixels, bits: int) -> bytes:
    out, place = b"", 0
    while place < len(row):
        run = 1
        while place + run < len(row) and row[place + run] == row[place]:
            run += 1
        out += bytes([run, int(row[place]) * (17 if bits == 4 else 1)])
        place += run
    return out + b"\0\0"


def _coded_plain(row: Pixels, bits: int) -> bytes:
    packed = packed_bits(row.reshape(-1, 1), bits)
    return bytes([0, len(row)]) + packed + bytes(len(packed) % 2) + b"\0\0"


def _odd() -> Iterator[Cell]:
    for name, compression in (("a JPEG", JPEG), ("a PNG", PNG)):
        bmp = Bmp(rows=[bytes(64)] * HEIGHT, bits=24, compression=compression)
        yield Cell(
            format="BMP",
            name=f"{name} within",
            make=partial(_made, bmp, None),
            is_bad=True,
            truth="JPEG|PNG|compress",
        )
    bmp, _ = indexed(8)
    for name, palette in (("colors", _colors(8)), ("grays", np.arange(256).repeat(3).reshape(-1, 3))):
        few = replace(bmp, palette=palette[:200], colors_used=200)
        yield Cell(
            format="BMP",
            name=f"palette 8, fewer {name} than pixels tell apart",
            make=partial(_made, few, None),
            is_bad=True,
            truth="color number 2[0-9]+, and its palette ends at 199",
        )
    yield Cell(
        format="BMP",
        name="palette 8, a width below 0",
        is_bad=True,
        truth="a width of -21",
        make=lambda: Made(
            content=bmp.content().replace(struct.pack("<i", WIDTH), struct.pack("<i", -WIDTH), 1), frames=()
        ),
    )
    yield Cell(
        format="BMP",
        name="palette 8, cut in the middle",
        is_bad=True,
        truth="damaged|cut short|incomplete",
        make=lambda: Made(content=bmp.content()[:-150], frames=()),
    )
