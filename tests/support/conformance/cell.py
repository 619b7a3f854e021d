"""A cell of the conformance matrix: an image file made from known samples, and what its pixels must become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.conformance.space import Space

Pixels = NDArray[Any]
#: Odd on purpose: rows end within a byte, and tiles reach over the edge.
WIDTH, HEIGHT = 21, 18


@dataclass(frozen=True, kw_only=True)
class Frame:
    """RGBA from 0 to 1 as stored in the file, and for how many milliseconds it is shown."""

    pixels: Pixels
    milliseconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Made:
    """A file, and what it shows."""

    content: bytes
    frames: tuple[Frame, ...]
    #: The numbers themselves, of samples that have no white: signed, fractions, 32 bits.
    values: Pixels | None = None
    #: How often an animation is shown, 0 forever; None where that is not looked at.
    plays: int | None = None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One file of the matrix."""

    format: str
    name: str
    make: Callable[[], Made]
    #: Bits of a sample; more than 8 may become 8 where a note says so.
    bits: int = 8
    #: How far a pixel may be off, of 255, for what the source's own coding leaves open.
    tolerance: float = 0.0
    #: Whether the source is coded with loss.
    is_lossy: bool = False
    #: What the samples mean; None for sRGB, or not said.
    space: Space | None = None
    #: What a rejection must say to be true; empty where the file must not be rejected.
    truth: str = ""
    #: Whether the file must be rejected.
    is_bad: bool = False
    #: What a note must say, whatever the pixels; empty for nothing.
    note: str = ""
    #: Whether the pixels are free, since nothing says what they must become.
    is_free: bool = False


def pattern(channels: int, bits: int = 8, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Pixels:
    """Return whole samples (rows, columns, channels) of all magnitudes."""
    y, x, c = np.mgrid[: size[1], : size[0], :channels].astype(float)
    share = (x * 0.0561 + y * 0.1527 + c * 0.3053 + x * y * 0.0031) % 1.0
    return np.asarray(np.rint(share * (2.0**bits - 1)), np.uint64)


def smooth(channels: int, bits: int = 8, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Pixels:
    """Return whole samples that change slowly, for codings with loss."""
    y, x, c = np.mgrid[: size[1], : size[0], :channels].astype(float)
    share = 0.05 + 0.3 * x / size[0] + 0.2 * y / size[1] + 0.4 * c / max(1, channels - 1)
    return np.asarray(np.rint(share * (2.0**bits - 1)), np.uint64)


def shades(samples: Pixels, bits: int) -> Pixels:
    """Return whole samples as shares from 0 to 1."""
    return samples.astype(float) / (2.0**bits - 1)


def rgba(shares: Pixels) -> Pixels:
    """Return shares of gray, gray and alpha, RGB or RGBA as RGBA."""
    channels = shares.shape[2]
    color = shares[..., :1].repeat(3, axis=2) if channels <= 2 else shares[..., :3]
    alpha = shares[..., -1:] if channels in {2, 4} else np.ones_like(shares[..., :1])
    return np.concatenate([color, alpha], axis=2)


def still(content: bytes, pixels: Pixels) -> Made:
    """Return a file that shows one image."""
    return Made(content=content, frames=(Frame(pixels=pixels),))
