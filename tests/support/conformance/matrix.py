"""The whole matrix: the cells of every format."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from tests.support.conformance import apng, avif, bmp, gif, jpeg, others, png, tiff, tiff_odd, webp
from tests.support.conformance.cell import Cell

MAKERS: dict[str, Callable[[], Iterator[Cell]]] = {
    "PNG": png.cells,
    "APNG": apng.cells,
    "TIFF": lambda: itertools.chain(tiff.cells(), tiff_odd.cells()),
    "BMP": bmp.cells,
    "GIF": gif.cells,
    "WEBP": webp.cells,
    "AVIF": avif.cells,
    "JPEG": jpeg.cells,
    "others": others.cells,
}


def cells(*formats: str) -> Iterator[Cell]:
    """Yield the cells of some formats, or of all."""
    for name, make in MAKERS.items():
        if not formats or name in formats:
            yield from make()
