"""Decode a TIFF's pixels and detect errors that Pillow ignores: in fax data and in checksums of deflated data.

libtiff continues after an invalid fax code with a message on stderr, and does not verify checksums.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator
from typing import IO, Any

from PIL import Image

from courier.text import printable

_COMPRESSION, _BIT_ORDER = 259, 266
#: Compression tags: CCITT run lengths, group 3 and group 4; the two of deflate.
_FAX, _DEFLATED = (2, 3, 4), (8, 32_946)
#: The tags of the offsets and lengths of strips or tiles.
_PLACES, _LENGTHS = (273, 324), (279, 325)
_STDERR = 2
#: The bytes inflated at once, and the maximum excess over the pixels: padding of tiles.
_PIECE, _SPARE, _MOST_A_PIXEL = 2**18, 2**24, 16


def load(image: Image.Image) -> None:
    """Decode a TIFF. Raises: OSError if its data are damaged."""
    tags: Any = getattr(image, "tag_v2", {})
    compression = tags.get(_COMPRESSION, 1)
    if compression in _DEFLATED and tags.get(_BIT_ORDER, 1) == 1:
        _check_sums(image, tags)
    if compression not in _FAX:
        image.load()
        return
    with _errors() as errors:
        image.load()
    if errors:
        raise OSError(f"libtiff reports {printable(errors[0], 100)}")


@contextlib.contextmanager
def _errors() -> Iterator[list[str]]:
    """Capture this process's stderr while the body runs, up to the size of a pipe."""
    lines: list[str] = []
    kept, (reader, writer) = os.dup(_STDERR), os.pipe()
    os.set_blocking(writer, False)
    os.dup2(writer, _STDERR)
    os.close(writer)
    try:
        yield lines
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        with open(reader, errors="replace") as file:  # noqa: PTH123  a descriptor
            lines += file.read().splitlines()


def _check_sums(image: Image.Image, tags: Any) -> None:  # noqa: ANN401  Pillow's tags
    """Inflate all strips or tiles to their ends. Raises: OSError if one is damaged."""
    file: IO[bytes] = image.fp  # type: ignore[attr-defined]
    place, left = file.tell(), image.width * image.height * _MOST_A_PIXEL + _SPARE
    for places, lengths in zip(_PLACES, _LENGTHS, strict=True):
        for number, (start, length) in enumerate(zip(tags.get(places, ()), tags.get(lengths, ()), strict=False)):
            file.seek(start)
            try:
                left -= _inflated(file.read(length), left)
            except zlib.error as error:
                raise OSError(f"the data of its part {number + 1} cannot be inflated ({error})") from error
    file.seek(place)


def _inflated(data: bytes, most: int) -> int:
    """Return the inflated size of `data` in bytes, counted up to slightly above `most`. Raises: zlib.error."""
    inflate, size, piece = zlib.decompressobj(), 0, b" "
    while piece and size < most:
        piece = inflate.decompress(data, _PIECE)
        data = inflate.unconsumed_tail
        size += len(piece)
    return size
