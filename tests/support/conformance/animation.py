"""Frames as files store them - patches of a canvas - and what they show, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.support.conformance.cell import HEIGHT, WIDTH, Frame, Pixels, pattern

KEEP, CLEAR, RESTORE = 0, 1, 2
REPLACE, OVER = 0, 1
#: Left, top, width and height of a whole canvas and three parts of it; even, as WebP counts in twos.
PLACES = ((0, 0, WIDTH, HEIGHT), (4, 2, 9, 8), (8, 6, 13, 12), (0, 10, 6, 8))


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A part of the canvas: RGBA from 0 to 255, where, how long, and what becomes of it."""

    pixels: Pixels
    left: int = 0
    top: int = 0
    milliseconds: int = 100
    #: 0 keeps it, 1 clears its place, 2 restores what was there.
    dispose: int = KEEP
    #: 0 replaces what is there, 1 is laid over it.
    blend: int = REPLACE
    #: What its place is cleared to.
    cleared: tuple[int, ...] = (0, 0, 0, 0)


def patches(*, dispose: int, blend: int, is_hard: bool = False) -> list[Patch]:
    """Return a whole canvas and three parts of it; with `is_hard`, nothing is half transparent."""
    made = []
    for number, (left, top, width, height) in enumerate(PLACES):
        pixels = np.roll(pattern(4, 8), number * 3, axis=1)[:height, :width].astype(int)
        if is_hard:
            pixels[..., 3] = np.where(pixels[..., 3] > 100, 255, 0)
        times = 100 + 50 * number
        made.append(Patch(pixels=pixels, left=left, top=top, milliseconds=times, dispose=dispose, blend=blend))
    return made


def played(frames: Sequence[Patch], background: tuple[int, ...] = (0, 0, 0, 0)) -> tuple[Frame, ...]:
    """Return what the frames show, from 0 to 1."""
    canvas = np.full((HEIGHT, WIDTH, 4), background, float) / 255
    out = []
    for patch in frames:
        height, width = patch.pixels.shape[:2]
        place = np.s_[patch.top : patch.top + height, patch.left : patch.left + width]
        before = canvas.copy()
        fresh = patch.pixels / 255
        canvas[place] = fresh if patch.blend == REPLACE else _over(fresh, canvas[place])
        out.append(Frame(pixels=canvas.copy(), milliseconds=float(patch.milliseconds)))
        if patch.dispose == RESTORE and len(out) > 1:
            canvas = before
        elif patch.dispose != KEEP:
            canvas[place] = np.array(patch.cleared) / 255 if patch.dispose == CLEAR else 0
    return tuple(out)


def _over(upper: Pixels, lower: Pixels) -> Pixels:
    alpha = upper[..., 3:] + lower[..., 3:] * (1 - upper[..., 3:])
    color = upper[..., :3] * upper[..., 3:] + lower[..., :3] * lower[..., 3:] * (1 - upper[..., 3:])
    return np.concatenate([color / np.maximum(alpha, 1e-9), alpha], axis=2)
