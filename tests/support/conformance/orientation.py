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


#: XMP data that ask for a turn to the right, as no EXIF data do; browsers and libvips do not turn by them.
XMP = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    b"<rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation=\"6\"/></rdf:RDF></x:xmpmeta>"
)
#: What a note says of it.
XMP_NOTE = "orientation.*XMP"


def upright(pixels: Pixels, number: int) -> Pixels:
    """Return pixels turned as an orientation asks."""
    return _TURNS[number](pixels)


def exif(number: int) -> bytes:
    """Return EXIF data of nothing but an orientation."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, number, 0, 0)
