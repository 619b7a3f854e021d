"""Color: bit depths, profiles, and conversion to 8 bits of sRGB."""

from __future__ import annotations

import io
from typing import cast

from PIL import Image, ImageCms

from courier.errors import NotAnImage, Reason
from courier.images import profiles
from courier.images.notes import Note

#: White in 16 bits.
_MOST = 65_535
#: Below it, gray of 16 bits looks black: one percent of white.
_DARK = 655


def is_deep(image: Image.Image) -> bool:
    """Whether an image is grayscale with more than 8 bits."""
    return image.mode in {"I", "F"} or image.mode.startswith("I;16")


def shallow(image: Image.Image, note: Note) -> Image.Image:
    """Convert deep grayscale to 8 bits. Raises: NotAnImage for 32 bits, whose range is undefined."""
    if image.mode in {"I", "F"}:
        raise NotAnImage(
            "The image has 32 bits of gray, and there is no rule to convert them to 8.", reason=Reason.IMPOSSIBLE
        )
    note("its 16 bits of gray became 8")
    return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")


def sixteen_bits(image: Image.Image, note: Note) -> Image.Image:
    """Convert 32-bit grayscale to 16 bits, floats from 0 to 1 included. Raises: NotAnImage for values out of range."""
    if image.mode == "F" and image.point(lambda value: value * 0).getbbox():
        # Pillow's extrema ignore NaN.
        said = f"The image has gray values that are infinite or not numbers; only 0 to {_MOST:,} fit 16 bits."
        raise NotAnImage(said, reason=Reason.IMPOSSIBLE)
    low, high = cast("tuple[float, float]", image.getextrema())
    if not 0 <= low <= high <= _MOST:
        said = f"The image has gray values from {low:g} to {high:g}; only 0 to {_MOST:,} fit 16 bits."
        raise NotAnImage(said, reason=Reason.IMPOSSIBLE)
    if image.mode == "F":
        is_share = high <= 1
        note("its gray from 0 to 1 was spread over 16 bits" if is_share else "its fractions of gray were rounded")
        if not is_share and high < _DARK:
            note(f"its gray goes up to {high:g} and was taken for a part of {_MOST:,}: the result is nearly black")
        image = image.point(lambda value: value * (_MOST if is_share else 1) + 0.5)
    return image.convert("I").convert("I;16")


def is_foreign(profile: bytes) -> bool:
    """Whether there is a color profile other than sRGB."""
    return bool(profile) and not profiles.is_srgb(profile)


def in_srgb(image: Image.Image, profile: bytes, note: Note) -> Image.Image:
    """Convert an image to sRGB by its profile, if that is readable. Keeps transparency."""
    alpha = image.convert("RGBA").getchannel("A") if has_alpha(image) else None
    base = image.convert("RGB") if image.mode in {"P", "PA", "RGBA", "RGBa"} else image
    base = base.convert("L") if base.mode in {"1", "LA", "La"} else base
    made = _by_profile(base, profile, note) if profile else None
    if made is None and image.mode == "CMYK":
        note("its CMYK colors became RGB")
    made = made or base.convert("RGB")
    if alpha is not None:
        made.putalpha(alpha)
    return made


def colored(image: Image.Image) -> Image.Image:
    """Return an image in a mode with colors."""
    return image if image.mode in {"RGB", "RGBA"} else image.convert("RGBA" if image.mode == "LA" else "RGB")


def has_alpha(image: Image.Image) -> bool:
    """Whether an image has an alpha channel or a transparent color."""
    return image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info


def is_see_through(image: Image.Image) -> bool:
    """Whether any pixel is not opaque."""
    return image.mode in {"LA", "RGBA"} and image.getchannel("A").getextrema()[0] != 255  # noqa: PLR2004


def is_soft(image: Image.Image) -> bool:
    """Whether any pixel is partly transparent."""
    return any(image.getchannel("A").histogram()[1:255])


def _by_profile(image: Image.Image, profile: bytes, note: Note) -> Image.Image | None:
    try:
        made = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        note("its color profile could not be used")
        return None
    note("its colors were converted to sRGB")
    return made


def is_of_gray(profile: bytes) -> bool:
    """Whether a profile is for grayscale images, by the color space in its header (ICC.1, 7.2.8)."""
    return profile[16:20] == b"GRAY"


def fits(profile: bytes, image: Image.Image) -> bool:
    """Whether a profile's color space matches an image's mode."""
    return is_of_gray(profile) if image.mode in {"1", "L", "LA", "I;16", "I", "F"} else profile[16:20] == b"RGB "
