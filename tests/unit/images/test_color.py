"""Depths, profiles and transparency: what a image is in 8 bits of sRGB."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageCms

from courier.errors import NotAnImage
from courier.images import color


def profile(name: str = "LAB") -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()  # type: ignore[arg-type]


def pixel(mode: str, color: object) -> Image.Image:
    return Image.new(mode, (2, 2), color)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "is_deep"),
    [("1", False), ("L", False), ("RGB", False), ("I;16", True), ("I;16B", True), ("I", True), ("F", True)],
)
def test_gray_of_more_than_eight_bits_is_deep(mode: str, *, is_deep: bool) -> None:
    assert color.is_deep(Image.new(mode, (1, 1))) is is_deep


def test_sixteen_bits_become_eight_by_their_whole_range_and_that_is_said() -> None:
    image = Image.new("I;16", (4, 1))
    for place, value in enumerate((0, 257, 32_896, 65_535)):
        image.putpixel((place, 0), value)
    notes: list[str] = []

    made = color.shallow(image, notes.append)

    assert (made.mode, list(made.tobytes())) == ("L", [0, 1, 128, 255])
    assert len(notes) == 1
    assert "16 bits" in notes[0]


@pytest.mark.parametrize("mode", ["I", "F"])
def test_thirty_two_bits_have_no_rule_for_eight(mode: str) -> None:
    with pytest.raises(NotAnImage, match="32 bits") as raised:
        color.shallow(Image.new(mode, (1, 1)), print)

    assert raised.value.reason == "impossible"


@pytest.mark.parametrize(("mode", "value", "noted"), [("I", 0, 0), ("I", 65_535, 0), ("F", 1_200.4, 1)])
def test_thirty_two_bits_become_sixteen_where_they_fit(mode: str, value: float, noted: int) -> None:
    notes: list[str] = []

    made = color.sixteen_bits(pixel(mode, value), notes.append)

    assert (made.mode, made.getpixel((0, 0)), len(notes)) == ("I;16", round(value), noted)


def test_fractions_up_to_one_are_shares_of_white() -> None:
    image, notes = Image.new("F", (3, 1)), list[str]()
    for place, value in enumerate((0, 0.5, 1)):
        image.putpixel((place, 0), value)

    made = color.sixteen_bits(image, notes.append)

    assert [made.getpixel((place, 0)) for place in range(3)] == [0, 32_768, 65_535]
    assert notes == ["its gray from 0 to 1 was spread over 16 bits"]


def test_fractions_above_one_are_said_to_be_nearly_black() -> None:
    notes: list[str] = []

    color.sixteen_bits(pixel("F", 3.25), notes.append)

    assert notes[1:] == ["its gray goes up to 3.25 and was taken for a part of 65,535: the result is nearly black"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_one_pixel_that_is_no_number_is_rejected(value: float) -> None:
    image = pixel("F", 0.25)
    image.putpixel((1, 1), value)

    with pytest.raises(NotAnImage, match="infinite or not numbers"):
        color.sixteen_bits(image, print)


@pytest.mark.parametrize(("mode", "value"), [("I", -1), ("I", 65_536), ("F", 70_000.5), ("F", float("nan"))])
def test_what_does_not_fit_sixteen_bits_is_rejected_with_its_range(mode: str, value: float) -> None:
    with pytest.raises(NotAnImage, match="65,535"):
        color.sixteen_bits(pixel(mode, value), print)


def test_only_a_profile_that_does_something_else_is_foreign() -> None:
    assert not color.is_foreign(b"")
    assert not color.is_foreign(profile("sRGB"))
    assert color.is_foreign(profile("LAB"))
    assert color.is_foreign(b"sRGB" * 50)


@pytest.mark.parametrize(
    ("mode", "has_alpha"),
    [("RGBA", True), ("LA", True), ("PA", True), ("La", True), ("RGBa", True), ("RGB", False), ("P", False)],
)
def test_transparency_is_in_the_mode(mode: str, *, has_alpha: bool) -> None:
    assert color.has_alpha(Image.new(mode, (1, 1))) is has_alpha


def test_or_beside_it() -> None:
    image = Image.new("P", (1, 1))
    image.info["transparency"] = 0

    assert color.has_alpha(image)


@pytest.mark.parametrize(
    ("alphas", "is_see_through", "is_soft"),
    [((255, 255), False, False), ((0, 255), True, False), ((254, 255), True, True), ((1, 0), True, True)],
)
def test_how_transparent_an_image_is(alphas: tuple[int, int], *, is_see_through: bool, is_soft: bool) -> None:
    image = Image.new("RGBA", (2, 1))
    for place, alpha in enumerate(alphas):
        image.putpixel((place, 0), (9, 9, 9, alpha))

    assert color.is_see_through(image) is is_see_through
    assert color.is_soft(image) is is_soft


def test_what_has_no_alpha_is_not_see_through() -> None:
    assert not color.is_see_through(Image.new("RGB", (1, 1)))


@pytest.mark.parametrize(
    ("mode", "value", "pixel_after"),
    [
        ("L", 7, (7, 7, 7)),
        ("1", 255, (255, 255, 255)),
        ("RGB", (1, 2, 3), (1, 2, 3)),
        ("RGBA", (1, 2, 3, 4), (1, 2, 3, 4)),
        ("LA", (7, 4), (7, 7, 7, 4)),
        ("CMYK", (0, 0, 0, 0), (255, 255, 255)),
    ],
)
def test_without_a_profile_colors_are_taken_for_srgb(mode: str, value: object, pixel_after: object) -> None:
    notes: list[str] = []

    made = color.in_srgb(pixel(mode, value), b"", notes.append)

    assert made.getpixel((0, 0)) == pixel_after
    assert bool(notes) is (mode == "CMYK")


def test_a_profile_converts_the_colors_and_keeps_transparency_and_says_so() -> None:
    notes: list[str] = []
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    made = color.in_srgb(pixel("RGBA", (10, 20, 30, 40)), linear, notes.append)

    found = made.getpixel((0, 0))
    assert isinstance(found, tuple)
    assert found[3] == 40
    assert all(abs(a - b) <= 1 for a, b in zip(found[:3], (10, 20, 30), strict=True))
    assert len(notes) == 1
    assert "sRGB" in notes[0]


@pytest.mark.parametrize("broken", [b"no profile", profile("LAB")])
def test_a_profile_that_cannot_be_used_is_said_and_left_out(broken: bytes) -> None:
    notes: list[str] = []

    made = color.in_srgb(pixel("RGB", (1, 2, 3)), broken, notes.append)

    assert made.getpixel((0, 0)) == (1, 2, 3)
    assert len(notes) == 1
    assert "could not be used" in notes[0]


@pytest.mark.parametrize(
    ("space", "mode", "fits"),
    [
        (b"GRAY", "L", True),
        (b"GRAY", "I;16", True),
        (b"GRAY", "RGB", False),
        (b"RGB ", "RGB", True),
        (b"RGB ", "RGBA", True),
        (b"RGB ", "L", False),
        (b"RGB ", "1", False),
        (b"CMYK", "RGB", False),
        (b"CMYK", "L", False),
    ],
)
def test_a_profile_is_for_one_kind_of_image(space: bytes, mode: str, *, fits: bool) -> None:
    header = bytes(16) + space + bytes(20)

    assert color.fits(header, Image.new(mode, (1, 1))) is fits
    assert color.is_of_gray(header) is (space == b"GRAY")


def test_a_images_file_is_left_alone() -> None:
    file = io.BytesIO()
    pixel("RGB", (1, 2, 3)).save(file, "PNG")
    image = Image.open(io.BytesIO(file.getvalue()))

    color.in_srgb(image, b"", print)

    assert image.getpixel((0, 0)) == (1, 2, 3)
