"""The GIFs of the matrix: palettes, interlacing, transparency, disposal, delays, and what stands between."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from tests.support.conformance.animation import OVER, Patch, patches, played
from tests.support.conformance.cell import HEIGHT, WIDTH, Cell, Made, Pixels, pattern

#: The rows of the four passes: first, and step.
PASSES = ((0, 8), (4, 8), (2, 4), (1, 2))


@dataclass(frozen=True, kw_only=True)
class GifFrame:
    """Indices into a palette (rows, columns), and where they are shown."""

    indices: Pixels
    left: int = 0
    top: int = 0
    delay: int = 0
    disposal: int = 0
    #: The index that is clear.
    clear: int | None = None
    is_interlaced: bool = False
    #: A palette of its own.
    palette: Pixels | None = None
    #: How many pixels are coded, if not all.
    coded: int | None = None
    #: Whether a graphic control extension stands before it.
    is_controlled: bool = True


@dataclass(frozen=True, kw_only=True)
class Gif:
    """A GIF's frames and their common metadata."""

    frames: Sequence[GifFrame]
    palette: Pixels | None = None
    background: int = 0
    loops: int | None = None
    version: bytes = b"GIF89a"
    #: Extensions before the frames, whole.
    extensions: bytes = b""
    trailer: bytes = b";"
    sizes: tuple[int, int] = field(default=(WIDTH, HEIGHT))

    def content(self) -> bytes:
        """Return the file."""
        flags = 0x70 | (0x80 | _power(self.palette) - 1 if self.palette is not None else 0)
        screen = self.version + struct.pack("<HHBBB", *self.sizes, flags, self.background, 0) + _table(self.palette)
        loops = (
            b"" if self.loops is None else b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", self.loops) + b"\0"
        )
        return screen + loops + self.extensions + b"".join(map(self._frame, self.frames)) + self.trailer

    def _frame(self, frame: GifFrame) -> bytes:
        flags = frame.disposal << 2 | (frame.clear is not None)
        control = b"\x21\xf9\x04" + struct.pack("<BHB", flags, frame.delay, frame.clear or 0) + b"\0"
        height, width = frame.indices.shape
        local = 0x40 * frame.is_interlaced
        if frame.palette is not None:
            local |= 0x80 | _power(frame.palette) - 1
        head = b"\x2c" + struct.pack("<HHHHB", frame.left, frame.top, width, height, local) + _table(frame.palette)
        table = frame.palette if frame.palette is not None else self.palette
        rows = frame.indices
        if frame.is_interlaced:
            rows = np.concatenate([rows[first::step] for first, step in PASSES])
        bits = max(2, _power(table)) if table is not None else 8
        data = _coded(rows.reshape(-1)[: frame.coded], bits)
        blocks = b"".join(
            bytes([len(part)]) + part for part in (data[start : start + 255] for start in range(0, len(data), 255))
        )
        return control * frame.is_controlled + head + bytes([bits]) + blocks + b"\0"


def _power(palette: Pixels | None) -> int:
    return max(1, (len(palette) - 1).bit_length()) if palette is not None else 1


def _table(palette: Pixels | None) -> bytes:
    if palette is None:
        return b""
    return palette.astype(np.uint8).tobytes().ljust(3 * 2 ** _power(palette), b"\0")


def _coded(indices: Pixels, bits: int) -> bytes:
    """Return indices by the LZW of GIF89a without a string in it: the table is cleared before codes grow."""
    codes: list[int] = []
    step = 2**bits - 2
    for start in range(0, len(indices), step):
        codes += [2**bits, *map(int, indices[start : start + step])]
    codes.append(2**bits + 1)
    number = sum(code << (place * (bits + 1)) for place, code in enumerate(codes))
    return number.to_bytes(-(-len(codes) * (bits + 1) // 8), "little")


def cells() -> Iterator[Cell]:
    """Yield the GIFs."""
    yield from _stills()
    yield from _moving()
    yield from _timed()
    yield from _odd()
    yield from _uncolored()


def colors(bits: int, shift: int = 0) -> Pixels:
    """Return a palette."""
    return (np.arange(3 * 2**bits).reshape(-1, 3) * 9_973 + shift) % 256


def _shown(frame: GifFrame, palette: Pixels, background: int) -> Patch:
    table = frame.palette if frame.palette is not None else palette
    clear = np.concatenate([table, np.full((len(table), 1), 255)], axis=1)
    if frame.clear is not None:
        clear[frame.clear, 3] = 0
    dispose = {2: 1, 3: 2}.get(frame.disposal, 0)
    cleared = (*palette[background], 255) if frame.clear is None else (0, 0, 0, 0)
    return Patch(
        pixels=clear[frame.indices.astype(int)],
        left=frame.left,
        top=frame.top,
        milliseconds=frame.delay * 10,
        dispose=dispose,
        blend=OVER,
        cleared=cleared,
    )


def made(gif: Gif) -> Made:
    """Return the file and what it shows."""
    palette = gif.palette if gif.palette is not None else colors(8)
    plays = 1 if gif.loops is None else gif.loops and gif.loops + 1
    return Made(
        content=gif.content(),
        frames=played([_shown(frame, palette, gif.background) for frame in gif.frames]),
        plays=plays,
    )


def _cell(name: str, gif: Gif) -> Cell:
    return Cell(format="GIF", name=name, make=partial(made, gif))


def _stills() -> Iterator[Cell]:
    for bits, is_local, is_interlaced, clear in itertools.product(range(1, 9), (False, True), (False, True), (None, 0)):
        frame = GifFrame(
            indices=pattern(1, bits)[..., 0],
            is_interlaced=is_interlaced,
            clear=clear,
            palette=colors(bits) if is_local else None,
            is_controlled=clear is not None,
        )
        gif = Gif(frames=[frame], palette=None if is_local else colors(bits))
        name = f"{2**bits} colors" + ", palette of its own" * is_local + ", interlaced" * is_interlaced
        yield _cell(name + ", transparent" * (clear is not None), gif)
        if clear is None and not is_local:
            yield _cell(f"{name}, version 87a", replace(gif, version=b"GIF87a"))
    part = GifFrame(indices=pattern(1, 4)[2:9, 3:12, 0], left=3, top=2, clear=0)
    yield _cell("16 colors, a part of the screen, transparent", Gif(frames=[part], palette=colors(4)))


def _moving() -> Iterator[Cell]:
    for disposal, bits, is_local, is_interlaced in itertools.product(range(4), (2, 4, 8), (False, True), (False, True)):
        for clear in (0, None):
            if clear is None and disposal == 2 and is_local:
                continue  # there is no background color
            frames = [
                replace(frame, is_interlaced=is_interlaced, clear=clear)
                for frame in frames_of(bits, disposal, is_local=is_local)
            ]
            if clear is None and disposal == 3:
                frames[0] = replace(frames[0], disposal=1)  # what is restored before the first, nobody says
            name = f"animated, {2**bits} colors, disposal {disposal}" + ", palettes of their own" * is_local
            name += ", interlaced" * is_interlaced + ", transparent" * (clear is not None)
            yield _cell(name, Gif(frames=frames, palette=None if is_local else colors(bits), loops=0))
    for disposal, bits in itertools.product((2, 3), (2, 4, 8)):
        whole, *others = frames_of(bits, disposal)
        frames = [replace(whole, disposal=1), *(replace(frame, clear=0) for frame in others)]
        name = f"animated, {2**bits} colors, disposal {disposal}, the first opaque"
        yield _cell(name, Gif(frames=frames, palette=colors(bits), loops=0))


def frames_of(bits: int, disposal: int, *, is_local: bool = False) -> list[GifFrame]:
    """Return a whole frame and three parts."""
    made_frames = []
    for number, patch in enumerate(patches(dispose=0, blend=OVER)):
        indices = patch.pixels[..., 0] % 2**bits * (patch.pixels[..., 1] > 60)
        made_frames.append(
            GifFrame(
                indices=indices,
                left=patch.left,
                top=patch.top,
                delay=patch.milliseconds // 10,
                disposal=disposal,
                palette=colors(bits, 50 * number) if is_local else None,
            )
        )
    return made_frames


def _timed() -> Iterator[Cell]:
    for delay, loops in itertools.product((0, 1, 7, 65_535), (None, 0, 3)):
        frames = [replace(frame, delay=delay) for frame in frames_of(3, 1)]
        if delay:
            yield _cell(
                f"animated, delays of {delay}, loops {loops}", Gif(frames=frames, palette=colors(3), loops=loops)
            )


def _uncolored() -> Iterator[Cell]:
    """Yield frames with pixels whose number has no color, or only stands for transparency."""
    indices = pattern(1, 3)[..., 0].astype(int)
    for name, count in (("a still", 1), ("three frames", 3)):
        frame = GifFrame(indices=indices, palette=colors(3))
        gif = Gif(frames=[frame] * count, palette=colors(3))
        content = gif.content()
        # The first table of each frame becomes one of four colors.
        long, short = _table(colors(3)), _table(colors(3)[:4])
        changed = content.replace(bytes([0x82]) + long, bytes([0x81]) + short)
        yield Cell(
            format="GIF",
            name=f"{name}, pixels of colors that the table lacks",
            make=partial(Made, content=changed, frames=()),
            is_bad=True,
            truth="color number 7, and its palette ends at 3",
        )
    few = np.where(indices > 3, 7, indices)
    frame = GifFrame(indices=few, palette=colors(3), clear=7)
    made_whole = made(Gif(frames=[frame], palette=colors(3)))
    content = made_whole.content.replace(bytes([0x82]) + _table(colors(3)), bytes([0x81]) + _table(colors(3)[:4]))
    yield Cell(
        format="GIF",
        name="a still, transparent pixels of a number behind the table",
        make=partial(Made, content=content, frames=made_whole.frames, plays=made_whole.plays),
    )


def _odd() -> Iterator[Cell]:
    frame = GifFrame(indices=pattern(1, 4)[..., 0])
    gif = Gif(frames=[frame], palette=colors(4))
    yield _cell("16 colors, a comment", replace(gif, extensions=b"\x21\xfe\x05hello\0"))
    yield _cell("16 colors, an unknown application", replace(gif, extensions=b"\x21\xff\x0bXMP DataXMP\x03abc\0"))
    yield _cell("16 colors, no trailer", replace(gif, trailer=b""))
    yield _cell("16 colors, more behind the trailer", replace(gif, trailer=b";" + bytes(100)))
    grays = np.arange(256).repeat(3).reshape(-1, 3)
    own = GifFrame(indices=pattern(1, 8)[..., 0], palette=grays, delay=5)
    yield _cell("256 grays of its own beside a palette for all", Gif(frames=[own], palette=colors(8)))
    yield _cell(
        "animated, 256 grays of its own beside a palette for all",
        Gif(frames=[own, replace(own, indices=own.indices[::-1])], palette=colors(8)),
    )
    yield _cell("16 colors, background 3", replace(gif, background=3))
    for name, frames in (("", [frame]), ("animated, ", [*frames_of(4, 1)])):
        short = replace(frames[-1], coded=frames[-1].indices.size // 2)
        yield Cell(
            format="GIF",
            name=f"{name}16 colors, half the pixels coded",
            make=partial(Made, content=replace(gif, frames=[*frames[:-1], short]).content(), frames=()),
            is_bad=True,
            truth="damaged|cut short|incomplete",
        )
    moving = Gif(frames=frames_of(4, 1), palette=colors(4), loops=0).content()
    for share in (0.3, 0.5, 0.72, 0.9):
        yield Cell(
            format="GIF",
            name=f"animated, 16 colors, cut at {share:.0%}",
            make=partial(Made, content=moving[: int(len(moving) * share)], frames=()),
            is_bad=True,
            truth="damaged|cut short|incomplete",
        )
    yield Cell(
        format="GIF",
        name="16 colors, cut in the middle",
        make=lambda: Made(content=gif.content()[:-130], frames=()),
        is_bad=True,
        truth="damaged|cut short|incomplete",
    )
