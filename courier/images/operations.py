"""The operations: pure functions of images, one for each name of `courier.images.pipeline`.

They take images that `courier.images.formats` has made workable: L, LA, RGB, RGBA, or gray of 16 or 32 bits (I;16,
I, F). Color operations leave transparency alone, geometry moves it along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from courier.errors import NotAPicture, Reason
from courier.images.arguments import Values
from courier.images.color import is_deep
from courier.images.geometry import corner, place, planned_size, target, thumbnail_size, times
from courier.images.pipeline import Step

Operation = Callable[[Image.Image, Values], Image.Image]

#: What gray of more than 8 bits can be given to.
_KEEPS_DEPTH = frozenset(
    {"grayscale", "rotate", "flip", "flop", "crop", "resize", "thumbnail", "strip-metadata", "convert"}
)
#: The brown of silver sulphide: what a gray of 255 would be.
_SEPIA = (274, 246, 191)
#: A watermark's height, of the picture's shorter side; how far it is from the edge, of its own height.
_WATERMARK_SHARE = 0.05
_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


def _on_color(work: Callable[[Image.Image], Image.Image]) -> Operation:
    """Make an operation that works on the colors alone, and leaves transparency as it is."""

    def apply(image: Image.Image, _values: Values) -> Image.Image:
        if image.mode not in {"LA", "RGBA"}:
            return work(image)
        made = work(image.convert(image.mode[:-1]))
        made.putalpha(image.getchannel("A"))
        return made

    return apply


def _with(work: Callable[[Image.Image, Any], Image.Image], name: str) -> Operation:
    """Make an operation on the colors that takes one value."""

    def apply(image: Image.Image, values: Values) -> Image.Image:
        return _on_color(lambda colors: work(colors, values[name]))(image, values)

    return apply


def _grayscale(image: Image.Image, _values: Values) -> Image.Image:
    if image.mode in {"L", "LA"} or is_deep(image):
        return image
    return image.convert("LA" if image.mode == "RGBA" else "L")


def _black_and_white(image: Image.Image, _values: Values) -> Image.Image:
    if image.mode in {"LA", "RGBA"}:
        image = flattened(image, "white")
    return image.convert("1")


def _sepia(image: Image.Image) -> Image.Image:
    gray = image.convert("L")
    bands = [gray.point([min(255, level * full // 255) for level in range(256)]) for full in _SEPIA]
    return Image.merge("RGB", bands)


def _enhancer(kind: Any) -> Callable[[Image.Image, float], Image.Image]:  # noqa: ANN401  one of Pillow's classes
    return lambda image, factor: kind(image).enhance(factor)


def _sharpen(image: Image.Image, percent: int) -> Image.Image:
    return image.filter(ImageFilter.UnsharpMask(radius=2, percent=percent, threshold=2))


def _blur(image: Image.Image, values: Values) -> Image.Image:
    # With colors weighed by their opacity, so that what is under transparency does not come to light.
    blurred = ImageFilter.GaussianBlur(values["radius"])
    if image.mode not in {"LA", "RGBA"}:
        return image.filter(blurred)
    return image.convert(f"{image.mode[:-1]}a").filter(blurred).convert(image.mode)


def _filter(kind: Any) -> Callable[[Image.Image], Image.Image]:  # noqa: ANN401  one of Pillow's classes
    return lambda image: image.filter(kind)


def _rotate(image: Image.Image, values: Values) -> Image.Image:
    degrees = values["degrees"] % 360
    if degrees in _TURNS or degrees == 0:
        return image.transpose(_TURNS[int(degrees)]) if degrees else image
    background = values["background"]
    if background in {"", "transparent"}:
        image = image if background == "" and image.mode in {"L", "RGB"} else _with_alpha(image)
        fill: Any = "white" if image.mode in {"L", "RGB"} else (0,) * len(image.getbands())
    else:
        image, fill = _colored(image), background
    return image.rotate(-degrees, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=fill)


def _crop(image: Image.Image, values: Values) -> Image.Image:
    width, height = min(values["width"], image.width), min(values["height"], image.height)
    left, top = values["left"], values["top"]
    if values["gravity"]:
        left, top = place(image.size, (width, height), values["gravity"])
    if left >= image.width or top >= image.height:
        said = f"There is nothing to cut out at {left}, {top} of {image.width} x {image.height} pixels."
        raise NotAPicture(said, reason=Reason.IMPOSSIBLE)
    return image.crop((left, top, min(left + width, image.width), min(top + height, image.height)))


def _resize(image: Image.Image, values: Values) -> Image.Image:
    size, (width, height) = planned_size(image.size, values), target(image.size, values["size"])
    if values["fit"] == "cover":
        # Only what will be seen is scaled.
        share = max(width / image.width, height / image.height)
        seen = width / share, height / share
        left, top = corner(image.size, seen, values["gravity"])
        return _scaled(image, size, box=(left, top, min(left + seen[0], image.width), min(top + seen[1], image.height)))
    if values["fit"] == "contain":
        share = min(width / image.width, height / image.height)
        return _padded(_scaled(image, times(image.size, share)), size, values["gravity"])
    return _scaled(image, size)


def _thumbnail(image: Image.Image, values: Values) -> Image.Image:
    return _scaled(image, thumbnail_size(image.size, values))


def _border(image: Image.Image, values: Values) -> Image.Image:
    color, width = values["color"], values["width"]
    image = _with_alpha(image) if color == "transparent" else _colored(image)
    framed = Image.new(image.mode, (image.width + 2 * width, image.height + 2 * width), _fill(color, image))
    framed.paste(image, (width, width))
    return framed


def _watermark(image: Image.Image, values: Values) -> Image.Image:
    words, height = values["text"], max(10, round(min(image.size) * _WATERMARK_SHARE))
    margin = height // 2
    area = max(1, image.width - 2 * margin), max(1, image.height - 2 * margin)
    box = ImageFont.load_default(size=height).getbbox(words)
    height = max(1, int(height * min(1.0, area[0] / max(1, box[2] - box[0]))))
    font = ImageFont.load_default(size=height)
    _check_letters(words, font)
    layer = Image.new("L", image.size)
    draw = ImageDraw.Draw(layer)
    left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
    x, y = place(area, (int(right - left), int(bottom - top)), values["gravity"])
    draw.text((x + margin - left, y + margin - top), words, font=font, fill=200)
    shadow = ImageChops.offset(layer, max(1, height // 16))
    marked = _colored(image).copy()
    marked.paste(Image.new(marked.mode, image.size, "black"), mask=shadow.point(lambda level: level * 3 // 4))
    marked.paste(Image.new(marked.mode, image.size, "white"), mask=layer)
    return marked


def _check_letters(words: str, font: Any) -> None:  # noqa: ANN401  one of Pillow's fonts
    """Refuse what the font has no letters for, and would draw as boxes. Raises: NotAPicture."""
    box = bytes(font.getmask("\uffff"))
    for letter in words:
        if bytes(font.getmask(letter)) == box:
            said = f"The watermark's letter {letter!r} cannot be drawn: there is no font for it."
            raise NotAPicture(said, reason=Reason.IMPOSSIBLE)


def _same(image: Image.Image, _values: Values) -> Image.Image:
    return image


OPERATIONS: dict[str, Operation] = {
    "grayscale": _grayscale,
    "black-and-white": _black_and_white,
    "sepia": _on_color(_sepia),
    "negate": _on_color(ImageOps.invert),
    "posterize": _with(ImageOps.posterize, "bits"),
    "solarize": _with(ImageOps.solarize, "threshold"),
    "equalize": _on_color(ImageOps.equalize),
    "normalize": _on_color(ImageOps.autocontrast),
    "brightness": _with(_enhancer(ImageEnhance.Brightness), "factor"),
    "contrast": _with(_enhancer(ImageEnhance.Contrast), "factor"),
    "saturation": _with(_enhancer(ImageEnhance.Color), "factor"),
    "blur": _blur,
    "sharpen": _with(_sharpen, "percent"),
    "edges": _on_color(_filter(ImageFilter.FIND_EDGES)),
    "emboss": _on_color(_filter(ImageFilter.EMBOSS)),
    "contour": _on_color(_filter(ImageFilter.CONTOUR)),
    "rotate": _rotate,
    "flip": lambda image, _values: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    "flop": lambda image, _values: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "crop": _crop,
    "resize": _resize,
    "thumbnail": _thumbnail,
    "border": _border,
    "watermark": _watermark,
    "strip-metadata": _same,
    "convert": _same,
}


def keeps_depth(step: Step) -> bool:
    """Whether an operation leaves gray of more than 8 bits as deep as it is."""
    return step.name in _KEEPS_DEPTH and step.values.get("degrees", 0) % 90 == 0


def flattened(image: Image.Image, color: str) -> Image.Image:
    """Return a picture without transparency, on paper of a color."""
    paper = Image.new("RGBA", image.size, color)
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("L" if image.mode == "LA" else "RGB")


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


def _colored(image: Image.Image) -> Image.Image:
    """Return a picture that any color may be painted on."""
    return image if image.mode in {"RGB", "RGBA"} else image.convert("RGBA" if image.mode == "LA" else "RGB")


def _fill(color: str, image: Image.Image) -> Any:  # noqa: ANN401  what Pillow takes for a color
    return (0,) * len(image.getbands()) if color == "transparent" else color
