from __future__ import annotations

import io
import zlib
from typing import Any

import pytest
from PIL import Image, ImageOps

from courier.errors import InputRefused, NotAPicture
from courier.pictures import OPERATIONS, SAMPLE_NAME, process, read_header, result_name, sample

Made = dict[str, Any]


def picture(mode: str = "RGB", picture_format: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """Return a picture file with a colour gradient."""
    image = Image.open(io.BytesIO(sample())).resize(size)
    if mode == "I;16":
        image = image.convert("L").convert("I").point(lambda value: value * 257)
    image = image.convert(mode)
    file = io.BytesIO()
    image.save(file, format=picture_format, **options)
    return file.getvalue()


def do(content: bytes, operation: str = "grayscale", name: str = "cat.png", megapixels: float = 50) -> Image.Image:
    result = process(io.BytesIO(content), name=name, operation=operation, max_megapixels=megapixels)
    image = Image.open(io.BytesIO(result.content))
    image.load()
    return image


def test_grayscale_is_what_pillow_makes_of_it() -> None:
    content = picture()

    assert do(content).tobytes() == Image.open(io.BytesIO(content)).convert("L").tobytes()


def test_black_and_white_is_the_first_versions() -> None:
    content = picture()

    result = do(content, "black-and-white")

    assert result.mode == "1"
    assert result.tobytes() == Image.open(io.BytesIO(content)).convert("1").tobytes()


@pytest.mark.parametrize("operation", list(OPERATIONS))
@pytest.mark.parametrize(
    ("mode", "picture_format"),
    [
        ("1", "PNG"),
        ("L", "PNG"),
        ("P", "PNG"),
        ("RGB", "JPEG"),
        ("CMYK", "JPEG"),
        ("RGBA", "PNG"),
        ("LA", "PNG"),
        ("RGB", "GIF"),
        ("RGBA", "WEBP"),
        ("RGB", "TIFF"),
        ("CMYK", "TIFF"),
        ("RGB", "BMP"),
        ("RGB", "AVIF"),
        ("I;16", "PNG"),
        ("I;16", "TIFF"),
    ],
)
def test_every_kind_of_picture_is_worked_on(mode: str, picture_format: str, operation: str) -> None:
    result = do(picture(mode, picture_format), operation)

    assert result.size == (40, 30)
    assert len(set(result.tobytes())) > 1


@pytest.mark.parametrize(
    ("name", "operation", "target", "expected"),
    [
        ("cat.jpg", "grayscale", "JPEG", "cat-grayscale.jpg"),
        ("cat.JPEG", "grayscale", "JPEG", "cat-grayscale.JPEG"),
        ("cat.jpg", "black-and-white", "PNG", "cat.jpg.black-and-white.png"),
        ("cat.gif", "grayscale", "PNG", "cat.gif.grayscale.png"),
        ("cat", "grayscale", "PNG", "cat.grayscale.png"),
        ("a.b.png", "grayscale", "PNG", "a.b-grayscale.png"),
    ],
)
def test_the_name_says_what_was_done(name: str, operation: str, target: str, expected: str) -> None:
    assert result_name(name, operation, target) == expected


@pytest.mark.parametrize(
    ("picture_format", "kept"), [("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "WEBP"), ("TIFF", "TIFF"), ("GIF", "PNG")]
)
def test_gray_keeps_the_format_where_it_can_and_black_and_white_is_a_png(picture_format: str, kept: str) -> None:
    content = picture("RGB", picture_format)

    assert do(content).format == kept
    assert do(content, "black-and-white").format == "PNG"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_applied_once(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = picture("L", "PNG", exif=exif)

    result = do(content)

    assert result.tobytes() == ImageOps.exif_transpose(Image.open(io.BytesIO(content))).tobytes()
    assert result.getexif().get(0x0112, 1) == 1
    assert ImageOps.exif_transpose(result).tobytes() == result.tobytes()


def test_what_is_transparent_stays_so_in_gray_and_turns_white_in_black_and_white() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(file, "PNG")

    assert do(file.getvalue()).getchannel("A").getextrema() == (0, 0)
    assert do(file.getvalue(), "black-and-white").getextrema() == (255, 255)


def test_sixteen_bits_stay_sixteen_in_gray() -> None:
    file = io.BytesIO()
    Image.frombytes("I;16", (2, 1), b"\x01\x02\x03\x04").save(file, "PNG")

    assert do(file.getvalue()).tobytes() == b"\x01\x02\x03\x04"


def test_sixteen_bits_become_black_and_white_by_their_height_with_transparency_or_without() -> None:
    image = Image.frombytes("I;16", (256, 4), b"".join((level * 257).to_bytes(2, "little") for level in range(256)) * 4)
    for options in ({}, {"transparency": 0}):
        file = io.BytesIO()
        image.save(file, "PNG", **options)
        shades = list(do(file.getvalue(), "black-and-white").convert("L").tobytes())
        assert 100 < sum(shades) / len(shades) < 155


@pytest.mark.parametrize("mode", ["I", "F"])
def test_thirty_two_bits_are_refused_where_no_rule_says_what_is_black(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (8, 8), 1).save(file, "TIFF")

    with pytest.raises(NotAPicture, match="32 bits"):
        do(file.getvalue(), "black-and-white")


def test_a_colour_profile_does_not_go_into_a_gray_picture() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    assert "icc_profile" not in do(picture(icc_profile=profile)).info


def test_an_unknown_operation_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputRefused, match="no operation 'sepiaa'") as raised:
        do(picture(), "sepiaa")

    assert "grayscale or black-and-white" in raised.value.hint


@pytest.mark.parametrize("content", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        do(content)


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_picture_cut_anywhere_is_refused_or_whole_and_raises_nothing_else(picture_format: str) -> None:
    content = picture("RGB", picture_format, (120, 90))

    refused = 0
    for length in range(0, len(content), max(1, len(content) // 60)):
        try:
            do(content[:length])
        except NotAPicture:
            refused += 1

    assert refused >= 50


def test_too_many_pixels_are_refused_from_the_header() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    size = (60_000).to_bytes(4, "big") * 2
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x08\x02\x00\x00\x00") + chunk(b"IDAT", b"")

    with pytest.raises(NotAPicture, match=r"60000 x 60000 pixels \(3600.0 million\); at most 50 million"):
        do(content)


def test_an_animation_is_refused_rather_than_cut_to_one_frame() -> None:
    file = io.BytesIO()
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 100, 200)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])

    with pytest.raises(NotAPicture, match="animated"):
        do(file.getvalue())


def test_a_phones_two_pictures_in_one_jpeg_count_as_the_first() -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), shade) for shade in ("red", "blue")]
    frames[0].save(file, "MPO", save_all=True, append_images=frames[1:])

    assert do(file.getvalue(), name="p.jpg").format == "JPEG"


def test_the_sample_is_a_colourful_picture() -> None:
    header = read_header(io.BytesIO(sample()), max_megapixels=1)

    assert (header.format, header.width, header.height) == ("PNG", 640, 480)
    assert SAMPLE_NAME.endswith(".png")
    assert len(Image.open(io.BytesIO(sample())).getcolors(10**6) or []) > 1000
