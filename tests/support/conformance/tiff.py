"""The TIFFs of the matrix: kinds of samples, times layouts, times compressions, times byte orders."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tests.support.conformance.cell import Cell, Made, Pixels, pattern, rgba, shades, still
from tests.support.conformance.space import Space, in_srgb
from tests.support.conformance.tiff_writer import Tiff

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, CMYK, YCBCR, LAB = 0, 1, 2, 3, 4, 5, 6, 8
NAMES = {1: "uncompressed", 5: "lzw", 8: "deflate", 32_773: "packbits", 32_946: "old deflate", 34_925: "lzma"}
#: What a rejection says that tells of the file's kind.
TRUTH = r"\bbits?\b|fraction|float|signed|planar|planes?|palette|CMYK|Lab\b|YCbCr|TIFF|channels?"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of samples."""

    name: str
    photometric: int
    channels: int
    bits: int = 8
    sample_format: int = 1
    extra: tuple[int, ...] = ()
    #: Of what a rejection is no surprise.
    is_rare: bool = False
    tolerance: float = 0.0

    @property
    def has_values(self) -> bool:
        """Whether its samples have no white."""
        return self.sample_format != 1


def kinds() -> Iterator[Kind]:
    """Yield the kinds of samples."""
    for bits in (1, 2, 4, 8, 16):
        yield Kind(name=f"gray {bits}", photometric=BLACK_IS_ZERO, channels=1, bits=bits)
        yield Kind(name=f"gray {bits}, white is zero", photometric=WHITE_IS_ZERO, channels=1, bits=bits)
    for bits in (6, 10, 12, 14, 32, 64):
        yield Kind(name=f"gray {bits}", photometric=BLACK_IS_ZERO, channels=1, bits=bits, is_rare=True)
    for bits in (8, 16, 32):
        yield Kind(
            name=f"gray {bits}, signed", photometric=BLACK_IS_ZERO, channels=1, bits=bits, sample_format=2, is_rare=True
        )
    for bits in (16, 32, 64):
        yield Kind(
            name=f"gray {bits}, fractions",
            photometric=BLACK_IS_ZERO,
            channels=1,
            bits=bits,
            sample_format=3,
            is_rare=True,
        )
    yield Kind(name="gray 32, white is zero", photometric=WHITE_IS_ZERO, channels=1, bits=32, is_rare=True)
    yield Kind(
        name="gray 32, fractions, white is zero",
        photometric=WHITE_IS_ZERO,
        channels=1,
        bits=32,
        sample_format=3,
        is_rare=True,
    )
    for bits, is_rare in ((8, False), (16, True)):
        for extra, said in ((0, "unspecified"), (1, "premultiplied alpha"), (2, "alpha")):
            yield Kind(
                name=f"gray {bits} and {said}",
                photometric=BLACK_IS_ZERO,
                channels=2,
                bits=bits,
                extra=(extra,),
                is_rare=is_rare,
                tolerance=1.01 * (extra == 1),
            )
    yield from _colored()


def _colored() -> Iterator[Kind]:
    for bits, sample_format, said in (
        (8, 1, ""),
        (16, 1, ""),
        (4, 1, ""),
        (12, 1, ""),
        (32, 1, ""),
        (32, 3, ", fractions"),
        (16, 3, ", fractions"),
    ):
        is_rare = (bits, sample_format) not in {(8, 1), (16, 1)}
        yield Kind(
            name=f"RGB {bits}{said}",
            photometric=RGB,
            channels=3,
            bits=bits,
            sample_format=sample_format,
            is_rare=is_rare,
        )
    for bits, (extra, said) in itertools.product(
        (8, 16), ((0, "unspecified"), (1, "premultiplied alpha"), (2, "alpha"))
    ):
        yield Kind(
            name=f"RGB {bits} and {said}",
            photometric=RGB,
            channels=4,
            bits=bits,
            extra=(extra,),
            tolerance=1.01 * (extra == 1),
        )
    yield Kind(name="RGB 8, alpha and unspecified", photometric=RGB, channels=5, extra=(2, 0), is_rare=True)
    yield Kind(name="RGB 16, alpha and unspecified", photometric=RGB, channels=5, bits=16, extra=(2, 0), is_rare=True)
    for bits in (1, 2, 4, 8, 16):
        yield Kind(name=f"palette {bits}", photometric=PALETTE, channels=1, bits=bits, is_rare=bits == 16)
    yield Kind(name="palette 8 and alpha", photometric=PALETTE, channels=2, extra=(2,), is_rare=True)
    for bits in (8, 16):
        yield Kind(name=f"CMYK {bits}", photometric=CMYK, channels=4, bits=bits, tolerance=1.01)
        yield Kind(name=f"Lab {bits}", photometric=LAB, channels=3, bits=bits, is_rare=True, tolerance=3)
    yield Kind(name="CMYK 8 and alpha", photometric=CMYK, channels=5, extra=(2,), is_rare=True, tolerance=1.01)
    yield Kind(name="YCbCr 8", photometric=YCBCR, channels=3, tolerance=2)
    yield Kind(name="mask 1", photometric=MASK, channels=1, bits=1, is_rare=True)


def samples_of(kind: Kind) -> Pixels:
    """Return a kind's samples."""
    bits = min(kind.bits, 52)
    samples = pattern(kind.channels, bits)
    if kind.sample_format == 2:
        return np.asarray(samples.astype(np.int64) - 2 ** (kind.bits - 1))
    if kind.sample_format == 3:
        return (samples.astype(float) / 2.0 ** (bits - 8) + 0.25).astype(f"f{kind.bits // 8}")
    if kind.photometric == LAB:
        # Colors that sRGB has: of middle lightness, and not strong.
        samples = samples // 8 * 2 + (2 ** (kind.bits - 2), 0, 2**kind.bits - 2 ** (kind.bits - 4))
        return np.asarray(samples % 2**kind.bits, np.uint64)
    if kind.extra == (1,):
        samples[..., :-1] = samples[..., :-1] * samples[..., -1:] // (2**kind.bits - 1)
    return samples


def tiff_of(kind: Kind) -> Tiff:
    """Return a kind's samples, stored plainly."""
    tags = {320: tuple(palette(kind.bits).T.reshape(-1))} if kind.photometric == PALETTE else {}
    if kind.photometric == YCBCR:
        tags = {530: (1, 1)}
    return Tiff(
        samples=samples_of(kind),
        bits=kind.bits,
        photometric=kind.photometric,
        sample_format=kind.sample_format,
        extra=kind.extra,
        tags=tags,
    )


def palette(bits: int) -> Pixels:
    """Return a palette's colors, 16 bits each."""
    return (np.arange(3 * 2**bits).reshape(-1, 3).astype(np.int64) * 9_973 % 256 * 257).astype(int)


def shown(kind: Kind) -> Pixels:
    """Return what a kind's samples look like: RGBA from 0 to 1."""
    samples = samples_of(kind)
    share = shades(samples, kind.bits)
    if kind.extra and kind.extra[-1] == 0:
        share = share[..., :-1]
    return rgba(_LOOKS.get(kind.photometric, lambda _kind, _samples, shares: shares)(kind, samples, share))


def _inverted(_kind: Kind, _samples: Pixels, share: Pixels) -> Pixels:
    return 1 - share


def _by_palette(kind: Kind, samples: Pixels, share: Pixels) -> Pixels:
    colors = palette(kind.bits)[samples[..., 0].astype(int)] / 65_535
    return np.concatenate([colors, share[..., 1:]], axis=2)


def _of_ink(_kind: Kind, _samples: Pixels, share: Pixels) -> Pixels:
    return np.concatenate([(1 - share[..., :3]) * (1 - share[..., 3:4]), share[..., 4:]], axis=2)


def _of_luma(_kind: Kind, _samples: Pixels, share: Pixels) -> Pixels:
    luma, blue, red = (share * 255)[..., 0], (share * 255)[..., 1] - 128, (share * 255)[..., 2] - 128
    colors = np.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], axis=2)
    return np.clip(colors / 255, 0, 1)


def _of_lab(kind: Kind, samples: Pixels, share: Pixels) -> Pixels:
    signed = samples[..., 1:].astype(np.int64)
    signed = (signed - 2**kind.bits * (signed >= 2 ** (kind.bits - 1))) / 2 ** (kind.bits - 8)
    middle = (share[..., 0] * 100 + 16) / 116
    cubed = np.stack([middle + signed[..., 0] / 500, middle, middle - signed[..., 1] / 200], axis=2)
    xyz = np.where(cubed > 6 / 29, cubed**3, 3 * (6 / 29) ** 2 * (cubed - 4 / 29)) * (0.9642, 1.0, 0.8249)
    to_linear = np.array(
        [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]]
    )
    light = np.concatenate([np.clip(xyz @ to_linear.T, 0, 1), np.ones_like(share[..., :1])], axis=2)
    return in_srgb(light, Space(name="linear", gamma=1.0))[..., :3]


_LOOKS = {
    WHITE_IS_ZERO: _inverted,
    PALETTE: _by_palette,
    CMYK: _of_ink,
    YCBCR: _of_luma,
    LAB: _of_lab,
}


def made(kind: Kind, stored: Tiff) -> Made:
    """Return the file and what it shows."""
    if kind.has_values:
        return Made(content=stored.content(), frames=(), values=samples_of(kind).astype(float))
    looks = shown(kind)
    if kind.extra == (1,):
        looks = np.concatenate([looks[..., :3] / np.maximum(looks[..., 3:], 1e-9), looks[..., 3:]], axis=2)
    return still(stored.content(), np.clip(looks, 0, 1))


def cells() -> Iterator[Cell]:
    """Yield the TIFFs."""
    for kind in kinds():
        plain = tiff_of(kind)
        for name, stored in _layouts(kind, plain):
            yield Cell(
                format="TIFF",
                name=f"{kind.name}, {name}",
                make=partial(made, kind, stored),
                bits=kind.bits,
                tolerance=kind.tolerance,
                truth=TRUTH if kind.is_rare or _is_rare(kind, stored) else "",
            )


def _is_rare(kind: Kind, stored: Tiff) -> bool:
    """Whether a kind that is read otherwise is not read in this layout."""
    is_gray_with_more = kind.photometric == BLACK_IS_ZERO and kind.channels > 1
    return (stored.is_big and stored.order == ">") or (stored.is_planar and is_gray_with_more)


def _layouts(kind: Kind, plain: Tiff) -> Iterator[tuple[str, Tiff]]:
    planes = (False, True) if kind.channels > 1 else (False,)
    for is_planar, is_tiled, compression, order in itertools.product(planes, (False, True), (1, 5, 8, 32_773), "<>"):
        words = ["planar"] * is_planar + ["tiles" if is_tiled else "strips", NAMES[compression]]
        stored = replace(plain, is_planar=is_planar, is_tiled=is_tiled, compression=compression, order=order)
        yield " ".join([*words, _end(order)]), stored
    yield from _variants(kind, plain)


def _variants(kind: Kind, plain: Tiff) -> Iterator[tuple[str, Tiff]]:
    """Yield what is not tried with everything else."""
    for order in "<>":
        for compression in (1, 8):
            yield (
                f"BigTIFF {NAMES[compression]} {_end(order)}",
                replace(plain, is_big=True, order=order, compression=compression),
            )
        for compression in (32_946, 34_925):
            yield f"{NAMES[compression]} {_end(order)}", replace(plain, compression=compression, order=order)
        if kind.bits in {1, 2, 4, 8}:
            for compression in (1, 5, 32_773):
                yield (
                    f"lowest bit first {NAMES[compression]} {_end(order)}",
                    replace(plain, fill_order=2, compression=compression, order=order),
                )
        for is_planar in (False, True)[: kind.channels]:
            planes = "planar " * is_planar
            for predictor in _predictors(kind):
                for compression in (5, 8):
                    name = f"{planes}{NAMES[compression]} predictor {predictor} {_end(order)}"
                    yield (
                        name,
                        replace(plain, is_planar=is_planar, predictor=predictor, compression=compression, order=order),
                    )


def _predictors(kind: Kind) -> tuple[int, ...]:
    if kind.bits not in {8, 16, 32, 64} or kind.photometric == PALETTE:
        return ()
    return (3,) if kind.sample_format == 3 else (2,)


def _end(order: str) -> str:
    return "II" if order == "<" else "MM"
