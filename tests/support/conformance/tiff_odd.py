"""Further TIFFs of the matrix: fax and JPEG compression, turns, pages, profiles, subsampling, damage."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from tests.support.conformance import orientation, space
from tests.support.conformance.cell import Cell, Frame, Made, pattern, rgba, shades, smooth, still
from tests.support.conformance.tiff import NAMES, RGB, YCBCR
from tests.support.conformance.tiff_writer import Tiff, written

TRUTH = "damaged|cut short|incomplete|missing"


@dataclass(frozen=True, kw_only=True)
class Damaged(Tiff):
    """A TIFF whose parts are changed after they were stored."""

    change: Callable[[list[bytes]], list[bytes]] = list
    #: Whether their places are beyond the file's end.
    is_beyond: bool = False
    #: Tags left out.
    without: tuple[int, ...] = ()

    def content(self) -> bytes:
        """Return the file."""
        chunks = self.change([self._stored(part) for part in self._parts()])
        tags = {tag: values for tag, values in self._tags(chunks).items() if tag not in self.without}
        if self.is_beyond:
            tags |= {
                tag: (kind, tuple(one + 10**6 for one in values)) for tag, (kind, values) in tags.items() if kind == "O"
            }
        return written(tags, chunks, self.order, is_big=self.is_big)


def cells() -> Iterator[Cell]:
    """Yield the TIFFs."""
    yield from _by_libtiff()
    yield from _turned()
    yield from _noted()
    yield from _subsampled()
    yield from _left_out()
    yield from _damaged()


def _by_libtiff() -> Iterator[Cell]:
    for packing in ("tiff_ccitt", "group3", "group4", "packbits", "tiff_lzw"):
        make = partial(_saved, "1", compression=packing)
        yield Cell(format="TIFF", name=f"black and white, {packing}", make=make)
    for mode, quality in itertools.product(("L", "RGB", "YCbCr"), (75, 95)):
        yield Cell(
            format="TIFF",
            name=f"{mode}, JPEG {quality}",
            is_lossy=True,
            make=partial(_saved, mode, compression="jpeg", quality=quality),
        )
    for mode in ("RGB", "RGBA"):
        yield Cell(format="TIFF", name=f"{mode}, zstd", make=partial(_saved, mode, compression="zstd"))
    for compression in (9, 34_676, 34_712, 34_887, 50_001, 50_002, 65_000):
        tiff = replace(_plain(), tags={259: (compression,)})
        yield Cell(
            format="TIFF",
            name=f"RGB 8, compression {compression}",
            is_bad=True,
            truth="compress|JPEG|WebP|SGI",
            make=partial(_content, tiff),
        )


def _saved(mode: str, **options: Any) -> Made:
    channels = {"1": 1, "L": 1, "RGB": 3, "YCbCr": 3, "RGBA": 4}[mode]
    samples = smooth(channels, 8) if options["compression"] == "jpeg" else pattern(channels, 8)
    image = Image.fromarray(samples.astype(np.uint8).squeeze())
    shares = samples / 255
    if mode == "1":
        image, shares = image.point(lambda value: 255 * (value > 100)).convert("1"), (samples > 100).astype(float)
    file = io.BytesIO()
    image.convert(mode).save(file, "TIFF", **options)
    return still(file.getvalue(), rgba(shares))


def _plain(channels: int = 3, bits: int = 8, tags: Mapping[int, tuple[int, ...]] | None = None, **options: Any) -> Tiff:
    kind = {1: 1, 3: RGB}[channels]
    return Tiff(samples=pattern(channels, bits), bits=bits, photometric=kind, tags=tags or {}, **options)


def _made(tiff: Tiff, turn: int = 1) -> Made:
    return still(tiff.content(), orientation.upright(rgba(shades(tiff.samples, tiff.bits)), turn))


def _turned() -> Iterator[Cell]:
    for number, compression, is_tiled in itertools.product(orientation.ALL, (1, 5), (False, True)):
        for channels, bits in ((3, 8), (1, 16)):
            tiff = _plain(channels, bits, tags={274: (number,)}, compression=compression, is_tiled=is_tiled)
            name = f"{channels} channels of {bits}, orientation {number}, {NAMES[compression]}" + ", tiles" * is_tiled
            yield Cell(format="TIFF", name=name, make=partial(_made, tiff, number), bits=bits)
    name = "RGB 8, orientation 6 in XMP, which does not count"
    yield Cell(format="TIFF", name=name, make=_turned_by_xmp, note=orientation.XMP_NOTE)


def _turned_by_xmp() -> Made:
    samples, file = pattern(3, 8), io.BytesIO()
    Image.fromarray(samples.astype(np.uint8)).save(file, "TIFF", tiffinfo={700: orientation.XMP})
    return still(file.getvalue(), rgba(samples / 255))


def _noted() -> Iterator[Cell]:
    yield Cell(format="TIFF", name="RGB 8, three pages", make=_pages, note="only the first of 3 pages")
    for one in (space.SRGB, space.DISPLAY_P3, space.ADOBE_RGB, space.LINEAR):
        yield Cell(format="TIFF", name=f"RGB 8, profile of {one.name}", make=partial(_described, one), space=one)


def _pages() -> Made:
    samples = pattern(3, 8)
    images = [Image.fromarray(np.roll(samples, number, axis=0).astype(np.uint8)) for number in range(3)]
    file = io.BytesIO()
    images[0].save(file, "TIFF", save_all=True, append_images=images[1:])
    return Made(content=file.getvalue(), frames=(Frame(pixels=rgba(samples / 255)),))


def _described(described: space.Space) -> Made:
    samples = pattern(3, 8)
    file = io.BytesIO()
    Image.fromarray(samples.astype(np.uint8)).save(file, "TIFF", icc_profile=space.profile(described))
    return still(file.getvalue(), rgba(samples / 255))


def _subsampled() -> Iterator[Cell]:
    for across, down in ((2, 1), (2, 2), (4, 2), (4, 4)):
        yield Cell(
            format="TIFF",
            name=f"YCbCr 8, sampling {across} x {down}",
            is_lossy=True,
            tolerance=3,
            truth="YCbCr",
            make=partial(_units, across, down),
        )


def _units(across: int, down: int) -> Made:
    samples = smooth(3, 8, (24, 16)).astype(np.uint8)
    samples[..., 1:] = samples[..., 1:][::down, ::across].repeat(down, axis=0).repeat(across, axis=1)
    data = b""
    for top, left in itertools.product(range(0, 16, down), range(0, 24, across)):
        block = samples[top : top + down, left : left + across]
        data += block[..., 0].tobytes() + block[0, 0, 1:].tobytes()
    tags = {
        256: ("H", (24,)),
        257: ("H", (16,)),
        258: ("H", (8, 8, 8)),
        259: ("H", (1,)),
        262: ("H", (YCBCR,)),
        273: ("O", (0,)),
        277: ("H", (3,)),
        278: ("H", (16,)),
        279: ("N", (len(data),)),
        530: ("H", (across, down)),
    }
    luma, blue, red = (samples[..., place].astype(float) - 128 * (place > 0) for place in range(3))
    colors = np.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], axis=2)
    return still(written(tags, [data], "<", is_big=False), rgba(np.clip(colors / 255, 0, 1)))


def _left_out() -> Iterator[Cell]:
    samples = pattern(3, 8)
    plain = Damaged(samples=samples, bits=8, photometric=RGB)
    yield Cell(
        format="TIFF",
        name="RGB 8, sizes of strips missing",
        is_bad=True,
        truth=TRUTH,
        make=partial(_content, replace(plain, without=(279,))),
    )
    yield Cell(format="TIFF", name="RGB 8, sample format missing", make=partial(_made, replace(plain, without=(339,))))
    yield Cell(format="TIFF", name="RGB 8, layout missing", make=partial(_made, replace(plain, without=(284,))))
    for bits in (1, 4, 8, 16):
        gray = Damaged(samples=pattern(1, bits), bits=bits, photometric=1, without=(262,))
        make = partial(_made, gray)
        yield Cell(format="TIFF", name=f"gray {bits}, photometric missing", make=make, bits=bits)
    mixed = replace(_plain(), tags={258: (5, 6, 5)})
    yield Cell(format="TIFF", name="RGB 5/6/5", make=partial(_content, mixed), is_bad=True, truth="bits")


def _damaged() -> Iterator[Cell]:
    changes: dict[str, Callable[[list[bytes]], list[bytes]]] = {
        "a strip cut": _with_cut,
        "a strip empty": lambda chunks: [*chunks[:1], b"", *chunks[2:]],
        "a strip damaged": _with_damage,
    }
    for (name, change), compression, is_tiled, is_planar in itertools.product(
        changes.items(), (1, 5, 8, 32_773), (False, True), (False, True)
    ):
        if compression in {1, 32_773} and change is _with_damage:
            continue  # any bytes are pixels there
        if compression == 1 and change is _with_cut:
            continue  # libtiff takes the size that it expects, if the first of them is too small
        tiff = Damaged(
            samples=pattern(3, 8),
            bits=8,
            photometric=RGB,
            compression=compression,
            is_tiled=is_tiled,
            is_planar=is_planar,
            change=change,
        )
        words = f"RGB 8, {name}, {NAMES[compression]}" + ", tiles" * is_tiled + ", planar" * is_planar
        yield _bad(words, tiff)
    for compression, is_tiled in itertools.product((1, 5, 8, 32_773), (False, True)):
        tiff = Damaged(
            samples=pattern(3, 8), bits=8, photometric=RGB, compression=compression, is_tiled=is_tiled, is_beyond=True
        )
        yield _bad(f"RGB 8, cut before its pixels, {NAMES[compression]}" + ", tiles" * is_tiled, tiff)


def _with_cut(chunks: list[bytes]) -> list[bytes]:
    return [chunks[0][: len(chunks[0]) // 2], *chunks[1:]]


def _with_damage(chunks: list[bytes]) -> list[bytes]:
    middle = len(chunks[0]) // 2
    return [chunks[0][:middle] + bytes([0, 255] * 8) + chunks[0][middle + 16 :], *chunks[1:]]


def _content(tiff: Tiff) -> Made:
    return Made(content=tiff.content(), frames=())


def _bad(name: str, tiff: Tiff) -> Cell:
    return Cell(format="TIFF", name=name, is_bad=True, truth=TRUTH, make=partial(_content, tiff))
