"""The AVIFs of the matrix: depths, color descriptions, subsampling, alpha, turns, clean aperture, several frames."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
from PIL import Image

from tests.support.conformance import coded as given
from tests.support.conformance import orientation, space
from tests.support.conformance.avif_writer import Avif, box, clean_aperture, coded, shown
from tests.support.conformance.cell import Cell, Frame, Made, Pixels, rgba, shades, smooth, still

SIZE = (16, 16)
#: Turns counterclockwise by quarters, and mirrors (0 upside down, 1 left to right), as orientations of EXIF have them.
TURNS = {1: 8, 2: 3, 3: 6}
MIRRORS = {0: 4, 1: 2}


def cells() -> Iterator[Cell]:
    """Yield the AVIFs."""
    yield from _stills()
    yield from _described()
    yield from _beside()
    yield from _profiled()
    yield from _turned()
    yield from _animations()
    yield Cell(
        format="AVIF",
        name="RGB, cut in the middle",
        is_bad=True,
        truth="damaged|cut short|incomplete",
        make=lambda: Made(content=_deep(3, 10).content()[:500], frames=()),
    )


def _stills() -> Iterator[Cell]:
    for channels, subsampling in itertools.product((1, 3, 4), ("4:4:4", "4:2:2", "4:2:0")):
        yield Cell(
            format="AVIF",
            name=f"{channels} channels, 8 bits, {subsampling}",
            is_lossy=True,
            make=partial(_by_pillow, channels, subsampling=subsampling),
        )
    for channels in (1, 3, 4):
        yield Cell(
            format="AVIF",
            name=f"{channels} channels, 8 bits, limited range",
            is_lossy=True,
            make=partial(_by_pillow, channels, range="limited"),
        )
    yield Cell(
        format="AVIF",
        name="RGBA, 8 bits, premultiplied",
        is_lossy=True,
        make=partial(_by_pillow, 4, alpha_premultiplied=True),
    )
    yield Cell(
        format="AVIF",
        name="RGB, 8 bits, orientation 6 in XMP, which does not count",
        is_lossy=True,
        make=partial(_by_pillow, 3, xmp=orientation.XMP),
        note=orientation.XMP_NOTE,
    )


def _animations() -> Iterator[Cell]:
    for channels, plays in itertools.product((1, 3, 4), (0, 1, 2, 5)):
        yield Cell(
            format="AVIF",
            name=f"animated, {channels} channels, 3 frames, shown {plays} times",
            is_lossy=True,
            make=partial(_moving, channels, plays),
        )


def _by_pillow(channels: int, **options: Any) -> Made:
    samples = smooth(channels, 8, SIZE)
    if channels == 4:
        samples[..., 3] = smooth(4, 8, SIZE)[..., 0]
    file = io.BytesIO()
    Image.fromarray(samples.astype(np.uint8).squeeze()).save(file, "AVIF", quality=95, speed=9, **options)
    return still(file.getvalue(), rgba(samples / 255))


def _deep(channels: int, bits: int, cicp: tuple[int, int, int] | None = (1, 13, 0)) -> Avif:
    configuration, pixels = given.AV1[bits, channels]
    return Avif(configuration=configuration, pixels=pixels, size=SIZE, bits=bits, channels=channels, cicp=cicp)


@cache
def _eight() -> tuple[bytes, bytes]:
    return coded(smooth(3, 8, SIZE))


def _plain(cicp: tuple[int, int, int] | None = (1, 13, 6), properties: tuple[bytes, ...] = ()) -> Avif:
    configuration, pixels = _eight()
    return Avif(configuration=configuration, pixels=pixels, size=SIZE, cicp=cicp, properties=properties)


def _made(
    avif: Callable[[], Avif], samples: Pixels, bits: int, change: Callable[[Pixels], Pixels] = lambda one: one
) -> Made:
    return still(avif().content(), change(rgba(shades(samples, bits))))


def _described() -> Iterator[Cell]:
    for primaries, transfer in itertools.product((1, 9, 12), (1, 8, 13, 4)):
        described = space.of_cicp(primaries, transfer)
        for bits in (8, 10, 12):
            matrix = 6 if bits == 8 else 0
            build = (
                partial(_plain, (primaries, transfer, matrix))
                if bits == 8
                else partial(_deep, 3, bits, (primaries, transfer, matrix))
            )
            yield Cell(
                format="AVIF",
                name=f"RGB, {bits} bits, CICP {primaries}/{transfer}",
                bits=bits,
                is_lossy=True,
                space=described,
                make=partial(_made, build, smooth(3, bits, SIZE), bits),
            )


def _beside() -> Iterator[Cell]:
    for bits, transfer in itertools.product((10, 12), (16, 18)):
        yield Cell(
            format="AVIF",
            name=f"RGB, {bits} bits, CICP 9/{transfer} (HDR)",
            note="dynamic range",
            is_free=True,
            truth="PQ|HLG|HDR",
            make=partial(_made, partial(_deep, 3, bits, (9, transfer, 0)), smooth(3, bits, SIZE), bits),
        )
    for bits in (10, 12):
        yield Cell(
            format="AVIF",
            name=f"gray, {bits} bits",
            bits=bits,
            is_lossy=True,
            make=partial(_made, partial(_deep, 1, bits, (1, 13, 2)), smooth(1, bits, SIZE), bits),
        )
    yield Cell(
        format="AVIF",
        name="RGB, 8 bits, no color description",
        is_lossy=True,
        make=partial(_made, partial(_plain, None), smooth(3, 8, SIZE), 8),
    )


def _profiled() -> Iterator[Cell]:
    for one in (space.SRGB, space.DISPLAY_P3, space.ADOBE_RGB, space.LINEAR):
        profile = box(b"colr", b"prof" + space.profile(one))
        yield Cell(
            format="AVIF",
            name=f"RGB, 8 bits, profile of {one.name}",
            is_lossy=True,
            space=one,
            make=partial(_made, partial(_plain, None, (profile,)), smooth(3, 8, SIZE), 8),
        )
        yield Cell(
            format="AVIF",
            name=f"RGB, 8 bits, CICP 12/13 and a profile of {one.name}",
            is_lossy=True,
            space=one,
            make=partial(_made, partial(_plain, (12, 13, 6), (profile,)), smooth(3, 8, SIZE), 8),
        )


def _turned() -> Iterator[Cell]:
    for turn, number in TURNS.items():
        yield _changed(f"turned {turn}", box(b"irot", bytes([turn])), partial(orientation.upright, number=number))
    for mirror, number in MIRRORS.items():
        yield _changed(f"mirrored {mirror}", box(b"imir", bytes([mirror])), partial(orientation.upright, number=number))
    for left, top, width, height in ((0, 0, 8, 8), (4, 2, 9, 13), (7, 0, 9, 16)):
        part = clean_aperture(width, height, left, top, SIZE)
        place = np.s_[top : top + height, left : left + width]
        yield _changed(f"clean aperture {width} x {height}", part, partial(_cut, place=place))


def _cut(pixels: Pixels, place: tuple[slice, ...]) -> Pixels:
    return pixels[place]


def _changed(name: str, change: bytes, upright: Callable[[Pixels], Pixels]) -> Cell:
    return Cell(
        format="AVIF",
        name=f"RGB, 8 bits, {name}",
        is_lossy=True,
        make=partial(_made, partial(_plain, (1, 13, 6), (change,)), smooth(3, 8, SIZE), 8, upright),
    )


def _moving(channels: int, plays: int) -> Made:
    samples = [np.roll(smooth(channels, 8, SIZE), 5 * number, axis=1) for number in range(3)]
    images = [Image.fromarray(one.astype(np.uint8).squeeze()) for one in samples]
    times, file = [100, 250, 40], io.BytesIO()
    images[0].save(file, "AVIF", save_all=True, append_images=images[1:], duration=times, quality=95, speed=9)
    frames = [Frame(pixels=rgba(one / 255), milliseconds=float(time)) for one, time in zip(samples, times, strict=True)]
    return Made(content=shown(file.getvalue(), plays), frames=tuple(frames), plays=plays)
