"""Decode the runs of compressed BMPs (BI_RLE8, BI_RLE4).

Pillow cuts runs that go beyond their row, or lets them go on in the next, and loses rows that are left out.
Source: Microsoft, Bitmap Compression.
"""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageFile

#: The name of Pillow's decoder, and of the one here.
PILLOWS, OURS = "bmp_rle", "courier_bmp_rle"
#: What follows a run of no pixels: the end of a row, or of the image, or a move; else a number of single pixels.
_ROW_ENDS, _IMAGE_ENDS, _MOVES = 0, 1, 2


def unpacked(data: bytes, size: tuple[int, int], *, is_four: bool) -> bytes:
    """Return the pixels, one a byte, rows as they are stored; those that are left out are 0.

    Raises: OSError for a run beyond its row, and for data that end too early.
    """
    width, height = size
    out, place, x, y = bytearray(width * height), 0, 0, 0
    while place + 1 < len(data):
        count, value = data[place], data[place + 1]
        place += 2
        if count:
            run = _repeated(count, value, is_four=is_four)
        elif value == _IMAGE_ENDS:
            return bytes(out)
        elif value == _ROW_ENDS:
            x, y = 0, y + 1
            continue
        elif value == _MOVES:
            x, y, place = (
                x + int.from_bytes(data[place : place + 1]),
                y + int.from_bytes(data[place + 1 : place + 2]),
                place + 2,
            )
            continue
        else:
            stored = -(-value // 2) if is_four else value
            run = _single(data[place : place + stored], value, is_four=is_four)
            place += stored + stored % 2
        if y >= height or x + len(run) > width:
            raise OSError(f"a run of pixels goes beyond the end of row {min(y, height - 1) + 1:,} of {height:,}")
        out[y * width + x : y * width + x + len(run)] = run
        x += len(run)
    if y < height - (x >= width):
        raise OSError(f"only {y:,} of {height:,} rows can be read")
    return bytes(out)


def _repeated(count: int, value: int, *, is_four: bool) -> bytes:
    return (bytes([value >> 4, value & 15]) * (count // 2 + 1))[:count] if is_four else bytes([value]) * count


def _single(stored: bytes, count: int, *, is_four: bool) -> bytes:
    return bytes(half for one in stored for half in (one >> 4, one & 15))[:count] if is_four else stored


class _Decoder(ImageFile.PyDecoder):
    _pulls_fd = True

    def decode(self, buffer: Any) -> tuple[int, int]:  # noqa: ANN401, ARG002  it reads the file
        """Decode the rest of the file. Raises: OSError."""
        data = self.fd.read() if self.fd else b""
        size = self.state.xsize, self.state.ysize
        pixels = unpacked(data, size, is_four=bool(self.args[1]))
        self.set_as_raw(pixels, "L" if self.mode in {"1", "L"} else "P", (0, self.args[-1]))
        return -1, 0


Image.register_decoder(OURS, _Decoder)
