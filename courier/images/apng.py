"""Animated PNGs: their frames, composed as the PNG specification says (3rd edition, 11.3.6 and 13).

Pillow differs in semi-transparent pixels over others, cleared parts of opaque images, 16 bits, and frames after a
separate default image. Here, each stored frame becomes a PNG of its own, which Pillow decodes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL import Image

from courier.images.canvas import Disposal, Part
from courier.images.color import is_deep, shallow
from courier.images.decoding import damage, decode
from courier.images.notes import Note
from courier.images.png import SIGNATURE, packed
from courier.images.probe import Source, open_source

#: The chunks needed to decode a frame, and the chunks that store frames.
_SHARED, _OF_FRAMES = (b"PLTE", b"tRNS"), (b"fcTL", b"IDAT", b"fdAT")
#: fcTL: sequence number, size, position, duration as a fraction, disposal, blending.
_CONTROL = struct.Struct(">5I2H2B")


def parts(source: Source, note: Note) -> Iterator[Part]:
    """Yield the stored frames of an animated PNG. Raises: NotAnImage if it is damaged, or the frame count is wrong."""
    declared = int.from_bytes(source.png.chunks[b"acTL"][:4]) if source.png else 0
    count = 0
    for control, data in _stored(source):
        count += 1
        if count > declared:
            break
        yield _part(source, control, data, note)
    if count != declared:
        more = " or more" * (count > declared)
        raise damage(source.image, f"{count:,}{more} frames are there, and it says that it has {declared:,}")


def _stored(source: Source) -> Iterator[tuple[bytes, bytes]]:
    """Yield the frames' controls and data, without a default image that is not a frame."""
    control, data = b"", [b""]
    for chunk in source.png.kept if source.png else ():
        if chunk.name in _OF_FRAMES and not chunk.is_sound:
            raise damage(source.image, f"the checksum of its chunk {chunk.name.decode()} is wrong")
        if chunk.name == b"fcTL":
            if control:
                yield control, b"".join(data)
            control, data = chunk.data, []
        elif control and chunk.name in _OF_FRAMES:
            data.append(chunk.data[4:] if chunk.name == b"fdAT" else chunk.data)
    if control:
        yield control, b"".join(data)


def _part(source: Source, control: bytes, data: bytes, note: Note) -> Part:
    if len(control) != _CONTROL.size:
        raise damage(source.image, "what it says of a frame has another length")
    _, width, height, left, top, share, whole, disposal, blend = _CONTROL.unpack(control)
    if left + width > source.image.width or top + height > source.image.height or disposal not in {0, 1, 2}:
        raise damage(source.image, "a frame reaches beyond the image, or is disposed of in no known way")
    return Part(
        image=_decoded(source, (width, height), data, note), left=left, top=top,
        milliseconds=1_000 * share / (whole or 100), disposal=Disposal(disposal), is_laid_over=blend == 1,
    )  # fmt: skip


def _decoded(source: Source, size: tuple[int, int], data: bytes, note: Note) -> Image.Image:
    """Decode a frame as a PNG of its size with the shared chunks."""
    kept = source.png.kept if source.png else ()
    chunks = [(b"IHDR", struct.pack(">II", *size) + kept[0].data[8:])]
    chunks += [(chunk.name, chunk.data) for chunk in kept if chunk.name in _SHARED]
    chunks += [(b"IDAT", data), (b"IEND", b"")]
    content = SIGNATURE + b"".join(packed(name, body) for name, body in chunks)
    image = decode(open_source(io.BytesIO(content)), note)
    return (shallow(image, note) if is_deep(image) else image).convert("RGBA")
