"""Operations on colors: what is transparent keeps its transparency, and its colors affect nothing.

What Pillow makes of opaque images by the same names is in test_operations.
"""

from __future__ import annotations

import pytest
from PIL import Image

from courier.images import effects
from tests.support.image_files import applied, photo

#: Operations that look at more than a pixel.
OF_MANY = ["contrast=3", "blur=3", "sharpen=400", "edges", "emboss", "contour", "equalize", "normalize"]


def test_sepia_is_brown_from_black_to_white() -> None:
    shades = applied("sepia", Image.linear_gradient("L").convert("RGB"))

    assert shades.getpixel((0, 0)) == (0, 0, 0)
    red, green, blue = shades.getpixel((0, 128))  # type: ignore[misc]
    assert red > green > blue > 0


def test_a_vignette_darkens_corners_by_its_argument_and_leaves_the_middle() -> None:
    shaded = applied("vignette=50", Image.new("RGB", (201, 101), (200, 100, 0)))

    assert shaded.getpixel((100, 50)) == (200, 100, 0)
    corners = [shaded.getpixel(place) for place in ((0, 0), (200, 0), (0, 100), (200, 100))]
    assert all(abs(red - 100) < 4 and abs(green - 50) < 3 for red, green, _ in corners)  # type: ignore[misc]
    left = [shaded.getpixel((x, 50))[0] for x in range(100)]  # type: ignore[index]
    assert left == sorted(left)


def hiding(color: str, mode: str = "RGBA") -> Image.Image:
    """Return a photo with a transparent half of that color."""
    image = photo((64, 48))
    image.paste(color, (0, 0, 30, 48))
    image = image.convert(mode[:-1])
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 30, 48))
    image.putalpha(alpha)
    return image


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("text", [*OF_MANY, "sepia", "negate", "grayscale", "brightness=2", "vignette"])
def test_hidden_colors_change_nothing_that_is_seen_and_stay_hidden(text: str, mode: str) -> None:
    black, white = (applied(text, hiding(color, mode)) for color in ("black", "white"))

    seen = [image.crop((30, 0, 64, 48)).convert("RGBA").tobytes() for image in (black, white)]
    assert seen[0] == seen[1]
    alpha = black.getchannel("A").tobytes()
    assert alpha == white.getchannel("A").tobytes()
    assert text == "blur=3" or alpha == hiding("black").getchannel("A").tobytes()


@pytest.mark.parametrize("text", OF_MANY)
def test_an_opaque_image_with_an_alpha_channel_becomes_what_it_becomes_without(text: str) -> None:
    opaque = photo((64, 48))

    assert applied(text, opaque.convert("RGBA")).convert("RGB").tobytes() == applied(text, opaque).tobytes()


def test_an_image_of_nothing_but_transparency_is_no_error() -> None:
    for text in OF_MANY:
        assert applied(text, Image.new("RGBA", (9, 9), (9, 9, 9, 0))).getchannel("A").getextrema() == (0, 0), text


def test_gray_keeps_its_depth_and_its_transparency() -> None:
    modes = {
        mode: applied("grayscale", Image.new(mode, (2, 2))).mode for mode in ("L", "LA", "RGB", "RGBA", "I;16", "F")
    }

    assert modes == {"L": "L", "LA": "LA", "RGB": "L", "RGBA": "LA", "I;16": "I;16", "F": "F"}


def test_black_and_white_is_on_white() -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 4, 8))

    made = applied("black-and-white", image)

    assert made.mode == "1"
    assert (made.getpixel((1, 1)), made.getpixel((6, 6))) == (0, 255)


@pytest.mark.parametrize(("mode", "result"), [("RGBA", "RGB"), ("LA", "L")])
def test_without_transparency_a_background_shows_through(mode: str, result: str) -> None:
    image = Image.new("RGBA", (1, 1), (0, 0, 0, 128)).convert(mode)

    made = effects.flattened(image, "white")

    assert made.mode == result
    assert made.convert("L").getpixel((0, 0)) == 127
