"""What can be done to a picture, and which pictures are taken: pure functions of bytes.

The only door to Pillow. Orientation is applied, transparency is never turned black, and what cannot be
kept right is refused in a sentence rather than spoiled.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from courier.errors import CourierError, InputRefused, NotAPicture
from courier.plain import one_of, printable, quoted

#: Our own limit is checked from the header, before anything is decoded; Pillow's would only warn.
Image.MAX_IMAGE_PIXELS = None

#: The formats that are read, as Pillow names them (a camera's MPO comes in as JPEG), and their endings.
FORMATS = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "AVIF": (".avif",),
}
#: Formats that a gray picture is stored in as it came; every other becomes a PNG.
KEPT_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
SAVE_OPTIONS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 90, "optimize": True},
    "PNG": {"compress_level": 6},
    "WEBP": {"quality": 90, "method": 2},
    "TIFF": {"compression": "tiff_lzw"},
}
DEFAULT_OPERATION = "grayscale"
SAMPLE_NAME = "sample.png"


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a picture's first bytes say; sizes in pixels, as stored."""

    format: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Processed:
    """A finished picture: the name that says what was done, the file, and its media type."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that can be done to a picture."""

    apply: Callable[[Image.Image], Image.Image]
    help: str
    #: Whether the result keeps the source's format, where that can hold it.
    keeps_format: bool = True


def _has_transparency(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info


def _grayscale(image: Image.Image) -> Image.Image:
    if image.mode in {"L", "1", "LA", "I", "F"} or image.mode.startswith("I;16"):
        return image
    if _has_transparency(image):
        return image.convert("RGBA").convert("LA")
    return image.convert("RGB").convert("L")


def _black_and_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    elif _has_transparency(image):
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image).convert("RGB")
    if image.mode in {"I", "F"}:
        raise NotAPicture("The picture has 32 bits a pixel, which has no rule for black and white.")
    return (image if image.mode in {"1", "L"} else image.convert("RGB")).convert("1")


#: What can be asked for: one line each.
OPERATIONS: dict[str, Operation] = {
    "grayscale": Operation(apply=_grayscale, help="shades of gray"),
    "black-and-white": Operation(apply=_black_and_white, help="black and white dots (dithered)", keeps_format=False),
}


def check_operation(name: str) -> str:
    """Return `name` if it is an operation. Raises: InputRefused, with the names of those there are."""
    if name not in OPERATIONS:
        raise InputRefused(f"There is no operation {quoted(name)}.", hint=f"Use {one_of(list(OPERATIONS))}.")
    return name


def media_type(picture_format: str) -> str:
    """Return the media type of a format that Pillow names, such as image/png."""
    return f"image/{picture_format.lower()}"


def read_header(file: IO[bytes], *, max_megapixels: float) -> Header:
    """Return what the header of the picture in `file` says, without decoding it.

    Raises: NotAPicture if it is none that is worked on: another format, too large, animated.
    """
    image = _open(file, max_megapixels)
    return Header(format=_format(image), width=image.width, height=image.height)


def process(file: IO[bytes], *, name: str, operation: str, max_megapixels: float) -> Processed:
    """Do `operation` to the picture in `file`, whose object is called `name`.

    Raises: InputRefused for an unknown operation; NotAPicture if it is none, is damaged or too large.
    """
    chosen = OPERATIONS[check_operation(operation)]
    image = _open(file, max_megapixels)
    source = _format(image)
    try:
        upright = ImageOps.exif_transpose(image)
        result = chosen.apply(upright)
    except (MemoryError, CourierError):
        raise
    except Exception as error:
        raise NotAPicture(f"The picture is damaged or cut short: {printable(str(error), 120)}.") from error
    target = source if chosen.keeps_format and source in KEPT_FORMATS else "PNG"
    return Processed(
        name=result_name(name, operation, target), content=_save(result, target), media_type=media_type(target)
    )


def result_name(name: str, operation: str, target: str) -> str:
    """Return what the result is called: cat.jpg becomes cat-grayscale.jpg.

    Where the ending changes, the whole old name stays and a point follows (cat.gif.grayscale.png), so that no
    two sources have results of the same name.
    """
    path = PurePosixPath(name)
    if path.suffix.lower() in FORMATS[target]:
        return f"{path.stem}-{operation}{path.suffix}"
    return f"{name}.{operation}{FORMATS[target][0]}"


def sample() -> bytes:
    """Return the sample picture: a colourful PNG of 640 x 480 pixels, drawn here."""
    across = Image.linear_gradient("L").rotate(90).resize((640, 480))
    down = Image.linear_gradient("L").resize((640, 480))
    picture = Image.merge("RGB", (across, down, ImageOps.invert(across)))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((220, 120, 420, 320), fill="gold", outline="black", width=4)
    draw.polygon([(320, 60), (560, 420), (80, 420)], outline="white", width=6)
    draw.text((24, 24), "Courier", fill="white", font_size=48)
    return _save(picture, "PNG")


def _open(file: IO[bytes], max_megapixels: float) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(file, formats=tuple(FORMATS))
        animated = bool(getattr(image, "is_animated", False)) and _format(image) != "JPEG"
    except UnidentifiedImageError as error:
        known = one_of(list(FORMATS))
        raise NotAPicture("This is no picture that is read here.", hint=f"The formats are {known}.") from error
    except Exception as error:
        raise NotAPicture(f"The picture is damaged: {printable(str(error), 120)}.") from error
    megapixels = image.width * image.height / 1e6
    if megapixels > max_megapixels:
        size = f"{image.width} x {image.height} pixels ({megapixels:.1f} million)"
        hint = "Whoever runs the worker can raise COURIER_IMAGE_MAX_MEGAPIXELS."
        raise NotAPicture(f"The picture has {size}; at most {max_megapixels:g} million are allowed.", hint=hint)
    if animated:
        raise NotAPicture("The picture is animated, and only still ones are worked on.", hint="Send one frame.")
    return image


def _format(image: Image.Image) -> str:
    return "JPEG" if image.format == "MPO" else image.format or ""


def _save(image: Image.Image, target: str) -> bytes:
    # A colour profile of the source does not fit a gray result, and old EXIF would turn it again.
    image.info.pop("icc_profile", None)
    image.info.pop("exif", None)
    file = io.BytesIO()
    image.save(file, format=target, **SAVE_OPTIONS[target])
    return file.getvalue()
