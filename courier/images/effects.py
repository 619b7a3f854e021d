"""Operations on the colors of pixels, as pure functions; they keep transparency."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image, ImageChops, ImageFilter, ImageStat

from courier.images.arguments import Values
from courier.images.color import is_deep
from courier.images.operation import Apply

#: The brown of silver sulphide: what a gray of 255 would be.
_SEPIA = (274, 246, 191)
#: How far visible colors are carried into invisible pixels, and the radius of the search, in pixels.
_NEAR, _REACH = 8, 16


def on_color(work: Callable[[Image.Image], Image.Image]) -> Apply:
    """Make an operation that works on the colors alone, and leaves transparency as it is."""

    def apply(image: Image.Image, _values: Values) -> Image.Image:
        if image.mode not in {"LA", "RGBA"}:
            return work(image)
        made = work(image.convert(image.mode[:-1]))
        made.putalpha(image.getchannel("A"))
        return made

    return apply


def with_value(work: Callable[[Image.Image, Any], Image.Image], name: str) -> Apply:
    """Make an operation on the colors that takes one value."""
    return lambda image, values: on_color(lambda colors: work(colors, values[name]))(image, values)


def on_neighbors(work: Callable[[Image.Image, Values], Image.Image]) -> Apply:
    """Make an operation in which pixels count for their neighbors: what is invisible counts for none."""

    def apply(image: Image.Image, values: Values) -> Image.Image:
        if image.mode not in {"LA", "RGBA"}:
            return work(image, values)
        made = work(filled(image).convert(image.mode[:-1]), values)
        made.putalpha(image.getchannel("A"))
        return made

    return apply


def on_histogram(work: Callable[..., Image.Image]) -> Apply:
    """Make an operation for which all pixels count that can be seen."""

    def apply(image: Image.Image, values: Values) -> Image.Image:
        mask = _mask(image) if image.mode in {"LA", "RGBA"} else None
        return on_color(lambda colors: work(colors, mask=mask))(image, values)

    return apply


def grayscale(image: Image.Image, _values: Values) -> Image.Image:
    """Return an image's shades of gray."""
    if image.mode in {"L", "LA"} or is_deep(image):
        return image
    return image.convert("LA" if image.mode == "RGBA" else "L")


def black_and_white(image: Image.Image, _values: Values) -> Image.Image:
    """Return an image as black and white dots, on white paper."""
    if image.mode in {"LA", "RGBA"}:
        image = flattened(image, "white")
    return image.convert("1")


def sepia(image: Image.Image) -> Image.Image:
    """Return an image's brightness as shades of brown."""
    gray = image.convert("L")
    bands = [gray.point([min(255, level * full // 255) for level in range(256)]) for full in _SEPIA]
    return Image.merge("RGB", bands)


def enhanced(kind: Any) -> Apply:  # noqa: ANN401  one of Pillow's classes
    """Make an operation of one of Pillow's enhancers."""
    return with_value(lambda image, factor: kind(image).enhance(factor), "factor")


def sharpen(image: Image.Image, values: Values) -> Image.Image:
    """Return an image with its edges steeper."""
    return image.filter(ImageFilter.UnsharpMask(radius=2, percent=values["percent"], threshold=2))


def contrast(image: Image.Image, values: Values) -> Image.Image:
    """Return an image whose distance from its mean gray is multiplied; what is transparent counts less for the mean."""
    gray, weight = ImageStat.Stat(image.convert("LA").convert("La")).sum
    mean = Image.new("L", image.size, int(255 * gray / weight + 0.5) if weight else 0)
    return on_color(lambda colors: Image.blend(mean.convert(colors.mode), colors, values["factor"]))(image, values)


def blur(image: Image.Image, values: Values) -> Image.Image:
    """Return an image blurred, with colors weighed by their opacity: what is under transparency stays there."""
    blurred = ImageFilter.GaussianBlur(values["radius"])
    if image.mode not in {"LA", "RGBA"}:
        return image.filter(blurred)
    return image.convert(f"{image.mode[:-1]}a").filter(blurred).convert(image.mode)


def filtered(kind: Any) -> Apply:  # noqa: ANN401  one of Pillow's classes
    """Make an operation of one of Pillow's filters."""
    return on_neighbors(lambda image, _values: image.filter(kind))


def vignette(image: Image.Image, percent: int) -> Image.Image:
    """Return an image that darkens with the square of the distance from its middle, by `percent` in its corners."""
    light = Image.radial_gradient("L").point([round(255 - 2.55 * percent * (far / 255) ** 2) for far in range(256)])
    light = light.resize(image.size, Image.Resampling.BICUBIC)
    return ImageChops.multiply(image, Image.merge(image.mode, [light] * len(image.getbands())))


def filled(image: Image.Image) -> Image.Image:
    """Return an image with transparency that has, where nothing can be seen, the colors of what is visible around."""
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
    """Return a rough copy of an image in the colors of what is visible, near each place, or else anywhere."""
    small = image.convert(f"{image.mode[:-1]}a").reduce(_NEAR)
    *sums, weight = ImageStat.Stat(small).sum
    made = Image.new(image.mode[:-1], small.size, tuple(int(255 * total / weight) if weight else 0 for total in sums))
    near = small.convert(image.mode)
    made.paste(near.convert(made.mode), mask=near.getchannel("A"))
    return made.resize(image.size, Image.Resampling.BILINEAR)


def _mask(image: Image.Image) -> Image.Image:
    """Return where anything can be seen of an image."""
    return image.getchannel("A").point([0, *[255] * 255])


def flattened(image: Image.Image, color: str) -> Image.Image:
    """Return an image without transparency, on paper of a color."""
    paper = Image.new("RGBA", image.size, color)
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("L" if image.mode == "LA" else "RGB")
