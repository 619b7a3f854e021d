"""Read GIF files block by block: whether they are complete, which Pillow does not check, and their frames.

Pillow loses a frame's own gray palette, and clears a frame's area otherwise than libvips and ffmpeg: to transparent if
one of the frame's colors is transparent, else to the background color.
Source: https://www.w3.org/Graphics/GIF/spec-gif89a.txt
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL import Image

from courier.images import palette
from courier.images.canvas import Disposal, Part

_EXTENSION, _FRAME, _END = 0x21, 0x2C, 0x3B
_HAS_TABLE, _TABLE_SIZE = 0x80, 0x07
_SCREEN_BYTES, _FRAME_BYTES = 13, 10
#: The label of the graphic control extension, and its length.
_CONTROL, _CONTROL_BYTES = 0xF9, 8
#: The flag for a transparent color.
_HAS_CLEAR = 1
_GRAYS = bytes(level for level in range(256) for _ in range(3))
#: A frame with more pixels is not a valid GIF frame.
_MAX_PIXELS = 100_000_000
_DISPOSALS = {2: Disposal.CLEAR, 3: Disposal.RESTORE}


def has_end(content: bytes) -> bool:
    """Whether the blocks reach the end marker; otherwise frames may be missing."""
    place = 13 + _table_bytes(content, 10)
    while place < len(content) and content[place] != _END:
        if content[place] == _EXTENSION:
            place = _behind_blocks(content, place + 2)
        elif content[place] == _FRAME:
            place = _behind_blocks(content, place + 11 + _table_bytes(content, place + 9))
        else:
            place += 1  # as Pillow treats an unknown block
    return place < len(content)


def parts(content: bytes) -> Iterator[Part]:
    """Yield the stored frames. Raises: OSError or ValueError, as Pillow does, if one is damaged."""
    table = content[_SCREEN_BYTES : _SCREEN_BYTES + _table_bytes(content, 10)]
    start = 3 * content[11] if len(content) > _SCREEN_BYTES else 0
    background = (*table[start : start + 3], 255) if len(table) >= start + 3 else (0, 0, 0, 0)
    place, control = _SCREEN_BYTES + len(table), b""
    while place < len(content) and content[place] != _END:
        start = place
        if content[place] == _EXTENSION:
            place = _behind_blocks(content, place + 2)
            control = content[start:place] if content[start + 1 : start + 2] == bytes([_CONTROL]) else control
            continue
        if content[place] != _FRAME:
            place += 1
            continue
        place = _behind_blocks(content, place + 11 + _table_bytes(content, place + 9))
        yield _part(table, background, control, content[start:place])
        control = b""


def _part(table: bytes, background: tuple[int, ...], control: bytes, frame: bytes) -> Part:
    """Decode a frame as a GIF of its size; without a color table, its colors are grays."""
    control = control if len(control) == _CONTROL_BYTES else bytes(_CONTROL_BYTES)
    left, top, width, height = struct.unpack_from("<4H", frame.ljust(_FRAME_BYTES, b"\0"), 1)
    if width * height > _MAX_PIXELS:
        raise ValueError(f"a frame has {width} x {height} pixels")
    table = b"" if _table_bytes(frame, 9) else table or _GRAYS
    flags = _HAS_TABLE | (len(table) // 3).bit_length() - 2 if table else 0
    head = b"GIF89a" + struct.pack("<HHB2x", width, height, flags) + table
    content = head + control * any(control) + frame[:1] + bytes(4) + frame[5:] + bytes([_END])
    image = Image.open(io.BytesIO(content), formats=("GIF",))
    colors = palette.colors_of(image)
    image.load()
    if colors and (most := palette.missing(image, colors)) is not None:
        raise ValueError(palette.lacks(most, colors))
    return Part(
        image=image.convert("RGBA"), left=left, top=top, milliseconds=10.0 * int.from_bytes(control[4:6], "little"),
        disposal=_DISPOSALS.get(control[3] >> 2 & 7, Disposal.KEEP),
        cleared=(0, 0, 0, 0) if control[3] & _HAS_CLEAR else background,
    )  # fmt: skip


def _table_bytes(content: bytes, place: int) -> int:
    """Return the length of the color table that the flags at `place` describe."""
    flags = content[place] if place < len(content) else 0
    return 3 * 2 ** ((flags & _TABLE_SIZE) + 1) if flags & _HAS_TABLE else 0


def _behind_blocks(content: bytes, place: int) -> int:
    while place < len(content) and content[place]:
        place += 1 + content[place]
    return place + 1
