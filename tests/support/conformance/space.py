"""Color spaces: what samples mean, in the few ways that files say it, and the same in sRGB."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: x and y of red, green, blue and white (ITU-R BT.709, SMPTE EG 432-1, ITU-R BT.2020), by their number in H.273.
PRIMARIES: dict[int, tuple[float, ...]] = {
    1: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290),
}
ADOBE = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.3290)
#: From XYZ under D65 to D50 (Bradford), as profiles are written.
_TO_D50 = np.array([[1.0479, 0.0229, -0.0502], [0.0296, 0.9905, -0.0171], [-0.0092, 0.0151, 0.7519]])


@dataclass(frozen=True, kw_only=True)
class Space:
    """Primaries, and a transfer curve: a power, 0 for sRGB's."""

    name: str
    primaries: tuple[float, ...] = PRIMARIES[1]
    gamma: float = 0.0
    #: The curve as a table instead, from 0 to 1.
    table: tuple[float, ...] = ()

    def to_linear(self, shares: NDArray[Any]) -> NDArray[Any]:
        """Return light for samples."""
        if self.table:
            return np.asarray(np.interp(shares, np.linspace(0, 1, len(self.table)), self.table))
        if self.gamma:
            return np.asarray(np.clip(shares, 0, 1) ** self.gamma)
        return np.where(shares <= 0.04045, shares / 12.92, ((np.clip(shares, 0, 1) + 0.055) / 1.055) ** 2.4)


SRGB = Space(name="sRGB")
DISPLAY_P3 = Space(name="Display P3", primaries=PRIMARIES[12])
ADOBE_RGB = Space(name="Adobe RGB", primaries=ADOBE, gamma=563 / 256)
LINEAR = Space(name="linear sRGB", gamma=1.0)


def matrix(primaries: tuple[float, ...]) -> NDArray[Any]:
    """Return the matrix from linear RGB to XYZ of primaries and white (Lindbloom)."""
    points = np.array(primaries).reshape(4, 2)
    columns = np.stack([points[:, 0] / points[:, 1], np.ones(4), (1 - points.sum(axis=1)) / points[:, 1]])
    return np.asarray(columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3]))


def in_srgb(pixels: NDArray[Any], space: Space) -> NDArray[Any]:
    """Return RGBA in sRGB, clipped; alpha stays."""
    light = space.to_linear(pixels[..., :3])
    turn = np.linalg.solve(matrix(PRIMARIES[1]), matrix(space.primaries))
    light = np.clip(light @ turn.T, 0, 1)
    color = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.concatenate([color, pixels[..., 3:]], axis=2)


def profile(space: Space) -> bytes:
    """Return an ICC profile of a space (version 4): its name, matrix, white, and one curve."""
    columns = _TO_D50 @ matrix(space.primaries)
    curve = struct.pack(">4sIHHi", b"para", 0, 0, 0, round(space.gamma * 65_536))
    if not space.gamma:
        parts = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        curve = struct.pack(">4sIHH5i", b"para", 0, 3, 0, *(round(part * 65_536) for part in parts))
    tags = {b"desc": _text(space.name), b"cprt": _text("none"), b"wtpt": _xyz((0.9642, 1.0, 0.8249))}
    tags |= {name: _xyz(columns[:, place]) for place, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    return _written(tags)


def _written(tags: dict[bytes, bytes]) -> bytes:
    place, table, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, place + len(body), len(content))
        body += padded
    head = struct.pack(
        ">I4sI4s4s4s12s4s", place + len(body), b"test", 0x04200000, b"mntr", b"RGB ", b"XYZ ", bytes(12), b"acsp"
    )
    head += bytes(28) + struct.pack(">3i", 63_190, 65_536, 54_061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _xyz(values: Any) -> bytes:
    return struct.pack(">4sI3i", b"XYZ ", 0, *(round(float(value) * 65_536) for value in values))


def of_profile(content: bytes) -> Space | None:
    """Return what a profile of one curve, with a matrix or for gray, means; None for any other."""
    tags = {}
    for place in range(132, 132 + 12 * struct.unpack_from(">I", content, 128)[0], 12):
        name, start, size = struct.unpack_from(">4sII", content, place)
        tags[name] = content[start : start + size]
    if b"kTRC" in tags:
        return _of_curve("profile", PRIMARIES[1], tags[b"kTRC"])
    if b"rXYZ" not in tags:
        return None
    columns = np.array([struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]).T / 65_536
    columns = np.linalg.solve(_TO_D50, columns)
    points = [value for xyz in [*columns.T, columns.sum(axis=1)] for value in (xyz[0] / sum(xyz), xyz[1] / sum(xyz))]
    return _of_curve("profile", tuple(points), tags[b"rTRC"])


def _of_curve(name: str, primaries: tuple[float, ...], curve: bytes) -> Space | None:
    if curve[:4] == b"para":
        kind, _, gamma = struct.unpack_from(">HHi", curve, 8)
        return Space(name=name, primaries=primaries, gamma=0.0 if kind else gamma / 65_536)
    count = struct.unpack_from(">I", curve, 8)[0]
    numbers = struct.unpack_from(f">{count}H", curve, 12)
    if count > 1:
        return Space(name=name, primaries=primaries, table=tuple(number / 65_535 for number in numbers))
    return Space(name=name, primaries=primaries, gamma=numbers[0] / 256 if numbers else 1.0)


def of_cicp(primaries: int, transfer: int) -> Space | None:
    """Return what two numbers of H.273 mean: BT.709's curve counts as sRGB's, as viewers have it."""
    if primaries not in PRIMARIES:
        return None
    gamma = {8: 1.0, 4: 2.2, 5: 2.8}.get(transfer, 0.0)
    return Space(name=f"CICP {primaries}/{transfer}", primaries=PRIMARIES[primaries], gamma=gamma)


def of_gama(gamma: int, points: tuple[int, ...] | None) -> Space:
    """Return what a PNG's gAMA and cHRM mean: 45455 is sRGB's, for all that it says."""
    white_first = [value / 100_000 for value in points] if points else []
    primaries = tuple(white_first[2:] + white_first[:2]) if points else PRIMARIES[1]
    return Space(name=f"gamma {gamma}", primaries=primaries, gamma=0.0 if gamma == 45_455 else 100_000 / gamma)
