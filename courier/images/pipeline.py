r"""Pipelines of operations as text, such as `grayscale,resize=800x600:cover,convert=webp:80`: parsed and checked.

Both ends use it: what is wrong is refused before anything
travels, and by the worker all the same. A comma inside a value is written `\\,`.
"""

from __future__ import annotations

import difflib
import hashlib
import re

from courier.errors import Rejected
from courier.images.operation import Step
from courier.images.operations import OPERATIONS
from courier.text import one_of, quoted

#: How many operations one pipeline may have, and how long its text may be, in characters.
MAX_STEPS = 20
MAX_TEXT = 1_000
#: How long the part of a result's name may be that says what was done, in characters.
MAX_SLUG = 80


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
    if name not in OPERATIONS:
        known = [*OPERATIONS, *PRESETS]
        near = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise Rejected(f"There is no operation {quoted(name)}.", hint=f"{hint}There are {one_of(known)}.")
    operation = OPERATIONS[name]
    try:
        found = operation.read(value)
    except ValueError as error:
        wanted = operation.usage if operation.value else f"{name}, without a value"
        raise Rejected(f"The operation {name} cannot take {quoted(value)}.", hint=f"Write {wanted}.") from error
    return [Step(operation=operation, text=part, values=found)]


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
    said = "-".join(word for step in steps for word in step.words) or "same"
    is_plain = re.fullmatch(r"[a-z0-9.-]+", said) and not any(step.operation.has_free_text for step in steps)
    if is_plain and len(said) <= most:
        return said
    digest = hashlib.sha256(canonical(steps).encode()).hexdigest()[:10]
    return f"{re.sub(r'[^a-z0-9.]+', '-', said.lower())[: most - 12].strip('-.')}-{digest}"
