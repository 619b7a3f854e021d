"""Write an image as the escape sequences of terminals that show images. Knows no terminal.

Sources: kitty (https://sw.kovidgoyal.net/kitty/graphics-protocol/), iTerm2
(https://iterm2.com/documentation-images.html) and DEC (VT330/VT340 Programmer Reference Manual, chapter 14).
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable

from PIL import Image

#: The most bytes of a chunk of kitty's.
_CHUNK = 4_096
#: The colors of a sixel image. Pixels that are less opaque than half stay as they are on the screen.
_COLORS = 128
_HALF = 128
#: The rows of pixels of a line of sixels.
_BAND = 6
_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)
_FIRST_SIXEL = 63

#: Writes an image over a number of columns and lines.
Encode = Callable[[Image.Image, int, int], str]


def kitty(image: Image.Image, columns: int, lines: int) -> str:
    """Return an image for kitty and those that speak its protocol; the cursor stays."""
    data = base64.standard_b64encode(_png(image)).decode()
    chunks = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
    first = f"a=T,f=100,c={columns},r={lines},C=1,q=2,"
    parts = [
        f"\x1b_G{first if number == 0 else ''}m={int(number + 1 < len(chunks))};{chunk}\x1b\\"
        for number, chunk in enumerate(chunks)
    ]
    return "".join(parts)


def iterm2(image: Image.Image, columns: int, lines: int) -> str:
    """Return an image for iTerm2 and those that speak its protocol."""
    content = _png(image)
    data = base64.standard_b64encode(content).decode()
    return f"\x1b]1337;File=inline=1;size={len(content)};width={columns};height={lines}:{data}\x07"


def sixel(image: Image.Image, columns: int, lines: int) -> str:  # noqa: ARG001  pixels are of a fixed size
    """Return an image for terminals with sixels, whose pixels are those of the screen."""
    rgba = image.convert("RGBA")
    indexed = rgba.convert("RGB").quantize(_COLORS)
    width, height = indexed.size
    colors, shown = indexed.tobytes(), rgba.getchannel("A").tobytes()
    palette = (indexed.getpalette() or [])[: 3 * _COLORS]
    used = sorted(set(colors))
    definitions = [
        f"#{index};2;" + ";".join(_percent(palette[3 * index + part]) for part in range(3)) for index in used
    ]
    bands = [_band(colors, shown, width, range(top, min(top + _BAND, height))) for top in range(0, height, _BAND)]
    return f'\x1bP0;1q"1;1;{width};{height}{"".join(definitions)}{"-".join(bands)}\x1b\\'


def in_tmux(sequence: str) -> str:
    """Return sequences for the terminal around tmux, which passes them on if its option allow-passthrough is on."""
    return "".join(
        "\x1bPtmux;" + part.replace("\x1b", "\x1b\x1b") + "\x1b\\"
        for part in re.findall(r"\x1b_G.*?\x1b\\|\x1b\]1337;.*?\x07", sequence, flags=re.DOTALL)
    )


ENCODERS: dict[str, Encode] = {"kitty": kitty, "iterm2": iterm2, "sixel": sixel}


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _percent(value: int) -> str:
    return str(round(value * 100 / 255))


def _band(colors: bytes, shown: bytes, width: int, rows: range) -> str:
    """Return a line of sixels: each color draws over the line, from its left."""
    masks: dict[int, bytearray] = {}
    for bit, row in enumerate(rows):
        start = row * width
        for column in range(width):
            if shown[start + column] >= _HALF:
                mask = masks.setdefault(colors[start + column], bytearray(width))
                mask[column] |= 1 << bit
    return "$".join(f"#{color}{_compressed(mask)}" for color, mask in masks.items())


def _compressed(mask: bytearray) -> str:
    sixels = bytes(one + _FIRST_SIXEL for one in mask.rstrip(b"\0"))
    return _RUN.sub(lambda run: b"!%d%b" % (len(run[0]), run[1]), sixels).decode()
