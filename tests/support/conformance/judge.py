"""The check of a cell: what the worker makes of it is right, rejected for a true reason, noted, or wrong."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageSequence

from courier.errors import Rejected
from courier.images import gif
from courier.images.canvas import composed
from courier.images.sandbox_child import work
from tests.support.conformance import avif_writer, png_reader, space
from tests.support.conformance.cell import Cell, Frame, Made, Pixels
from tests.support.conformance.space import Space, in_srgb

#: Operations that leave an image as it is.
PIPELINES = ("convert=png", "flip,flip")
#: How far off 8 bits may be from more, and a converted color from our own calculation, of 255.
DEPTH_STEP, COLOR_STEPS = 2.01, 4.0
#: How far off pixels may be on average once they were coded with loss.
LOSS = 3.0
#: What no rejection of a good file says.
UNTRUE = re.compile(r"damaged|cut short|not an image|formats are|No such|empty", re.IGNORECASE)
#: What a note says of a damaged file of which something is shown.
_DAMAGED = re.compile(r"damaged|missing|cut short", re.IGNORECASE)
EXACT_FORMATS = {"PNG", "TIFF", "GIF"}


class Verdict(Enum):
    """What became of a cell."""

    RIGHT = "right"
    REJECTED = "rejected"
    NOTED = "noted"
    WRONG = "wrong"


class Judged(NamedTuple):
    """A verdict, and why."""

    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What the worker made."""

    content: bytes
    notes: Sequence[str]
    frames: Sequence[Frame]
    #: The samples as stored, where there is one frame.
    values: Pixels
    space: Space | None
    is_lossy: bool
    #: How often it is shown, 0 forever.
    plays: int
    bits: int

    def tells(self, pattern: str) -> bool:
        """Return whether a note says something."""
        return any(re.search(pattern, note, re.IGNORECASE) for note in self.notes)


#: Decodes a result's frames, in RGBA from 0 to 1.
Decoder = Callable[[bytes], list[Frame]]


def judge(cell: Cell, operations: str, decoder: Decoder | None = None) -> Judged:
    """Give a cell's file to the worker's own function, and judge what comes of it."""
    made = cell.make()
    file = io.BytesIO()
    order = {"name": f"a.{cell.format.lower()}", "operations": operations, "megapixels": 50, "frames": 300}
    try:
        notes = work(order, io.BytesIO(made.content), file)["details"]["notes"]
    except Rejected as error:
        return _of_rejection(cell, error.sentence)
    except Exception as error:  # noqa: BLE001  which would be logged as a fault of the worker
        return Judged(Verdict.WRONG, repr(error))
    if cell.is_bad:
        fact = [note for note in notes if _DAMAGED.search(note)]
        return Judged(Verdict.NOTED, fact[0]) if fact else Judged(Verdict.WRONG, "not rejected")
    return _of_result(cell, made, read_result(file.getvalue(), notes, decoder or decoded))


def _of_rejection(cell: Cell, message: str) -> Judged:
    if not cell.truth:
        return Judged(Verdict.WRONG, f"rejected: {message}")
    if (UNTRUE.search(message) and not cell.is_bad) or not re.search(cell.truth, message, re.IGNORECASE):
        return Judged(Verdict.WRONG, f"rejected for no true reason: {message}")
    return Judged(Verdict.REJECTED, message)


def _of_result(cell: Cell, made: Made, result: Result) -> Judged:
    if made.values is not None:
        return _of_values(made.values, result)
    wrong: list[str] = []
    noted: list[str] = []
    for what, fact in _differences(cell, made, result):
        (noted if fact and result.tells(fact) else wrong).append(what)
    if wrong:
        return Judged(Verdict.WRONG, f"{'; '.join(wrong)}; notes: {list(result.notes)}")
    return Judged(Verdict.NOTED, "; ".join(noted)) if noted else Judged(Verdict.RIGHT)


def _of_values(values: Pixels, result: Result) -> Judged:
    if values.shape != result.values.shape:
        return Judged(Verdict.WRONG, f"{result.values.shape} samples of {values.shape}")
    with np.errstate(invalid="ignore"):  # what was misread may be no number
        off = float(abs(values - result.values.astype(float)).max())
    if off == 0:
        return Judged(Verdict.RIGHT)
    if off <= 0.5 and result.tells("rounded"):
        return Judged(Verdict.NOTED, "rounded")
    return Judged(Verdict.WRONG, f"samples are off by {off:g}")


def _differences(cell: Cell, made: Made, result: Result) -> Iterator[tuple[str, str]]:
    """Yield each difference, and what a note that names it says (nothing: no note will do)."""
    if cell.note:
        yield "what the file has beside sRGB pixels", cell.note
    if cell.is_free:
        return
    pairs = list(_pairs(made.frames, result.frames))
    if len(made.frames) > 1 and len(result.frames) == 1:
        yield f"1 frame of {len(made.frames)}", "only the first"
        pairs = [(made.frames[0].pixels, result.frames[0].pixels)]
    for expected, found in pairs:
        if expected.shape != found.shape:
            yield f"{found.shape[1]} x {found.shape[0]} pixels of {expected.shape[1]} x {expected.shape[0]}", ""
            return
    if cell.bits > 8 >= result.bits:
        yield "fewer bits", r"\bbits\b"
    yield from _untrue_notes(cell, made, result)
    yield from _colors(cell, result, pairs)
    if (
        abs(sum(f.milliseconds for f in made.frames) - sum(f.milliseconds for f in result.frames)) > 1
        and len(result.frames) > 1
    ):
        yield "other times", "times were rounded"
    if made.plays is not None and len(result.frames) > 1 and made.plays != result.plays:
        yield f"shown {result.plays} times and not {made.plays}", "shown"


def _untrue_notes(cell: Cell, made: Made, result: Result) -> Iterator[tuple[str, str]]:
    if cell.bits <= 8 and result.tells("bits a channel became"):
        yield "a note of bits that it did not have", ""
    if len(made.frames) == 1 and not cell.note and result.tells("only the first"):
        yield "a note of frames that it did not have", ""


def _colors(cell: Cell, result: Result, pairs: list[tuple[Pixels, Pixels]]) -> Iterator[tuple[str, str]]:
    is_lossy = cell.is_lossy or result.is_lossy
    raw = max(distance(expected, found, is_lossy=is_lossy) for expected, found in pairs)
    ours, theirs = cell.space or space.SRGB, result.space or space.SRGB
    if ours == theirs and _is_near(cell, raw, is_lossy=is_lossy):
        return
    meant = max(
        distance(in_srgb(expected, ours), in_srgb(found, theirs), is_lossy=is_lossy) for expected, found in pairs
    )
    if ours != theirs and meant <= COLOR_STEPS:
        return
    if ours != theirs and _is_near(cell, raw, is_lossy=is_lossy):
        yield f"the {ours.name} colors are called {theirs.name}", r"color|profile|gamma|chromaticit"
        return
    if cell.bits > 8 and min(raw, meant) <= DEPTH_STEP + cell.tolerance:
        return
    opaque = max(distance(_opaque(expected), _opaque(found), is_lossy=is_lossy) for expected, found in pairs)
    if _is_near(cell, opaque, is_lossy=is_lossy):
        yield "another transparency", "transparen"
        return
    yield f"pixels are off by {min(raw, meant):.1f} of 255", "colors became 256" if meant < 40 else ""


def _is_near(cell: Cell, off: float, *, is_lossy: bool) -> bool:
    return off <= (LOSS if is_lossy else 0.001) + cell.tolerance


def _opaque(pixels: Pixels) -> Pixels:
    return np.concatenate([pixels[..., :3], np.ones_like(pixels[..., 3:])], axis=2)


def distance(expected: Pixels, found: Pixels, *, is_lossy: bool) -> float:
    """Return how far apart images are, of 255, as far as they are seen: the most, or on average after loss."""
    seen = [np.concatenate([one[..., :3] * one[..., 3:], one[..., 3:]], axis=2) for one in (expected, found)]
    off = abs(seen[0] - seen[1]) * 255
    return float(off.mean() if is_lossy else off.max())


def _pairs(expected: Sequence[Frame], found: Sequence[Frame]) -> Iterator[tuple[Pixels, Pixels]]:
    """Yield what is shown at the same time: writers may make one frame of equal ones."""
    if len(expected) == 1 or len(found) == 1:
        yield expected[0].pixels, found[0].pixels
        return
    ends = np.cumsum([frame.milliseconds for frame in found])
    start = 0.0
    for frame in expected:
        middle = start + frame.milliseconds / 2
        start += frame.milliseconds
        yield frame.pixels, found[min(int(np.searchsorted(ends, middle, "right")), len(found) - 1)].pixels


# Results


def read_result(content: bytes, notes: Sequence[str], decoder: Decoder) -> Result:
    """Return what a result shows."""
    with Image.open(io.BytesIO(content)) as image:
        kind, count = image.format or "", getattr(image, "n_frames", 1)
        described = _space_of_png(content) if kind == "PNG" else _space_of(image)
        plays = avif_writer.plays(content) if kind == "AVIF" and count > 1 else _plays(image)
        values = png_reader.read(content).samples if kind == "PNG" else np.asarray(image)
        bits = png_reader.read(content).bits if kind == "PNG" else 8 * values.dtype.itemsize
    frames = [Frame(pixels=png_reader.read(content).pixels)] if kind == "PNG" and count == 1 else decoder(content)
    is_lossy = kind not in EXACT_FORMATS and b"VP8L" not in content[:200_000]
    values = values[..., None] if values.ndim == 2 else values
    return Result(
        content=content,
        notes=notes,
        frames=frames,
        values=values,
        space=described,
        is_lossy=is_lossy,
        plays=plays,
        bits=bits,
    )


def _plays(image: Image.Image) -> int:
    loop = image.info.get("loop")
    if image.format != "GIF":
        return int(loop or 0)
    return 1 if loop is None else int(loop) and int(loop) + 1


def decoded(content: bytes) -> list[Frame]:
    """Decode a result that Pillow wrote with Pillow, but for what is cleared in a GIF: that is transparent."""
    with Image.open(io.BytesIO(content)) as image:
        if image.format == "GIF":
            frames = composed(image.size, gif.parts(content))
            return [Frame(pixels=_shares(frame), milliseconds=time) for frame, time in frames]
        return [
            Frame(pixels=_shares(frame), milliseconds=float(frame.info.get("duration", 0)))
            for frame in ImageSequence.Iterator(image)
            if not (getattr(image, "default_image", False) and image.tell() == 0)
        ]


def _shares(frame: Image.Image) -> Pixels:
    if frame.mode.startswith("I;16"):
        gray = np.asarray(frame)[..., None] / 65_535
        return np.concatenate([gray, gray, gray, np.ones_like(gray)], axis=2)
    return np.asarray(frame.convert("RGBA")) / 255


def _space_of(image: Image.Image) -> Space | None:
    profile = image.info.get("icc_profile")
    return space.of_profile(profile) if profile else None


def _space_of_png(content: bytes) -> Space | None:
    chunks: dict[bytes, bytes] = dict(png_reader.chunks(content))
    if b"cICP" in chunks:
        primaries, transfer = chunks[b"cICP"][:2]
        return space.of_cicp(primaries, transfer)
    if b"iCCP" in chunks:
        return space.of_profile(zlib.decompress(chunks[b"iCCP"].split(b"\0", 1)[1][1:]))
    if b"sRGB" in chunks:
        return None
    if b"gAMA" in chunks or b"cHRM" in chunks:
        gamma = struct.unpack(">I", chunks[b"gAMA"])[0] if b"gAMA" in chunks else 45_455
        points = struct.unpack(">8I", chunks[b"cHRM"]) if b"cHRM" in chunks else None
        return space.of_gama(gamma, points)
    return None
