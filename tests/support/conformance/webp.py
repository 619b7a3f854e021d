"""The WebPs of the matrix: with loss and without, alpha, color descriptions, orientation, animations (RFC 9649)."""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from tests.support.conformance import orientation, space
from tests.support.conformance.animation import Patch, patches, played
from tests.support.conformance.cell import HEIGHT, WIDTH, Cell, Made, Pixels, pattern, rgba, smooth, still
from tests.support.conformance.space import Space

_ICC, _ALPHA, _EXIF, _XMP, _ANIMATED = 0x20, 0x10, 0x08, 0x04, 0x02


def coded(samples: Pixels, **options: Any) -> bytes:
    """Return a plain WebP by libwebp."""
    file = io.BytesIO()
    image = Image.fromarray(samples.astype(np.uint8).squeeze())
    image.save(file, "WEBP", **options)
    return file.getvalue()


def pixel_chunks(content: bytes) -> bytes:
    """Return a plain WebP's chunks of pixels."""
    place = 12
    out = b""
    while place < len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        end = place + 8 + size + size % 2
        if name in {b"VP8 ", b"VP8L", b"ALPH"}:
            out += content[place:end]
        place = end
    return out


def extended(flags: int, chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return a WebP of extended format; a chunk without a name is there already."""
    head = struct.pack("<B3x", flags) + (WIDTH - 1).to_bytes(3, "little") + (HEIGHT - 1).to_bytes(3, "little")
    body = b"WEBP" + b"".join(
        _chunk(name, content) if name else content for name, content in [(b"VP8X", head), *chunks]
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


LOSSLESS: dict[str, Any] = {"lossless": True, "exact": True, "quality": 30, "method": 0}
LOSSY: dict[str, Any] = {"quality": 95, "method": 0}


def cells() -> Iterator[Cell]:
    """Yield the WebPs."""
    for channels, name in ((1, "gray"), (3, "RGB"), (4, "RGBA")):
        yield _cell(f"{name}, lossless", channels, LOSSLESS)
        yield _cell(f"{name}, lossy", channels, LOSSY)
        yield _cell(f"{name}, lossy, lossy alpha", channels, {**LOSSY, "alpha_quality": 50})
    yield _cell("RGBA, lossless, hidden colors not kept", 4, {**LOSSLESS, "exact": False})
    for one, (channels, options) in itertools.product(
        (space.SRGB, space.DISPLAY_P3, space.ADOBE_RGB, space.LINEAR), ((3, LOSSLESS), (4, LOSSLESS), (3, LOSSY))
    ):
        kind = "lossless" if "lossless" in options else "lossy"
        yield Cell(
            format="WEBP",
            name=f"{channels} channels, {kind}, profile of {one.name}",
            space=one,
            is_lossy=kind == "lossy",
            make=partial(_with_profile, channels, options, one),
        )
    for number in orientation.ALL:
        yield Cell(format="WEBP", name=f"RGB, orientation {number}", make=partial(_turned, number))
    name = "RGB, orientation 6 in XMP, which does not count"
    yield Cell(format="WEBP", name=name, make=_turned_by_xmp, note=orientation.XMP_NOTE)
    yield from _moving()
    yield Cell(format="WEBP", name="animated, opaque frames that are cleared", make=partial(_cleared, 0))
    yield from _cut_frames()
    yield Cell(
        format="WEBP",
        name="RGB, cut in the middle",
        is_bad=True,
        truth="damaged|cut short|incomplete",
        make=lambda: Made(content=coded(pattern(3), **LOSSLESS)[:400], frames=()),
    )


def _samples(channels: int, options: dict[str, Any]) -> Pixels:
    return pattern(channels) if "lossless" in options else smooth(channels)


def _cell(name: str, channels: int, options: dict[str, Any]) -> Cell:
    samples = _samples(channels, options)
    return Cell(
        format="WEBP",
        name=name,
        is_lossy="lossless" not in options,
        make=lambda: still(coded(samples, **options), rgba(samples / 255)),
    )


def _with_profile(channels: int, options: dict[str, Any], described: Space) -> Made:
    samples = _samples(channels, options)
    pixels = pixel_chunks(coded(samples, **options))
    flags = _ICC | _ALPHA * (channels == 4)
    content = extended(flags, [(b"ICCP", space.profile(described)), (b"", pixels)])
    return still(content, rgba(samples / 255))


def _turned_by_xmp() -> Made:
    samples = pattern(3)
    content = extended(_XMP, [(b"", pixel_chunks(coded(samples, **LOSSLESS))), (b"XMP ", orientation.XMP)])
    return still(content, rgba(samples / 255))


def _turned(number: int) -> Made:
    samples = pattern(3)
    pixels = pixel_chunks(coded(samples, **LOSSLESS))
    content = extended(_EXIF, [(b"", pixels), (b"EXIF", orientation.exif(number))])
    return still(content, orientation.upright(rgba(samples / 255), number))


def _moving() -> Iterator[Cell]:
    for dispose, blend, plays, is_hard in itertools.product((0, 1), (0, 1), (0, 3), (False, True)):
        name = f"animated, dispose {dispose}, blend {blend}, {plays} plays" + ", nothing half transparent" * is_hard
        yield Cell(
            format="WEBP",
            name=name,
            make=partial(_animated, dispose, blend, plays, is_hard=is_hard),
            tolerance=2.5,
        )


def _cleared(plays: int) -> Made:
    """Return opaque frames that are cleared to nothing, which libwebp writes without a word of transparency."""
    frames = [replace(one, pixels=_opaque(one.pixels)) for one in patches(dispose=1, blend=0)]
    chunks = [(b"ANIM", struct.pack("<IH", 0, plays)), *((b"ANMF", _frame(patch)) for patch in frames)]
    return Made(content=extended(_ANIMATED, chunks), frames=played(frames), plays=plays)


def _opaque(pixels: Pixels) -> Pixels:
    return np.concatenate([pixels[..., :3], np.full_like(pixels[..., 3:], 255)], axis=2)


def _cut_frames() -> Iterator[Cell]:
    moving = _animated(0, 0, 0, is_hard=True).content
    for share in (0.3, 0.5, 0.7, 0.9):
        yield Cell(
            format="WEBP",
            name=f"animated, cut at {share:.0%}",
            make=partial(Made, content=moving[: int(len(moving) * share)], frames=()),
            is_bad=True,
            truth="damaged|cut short|incomplete",
        )


def _animated(dispose: int, blend: int, plays: int, *, is_hard: bool) -> Made:
    frames = patches(dispose=dispose, blend=blend, is_hard=is_hard)
    chunks = [(b"ANIM", struct.pack("<IH", 0, plays)), *((b"ANMF", _frame(patch)) for patch in frames)]
    return Made(content=extended(_ANIMATED | _ALPHA, chunks), frames=played(frames), plays=plays)


def _frame(patch: Patch) -> bytes:
    height, width = patch.pixels.shape[:2]
    numbers = (patch.left // 2, patch.top // 2, width - 1, height - 1, patch.milliseconds)
    head = b"".join(number.to_bytes(3, "little") for number in numbers)
    flags = (0 if patch.blend else 2) | (patch.dispose == 1)
    return head + bytes([flags]) + pixel_chunks(coded(patch.pixels, **LOSSLESS))
