"""The JPEGs of the matrix: frames, sampling, color models and their markers, restarts, orientation, several images."""

from __future__ import annotations

import io
import itertools
import re
import struct
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from tests.support.conformance import coded as given
from tests.support.conformance import orientation, space
from tests.support.conformance.cell import Cell, Frame, Made, Pixels, rgba, shades, smooth, still
from tests.support.conformance.jpeg_writer import (
    BASELINE,
    EXTENDED,
    HIERARCHICAL,
    JFIF,
    LOSSLESS,
    PROGRESSIVE,
    Component,
    Jpeg,
    adobe,
    segment,
)
from tests.support.conformance.space import Space

#: Blocks of the written ones, and the image's size, which ends within a block.
BLOCKS, SIZE = (8, 6), (61, 43)
FRAMES = {BASELINE: "baseline", EXTENDED: "extended", PROGRESSIVE: "progressive"}
GAIN_MAP = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    b"<rdf:Description xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' hdrgm:Version='1.0'/></rdf:RDF></x:xmpmeta>"
)


def cells() -> Iterator[Cell]:
    """Yield the JPEGs."""
    yield from _by_library()
    yield from _assembled()
    yield from _described()
    yield from _several()
    yield from _rejected()


def _lossy(name: str, make: Any, **options: Any) -> Cell:
    return Cell(format="JPEG", name=name, make=make, is_lossy=True, **options)


# What libjpeg writes


def _saved(samples: Pixels, mode: str, **options: Any) -> bytes:
    file = io.BytesIO()
    shape = samples.shape[1], samples.shape[0]
    image = Image.frombytes(mode, shape, samples.astype(np.uint8).tobytes())
    image.save(file, "JPEG", **{"quality": 95, **options})
    return file.getvalue()


def _library(mode: str, **options: Any) -> Made:
    samples = smooth({"L": 1, "RGB": 3, "CMYK": 4}[mode], 8, SIZE)
    shares = samples / 255
    if mode == "CMYK":
        shares = (1 - shares[..., :3]) * (1 - shares[..., 3:])
    return still(_saved(samples, mode, **options), rgba(shares))


def _by_library() -> Iterator[Cell]:
    for mode, subsampling, is_progressive, restart in itertools.product(
        ("L", "RGB", "CMYK"), ("4:4:4", "4:2:2", "4:2:0", "4:1:1"), (False, True), (0, 3)
    ):
        options: dict[str, Any] = {"progressive": is_progressive, "restart_marker_blocks": restart}
        if mode == "RGB":
            options["subsampling"] = subsampling
        elif subsampling != "4:4:4":
            continue
        name = f"{mode} {subsampling}" + ", progressive" * is_progressive + ", restarts" * bool(restart)
        yield _lossy(name, partial(_library, mode, **options))
    yield _lossy("RGB kept as RGB", partial(_library, "RGB", keep_rgb=True))
    for number in orientation.ALL:
        yield _lossy(f"RGB, orientation {number}", partial(_turned, number))
    note = {"note": orientation.XMP_NOTE}
    for name, exif in (("no EXIF", b""), ("EXIF without one", _RESOLUTION)):
        made = partial(_changed_library, xmp=orientation.XMP, exif=exif)
        yield _lossy(f"RGB, orientation 6 in XMP, which does not count, {name}", made, **note)
    made = partial(_changed_library, xmp=orientation.XMP, exif=b"Exif\0\0" + orientation.exif(1))
    yield _lossy("RGB, orientation 6 in XMP, and 1 in EXIF", made)
    yield _lossy("RGB, no end", lambda: _changed(lambda content: content[:-2]))
    yield _lossy("RGB, zeros behind the end", lambda: _changed(lambda content: content + bytes(1_000)))
    yield _lossy(
        "RGB, filling before markers", lambda: _changed(lambda content: content[:2] + b"\xff\xff" + content[2:])
    )
    for name, content in (("", given.ARITHMETIC), (", progressive", given.PROGRESSIVE_ARITHMETIC)):
        yield _lossy(
            f"RGB, arithmetic{name}", partial(still, content, rgba(smooth(3, 8, (16, 16)) / 255)), truth="arithmetic"
        )


def _turned(number: int) -> Made:
    samples = smooth(3, 8, SIZE)
    content = _saved(samples, "RGB", exif=b"Exif\0\0" + orientation.exif(number))
    return still(content, orientation.upright(rgba(samples / 255), number))


#: EXIF data of nothing but a resolution, which is read when the file is opened.
_RESOLUTION = b"Exif\0\0MM\0*" + struct.pack(">IHHHIII", 8, 1, 0x011A, 5, 1, 26, 0) + struct.pack(">II", 72, 1)


def _changed_library(**options: Any) -> Made:
    samples = smooth(3, 8, SIZE)
    return still(_saved(samples, "RGB", **options), rgba(samples / 255))


def _changed(change: Any) -> Made:
    samples = smooth(3, 8, SIZE)
    return still(change(_saved(samples, "RGB")), rgba(samples / 255))


# What is written here


def _blocks(channels: int, bits: int) -> Pixels:
    return smooth(channels, bits, BLOCKS)


def _hand(
    channels: int,
    *,
    frame: int = BASELINE,
    bits: int = 8,
    segments: bytes = b"",
    numbers: Sequence[int] = (1, 2, 3, 4),
    samplings: Sequence[tuple[int, int]] = ((1, 1),) * 4,
    model: str = "",
    restart: int = 0,
) -> Made:
    blocks = _blocks(channels, bits)
    widest, tallest = (max(one[side] for one in samplings[:channels]) for side in (0, 1))
    components = [
        Component(
            number=numbers[place],
            across=across,
            down=down,
            blocks=blocks[:: tallest // down, :: widest // across, place],
        )
        for place, (across, down) in enumerate(samplings[:channels])
    ]
    jpeg = Jpeg(components=components, size=SIZE, bits=bits, frame=frame, segments=segments, restart=restart)
    planes = [_spread(one.blocks, tallest // one.down, widest // one.across) for one in components]
    shares = _meant(shades(np.stack(planes, axis=2), bits), model)
    return still(jpeg.content(), rgba(shares))


def _filled(count: int, options: dict[str, Any]) -> Made:
    """Return a file with filling before markers, as B.1.1.2 allows."""
    made = _hand(3, **options)
    marker = re.compile(rb"\xff(?=[\xc0-\xc4\xd0-\xd7\xd9-\xdd])")
    start = len(JFIF) + 2
    content = made.content[:start] + marker.sub(b"\xff" * (count + 1), made.content[start:])
    return Made(content=content, frames=made.frames)


def _spread(blocks: Pixels, down: int, across: int) -> Pixels:
    return blocks.repeat(8 * down, axis=0).repeat(8 * across, axis=1)[: SIZE[1], : SIZE[0]]


def _meant(shares: Pixels, model: str) -> Pixels:
    """Return the colors of samples in a model."""
    if model == "YCbCr":
        return _of_luma(shares)
    if model == "CMYK":
        return np.asarray((1 - shares[..., :3]) * (1 - shares[..., 3:]))
    if model == "inverted CMYK":
        return shares[..., :3] * shares[..., 3:]
    if model == "YCCK":
        # The first three are colors for inks, which Adobe turns round, and the fourth with them.
        return (1 - _of_luma(shares[..., :3])) * shares[..., 3:]
    return shares


def _of_luma(shares: Pixels) -> Pixels:
    luma, blue, red = shares[..., 0], shares[..., 1] - 128 / 255, shares[..., 2] - 128 / 255
    colors = np.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], axis=2)
    return np.clip(colors, 0, 1)


def _assembled() -> Iterator[Cell]:
    models: dict[str, tuple[int, dict[str, Any]]] = {
        "gray": (1, {}),
        "YCbCr, JFIF": (3, {"segments": JFIF, "model": "YCbCr"}),
        "YCbCr, no marker": (3, {"model": "YCbCr"}),
        "YCbCr, Adobe 1": (3, {"segments": adobe(1), "model": "YCbCr"}),
        "RGB, Adobe 0": (3, {"segments": adobe(0)}),
        "RGB, numbers R, G, B": (3, {"numbers": b"RGB"}),
        "CMYK, Adobe 0": (4, {"segments": adobe(0), "model": "inverted CMYK"}),
        "YCCK, Adobe 2": (4, {"segments": adobe(2), "model": "YCCK"}),
    }
    for (model, (channels, options)), (frame, said), restart in itertools.product(
        models.items(), FRAMES.items(), (0, 4)
    ):
        name = f"{model}, {said}" + ", restarts" * bool(restart)
        make = partial(_hand, channels, frame=frame, restart=restart, **options)
        yield _lossy(name, make)
    for frame, restart, count in itertools.product((BASELINE, PROGRESSIVE), (0, 4), (1, 2, 20)):
        name = (
            f"YCbCr, JFIF, {FRAMES[frame]}" + ", restarts" * bool(restart) + f", markers after {count} bytes of filling"
        )
        options = {"segments": JFIF, "model": "YCbCr", "restart": restart, "frame": frame}
        yield _lossy(name, partial(_filled, count, options))
    # Whether ink is 0 or 255 then, programs do not agree about.
    yield _lossy("CMYK, no marker", partial(_hand, 4, model="CMYK"), note="CMYK", is_free=True)
    for across, down in itertools.product((1, 2, 4), (1, 2, 4)):
        samplings = ((across, down), (1, 1), (1, 1), (across, down))
        if across * down + 2 > 10:
            continue
        for model in ("YCbCr, JFIF", "RGB, Adobe 0", "YCCK, Adobe 2"):
            channels, options = models[model]
            if channels == 4 and 2 * across * down + 2 > 10:
                continue
            yield _lossy(
                f"{model}, sampling {across} x {down}", partial(_hand, channels, samplings=samplings, **options)
            )
    yield _lossy(
        "YCbCr, color finer than luma",
        partial(_hand, 3, samplings=((1, 1), (2, 1), (2, 1)), model="YCbCr", segments=JFIF),
    )
    yield _lossy("gray, sampling 2 x 2", partial(_hand, 1, samplings=((2, 2),)))
    yield _lossy("two components", partial(_hand, 2), truth="components?|channels?")


# Color descriptions, several images


def _described() -> Iterator[Cell]:
    for one in (space.SRGB, space.DISPLAY_P3, space.ADOBE_RGB, space.LINEAR):
        yield _lossy(f"RGB, profile of {one.name}", partial(_library, "RGB", icc_profile=space.profile(one)), space=one)
        yield _lossy(f"RGB, profile of {one.name} in two parts", partial(_in_parts, one), space=one)
    yield _lossy("RGB, Adobe RGB by EXIF (R03)", _by_exif, space=space.ADOBE_RGB)


def _in_parts(described: Space) -> Made:
    profile = space.profile(described)
    parts = [profile[:200], profile[200:]]
    segments = b"".join(
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 2]) + part) for number, part in enumerate(parts, 1)
    )
    return _changed(lambda content: content[:2] + segments + content[2:])


def _by_exif() -> Made:
    """Return an image whose EXIF data say uncalibrated and R03, which is Adobe RGB (DCF 2.0)."""
    start = b"MM\0*" + struct.pack(">IHHHIII", 8, 1, 0x8769, 4, 1, 26, 0)
    middle = struct.pack(">HHHIHHHHIII", 2, 0xA001, 3, 1, 65_535, 0, 0xA005, 4, 1, 56, 0)
    interop = struct.pack(">HHHI4sI", 1, 1, 2, 4, b"R03\0", 0)
    return _changed(lambda content: content[:2] + segment(0xE1, b"Exif\0\0" + start + middle + interop) + content[2:])


def _several() -> Iterator[Cell]:
    for name, note, xmp in (("two images", "only the first", b""), ("gain map", "gain map", GAIN_MAP)):
        yield _lossy(f"RGB, {name}", partial(_multiple, xmp), note=note)


def _multiple(xmp: bytes) -> Made:
    samples = smooth(3, 8, SIZE)
    images = [Image.fromarray(one.astype(np.uint8)) for one in (samples, 255 - samples)]
    file = io.BytesIO()
    options: dict[str, Any] = {"xmp": xmp} if xmp else {}
    images[0].save(file, "MPO", save_all=True, append_images=images[1:], quality=95, **options)
    return Made(content=file.getvalue(), frames=(Frame(pixels=rgba(samples / 255)),))


# What is not read


def _rejected() -> Iterator[Cell]:
    for channels, frame in itertools.product((1, 3), (EXTENDED, PROGRESSIVE)):
        yield _lossy(
            f"{channels} channels of 12 bits, {'progressive' if frame == PROGRESSIVE else 'extended'}",
            truth=r"12.bit|12 bits",
            make=partial(_hand, channels, bits=12, frame=frame),
            bits=12,
        )
    for frame, said in ((LOSSLESS, "loss"), (HIERARCHICAL, "layers"), (0xF7, "JPEG-LS"), (0xCB, "loss")):
        yield Cell(
            format="JPEG",
            name=f"frame {frame:#x}, {said}",
            is_bad=True,
            truth=said,
            make=partial(_hand, 1, frame=frame),
        )
    for share in (0.3, 0.6, 0.9):
        yield Cell(
            format="JPEG",
            name=f"RGB, cut at {share:.0%}",
            is_bad=True,
            truth="damaged|cut short|incomplete",
            make=partial(_changed, lambda content, share=share: content[: 600 + int((len(content) - 600) * share)]),
        )
