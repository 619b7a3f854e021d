"""Operations on what pixels look like, as pure functions; they leave transparency alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image, ImageChops, ImageFilter

from courier.images.arguments import Values
from courier.images.color import is_deep
from courier.images.operation import Apply

#: The brown of silver sulphide: what a gray of 255 would be.
_SEPIA = (274, 246, 191)


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

    def apply(image: Image.Image, values: Values) -> Image.Image:
        return on_color(lambda colors: work(colors, values[name]))(image, values)

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


def sharpen(image: Image.Image, percent: int) -> Image.Image:
    """Return an image with its edges steeper."""
    return image.filter(ImageFilter.UnsharpMask(radius=2, percent=percent, threshold=2))


def blur(image: Image.Image, values: Values) -> Image.Image:
    """Return an image blurred, with colors weighed by their opacity: what is under transparency stays there."""
    blurred = ImageFilter.GaussianBlur(values["radius"])
    if image.mode not in {"LA", "RGBA"}:
        return image.filter(blurred)
    return image.convert(f"{image.mode[:-1]}a").filter(blurred).convert(image.mode)


def filtered(kind: Any) -> Apply:  # noqa: ANN401  one of Pillow's classes
    """Make an operation of one of Pillow's filters."""
    return on_color(lambda image: image.filter(kind))


def vignette(image: Image.Image, percent: int) -> Image.Image:
    """Return an image that darkens with the square of the distance from its middle, by `percent` in its corners."""
    light = Image.radial_gradient("L").point([round(255 - 2.55 * percent * (far / 255) ** 2) for far in range(256)])
    light = light.resize(image.size, Image.Resampling.BICUBIC)
    return ImageChops.multiply(image, Image.merge(image.mode, [light] * len(image.getbands())))


def flattened(image: Image.Image, color: str) -> Image.Image:
    """Return a picture without transparency, on paper of a color."""
    paper = Image.new("RGBA", image.size, color)
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("L" if image.mode == "LA" else "RGB")
