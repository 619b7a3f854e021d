"""Profiles are judged by what they do; what formats say of colors in other ways becomes a profile."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from PIL import Image, ImageCms

from courier.images import profiles
from courier.images.processor import Processed
from courier.images.profiles import SRGB_PRIMARIES, Description, gamma_curve, is_srgb, made, srgb_curve
from tests.support.colors import BT2020, P3, in_srgb_by_formula, near, pixel, shown
from tests.support.image_files import chunk
from tests.support.image_files import do as processed


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def renamed(profile: bytes) -> bytes:
    return profile.replace(b"sRGB", b"mine").replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))


def do(content: bytes, operations: str = "convert=png") -> Processed:
    return processed(content, operations)


def called_srgb(profile: bytes) -> bytes:
    return profile.replace("described".encode("utf-16-be"), "sRGB     ".encode("utf-16-be"))


# What a profile does


def test_the_same_colors_are_the_same_profile_whatever_its_name_is() -> None:
    assert is_srgb(srgb())
    assert is_srgb(renamed(srgb()))
    assert is_srgb(made(SRGB_PRIMARIES, srgb_curve))
    assert is_srgb(made(SRGB_PRIMARIES, srgb_curve, gray=True))


@pytest.mark.parametrize(("primaries", "curve"), [(1, 8), (1, 4), (P3, 13), (BT2020, 13), (6, 8)])
def test_other_colors_are_another_profile_though_it_is_called_srgb(primaries: int, curve: int) -> None:
    assert not is_srgb(called_srgb(Description(primaries=primaries, curve=curve).profile()))


@pytest.mark.parametrize(
    "profile", [b"", b"sRGB" * 100, bytes(16) + b"RGB " + bytes(200), bytes(16) + b"CMYK" + bytes(200)]
)
def test_what_is_no_profile_for_an_image_is_not_srgbs(profile: bytes) -> None:
    assert not is_srgb(profile)


def test_linear_srgb_is_converted_before_operations_look_at_colors() -> None:
    file = io.BytesIO()
    linear = called_srgb(made(SRGB_PRIMARIES, gamma_curve(1)))
    Image.new("RGB", (8, 8), (55, 55, 55)).save(file, "PNG", icc_profile=linear)

    gray = do(file.getvalue(), "grayscale")

    assert near(pixel(gray.content), (128,) * 3)
    assert gray.notes == ["its colors were converted to sRGB"]


def test_a_profile_that_is_made_gives_the_colors_that_are_calculated_by_formula() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (180, 120, 90)).save(
        file, "PNG", icc_profile=Description(primaries=P3, curve=13).profile()
    )

    assert near(pixel(do(file.getvalue(), "blur").content), in_srgb_by_formula((180, 120, 90)))


@pytest.mark.parametrize("curve", [16, 18])
def test_white_of_high_dynamic_range_is_white(curve: int) -> None:
    levels = [profiles.CURVES[curve](step / 100) for step in range(101)]

    assert levels == sorted(levels)
    assert levels[0] == pytest.approx(0, abs=1e-6)
    assert levels[-1] == 1
    assert levels.index(1.0) == pytest.approx({16: 59, 18: 76}[curve], abs=2)


# PNG


def png(mode: str, color: Any, *chunks: bytes) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (8, 8), color).save(file, "PNG")
    return file.getvalue()[:33] + b"".join(chunks) + file.getvalue()[33:]


def chromaticities(primaries: tuple[float, ...]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(100_000 * x) for x in (*primaries[6:], *primaries[:6]))))


LINEAR = chunk(b"gAMA", struct.pack(">I", 100_000))
USUAL = chunk(b"gAMA", struct.pack(">I", 45_455))
IN_P3 = chromaticities(profiles.PRIMARIES[P3])
CODED_P3 = chunk(b"cICP", bytes([P3, 13, 0, 1]))
WAYS = [
    ([LINEAR], (55, 55, 55), (128, 128, 128)),
    ([USUAL, IN_P3], (180, 120, 90), in_srgb_by_formula((180, 120, 90))),
    ([IN_P3], (180, 120, 90), in_srgb_by_formula((180, 120, 90))),
    ([CODED_P3], (180, 120, 90), in_srgb_by_formula((180, 120, 90))),
    ([CODED_P3, LINEAR], (180, 120, 90), in_srgb_by_formula((180, 120, 90))),
    ([USUAL], (180, 120, 90), (180, 120, 90)),
    ([chunk(b"sRGB", b"\0"), LINEAR, IN_P3], (180, 120, 90), (180, 120, 90)),
    ([USUAL, chromaticities(SRGB_PRIMARIES)], (180, 120, 90), (180, 120, 90)),
]


@pytest.mark.parametrize("operations", ["flip", "blur", "convert=webp:100", "convert=tiff", "strip-metadata"])
@pytest.mark.parametrize(("chunks", "color", "expected"), WAYS)
def test_whatever_way_a_png_tells_its_colors_they_look_the_same_afterwards(
    chunks: list[bytes], color: tuple[int, ...], expected: tuple[int, ...], operations: str
) -> None:
    for mode in ("RGB", "RGBA"):
        content = png(mode, (*color, 255) if mode == "RGBA" else color, *chunks)
        assert near(shown(do(content, operations)), expected, 4 if "webp" in operations else 2)


@pytest.mark.parametrize(
    "operations",
    ["flip", "blur", "grayscale", "strip-metadata", "convert=jpeg:100", "convert=tiff", "convert=webp:100"],
)
def test_gray_has_a_curve_too(operations: str) -> None:
    for mode, level in (("L", 55), ("I;16", 55 * 257)):
        assert near(shown(do(png(mode, level, LINEAR), operations)), (128,) * 3, 3)


def test_pixels_stay_where_colors_do_and_a_profile_says_what_they_are() -> None:
    turned = do(png("RGB", (180, 120, 90), CODED_P3), "flip")

    assert pixel(turned.content) == (180, 120, 90)
    assert Image.open(io.BytesIO(turned.content)).info["icc_profile"]
    assert turned.notes == []


def test_what_is_not_known_of_colors_is_said() -> None:
    assert "primaries 77, curve 13" in do(png("RGB", (9, 9, 9), chunk(b"cICP", bytes([77, 13, 0, 1])))).notes[0]
    assert "taken for sRGB" in do(png("RGB", (9, 9, 9), chromaticities((0.0,) * 8))).notes[0]
    assert "high dynamic range" in do(png("RGB", (9, 9, 9), chunk(b"cICP", bytes([9, 16, 0, 1])))).notes[0]


# AVIF


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ((chunk(b"cHRM", bytes(32)),), "(primaries (0, 0, 0, 0, 0, 0, 0, 0), curve sRGB)"),
        (
            (chunk(b"cHRM", bytes(32)), LINEAR),
            "(primaries (0, 0, 0, 0, 0, 0, 0, 0), curve gamma 1)",
        ),
    ],
)
def test_what_makes_no_sense_of_colors_is_said_in_words(chunks: tuple[bytes, ...], said: str) -> None:
    assert said in do(png("RGB", (9, 9, 9), *chunks)).notes[0]


def coded(content: bytes, primaries: int, curve: int) -> bytes:
    place = content.index(b"nclx") + 4
    return content[:place] + struct.pack(">HH", primaries, curve) + content[place + 4 :]


def in_avif(color: tuple[int, ...] = (180, 120, 90)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), color).save(file, "AVIF", quality=100, subsampling="4:4:4")
    return file.getvalue()


@pytest.mark.parametrize(
    "operations", ["flip", "blur", "convert=png", "thumbnail=8", "convert=jpeg:100", "strip-metadata"]
)
def test_an_avifs_colors_look_the_same_afterwards(operations: str) -> None:
    found = shown(do(coded(in_avif(), P3, 13), operations))

    assert near(found, in_srgb_by_formula((180, 120, 90)), 5)
    assert near(shown(do(in_avif(), operations)), (180, 120, 90), 5)


# JPEG; TIFF and BMP are in test_descriptions

#: Adobe RGB's (180, 120, 90) in sRGB, by the usual matrices from and to XYZ.
ADOBE_COLOR = (199, 121, 88)


def test_a_jpeg_that_dcf_calls_adobe_rgb_is_converted() -> None:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 0xFFFF, 0xA005: {1: "R03"}}
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (180, 120, 90)).save(file, "JPEG", quality=100, subsampling=0, exif=exif)

    for operations in ("flip", "sharpen", "convert=png"):
        made_image = do(file.getvalue(), operations)
        assert near(shown(made_image), ADOBE_COLOR, 3), operations
        # What was true of the source's colors alone does not go along.
        assert 0xA001 not in Image.open(io.BytesIO(made_image.content)).getexif().get_ifd(0x8769)
