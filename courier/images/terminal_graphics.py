"""Write an image as the escape sequences of terminals that show images. Knows no terminal.

Sources: kitty (https://sw.kovidgoyal.net/kitty/graphics-protocol/), iTerm2
(https://iterm2.com/documentation-images.html) and DEC (VT330/VT340 Programmer Reference Manual, chapter 14).
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Sequence

from PIL import Image

#: The most bytes of a chunk of kitty's.
_CHUNK = 4_096
#: The colors of a sixel image. Pixels that are less opaque than half stay as they are on the screen.
_COLORS = 128
_HALF = 128
#: The index of pixels that are not drawn.
_HIDDEN = 255
#: The rows of pixels of a line of sixels.
_BAND = 6
_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)
#: From a byte with a bit for each of six pixels to the character that stands for them.
_AS_SIXELS = bytes(range(63, 63 + 64)) + bytes(192)

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
    rgb = image.convert("RGB")
    indexed = rgb.quantize(palette=rgb.quantize(_COLORS, Image.Quantize.FASTOCTREE), dither=Image.Dither.FLOYDSTEINBERG)
    hidden = image.convert("RGBA").getchannel("A").point(lambda opacity: 255 * (opacity < _HALF))
    width, height = indexed.size
    palette = indexed.getpalette() or []
    indexed.paste(_HIDDEN, (0, 0, width, height), hidden)
    pixels = indexed.tobytes()
    rows = [pixels[start : start + width] for start in range(0, len(pixels), width)]
    used = sorted(set(pixels) - {_HIDDEN})
    colors = "".join(f"#{one};2;{';'.join(map(_percent, palette[3 * one : 3 * one + 3]))}" for one in used)
    bands = "-".join(_band(rows[top : top + _BAND]) for top in range(0, height, _BAND))
    return f'\x1bP0;1q"1;1;{width};{height}{colors}{bands}\x1b\\'


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


def _band(rows: Sequence[bytes]) -> str:
    """Return a line of sixels: each color draws over the line, from its left."""
    return "$".join(f"#{color}{_sixels(rows, color)}" for color in sorted(set().union(*rows) - {_HIDDEN}))


def _sixels(rows: Sequence[bytes], color: int) -> str:
    """Return the sixels of a color: a byte for each column, with a bit for each row."""
    masks = 0
    for bit, row in enumerate(rows):
        is_color = bytearray(256)
        is_color[color] = 1 << bit
        masks |= int.from_bytes(row.translate(is_color))
    columns = masks.to_bytes(len(rows[0])).rstrip(b"\0")
    return _RUN.sub(lambda run: b"!%d%b" % (len(run[0]), run[1]), columns.translate(_AS_SIXELS)).decode()
