"""The colors of results as a program shows them that knows profiles, and those that formulas give."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

from courier.images import color
from courier.images.processor import Processed
from courier.images.profiles import srgb_curve

P3, BT2020 = 12, 9
#: From linear P3 to linear sRGB, as both have the same white (W3C, CSS Color 4).
P3_TO_SRGB = ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979))


def pixel(content: bytes) -> tuple[int, ...]:
    return tuple(Image.open(io.BytesIO(content)).convert("RGB").crop((0, 0, 1, 1)).tobytes())


def shown(result: Processed) -> tuple[int, ...]:
    """Return a result's color as a program shows it that knows profiles."""
    image: Image.Image = Image.open(io.BytesIO(result.content))
    profile = image.info.get("icc_profile")
    image = color.shallow(image, print) if color.is_deep(image) else image
    image = image.convert("L") if profile and profile[16:20] == b"GRAY" else image.convert("RGB")
    if profile:
        source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        assert converted
        image = converted
    return tuple(image.convert("RGB").crop((0, 0, 1, 1)).tobytes())


def near(one: tuple[int, ...], other: tuple[int, ...], most: int = 2) -> bool:
    return all(abs(a - b) <= most for a, b in zip(one, other, strict=True))


def in_srgb_by_formula(color: tuple[int, ...]) -> tuple[int, ...]:
    linear = [srgb_curve(level / 255) for level in color]
    found = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in P3_TO_SRGB]
    return tuple(round(255 * (12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055)) for x in found)
