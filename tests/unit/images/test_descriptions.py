"""What TIFF and BMP say of colors without a profile is read, if it makes sense."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from courier.images import descriptions, profiles
from courier.images.profiles import Description
from tests.support.colors import P3, in_srgb_by_formula, near, shown
from tests.support.image_files import do, encoded


def test_a_tiff_that_names_its_primaries_is_converted() -> None:
    file = io.BytesIO()
    primaries = profiles.PRIMARIES[P3]
    tags = {319: primaries[:6], 318: primaries[6:]}
    Image.new("RGB", (16, 16), (180, 120, 90)).save(file, "TIFF", tiffinfo=tags)

    assert near(shown(do(file.getvalue(), "flip")), in_srgb_by_formula((180, 120, 90)))


def bmp(kind: bytes, *numbers: int, profile: bytes = b"") -> bytes:
    """Return a BMP of 8 x 8 pixels with a header of version 5."""
    pixels = bytes((90, 120, 180)) * 64
    header = struct.pack("<IiiHHIIiiII", 124, 8, 8, 1, 24, 0, len(pixels), 0, 0, 0, 0) + bytes(16) + kind
    points = struct.pack("<12i", *(numbers or (0,) * 12))
    tail = struct.pack("<IIII", 4, 124 + len(pixels), len(profile), 0)
    size = 14 + 124 + len(pixels) + len(profile)
    return struct.pack("<2sIHHI", b"BM", size, 0, 0, 138) + header + points + tail + pixels + profile


def test_a_bmp_that_is_calibrated_or_has_a_profile_is_converted() -> None:
    white = 1 / 0.3290
    columns = [(0.4866, 0.2290, 0.0), (0.2657, 0.6917, 0.0451), (0.1982, 0.0793, 1.0439)]
    points = [round(part * 2**30 / white) for column in columns for part in column]
    linear = bmp(b"\0\0\0\0", *points, *[2**16] * 3)
    in_p3 = bmp(b"DEBM", profile=Description(primaries=P3, curve=13).profile())
    plain = bmp(b"BGRs")

    assert near(shown(do(in_p3, "convert=png")), in_srgb_by_formula((180, 120, 90)))
    assert near(shown(do(plain, "convert=png")), (180, 120, 90), 0)
    assert near(shown(do(bmp(b"\0\0\0\0"), "convert=png")), (180, 120, 90), 0)
    assert shown(do(linear, "convert=png"))[1] > 160


def test_a_tiff_needs_all_eight_numbers() -> None:
    primaries = profiles.PRIMARIES[P3]

    def of(tags: dict[int, tuple[float, ...]]) -> Description | None:
        return descriptions.of_tiff(Image.open(io.BytesIO(encoded("TIFF", tiffinfo=tags))))

    found = of({319: primaries[:6], 318: primaries[6:]})

    assert found
    assert found.primaries == pytest.approx(primaries)
    assert of({319: primaries[:6]}) is None
    assert of({}) is None
    assert descriptions.of_tiff(Image.new("RGB", (1, 1))) is None


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        (b"BGRs", [1] * 9 + [2**16] * 3),
        (bytes(4), [1] * 6 + [0] * 3 + [2**16] * 3),
        (bytes(4), [1] * 9 + [0] * 3),
        (bytes(4), [1] * 9 + [-1] * 3),
    ],
)
def test_a_bmp_that_is_not_calibrated_has_no_description(kind: bytes, points: list[int]) -> None:
    file = io.BytesIO(bmp(kind, *points))
    file.seek(5)

    assert descriptions.of_bmp(Image.open(file), file) is None


def test_a_bmps_gamma_is_its_curve_and_the_file_is_left_at_its_place() -> None:
    content = bmp(bytes(4), *[2, 1, 1] * 3, *[2 * 2**16] * 3)
    file = io.BytesIO(content)
    image = Image.open(io.BytesIO(content))
    file.seek(5)

    found = descriptions.of_bmp(image, file)

    assert found
    assert callable(found.curve)
    assert found.curve(0.5) == pytest.approx(0.25)
    assert found.primaries == pytest.approx((0.5, 0.25) * 4)
    assert file.tell() == 5
    for length in range(14, 122, 9):
        assert descriptions.of_bmp(image, io.BytesIO(content[:length])) is None
    assert descriptions.of_bmp(Image.open(io.BytesIO(encoded("PNG"))), file) is None
