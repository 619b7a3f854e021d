r"""Pipelines of operations as text, such as `grayscale,resize=800x600:cover,convert=webp:80`: reading and checking.

Knows what may be asked for, and nothing of pictures. Both ends use it: what is wrong is refused before anything
travels, and by the worker all the same. A comma inside a value is written `\\,`.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from courier.errors import InputRefused
from courier.plain import one_of, quoted

#: How many operations one pipeline may have, and how long its text may be, in characters.
MAX_STEPS = 20
MAX_TEXT = 1_000
#: The largest side of a result, in pixels: what every format but AVIF and WebP holds easily.
MAX_SIDE = 30_000
#: How long the part of a result's name may be that says what was done, in characters.
MAX_SLUG = 80

FITS = ("inside", "outside", "cover", "contain", "fill")
GRAVITIES = (
    "center", "north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest",
)  # fmt: skip
#: What may be converted to: as one writes it, and as Pillow does.
TARGETS = {"jpeg": "JPEG", "jpg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "gif": "GIF", "tiff": "TIFF"}

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a result is to be: width and height in pixels (one may be None), or a share in per cent."""

    width: int | None = None
    height: int | None = None
    percent: float | None = None


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What an operation is called for: how its value is read, what that value is, and one line of help."""

    #: Returns the value's parts by name. Raises: ValueError.
    read: Callable[[str], Values]
    #: What the value looks like; empty if there is none. In brackets if it may be left out.
    value: str
    help: str
    #: Whether it changes what the picture shows: where none does, the pixels may stay as they are.
    changes: bool = True


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation of a pipeline with its values."""

    name: str
    text: str
    values: Values


def _nothing(text: str) -> Values:
    if text:
        raise ValueError
    return {}


def _number(name: str, low: float, high: float, default: float | None = None) -> Callable[[str], Values]:
    def read(text: str) -> Values:
        value = default if not text and default is not None else float(text)
        if not low <= value <= high:
            raise ValueError
        return {name: value}

    return read


def _whole(name: str, low: int, high: int, default: int | None = None) -> Callable[[str], Values]:
    def read(text: str) -> Values:
        if not text and default is not None:
            return {name: default}
        if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError
        return {name: int(text)}

    return read


def _size(text: str) -> Size:
    if match := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%", text):
        percent = float(match[1])
        if percent <= 0:
            raise ValueError
        return Size(percent=percent)
    match = re.fullmatch(r"([0-9]{1,5})?(?:x([0-9]{1,5})?)?", text)
    sides = [int(side) if side else None for side in match.groups()] if match else []
    if not any(sides) or not all(side is None or 1 <= side <= MAX_SIDE for side in sides):
        raise ValueError
    return Size(width=sides[0], height=sides[1])


def _resize(text: str) -> Values:
    size, *rest = text.split(":")
    fit, gravity, *more = [*rest, "", ""][: max(2, len(rest))]
    if more:
        raise ValueError
    return {"size": _size(size), "fit": _among(FITS, fit), "gravity": _among(GRAVITIES, gravity)}


def _thumbnail(text: str) -> Values:
    return {"size": _size(text or "200")}


def _crop(text: str) -> Values:
    if match := re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})\+([0-9]{1,5})\+([0-9]{1,5})", text):
        width, height, left, top = map(int, match.groups())
        gravity = ""
    else:
        size, _, gravity = text.partition(":")
        match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", size)
        width, height = map(int, match.groups()) if match else (0, 0)
        gravity, left, top = _among(GRAVITIES, gravity), 0, 0
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError
    return {"width": width, "height": height, "left": left, "top": top, "gravity": gravity}


def _rotate(text: str) -> Values:
    degrees, _, background = text.partition(":")
    return {"degrees": _number("degrees", -360, 360)(degrees)["degrees"], "background": _colour(background)}


def _border(text: str) -> Values:
    width, _, colour = text.partition(":")
    return {**_whole("width", 1, 5_000)(width), "colour": _colour(colour or "black")}


def _watermark(text: str) -> Values:
    words, separator, gravity = text.rpartition(":")
    if not separator or gravity not in GRAVITIES:
        words, gravity = text, "southeast"
    if not words.strip() or len(words) > 200:  # noqa: PLR2004  a line, no page
        raise ValueError
    return {"text": words, "gravity": gravity}


def _convert(text: str) -> Values:
    name, separator, quality = text.partition(":")
    return {
        "target": TARGETS[_among(tuple(TARGETS), name or "none")],
        "quality": _whole("quality", 1, 100)(quality)["quality"] if separator else None,
    }


def _among(known: tuple[str, ...], text: str) -> str:
    if text and text not in known:
        raise ValueError
    return text or known[0]


def _colour(text: str) -> str:
    """Return a colour's name or its #rrggbb; empty if none is given."""
    if not re.fullmatch(r"(?:#[0-9a-fA-F]{6}|[a-z]{3,20})?", text) or (text.isalpha() and text not in COLOURS):
        raise ValueError
    return text


COLOURS = (
    "black", "white", "gray", "silver", "red", "maroon", "yellow", "olive", "lime", "green", "aqua", "teal", "blue",
    "navy", "fuchsia", "purple", "orange", "gold", "pink", "brown", "transparent",
)  # fmt: skip

#: Every operation, in the order in which help shows them: one line each.
KINDS: dict[str, Kind] = {
    "grayscale": Kind(read=_nothing, value="", help="shades of gray"),
    "black-and-white": Kind(read=_nothing, value="", help="black and white dots (dithered)"),
    "sepia": Kind(read=_nothing, value="", help="the brown of old photographs"),
    "negate": Kind(read=_nothing, value="", help="every colour to its opposite"),
    "posterize": Kind(read=_whole("bits", 1, 8, 3), value="[BITS]", help="few colours: so many bits each (3)"),
    "solarize": Kind(read=_whole("threshold", 0, 255, 128), value="[LEVEL]", help="negate what is brighter (128)"),
    "equalize": Kind(read=_nothing, value="", help="all brightnesses equally often"),
    "normalize": Kind(read=_nothing, value="", help="the darkest black, the brightest white"),
    "brightness": Kind(read=_number("factor", 0, 10), value="FACTOR", help="brighter above 1, darker below"),
    "contrast": Kind(read=_number("factor", 0, 10), value="FACTOR", help="more contrast above 1, less below"),
    "saturation": Kind(read=_number("factor", 0, 10), value="FACTOR", help="more colour above 1, none at 0"),
    "blur": Kind(read=_number("radius", 0.1, 100, 2), value="[RADIUS]", help="Gaussian blur, in pixels (2)"),
    "sharpen": Kind(read=_whole("percent", 1, 1_000, 150), value="[PERCENT]", help="unsharp mask (150)"),
    "edges": Kind(read=_nothing, value="", help="edges only"),
    "emboss": Kind(read=_nothing, value="", help="as if pressed into metal"),
    "contour": Kind(read=_nothing, value="", help="outlines on white"),
    "rotate": Kind(read=_rotate, value="DEGREES[:COLOUR]", help="clockwise; corners in a colour"),
    "flip": Kind(read=_nothing, value="", help="upside down, as in water"),
    "flop": Kind(read=_nothing, value="", help="left to right, as in a mirror"),
    "crop": Kind(read=_crop, value="WxH[+X+Y|:GRAVITY]", help="cut out, from the middle or from X, Y"),
    "resize": Kind(read=_resize, value="WxH[:FIT[:GRAVITY]]", help=f"to a size, or 50%; fit {', '.join(FITS)}"),
    "thumbnail": Kind(read=_thumbnail, value="[N|WxH]", help="to fit into N x N pixels (200), never larger"),
    "border": Kind(read=_border, value="N[:COLOUR]", help="a frame of N pixels (black)"),
    "watermark": Kind(read=_watermark, value="TEXT[:GRAVITY]", help="a line of text in a corner (southeast)"),
    "strip-metadata": Kind(read=_nothing, value="", help="no EXIF, no colour profile, no comments", changes=False),
    "convert": Kind(
        read=_convert,
        value="FORMAT[:QUALITY]",
        help="jpeg, png, webp, avif, gif or tiff; quality 1 to 100",
        changes=False,
    ),
}
#: Pipelines with a name of their own.
PRESETS: dict[str, str] = {
    "web": "thumbnail=1600,strip-metadata,convert=webp:80",
    "print": "thumbnail=3508,sharpen=80,convert=jpeg:95",
    "lab3": "black-and-white,convert=png",
}
PRESET_HELP = {
    "web": "at most 1600 pixels, WebP, no metadata",
    "print": "at most A4 at 300 dots an inch, sharpened, JPEG of quality 95",
    "lab3": "what the first version did: black and white dots, PNG",
}
DEFAULT = "grayscale"


def parse(text: str) -> list[Step]:
    """Return the steps of a pipeline, those of presets in their place.

    Raises: InputRefused, naming what is wrong, what is known, and the nearest match.
    """
    if len(text) > MAX_TEXT:
        raise InputRefused(f"The operations have {len(text):,} characters; at most {MAX_TEXT:,} are allowed.")
    steps = [step for part in re.split(r"(?<!\\),", text) for step in _steps(part.strip().replace("\\,", ","))]
    if len(steps) > MAX_STEPS:
        raise InputRefused(f"There are {len(steps)} operations; at most {MAX_STEPS} are allowed.")
    return steps


def _steps(part: str) -> list[Step]:
    name, _, value = part.partition("=")
    if name in PRESETS:
        if value:
            raise InputRefused(
                f"The preset {name} cannot take {quoted(value)}.", hint=f"It stands for {PRESETS[name]}."
            )
        return parse(PRESETS[name])
    if name not in KINDS:
        known = [*KINDS, *PRESETS]
        near = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise InputRefused(f"There is no operation {quoted(name)}.", hint=f"{hint}There are {one_of(known)}.")
    kind = KINDS[name]
    try:
        values = kind.read(value)
    except ValueError as error:
        wanted = f"{name}={kind.value}" if kind.value else f"{name}, without a value"
        raise InputRefused(f"The operation {name} cannot take {quoted(value)}.", hint=f"Write {wanted}.") from error
    return [Step(name=name, text=part, values=values)]


def canonical(steps: list[Step]) -> str:
    """Return a pipeline's text with presets written out: the same for pipelines that do the same by the same steps."""
    return ",".join(step.text.replace(",", "\\,") for step in steps)


def slug(steps: list[Step]) -> str:
    """Return what a result's name says of what was done: letters, digits, dots, dashes; no two pipelines the same."""
    said = "-".join(word for step in steps for word in _words(step)) or "same"
    is_plain = re.fullmatch(r"[a-z0-9.-]+", said) and all(step.name != "watermark" for step in steps)
    if is_plain and len(said) <= MAX_SLUG:
        return said
    digest = hashlib.sha256(canonical(steps).encode()).hexdigest()[:10]
    return f"{re.sub(r'[^a-z0-9.]+', '-', said.lower())[: MAX_SLUG - 12].strip('-.')}-{digest}"


def _words(step: Step) -> list[str]:
    value = step.text.partition("=")[2].replace(":", "-").replace("#", "").replace("%", "pc")
    if step.name == "convert":
        return [f"q{step.values['quality']}"] if step.values["quality"] else []
    if step.name == "resize":
        return [value if "x" in value or "pc" in value else f"{value}x"]
    return [f"{step.name}-{value}" if value else step.name]
