"""Resize in linear light: average light intensities instead of encoded values.

Source of the curve: IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageMath

#: Full intensity, and its encoded value.
_LIGHT, _WHITE = 65_535, 255
#: The linear part of the curve: its upper limit and its slope.
_KNEE, _SLOPE = 0.04045, 12.92
_FILTER = Image.Resampling.LANCZOS
#: A lower opacity counts as transparent.
_CLEAR = 1 / 64


def scaled(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    """Resize a grayscale or color image, with colors weighted by opacity."""
    if size == image.size and box is None:
        return image
    alpha = image.getchannel("A") if image.mode in {"LA", "RGBA"} else None
    colors = image.split()[:-1] if alpha else image.split()
    opacity = _resized(alpha.convert("F"), size, box) if alpha else None
    bands = [_scaled(band, alpha, opacity, size, box) for band in colors]
    if alpha:
        bands.append(alpha.resize(size, _FILTER, box=box))
    return Image.merge(image.mode, bands)


def _scaled(
    band: Image.Image,
    alpha: Image.Image | None,
    opacity: Image.Image | None,
    size: tuple[int, int],
    box: tuple[float, float, float, float] | None,
) -> Image.Image:
    light = band.point(_to_light(), "F")
    if alpha:
        light = ImageMath.lambda_eval(lambda of: of["light"] * of["alpha"] / _WHITE, light=light, alpha=alpha)
    light = _resized(light, size, box)
    if opacity:
        light = ImageMath.lambda_eval(
            lambda of: of["light"] * _WHITE / of["max"](of["opacity"], _CLEAR), light=light, opacity=opacity
        )
    return light.convert("I").point(_to_values(), "L")


def _resized(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None) -> Image.Image:
    return image.resize(size, _FILTER, box=box)


@cache
def _to_light() -> list[float]:
    values = [value / _WHITE for value in range(_WHITE + 1)]
    return [_LIGHT * (value / _SLOPE if value <= _KNEE else ((value + 0.055) / 1.055) ** 2.4) for value in values]


@cache
def _to_values() -> list[int]:
    shares = [light / _LIGHT for light in range(_LIGHT + 1)]
    return [
        round(_WHITE * (share * _SLOPE if share <= _KNEE / _SLOPE else 1.055 * share ** (1 / 2.4) - 0.055))
        for share in shares
    ]
