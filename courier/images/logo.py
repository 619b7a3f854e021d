"""Logos: an image of one's own, laid over a part of another."""

from __future__ import annotations

import io

from PIL import Image

from courier.errors import NotAnImage, Reason, Rejected
from courier.images.arguments import Values
from courier.images.color import colored
from courier.images.geometry import place, times
from courier.images.probe import Bounds, check_size, open_source
from courier.images.watermark import split_options

#: How large a logo's file may be, and how many megapixels it may have.
MAX_BYTES = 1_000_000
BOUNDS = Bounds(megapixels=4, frames=300)
#: How many different logos one pipeline may have.
MAX_LOGOS = 4
#: The values of a step that name a logo's object, and hold its pixels once they are decoded.
NAME, PIXELS = "logo", "pixels"
#: How much of the image's width and height it takes at most, and how far it is from the edge, of the shorter side.
_SHARE, _MARGIN = 0.25, 0.025


def read(text: str) -> Values:
    """Parse an image's name and, in any order, a gravity and an opacity. Raises: ValueError."""
    name, options = split_options(text, {"gravity", "opacity"})
    if not name.strip():
        raise ValueError
    return {NAME: name, "gravity": "southeast", "opacity": 100, **options}


def check(content: bytes) -> None:
    """Check that a file may be a logo, by its size and its header. Raises: Rejected."""
    if len(content) > MAX_BYTES:
        raise unusable(f"It has {len(content):,} bytes; at most {MAX_BYTES:,} are allowed.", Reason.FILE_TOO_BIG)
    try:
        check_size(open_source(io.BytesIO(content)).image.size, BOUNDS, "It has")
    except NotAnImage as error:
        raise unusable(error.message, error.reason) from error


def unusable(what: str, reason: Reason | str) -> Rejected:
    """Return the rejection of a logo."""
    return Rejected(
        f"The logo cannot be used. {what}", hint="Take a PNG, WebP or JPEG of at most 1 MB.", reason=Reason(reason)
    )


def lay(image: Image.Image, values: Values) -> Image.Image:
    """Return an image with a logo on it. Raises: Rejected if there is none."""
    if PIXELS not in values:
        raise Rejected("A logo is missing.", hint="Give its file to the client.", reason=Reason.IMPOSSIBLE)
    marked, whole = colored(image).copy(), values[PIXELS]
    share = min(1.0, *(_SHARE * side / part for side, part in zip(image.size, whole.size, strict=True)))
    logo = whole.resize(times(whole.size, share), Image.Resampling.LANCZOS)
    logo.putalpha(logo.getchannel("A").point([round(level * values["opacity"] / 100) for level in range(256)]))
    margin = round(min(image.size) * _MARGIN)
    left, top = place((image.width - 2 * margin, image.height - 2 * margin), logo.size, values["gravity"])
    corner = left + margin, top + margin
    if marked.mode == "RGBA":
        marked.alpha_composite(logo, corner)
    else:
        marked.paste(logo, corner, logo)
    return marked
