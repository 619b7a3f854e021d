"""Geometric operations, as pure functions; the alpha channel moves along."""

from __future__ import annotations

from typing import Any

from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images import linear_light
from courier.images.arguments import LINEAR, Values
from courier.images.color import colored, is_deep
from courier.images.geometry import corner, place, planned_size, target, thumbnail_size, times

_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


def rotate(image: Image.Image, values: Values) -> Image.Image:
    """Rotate clockwise, on a canvas that holds the whole image."""
    degrees = values["degrees"] % 360
    if degrees in _TURNS or degrees == 0:
        return image.transpose(_TURNS[int(degrees)]) if degrees else image
    background = values["background"]
    if background in {"", "transparent"}:
        image = image if background == "" and image.mode in {"L", "RGB"} else _with_alpha(image)
        fill: Any = "white" if image.mode in {"L", "RGB"} else (0,) * len(image.getbands())
    else:
        image, fill = colored(image), background
    return image.rotate(-degrees, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=fill)


def crop(image: Image.Image, values: Values) -> Image.Image:
    """Crop. Raises: NotAnImage if the area is outside the image."""
    width, height = min(values["width"], image.width), min(values["height"], image.height)
    left, top = values["left"], values["top"]
    if values["gravity"]:
        left, top = place(image.size, (width, height), values["gravity"])
    if left >= image.width or top >= image.height:
        said = f"The crop at {left}, {top} is outside of the image of {image.width} x {image.height} pixels."
        raise NotAnImage(said, reason=Reason.IMPOSSIBLE)
    return image.crop((left, top, min(left + width, image.width), min(top + height, image.height)))


def resize(image: Image.Image, values: Values) -> Image.Image:
    """Resize, with stretching, cropping or padding."""
    size, (width, height) = planned_size(image.size, values), target(image.size, values["size"])
    scaled = linear_light.scaled if LINEAR in values else _scaled
    if values["fit"] == "cover":
        # Scale only the visible part.
        share = max(width / image.width, height / image.height)
        seen = width / share, height / share
        left, top = corner(image.size, seen, values["gravity"])
        return scaled(image, size, box=(left, top, min(left + seen[0], image.width), min(top + seen[1], image.height)))
    if values["fit"] == "contain":
        share = min(width / image.width, height / image.height)
        return _padded(scaled(image, times(image.size, share)), size, values["gravity"])
    return scaled(image, size)


def thumbnail(image: Image.Image, values: Values) -> Image.Image:
    """Reduce to fit; never enlarge."""
    return _scaled(image, thumbnail_size(image.size, values))


def border(image: Image.Image, values: Values) -> Image.Image:
    """Add a border of one color."""
    color, width = values["color"], values["width"]
    image = _with_alpha(image) if color == "transparent" else colored(image)
    framed = Image.new(image.mode, (image.width + 2 * width, image.height + 2 * width), _fill(color, image))
    framed.paste(image, (width, width))
    return framed


def _scaled(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    if size == image.size and box is None:
        return image
    resampling = Image.Resampling.BICUBIC if image.mode.startswith("I;16") else Image.Resampling.LANCZOS
    return image.resize(size, resampling, box=box, reducing_gap=1.5 if not is_deep(image) else None)


def _padded(image: Image.Image, size: tuple[int, int], gravity: str) -> Image.Image:
    color: Any = (0,) * len(image.getbands()) if image.mode in {"LA", "RGBA"} else 0 if is_deep(image) else "white"
    padded = Image.new(image.mode, size, color)
    padded.paste(image, place(size, image.size, gravity))
    return padded


def _with_alpha(image: Image.Image) -> Image.Image:
    return image if image.mode in {"LA", "RGBA"} else image.convert("LA" if image.mode == "L" else "RGBA")


def _fill(color: str, image: Image.Image) -> Any:  # noqa: ANN401  what Pillow takes for a color
    return (0,) * len(image.getbands()) if color == "transparent" else color
