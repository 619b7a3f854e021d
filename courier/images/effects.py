"""Operations on the colors of pixels, as pure functions; they keep transparency."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image, ImageChops, ImageFilter, ImageStat

from courier.images.arguments import Values
from courier.images.color import is_deep
from courier.images.operation import Apply

#: The brown of silver sulfide, which replaces white.
_SEPIA = (274, 246, 191)
#: The distance that visible colors extend into transparent pixels, and the radius of the search, in pixels.
_NEAR, _REACH = 8, 16


def on_color(work: Callable[[Image.Image], Image.Image]) -> Apply:
    """Return an operation on the colors that keeps the alpha channel."""

    def apply(image: Image.Image, _values: Values) -> Image.Image:
        if image.mode not in {"LA", "RGBA"}:
            return work(image)
        made = work(image.convert(image.mode[:-1]))
        made.putalpha(image.getchannel("A"))
        return made

    return apply


def with_value(work: Callable[[Image.Image, Any], Image.Image], name: str) -> Apply:
    """Return an operation on the colors with one argument."""
    return lambda image, values: on_color(lambda colors: work(colors, values[name]))(image, values)


def on_neighbors(work: Callable[[Image.Image, Values], Image.Image]) -> Apply:
    """Return an operation in which pixels affect their neighbors; transparent pixels do not."""

    def apply(image: Image.Image, values: Values) -> Image.Image:
        if image.mode not in {"LA", "RGBA"}:
            return work(image, values)
        made = work(filled(image).convert(image.mode[:-1]), values)
        made.putalpha(image.getchannel("A"))
        return made

    return apply


def on_histogram(work: Callable[..., Image.Image]) -> Apply:
    """Return an operation that uses the histogram of the visible pixels."""

    def apply(image: Image.Image, values: Values) -> Image.Image:
        mask = _mask(image) if image.mode in {"LA", "RGBA"} else None
        return on_color(lambda colors: work(colors, mask=mask))(image, values)

    return apply


def grayscale(image: Image.Image, _values: Values) -> Image.Image:
    """Convert to grayscale."""
    if image.mode in {"L", "LA"} or is_deep(image):
        return image
    return image.convert("LA" if image.mode == "RGBA" else "L")


def black_and_white(image: Image.Image, _values: Values) -> Image.Image:
    """Convert to dithered black and white, on a white background."""
    if image.mode in {"LA", "RGBA"}:
        image = flattened(image, "white")
    return image.convert("1")


def sepia(image: Image.Image) -> Image.Image:
    """Convert to shades of brown."""
    gray = image.convert("L")
    bands = [gray.point([min(255, level * full // 255) for level in range(256)]) for full in _SEPIA]
    return Image.merge("RGB", bands)


def enhanced(kind: Any) -> Apply:  # noqa: ANN401  one of Pillow's classes
    """Return an operation that applies one of Pillow's enhancers."""
    return with_value(lambda image, factor: kind(image).enhance(factor), "factor")


def sharpen(image: Image.Image, values: Values) -> Image.Image:
    """Sharpen the edges."""
    return image.filter(ImageFilter.UnsharpMask(radius=2, percent=values["percent"], threshold=2))


def contrast(image: Image.Image, values: Values) -> Image.Image:
    """Multiply the difference from the mean gray, which is weighted by opacity."""
    gray, weight = ImageStat.Stat(image.convert("LA").convert("La")).sum
    mean = Image.new("L", image.size, int(255 * gray / weight + 0.5) if weight else 0)
    return on_color(lambda colors: Image.blend(mean.convert(colors.mode), colors, values["factor"]))(image, values)


def blur(image: Image.Image, values: Values) -> Image.Image:
    """Blur, with colors weighted by opacity, so that transparent colors do not spread."""
    blurred = ImageFilter.GaussianBlur(values["radius"])
    if image.mode not in {"LA", "RGBA"}:
        return image.filter(blurred)
    return image.convert(f"{image.mode[:-1]}a").filter(blurred).convert(image.mode)


def filtered(kind: Any) -> Apply:  # noqa: ANN401  one of Pillow's classes
    """Return an operation that applies one of Pillow's filters."""
    return on_neighbors(lambda image, _values: image.filter(kind))


def vignette(image: Image.Image, percent: int) -> Image.Image:
    """Darken with the square of the distance from the center, by `percent` in the corners."""
    light = Image.radial_gradient("L").point([round(255 - 2.55 * percent * (far / 255) ** 2) for far in range(256)])
    light = light.resize(image.size, Image.Resampling.BICUBIC)
    return ImageChops.multiply(image, Image.merge(image.mode, [light] * len(image.getbands())))


def filled(image: Image.Image) -> Image.Image:
    """Give transparent pixels the colors of visible pixels nearby."""
    hidden = image.getchannel("A").point([255, *[0] * 255])
    box = hidden.getbbox()
    if box is None:
        return image
    left, top = max(0, box[0] - _REACH), max(0, box[1] - _REACH)
    part = (left, top, min(image.width, box[2] + _REACH), min(image.height, box[3] + _REACH))
    colors = _surroundings(image.crop(part))
    colors.putalpha(0)
    made = image.copy()
    made.paste(colors, part, hidden.crop(part))
    return made


def _surroundings(image: Image.Image) -> Image.Image:
    """Return a rough copy in the colors of nearby visible pixels, or else of any visible pixels."""
    small = image.convert(f"{image.mode[:-1]}a").reduce(_NEAR)
    *sums, weight = ImageStat.Stat(small).sum
    made = Image.new(image.mode[:-1], small.size, tuple(int(255 * total / weight) if weight else 0 for total in sums))
    near = small.convert(image.mode)
    made.paste(near.convert(made.mode), mask=near.getchannel("A"))
    return made.resize(image.size, Image.Resampling.BILINEAR)


def _mask(image: Image.Image) -> Image.Image:
    """Return a mask of the visible pixels."""
    return image.getchannel("A").point([0, *[255] * 255])


def flattened(image: Image.Image, color: str) -> Image.Image:
    """Remove transparency, on a background of one color."""
    paper = Image.new("RGBA", image.size, color)
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("L" if image.mode == "LA" else "RGB")
