"""What is written for terminals, decoded again: the same image."""

from __future__ import annotations

import base64
import io
import re

import pytest
from PIL import Image, ImageChops

from courier.images import terminal_graphics
from courier.images.preview import sample, strip
from courier.images.probe import Bounds


def preview(columns: int = 20) -> Image.Image:
    files = [io.BytesIO(sample()), io.BytesIO(sample())]
    return strip(files, Bounds(megapixels=50, frames=10), cell=(8, 16), columns=columns, lines=10).image


def of_png(data: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def of_sixels(sequence: str) -> tuple[Image.Image, Image.Image]:
    """Decode sixels, as DEC's manual describes them; return the image, and where it was drawn."""
    match = re.fullmatch(r'\x1bP0;1q"1;1;(\d+);(\d+)(.*)\x1b\\', sequence, flags=re.DOTALL)
    assert match
    size = int(match[1]), int(match[2])
    image, drawn = Image.new("RGB", size), Image.new("L", size)
    palette: dict[str, tuple[int, ...]] = {}
    color, left, top = "", 0, 0
    for register, definition, times, sixel, control in re.findall(
        r"#(\d+)((?:;\d+){4})?|(?:!(\d+))?([?-~])|([$-])", match[3]
    ):
        if register:
            color = register
            if definition:
                system, *parts = map(int, definition[1:].split(";"))
                assert system == 2
                palette[color] = tuple(round(part * 255 / 100) for part in parts)
        elif control:
            left, top = 0, top + 6 * (control == "-")
        else:
            for column in range(left, left + int(times or 1)):
                for bit in range(6):
                    if (ord(sixel) - 63) >> bit & 1:
                        image.putpixel((column, top + bit), palette[color])
                        drawn.putpixel((column, top + bit), 255)
            left += int(times or 1)
    return image, drawn


def test_kitty_gets_the_very_pixels_in_chunks_that_say_whether_more_follow() -> None:
    image = preview()

    chunks = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", terminal_graphics.kitty(image, 42, 10))

    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in chunks) == terminal_graphics.kitty(image, 42, 10)
    assert chunks[0][0] == "a=T,f=100,c=42,r=10,C=1,q=2,m=1"
    assert [keys for keys, _ in chunks[1:]] == ["m=1"] * (len(chunks) - 2) + ["m=0"]
    assert max(len(data) for _, data in chunks) <= 4096
    assert of_png("".join(data for _, data in chunks)).tobytes() == image.tobytes()


def test_iterm2_gets_the_very_pixels_with_their_size() -> None:
    image = preview()

    match = re.fullmatch(
        r"\x1b\]1337;File=inline=1;size=(\d+);width=42;height=10:(\S+)\x07", terminal_graphics.iterm2(image, 42, 10)
    )

    assert match
    assert len(base64.b64decode(match[2])) == int(match[1])
    assert of_png(match[2]).tobytes() == image.tobytes()


def test_sixels_are_the_image_in_fewer_colors_and_nothing_where_it_is_transparent() -> None:
    image = preview()

    found, drawn = of_sixels(terminal_graphics.sixel(image, 42, 10))

    assert found.size == image.size
    assert drawn.tobytes() == image.getchannel("A").tobytes()
    wanted = Image.composite(image.convert("RGB"), Image.new("RGB", image.size), drawn)
    off = ImageChops.difference(found.reduce(8), wanted.reduce(8))  # dots of two colors are a third one
    assert sum(value * count for value, count in enumerate(off.convert("L").histogram())) / (off.width * off.height) < 6


@pytest.mark.parametrize("size", [(1, 1), (5, 6), (6, 7), (300, 13)])
def test_sixels_of_few_colors_are_exact(size: tuple[int, int]) -> None:
    image = Image.new("RGBA", size, (255, 0, 0, 255))
    image.paste((0, 0, 255, 255), (0, 0, (size[0] + 1) // 2, (size[1] + 1) // 2))

    found, drawn = of_sixels(terminal_graphics.sixel(image, 1, 1))

    assert found.tobytes() == image.convert("RGB").tobytes()
    assert drawn.getextrema() == (255, 255)


def test_tmux_passes_on_what_is_doubled() -> None:
    image = preview()

    for encode in (terminal_graphics.kitty, terminal_graphics.iterm2):
        plain = encode(image, 42, 10)
        parts = re.findall(r"\x1bPtmux;((?:[^\x1b]|\x1b\x1b)*)\x1b\\", terminal_graphics.in_tmux(plain))
        assert "".join(part.replace("\x1b\x1b", "\x1b") for part in parts) == plain
