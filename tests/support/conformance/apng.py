"""The animated PNGs of the matrix: color types, disposal, blending, a default image of its own (PNG 3rd edition)."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tests.support.conformance.animation import PLACES, Patch, played
from tests.support.conformance.cell import Cell, Made, pattern
from tests.support.conformance.png import NAMES, plain, shown
from tests.support.conformance.png_reader import CHANNELS
from tests.support.conformance.png_writer import Png, assembled

#: Color type, bits, and whether one color is clear.
KINDS = (
    *(
        (kind, bits, False)
        for kind, bits in ((0, 8), (0, 16), (0, 2), (2, 8), (2, 16), (3, 8), (4, 8), (6, 8), (6, 16))
    ),
    *((kind, bits, True) for kind, bits in ((0, 8), (0, 2), (0, 16), (2, 8), (2, 16), (3, 8), (3, 4))),
)


@dataclass(frozen=True, kw_only=True)
class Apng:
    """How frames are stored."""

    kind: int
    bits: int
    is_clear: bool = False
    dispose: int = 0
    blend: int = 0
    plays: int = 0
    is_first_shown: bool = True
    #: How many frames the file says that it has.
    declared: int = len(PLACES)

    def frames(self) -> list[tuple[Png, Patch]]:
        """Return the frames: as they are stored, and what they show."""
        whole = plain(self.kind, self.bits, is_clear=self.is_clear, filtering=5)
        made = []
        for number, (left, top, width, height) in enumerate(PLACES):
            samples = np.roll(pattern(CHANNELS[self.kind], self.bits), number * 3, axis=1)[:height, :width]
            png = Png(samples=samples, bits=self.bits, kind=self.kind, filtering=5, before=whole.before)
            patch = Patch(
                pixels=shown(png) * 255,
                left=left,
                top=top,
                milliseconds=100 + 50 * number,
                dispose=self.dispose,
                blend=self.blend,
            )
            made.append((png, patch))
        return made

    def content(self) -> bytes:
        """Return the file."""
        frames = self.frames()
        first = frames[0][0]
        chunks = [(b"IHDR", first.header()), *first.before, (b"acTL", struct.pack(">II", self.declared, self.plays))]
        if not self.is_first_shown:
            chunks += first.data()
        return assembled([*chunks, *self._numbered(frames), (b"IEND", b"")])

    def _numbered(self, frames: Sequence[tuple[Png, Patch]]) -> Iterator[tuple[bytes, bytes]]:
        counter = itertools.count()
        for place, (png, patch) in enumerate(frames):
            height, width, _ = png.samples.shape
            numbers = (next(counter), width, height, patch.left, patch.top)
            times = (patch.milliseconds, 1_000, patch.dispose, patch.blend)
            yield b"fcTL", struct.pack(">5I2H2B", *numbers, *times)
            for name, body in png.data():
                is_default = place == 0 and self.is_first_shown
                yield (name, body) if is_default else (b"fdAT", struct.pack(">I", next(counter)) + body)

    def made(self) -> Made:
        """Return the file and what it shows."""
        frames = played([patch for _, patch in self.frames()])
        return Made(content=self.content(), frames=frames, plays=self.plays)


def cells() -> Iterator[Cell]:
    """Yield the animated PNGs."""
    for (kind, bits, is_clear), dispose, blend, is_shown in itertools.product(KINDS, (0, 1, 2), (0, 1), (False, True)):
        apng = Apng(
            kind=kind,
            bits=bits,
            is_clear=is_clear,
            dispose=dispose,
            blend=blend,
            plays=2 * blend,
            is_first_shown=is_shown,
        )
        name = f"{NAMES[kind]} {bits}{', tRNS' * is_clear}, disposal {dispose}, blend {blend}"
        # Blending rounds at every step.
        tolerance = 2.0 * (kind in {4, 6} or is_clear) * blend
        yield Cell(
            format="APNG",
            name=name + ", own default image" * (not is_shown),
            make=apng.made,
            tolerance=tolerance,
            bits=bits if bits == 16 else 8,
        )
    yield from _damaged()


def _damaged() -> Iterator[Cell]:
    content = Apng(kind=2, bits=8).content()
    files = {f"cut at {share:.0%}": content[: int(len(content) * share)] for share in (0.3, 0.5, 0.7, 0.9)}
    files["a frame fewer than declared"] = Apng(kind=2, bits=8, declared=5).content()
    files["2,147,483,649 frames declared"] = Apng(kind=2, bits=8, declared=2**31 + 1).content()
    for name, body in files.items():
        yield Cell(
            format="APNG",
            name=name,
            make=partial(Made, content=body, frames=()),
            is_bad=True,
            truth="damaged|cut short|incomplete",
        )
