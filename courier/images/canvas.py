"""Compose the stored parts of an animation into frames (PNG 3, 11.3.6; GIF89a, 23)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from PIL import Image


class Disposal(Enum):
    """What happens to a part's area before the next part is drawn."""

    KEEP = 0
    CLEAR = 1
    RESTORE = 2


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a frame: RGBA pixels, position, duration and disposal."""

    image: Image.Image
    left: int
    top: int
    milliseconds: float
    disposal: Disposal
    #: Whether transparent pixels show the canvas below; otherwise they replace it.
    is_laid_over: bool = True
    #: The color that its area is cleared to.
    cleared: tuple[int, ...] = (0, 0, 0, 0)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Its area: left, top, right, bottom."""
        return self.left, self.top, self.left + self.image.width, self.top + self.image.height


def composed(size: tuple[int, int], parts: Iterable[Part]) -> Iterator[tuple[Image.Image, float]]:
    """Yield each full frame in RGBA, with its duration in milliseconds."""
    canvas = Image.new("RGBA", size)
    for number, part in enumerate(parts):
        # Before the first part there is nothing to restore.
        before = canvas.copy() if part.disposal is Disposal.RESTORE and number else None
        if part.is_laid_over:
            canvas.alpha_composite(part.image, (part.left, part.top))
        else:
            canvas.paste(part.image, (part.left, part.top))
        yield canvas.copy(), part.milliseconds
        if before:
            canvas = before
        elif part.disposal is not Disposal.KEEP:
            canvas.paste(part.cleared if part.disposal is Disposal.CLEAR else (0, 0, 0, 0), part.box)
