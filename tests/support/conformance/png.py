"""The PNGs of the matrix: color types, depths, transparency, interlacing, color descriptions, chunks, animations."""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from tests.support.conformance import orientation, space
from tests.support.conformance.cell import HEIGHT, WIDTH, Cell, Made, Pixels, pattern, rgba, shades, still
from tests.support.conformance.png_reader import CHANNELS
from tests.support.conformance.png_writer import Chunks, Png, assembled, chunk
from tests.support.conformance.space import Space

DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
NAMES = {0: "gray", 2: "RGB", 3: "palette", 4: "gray and alpha", 6: "RGBA"}


def cells() -> Iterator[Cell]:
    """Yield the PNGs."""
    for kind, depths in DEPTHS.items():
        for bits, is_interlaced, is_clear in itertools.product(depths, (False, True), (False, True)):
            if is_clear and kind >= 4:
                continue
            for filtering in (0, 5):
                name = (
                    f"{NAMES[kind]} {bits}"
                    + ", interlaced" * is_interlaced
                    + ", tRNS" * is_clear
                    + f", filter {filtering}"
                )
                yield _cell(
                    name, plain(kind, bits, is_interlaced=is_interlaced, is_clear=is_clear, filtering=filtering)
                )
    for filtering in range(1, 5):
        yield _cell(f"RGB 8, filter {filtering}", plain(2, 8, filtering=filtering))
    yield _cell("RGB 8, data in 7 parts", replace(plain(2, 8), parts=7))
    yield _cell(
        "RGB 8, tRNS of a color that is not there",
        replace(plain(2, 8), before=[(b"tRNS", struct.pack(">3H", 1, 2, 3))]),
    )
    yield from _described()
    yield from _with_chunks()
    yield from _turned()
    yield from _damaged()


def plain(kind: int, bits: int, *, is_interlaced: bool = False, is_clear: bool = False, filtering: int = 0) -> Png:
    """Return samples of a color type and depth, some of them clear."""
    samples = pattern(CHANNELS[kind], bits)
    before = []
    if kind == 3:
        before.append((b"PLTE", colors(bits).astype(np.uint8).tobytes()))
    if is_clear:
        before.append((b"tRNS", _clear(kind, samples)))
    return Png(samples=samples, bits=bits, kind=kind, is_interlaced=is_interlaced, filtering=filtering, before=before)


def colors(bits: int) -> Pixels:
    """Return a palette."""
    return np.arange(3 * 2**bits).reshape(-1, 3) * 9_973 % 256


def _clear(kind: int, samples: Pixels) -> bytes:
    if kind == 3:
        return bytes([0, 128])
    return struct.pack(f">{samples.shape[2]}H", *map(int, samples[3, 4]))


def shown(png: Png) -> Pixels:
    """Return what a PNG shows: RGBA from 0 to 1."""
    clear = dict(png.before).get(b"tRNS", b"")
    if png.kind == 3:
        palette = np.concatenate([colors(png.bits), np.full((2**png.bits, 1), 255)], axis=1)
        palette[: len(clear), 3] = np.frombuffer(clear, np.uint8)
        return np.asarray(palette[png.samples[..., 0].astype(int)] / 255)
    shares = rgba(shades(png.samples, png.bits))
    if clear:
        shares[..., 3] = (png.samples != np.array(struct.unpack(f">{len(clear) // 2}H", clear), np.uint64)).any(axis=2)
    return shares


def _cell(name: str, png: Png, *, described: Space | None = None, tolerance: float = 0.0) -> Cell:
    bits = png.bits if png.bits == 16 else 8
    return Cell(
        format="PNG",
        name=name,
        make=lambda: still(png.content(), shown(png)),
        bits=bits,
        space=described,
        tolerance=tolerance,
    )


# Color descriptions


def descriptions() -> Iterator[tuple[str, Chunks, Space | None]]:
    """Yield ways to say what samples mean."""
    yield "sRGB", [(b"sRGB", b"\0")], None
    yield "sRGB and gAMA", [(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 45_455))], None
    for gamma in (100_000, 55_556, 45_455, 30_000):
        yield f"gAMA {gamma}", [(b"gAMA", struct.pack(">I", gamma))], space.of_gama(gamma, None)
    for name, primaries in (("P3", space.DISPLAY_P3.primaries), ("sRGB", space.SRGB.primaries)):
        white_first = [round(value * 100_000) for value in (*primaries[6:], *primaries[:6])]
        packed = [(b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", struct.pack(">8I", *white_first))]
        yield f"gAMA and cHRM of {name}", packed, space.of_gama(45_455, tuple(white_first))
        yield f"cHRM of {name}", packed[1:], space.of_gama(45_455, tuple(white_first))
    for primaries_number, transfer in ((1, 13), (12, 13), (9, 13), (9, 8), (1, 8)):
        packed = [(b"cICP", bytes([primaries_number, transfer, 0, 1]))]
        yield f"cICP {primaries_number}/{transfer}", packed, space.of_cicp(primaries_number, transfer)
    yield "cICP before iCCP", [(b"cICP", bytes([12, 13, 0, 1])), _profile(space.SRGB)], space.of_cicp(12, 13)
    for one in (space.SRGB, space.DISPLAY_P3, space.ADOBE_RGB, space.LINEAR):
        yield f"iCCP of {one.name}", [_profile(one)], one
    yield "iCCP before gAMA", [_profile(space.DISPLAY_P3), (b"gAMA", struct.pack(">I", 100_000))], space.DISPLAY_P3


def _profile(described: Space) -> tuple[bytes, bytes]:
    return b"iCCP", b"icc\0\0" + zlib.compress(space.profile(described))


def _described() -> Iterator[Cell]:
    for name, chunks, described in descriptions():
        for kind, bits in ((2, 8), (6, 8), (3, 8), (2, 16), (0, 8)):
            if kind == 0 and b"iCCP" in dict(chunks):
                continue  # an RGB profile is none for gray
            png = plain(kind, bits)
            png = replace(png, before=[*chunks, *png.before])
            yield _cell(f"{NAMES[kind]} {bits}, {name}", png, described=described)


# Chunks that are not pixels


def _with_chunks() -> Iterator[Cell]:
    extra: dict[str, Chunks] = {
        "pHYs": [(b"pHYs", struct.pack(">IIB", 3_937, 3_937, 1))],
        "pHYs without a unit": [(b"pHYs", struct.pack(">IIB", 1, 2, 0))],
        "bKGD": [(b"bKGD", bytes(6))],
        "sBIT": [(b"sBIT", b"\5\6\5")],
        "hIST and sPLT": [(b"sPLT", b"name\0\x08"), (b"tIME", bytes(7))],
        "tEXt": [(b"tEXt", b"Title\0Hello"), (b"zTXt", b"Comment\0\0" + zlib.compress(b"Hello"))],
        "iTXt": [(b"iTXt", b"Title\0\0\0\0\0" + "Zoë".encode())],
        "a text of 2 MB": [(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2_000_000)))],
        "a profile of 2 MB": [(b"iCCP", b"icc\0\0" + zlib.compress(space.profile(space.SRGB) + bytes(2_000_000)))],
        "an unknown chunk": [(b"quIr", b"what?")],
        "a private chunk": [(b"prVt", b"what?")],
        "mDCV and cLLI": [(b"mDCV", bytes(24)), (b"cLLI", bytes(8))],
    }
    for name, chunks in extra.items():
        yield _cell(f"RGB 8, {name}", replace(plain(2, 8), before=chunks))
        if not name.endswith("MB"):
            yield _cell(f"RGB 8, {name} after the data", replace(plain(2, 8), after=chunks))
    for kind in (b"pHYs", b"tEXt", b"gAMA", b"tIME", b"iCCP", b"quIr"):
        body = {b"pHYs": struct.pack(">IIB", 1, 1, 1), b"gAMA": struct.pack(">I", 45_455)}.get(kind, b"x\0\0y")
        for is_after in (False, True):
            yield Cell(
                format="PNG",
                name=f"RGB 8, {kind.decode()} with a wrong checksum" + " after the data" * is_after,
                make=partial(_wrong_checksum, kind, body, is_after=is_after),
            )


def _wrong_checksum(name: bytes, body: bytes, *, is_after: bool) -> Made:
    png = plain(2, 8)
    content = png.content()
    place = content.index(b"IEND" if is_after else b"IDAT") - 4
    return still(content[:place] + chunk(name, body, is_damaged=True) + content[place:], shown(png))


def _turned() -> Iterator[Cell]:
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0" + orientation.XMP
    for place in ("before", "after"):
        given = [(b"iTXt", xmp)]
        png = replace(plain(2, 8), before=given) if place == "before" else replace(plain(2, 8), after=given)
        yield Cell(
            format="PNG",
            name=f"RGB 8, orientation 6 in XMP {place} the pixels, which does not count",
            make=partial(_upright, png, 1),
            note=orientation.XMP_NOTE,
        )
    for number in orientation.ALL:
        png = replace(plain(2, 8), before=[(b"eXIf", orientation.exif(number))])
        yield Cell(
            format="PNG",
            name=f"RGB 8, eXIf of orientation {number}",
            make=partial(_upright, png, number),
        )


def _upright(png: Png, number: int) -> Made:
    return still(png.content(), orientation.upright(shown(png), number))


# Damage


def _damaged() -> Iterator[Cell]:
    png = plain(2, 8, filtering=5)
    rows = png.rows()
    row_bytes = 1 + WIDTH * 3
    data = {
        "closed at half the rows": zlib.compress(rows[: HEIGHT // 2 * row_bytes]),
        "closed at the last byte": zlib.compress(rows[:-1]),
        "without data": zlib.compress(b""),
        "a wrong filter": zlib.compress(rows[: 4 * row_bytes] + b"\x0f" + rows[4 * row_bytes + 1 :]),
        "damaged in the middle": _spoiled(zlib.compress(rows)),
        "cut in the middle": zlib.compress(rows)[: len(zlib.compress(rows)) // 2],
    }
    for name, body in data.items():
        yield _bad(f"RGB 8, {name}", partial(_with_data, png, body))
    yield _bad("RGB 8, no end of the file", lambda: png.content()[:-40])
    for is_interlaced in (True,):
        laced = plain(2, 8, is_interlaced=is_interlaced)
        yield _bad("RGB 8, interlaced, closed early", partial(_with_data, laced, zlib.compress(laced.rows()[:-200])))


def _spoiled(packed: bytes) -> bytes:
    middle = len(packed) // 2
    return packed[:middle] + bytes(8) + packed[middle + 8 :]


def _with_data(png: Png, body: bytes) -> bytes:
    return assembled([(b"IHDR", png.header()), (b"IDAT", body), (b"IEND", b"")])


def _bad(name: str, content: Callable[[], bytes]) -> Cell:
    return Cell(
        format="PNG",
        name=name,
        make=lambda: Made(content=content(), frames=()),
        is_bad=True,
        truth="damaged|cut short|incomplete",
    )
