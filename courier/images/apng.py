"""Animated PNGs: their frames, put together as the PNG specification says (3rd edition, 11.3.6 and 13).

Pillow puts them together otherwise: half transparent pixels laid over others, cleared parts of opaque images, 16 bits,
and what follows a default image of its own. Here each stored frame becomes a PNG that Pillow decodes alone.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from courier.images.color import is_deep, shallow
from courier.images.decoding import damage, decode
from courier.images.notes import Note
from courier.images.png import SIGNATURE, packed
from courier.images.probe import Source, open_source

#: What a frame's pixels cannot be decoded without, and what frames are stored in.
_SHARED, _OF_FRAMES = (b"PLTE", b"tRNS"), (b"fcTL", b"IDAT", b"fdAT")
_CLEAR, _RESTORE = 1, 2


@dataclass(frozen=True, kw_only=True)
class _Control:
    """What a frame control chunk says."""

    width: int
    height: int
    left: int
    top: int
    milliseconds: float
    dispose: int
    is_laid_over: bool

    @property
    def box(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.left + self.width, self.top + self.height


def frames(source: Source, note: Note) -> Iterator[tuple[Image.Image, float]]:
    """Yield each frame of an animated PNG whole, in RGBA, and for how many milliseconds it is shown.

    Raises: NotAPicture for what is damaged, or has other frames than it says.
    """
    found = source.png
    canvas, count = Image.new("RGBA", source.image.size), 0
    for control, data in _stored(source):
        part = _decoded(source, control, data, note)
        before = canvas.copy() if control.dispose == _RESTORE and count else None
        count += 1
        if control.is_laid_over:
            canvas.alpha_composite(part, (control.left, control.top))
        else:
            canvas.paste(part, (control.left, control.top))
        yield canvas.copy(), control.milliseconds
        if before:
            canvas = before
        elif control.dispose in {_CLEAR, _RESTORE}:
            canvas.paste((0, 0, 0, 0), control.box)
    told = int.from_bytes(found.chunks[b"acTL"][:4]) if found else 0
    if count != told:
        raise damage(source.image, f"{count:,} frames are there, and it says that it has {told:,}")


def _stored(source: Source) -> Iterator[tuple[_Control, bytes]]:
    """Yield frames with their data; a default image that is none of them is passed over."""
    control, data = None, b""
    for chunk in source.png.kept if source.png else ():
        if chunk.name in _OF_FRAMES and not chunk.is_sound:
            raise damage(source.image, f"the checksum of its chunk {chunk.name.decode()} is wrong")
        if chunk.name == b"fcTL":
            if control:
                yield control, data
            control, data = _control(chunk.data), b""
        elif control and chunk.name in _OF_FRAMES:
            data += chunk.data[4:] if chunk.name == b"fdAT" else chunk.data
    if control:
        yield control, data


def _control(body: bytes) -> _Control:
    _, width, height, left, top, share, whole, dispose, blend = struct.unpack(">5I2H2B", body)
    return _Control(
        width=width, height=height, left=left, top=top, milliseconds=1_000 * share / (whole or 100), dispose=dispose,
        is_laid_over=blend == 1,
    )  # fmt: skip


def _decoded(source: Source, control: _Control, data: bytes, note: Note) -> Image.Image:
    """Return a frame's own pixels: those of a PNG of its size, with what all frames share."""
    kept = source.png.kept if source.png else ()
    size = struct.pack(">II", control.width, control.height)
    shared = b"".join(packed(chunk.name, chunk.data) for chunk in kept if chunk.name in _SHARED)
    content = (
        SIGNATURE + packed(b"IHDR", size + kept[0].data[8:]) + shared + packed(b"IDAT", data) + packed(b"IEND", b"")
    )
    image = decode(open_source(io.BytesIO(content)), note)
    return (shallow(image, note) if is_deep(image) else image).convert("RGBA")
