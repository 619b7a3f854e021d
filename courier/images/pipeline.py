r"""Pipelines of operations as text, such as `grayscale,resize=800x600:cover,convert=webp:80`: parsed and checked.

Knows what may be asked for, and nothing of pictures. Both ends use it: what is wrong is refused before anything
travels, and by the worker all the same. A comma inside a value is written `\\,`.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from courier.errors import Rejected
from courier.images import arguments
from courier.images.arguments import FITS, GRAVITIES, Values
from courier.text import one_of, quoted

#: How many operations one pipeline may have, and how long its text may be, in characters.
MAX_STEPS = 20
MAX_TEXT = 1_000
#: How long the part of a result's name may be that says what was done, in characters.
MAX_SLUG = 80


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What an operation is called for: how its value is read, what that value is, and one line of help."""

    #: Returns the value's parts by name. Raises: ValueError.
    read: Callable[[str], Values]
    #: What the value looks like; empty if there is none. In brackets if it may be left out.
    value: str
    help: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation of a pipeline with its values."""

    name: str
    text: str
    values: Values


#: Every operation, in the order in which help shows them: one line each.
KINDS: dict[str, Kind] = {
    "grayscale": Kind(read=arguments.nothing, value="", help="shades of gray"),
    "black-and-white": Kind(read=arguments.nothing, value="", help="black and white dots (dithered)"),
    "sepia": Kind(read=arguments.nothing, value="", help="the brown of old photographs"),
    "negate": Kind(read=arguments.nothing, value="", help="every color to its opposite"),
    "posterize": Kind(read=arguments.whole("bits", 1, 8, 3), value="[BITS]", help="few colors: so many bits each (3)"),
    "solarize": Kind(
        read=arguments.whole("threshold", 0, 255, 128), value="[LEVEL]", help="negate what is brighter (128)"
    ),
    "equalize": Kind(read=arguments.nothing, value="", help="all brightnesses equally often"),
    "normalize": Kind(read=arguments.nothing, value="", help="the darkest black, the brightest white"),
    "brightness": Kind(read=arguments.number("factor", 0, 10), value="FACTOR", help="brighter above 1, darker below"),
    "contrast": Kind(read=arguments.number("factor", 0, 10), value="FACTOR", help="more contrast above 1, less below"),
    "saturation": Kind(read=arguments.number("factor", 0, 10), value="FACTOR", help="more color above 1, none at 0"),
    "blur": Kind(read=arguments.number("radius", 0.1, 100, 2), value="[RADIUS]", help="Gaussian blur, in pixels (2)"),
    "sharpen": Kind(read=arguments.whole("percent", 1, 1_000, 150), value="[PERCENT]", help="unsharp mask (150)"),
    "edges": Kind(read=arguments.nothing, value="", help="edges only"),
    "emboss": Kind(read=arguments.nothing, value="", help="as if pressed into metal"),
    "contour": Kind(read=arguments.nothing, value="", help="outlines on white"),
    "rotate": Kind(read=arguments.rotate, value="DEGREES[:COLOR]", help="clockwise; corners in a color"),
    "flip": Kind(read=arguments.nothing, value="", help="upside down, as in water"),
    "flop": Kind(read=arguments.nothing, value="", help="left to right, as in a mirror"),
    "crop": Kind(read=arguments.crop, value="WxH[+X+Y|:GRAVITY]", help="cut out, from the middle or from X, Y"),
    "resize": Kind(
        read=arguments.resize, value="WxH[:FIT[:GRAVITY]]", help=f"to a size, or 50%; fit {', '.join(FITS)}"
    ),
    "thumbnail": Kind(read=arguments.thumbnail, value="[N|WxH]", help="to fit into N x N pixels (200), never larger"),
    "border": Kind(read=arguments.border, value="N[:COLOR]", help="a frame of N pixels (black)"),
    "watermark": Kind(read=arguments.watermark, value="TEXT[:GRAVITY]", help="a line of text in a corner (southeast)"),
    "strip-metadata": Kind(read=arguments.nothing, value="", help="no EXIF, no color profile, no comments"),
    "convert": Kind(
        read=arguments.convert,
        value="FORMAT[:QUALITY]",
        help="jpeg, webp or avif, of quality 1 to 100; png, gif or tiff",
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

    Raises: Rejected, naming what is wrong, what is known, and the nearest match.
    """
    if len(text) > MAX_TEXT:
        raise Rejected(f"The operations have {len(text):,} characters; at most {MAX_TEXT:,} are allowed.")
    if not text.isprintable():
        raise Rejected("The operations hold characters that cannot be printed.", hint="Leave them out.")
    steps = [step for part in _parts(text) for step in _steps(part.strip())]
    if len(steps) > MAX_STEPS:
        raise Rejected(f"There are {len(steps)} operations; at most {MAX_STEPS} are allowed.")
    written = len(canonical(steps))
    if written > MAX_TEXT:
        said = f"The operations have {written:,} characters, presets written out; at most {MAX_TEXT:,} are allowed."
        raise Rejected(said)
    return steps


def _parts(text: str) -> list[str]:
    """Return what commas separate; a backslash takes the meaning from what follows it."""
    parts, is_escaped = [""], False
    for char in text:
        if is_escaped or char not in ",\\":
            parts[-1] += char
            is_escaped = False
        elif char == ",":
            parts.append("")
        else:
            is_escaped = True
    return parts


def _steps(part: str) -> list[Step]:
    name, _, value = part.partition("=")
    if name in PRESETS:
        if value:
            raise Rejected(f"The preset {name} cannot take {quoted(value)}.", hint=f"It stands for {PRESETS[name]}.")
        return parse(PRESETS[name])
    if not part:
        raise Rejected("An operation is missing.", hint="Write one, or take a comma away.")
    if name not in KINDS:
        known = [*KINDS, *PRESETS]
        near = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise Rejected(f"There is no operation {quoted(name)}.", hint=f"{hint}There are {one_of(known)}.")
    kind = KINDS[name]
    try:
        found = kind.read(value)
    except ValueError as error:
        wanted = f"{name}={kind.value}" if kind.value else f"{name}, without a value"
        raise Rejected(f"The operation {name} cannot take {quoted(value)}.", hint=f"Write {wanted}.") from error
    return [Step(name=name, text=part, values=found)]


def canonical(steps: list[Step]) -> str:
    """Return a pipeline's text with presets written out: the same for pipelines that do the same by the same steps."""
    return ",".join(step.text.replace("\\", "\\\\").replace(",", "\\,") for step in steps)


def meaning(steps: list[Step]) -> str:
    """Return what a pipeline does, however it was written: `thumbnail` is `thumbnail=200`."""
    return repr([(step.name, sorted(step.values.items())) for step in steps])


def slug(steps: list[Step], most: int = MAX_SLUG) -> str:
    """Return what a result's name says of what was done: letters, digits, dots, dashes; no two pipelines the same.

    It has at most `most` characters, 20 or more.
    """
    most = min(most, MAX_SLUG)
    said = "-".join(word for step in steps for word in _words(step)) or "same"
    is_plain = re.fullmatch(r"[a-z0-9.-]+", said) and all(step.name != "watermark" for step in steps)
    if is_plain and len(said) <= most:
        return said
    digest = hashlib.sha256(canonical(steps).encode()).hexdigest()[:10]
    return f"{re.sub(r'[^a-z0-9.]+', '-', said.lower())[: most - 12].strip('-.')}-{digest}"


def _words(step: Step) -> list[str]:
    value = step.text.partition("=")[2].replace(":", "-").replace("#", "")
    if step.name == "convert":
        return [f"q{step.values['quality']}"] if step.values["quality"] else []
    if step.name == "resize":
        fit, gravity = step.values["fit"], step.values["gravity"]
        named = [fit] * (fit != FITS[0]) + [gravity] * (gravity != GRAVITIES[0])
        return [step.values["size"].words, *named]
    if step.name == "thumbnail":
        return [f"thumbnail-{value.replace('%', 'pc') or '200'}"]
    return [f"{step.name}-{value}" if value else step.name]
