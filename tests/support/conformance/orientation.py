"""Orientation: EXIF data that turn an image, and the same image turned upright."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from tests.support.conformance.cell import Pixels

ALL = range(1, 9)
#: What stands each orientation upright (Exif 2.32, 4.6.5.1.6).
_TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: np.rot90,
}


def upright(pixels: Pixels, number: int) -> Pixels:
    """Return pixels turned as an orientation asks."""
    return _TURNS[number](pixels)


def exif(number: int) -> bytes:
    """Return EXIF data of nothing but an orientation."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, number, 0, 0)
