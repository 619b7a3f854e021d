r"""Pipelines of operations as text, such as `grayscale,resize=800x600:cover,convert=webp:80`: parsed and checked.

Clients and workers use it: a client rejects an invalid pipeline before it uploads anything, a worker in any case. A
comma inside a value is written `\\,`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from courier.errors import Rejected
from courier.images import logo
from courier.images.arguments import Values
from courier.images.formats import FORMATS
from courier.images.operation import Step
from courier.images.operations import OPERATIONS
from courier.text import nearest, one_of, quoted

#: The maximum number of operations, and the maximum length of the text in characters.
MAX_STEPS = 20
MAX_TEXT = 1_000
#: The maximum length of the operations in a result's name, in characters.
MAX_SLUG = 80


#: Named pipelines.
PRESETS: dict[str, str] = {
    "web": "thumbnail=1600,strip-metadata,convert=webp:80",
    "print": "thumbnail=3508,sharpen=80,convert=jpeg:95",
    "lab3": "black-and-white,convert=png",
    "sheet": "thumbnail=160,contact-sheet,convert=jpeg",
}
PRESET_HELP = {
    "web": "at most 1600 pixels, WebP, no metadata",
    "print": "at most A4 at 300 dots an inch, sharpened, JPEG of quality 95",
    "lab3": "what the first version did: black and white dots, PNG",
    "sheet": "a contact sheet: what each operation makes of it, in one JPEG",
}


class UnknownOperation(Rejected):
    """There is no operation of this name. The hint has the nearest name, or all if none is near."""

    #: The unknown name, and the most similar one; empty if none is.
    name = near = ""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A valid sequence of operations."""

    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        """Its text with presets expanded: equal for pipelines with equal steps."""
        return ",".join(step.text.replace("\\", "\\\\").replace(",", "\\,") for step in self.steps)

    @property
    def meaning(self) -> str:
        """Its canonical text, with defaults: `thumbnail` is `thumbnail=200`."""
        return repr([(step.name, sorted(step.values.items())) for step in self.steps])

    @property
    def quality(self) -> int | None:
        """The quality of the result, 1 to 100; None: the default."""
        return self._conversion.get("quality")

    @property
    def effort(self) -> int | None:
        """How hard to try for a small file without loss, 1 to 9; None: the default."""
        return self._conversion.get("effort")

    @property
    def max_bytes(self) -> int | None:
        """The maximum size of the result's file, in bytes; None: no limit."""
        return self._conversion.get("max_bytes")

    @property
    def sampling(self) -> int | None:
        """The chroma subsampling of a JPEG, as Pillow's number; None: the default."""
        return self._conversion.get("sampling")

    @property
    def _conversion(self) -> Values:
        """The arguments of the last conversion; empty: there is none."""
        return next((step.values for step in reversed(self.steps) if "target" in step.values), {})

    @property
    def logos(self) -> list[str]:
        """The names of the logos that it lays over images, each once."""
        return list(dict.fromkeys(step.values[logo.NAME] for step in self.steps if logo.NAME in step.values))

    def with_logos(self, names: Mapping[str, str]) -> Pipeline:
        """Return the same with other names for its logos."""
        return Pipeline(steps=tuple(_renamed(step, names) for step in self.steps))

    @property
    def keeps_color(self) -> bool:
        """Whether it keeps colors, so that a color profile stays valid."""
        return all(step.operation.keeps_color for step in self.steps)

    @property
    def keeps_depth(self) -> bool:
        """Whether it keeps grayscale with more than 8 bits."""
        return all(step.operation.keeps_depth(step.values) for step in self.steps)

    @property
    def strips_metadata(self) -> bool:
        """Whether it removes metadata."""
        return any(step.operation.strips_metadata for step in self.steps)

    def slug(self, most: int = MAX_SLUG) -> str:
        """Return the operations for a file name, unique for each pipeline: letters, digits, dots and dashes.

        It has at most `most` characters, 20 or more.
        """
        most = min(most, MAX_SLUG)
        said = "-".join(word for step in self.steps for word in step.words) or "same"
        is_plain = re.fullmatch(r"[a-z0-9.-]+", said) and not any(step.operation.has_free_text for step in self.steps)
        if is_plain and len(said) <= most:
            return said
        digest = hashlib.sha256(self.text.encode()).hexdigest()[:10]
        return f"{re.sub(r'[^a-z0-9.]+', '-', said.lower())[: most - 12].strip('-.')}-{digest}"

    def target(self, source: str, *, moving: bool) -> str:
        """Return the format of the result for a source of `format`, animated or still."""
        if self._conversion:
            return str(self._conversion["target"])
        if moving:
            return source
        wanted = [step.operation.target for step in self.steps if step.operation.target]
        return wanted[-1] if wanted else FORMATS[source].still or source


def parse(text: str) -> Pipeline:
    """Parse a pipeline, and expand presets.

    Raises: Rejected, with the error, the valid names, and the nearest match.
    """
    if len(text) > MAX_TEXT:
        raise Rejected(f"The operations have {len(text):,} characters; at most {MAX_TEXT:,} are allowed.")
    if not text.isprintable():
        raise Rejected("The operations contain characters that cannot be printed.", hint="Remove them.")
    pipeline = Pipeline(steps=tuple(step for part in _parts(text) for step in _steps(part.strip())))
    if len(pipeline.steps) > MAX_STEPS:
        raise Rejected(f"There are {len(pipeline.steps)} operations; at most {MAX_STEPS} are allowed.")
    if len(pipeline.logos) > logo.MAX_LOGOS:
        raise Rejected(f"There are {len(pipeline.logos)} logos; at most {logo.MAX_LOGOS} are allowed.")
    written = len(pipeline.text)
    if written > MAX_TEXT:
        said = f"The operations have {written:,} characters, presets written out; at most {MAX_TEXT:,} are allowed."
        raise Rejected(said)
    return pipeline


def _renamed(step: Step, names: Mapping[str, str]) -> Step:
    if logo.NAME not in step.values:
        return step
    old = step.values[logo.NAME]
    options = step.text.removeprefix(f"{step.name}={old}")
    return replace(step, text=f"{step.name}={names[old]}{options}", values={**step.values, logo.NAME: names[old]})


def _parts(text: str) -> list[str]:
    """Split at commas, except those after a backslash."""
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


def _steps(part: str) -> Sequence[Step]:
    name, _, value = part.partition("=")
    if name in PRESETS:
        if value:
            raise Rejected(f"The preset {name} cannot take {quoted(value)}.", hint=f"It means {PRESETS[name]}.")
        return parse(PRESETS[name]).steps
    if not part:
        raise Rejected("An operation is missing.", hint="Write one, or remove a comma.")
    if name not in OPERATIONS:
        raise _unknown(name)
    operation = OPERATIONS[name]
    try:
        found = operation.read(value)
    except ValueError as error:
        wanted = operation.usage if operation.value else f"{name}, without a value"
        if not value:
            raise Rejected(f"The operation {name} needs a value.", hint=f"Write {wanted}.") from error
        raise Rejected(f"The operation {name} cannot take {quoted(value)}.", hint=f"Write {wanted}.") from error
    return [Step(operation=operation, text=part, values=found)]


def _unknown(name: str) -> UnknownOperation:
    known = [*OPERATIONS, *PRESETS]
    near = nearest(name, known)
    hint = f"Did you mean {near}?" if near else f"There are {one_of(known)}."
    error = UnknownOperation(f"There is no operation {quoted(name)}.", hint=hint)
    error.name, error.near = name, near
    return error
