"""Read JPEG files marker by marker: their headers, and whether all pixels are there.

Source: ITU-T T.81, annexes B and G.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: A marker with a length, or the end marker; not a stuffed byte, restart or fill byte (B.1.1.2).
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
_RESTART = re.compile(rb"\xff([\xd0-\xd7])", re.DOTALL)
_SCAN, _END, _RESTART_INTERVAL = 0xDA, 0xD9, 0xDD
#: Start of frame: C0 to CF except DHT, JPG and DAC; and JPEG-LS's.
_FRAMES = (frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {0xF7}
_BASELINE, _PROGRESSIVE = frozenset({0xC0, 0xC1}), frozenset({0xC2})
#: Huffman-coded DCT frames that are not hierarchical.
_COMMON = _BASELINE | _PROGRESSIVE
#: Lossless or hierarchical frames.
_ODD = {0xC3: "without loss", 0xCB: "without loss", 0xF7: "by JPEG-LS"} | dict.fromkeys(
    (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "of several layers"
)
_BITS, _CHANNELS = 8, (1, 3, 4)
_BANDS = 64
_PADDING = b"\x55" * 16
#: The number of bytes at the end of a scan's data that may be padding.
_SLACK = 8


@dataclass(frozen=True, kw_only=True)
class Jpeg:
    """The headers of a file's first image."""

    #: The number of the marker that begins the frame; 0 if there is none.
    frame: int
    bits: int
    channels: int
    #: The number of scans, up to the limit of counting.
    scans: int
    #: The offset of the first scan; all metadata come before it.
    start: int
    #: The end of the last scan's data, and whether an end marker follows.
    end: int
    has_end: bool
    #: Whether the scans contain all bits of all coefficients.
    is_complete: bool
    #: Whether the restart markers are in order.
    is_in_order: bool

    @property
    def oddity(self) -> str:
        """Why it is not supported, as words after `a JPEG`; empty if it is supported."""
        kind = _ODD.get(self.frame, "")
        if kind or self.bits != _BITS:
            return kind or f"of {self.bits} bits a channel"
        return "" if self.channels in _CHANNELS else f"of {self.channels} channels"

    @property
    def is_common(self) -> bool:
        """Whether it is baseline or progressive."""
        return self.frame in _COMMON

    @property
    def is_single(self) -> bool:
        """Whether it is decoded row by row: a single scan, not progressive."""
        return self.frame in _BASELINE and self.scans == 1


def read(content: bytes, most_scans: int) -> Jpeg:
    """Return the headers of a JPEG's first image; ignores data after it, such as a video or another image."""
    place, scans, begin, frame, bits, end, has_end = 2, 0, 0, 0, 8, len(content), False
    left: dict[int, list[int]] = {}
    restarts, has_restarts = b"", False
    while scans <= most_scans and (found := _MARKER.search(content, place)):
        marker, start = found[0][1], found.end()
        if scans:
            end = _before_filling(content, found.start())
        if marker == _END:
            has_end = True
            break
        # Skip by length, since data may look like markers.
        place = start + int.from_bytes(content[start : start + 2], "big")
        has_restarts |= marker == _RESTART_INTERVAL
        if marker in _FRAMES and not frame:
            frame, bits = marker, content[start + 2] if start + 2 < len(content) else 0
            left = {content[at]: [255] * _BANDS for at in range(start + 8, min(place, len(content)), 3)}
        if marker == _SCAN:
            scans += 1
            begin = begin or start
            _update_missing(left, content[start + 2 : place], is_progressive=frame in _PROGRESSIVE)
            following = _MARKER.search(content, place)
            end = _before_filling(content, following.start() if following else len(content))
            if has_restarts and scans == 1:
                restarts = b"".join(_RESTART.findall(content, place, end))
            place = end
    is_complete = all(not any(bands) for bands in left.values())
    is_in_order = all(one == 0xD0 + number % 8 for number, one in enumerate(restarts))
    return Jpeg(
        frame=frame,
        bits=bits,
        channels=len(left),
        scans=scans,
        start=begin,
        end=end,
        has_end=has_end,
        is_complete=is_complete,
        is_in_order=is_in_order,
    )


def _before_filling(content: bytes, end: int) -> int:
    """Return where data end before a marker: bytes of 255 may come between them (B.1.1.2), and data end in none."""
    while content[end - 1] == 0xFF:  # noqa: PLR2004
        end -= 1
    return end


def _update_missing(left: dict[int, list[int]], scan: bytes, *, is_progressive: bool) -> None:
    """Update the missing bits of each coefficient after a scan."""
    count = scan[0] if scan else 0
    if len(scan) < 4 + 2 * count:
        return
    first, last, low = (
        (scan[1 + 2 * count], scan[2 + 2 * count], scan[3 + 2 * count] & 15) if is_progressive else (0, 63, 0)
    )
    for component in scan[1 : 1 + 2 * count : 2]:
        bands = left.get(component, [0] * _BANDS)
        bands[first : last + 1] = [low] * (min(last, _BANDS - 1) - first + 1)


def padded(content: bytes, found: Jpeg) -> bytes:
    """Return a file with a single scan, with padding before the end marker.

    libjpeg reads some bytes ahead: a complete row is decoded before the end marker is read, an incomplete one is not.
    """
    return content[: found.end] + _PADDING + b"\xff\xd9"


@dataclass(kw_only=True)
class Watch:
    """Records how far a decoder has read."""

    needed_last_bytes: bool = False
    needed_end: bool = False

    def stops(self, end: int) -> list[tuple[int, Callable[[], None]]]:
        """Return the offsets at which a decoder of a padded scan is stopped, each with a callback."""
        return [(end - _SLACK, self._reach_last_bytes), (end + len(_PADDING), self._reach_end)]

    def _reach_last_bytes(self) -> None:
        self.needed_last_bytes = True

    def _reach_end(self) -> None:
        self.needed_end = True


class StagedFile(io.BytesIO):
    """A file that a decoder reads in stages: no read crosses a stop, and each stop has a callback."""

    stops: Sequence[tuple[int, Callable[[], None]]] = ()

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` bytes, but not beyond the next stop."""
        place = self.tell()
        for stop, reached in self.stops:
            if place == stop:
                reached()
            if place < stop:
                left = stop - place
                return super().read(left if size is None or size < 0 else min(size, left))
        return super().read(size)
