"""Color profiles: compare them with sRGB by their colors, and create them from other color descriptions.

Sources: ICC.1:2022 (profiles), ITU-T H.273 (numbers of primaries and curves), PNG 3 (gAMA, cHRM, cICP).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageChops, ImageCms

#: The maximum difference from sRGB to count as the same profile, in levels of 255.
_TOLERANCE = 3
_STEPS = (0, 51, 102, 153, 204, 255)
#: Chromaticities x and y of red, green, blue and white.
Primaries = tuple[float, ...]
Curve = Callable[[float], float]
_D65 = (0.3127, 0.3290)
SRGB_PRIMARIES: Primaries = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65)
_ADOBE: Primaries = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, *_D65)
#: EXIF tags about the color space.
_EXIF, _COLOR_SPACE, _UNCALIBRATED, _INTEROP = 0x8769, 0xA001, 65_535, 0xA005
#: Primaries by their number in H.273, without those for film and XYZ.
PRIMARIES: dict[int, Primaries] = {
    1: SRGB_PRIMARIES,
    2: SRGB_PRIMARIES,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.310, 0.316),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, *_D65),
    7: (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, *_D65),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
#: The brightness of white in images of high dynamic range, in candela per square meter (ITU-R BT.2408).
_WHITE = 203
_TABLE = 1024
_D50 = (0.9642, 1.0, 0.8249)
Matrix = Sequence[Sequence[float]]
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def srgb_curve(level: float) -> float:
    """Return the linear intensity of an sRGB value, both from 0 to 1."""
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  IEC 61966-2-1


@dataclass(frozen=True, kw_only=True)
class _Power:
    """A power curve, with a name for messages."""

    exponent: float

    def __call__(self, level: float) -> float:
        return float(level**self.exponent)

    def __str__(self) -> str:
        return f"gamma {self.exponent:g}"


def gamma_curve(exponent: float) -> Curve:
    """Return a power curve."""
    return _Power(exponent=exponent)


def _pq(level: float) -> float:
    """Return the intensity by SMPTE ST 2084 (PQ), clipped at white."""
    root = level ** (32 / 2523)
    return float(
        min(1.0, 10_000 / _WHITE * (max(0.0, root - 0.8359375) / (18.8515625 - 18.6875 * root)) ** (16384 / 2610))
    )


def _hlg(level: float) -> float:
    """Return the intensity by ITU-R BT.2100 (HLG) on a display of 1,000 candela per square meter, clipped at white."""
    scene = level**2 / 3 if level <= 0.5 else (2.718281828 ** ((level - 0.55991073) / 0.17883277) + 0.28466892) / 12  # noqa: PLR2004
    return float(min(1.0, 1_000 / _WHITE * scene**1.2))


#: Curves by their number in H.273. Those of television count as sRGB, as in browsers.
CURVES: dict[int, Curve] = {
    **dict.fromkeys((1, 2, 6, 13, 14, 15), srgb_curve),
    4: gamma_curve(2.2), 5: gamma_curve(2.8), 8: gamma_curve(1), 16: _pq, 18: _hlg,
}  # fmt: skip
#: The curves that are clipped at white.
HDR_CURVES = (16, 18)


@dataclass(frozen=True, kw_only=True)
class Description:
    """The primaries and tone curve of an image, as numbers in H.273 or as values."""

    primaries: int | Primaries
    curve: int | Curve

    def __str__(self) -> str:
        """Return its numbers."""
        points = () if isinstance(self.primaries, int) else self.primaries
        primaries = f"({', '.join(f'{point:g}' for point in points)})" if points else self.primaries
        return f"primaries {primaries}, curve {'sRGB' if self.curve is srgb_curve else self.curve}"

    @property
    def is_hdr(self) -> bool:
        """Whether it has intensities above white, which are clipped."""
        return self.curve in HDR_CURVES

    def profile(self, *, gray: bool = False) -> bytes:
        """Return its profile. Raises: KeyError for unknown numbers; ArithmeticError for invalid values."""
        primaries = PRIMARIES[self.primaries] if isinstance(self.primaries, int) else self.primaries
        return made(primaries, CURVES[self.curve] if isinstance(self.curve, int) else self.curve, gray=gray)


def of_exif(image: Image.Image) -> Description | None:
    """Return Adobe RGB if EXIF data declare it as "uncalibrated" and R03 (DCF 2.0, 3.4)."""
    try:
        exif = image.getexif()
        is_adobe = exif.get_ifd(_EXIF).get(_COLOR_SPACE) == _UNCALIBRATED and exif.get_ifd(_INTEROP).get(1) == "R03"
    except Exception:  # noqa: BLE001  broken EXIF data must not break the image
        return None
    return Description(primaries=_ADOBE, curve=gamma_curve(563 / 256)) if is_adobe else None


@lru_cache(maxsize=32)
def is_srgb(profile: bytes) -> bool:
    """Whether a profile has the colors of sRGB, regardless of its name."""
    mode = {b"RGB ": "RGB", b"GRAY": "L"}.get(profile[16:20])
    if mode is None:
        return False
    levels = [(red, green, blue) for red in _STEPS for green in _STEPS for blue in _STEPS]
    levels += [(level, level, level) for level in range(256)]
    image = Image.new("RGB", (len(levels), 1))
    image.putdata(levels)
    image = image.convert(mode)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        shown = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False
    difference = ImageChops.difference(shown, image.convert("RGB")) if shown else image
    return all(band.getextrema()[1] <= _TOLERANCE for band in difference.split())  # type: ignore[operator]


def made(primaries: Primaries, curve: Curve, *, gray: bool = False) -> bytes:
    """Return a profile for these primaries and curve. Raises: ValueError or ZeroDivisionError for invalid values."""
    levels = [min(65_535, max(0, round(65_535 * curve(step / (_TABLE - 1))))) for step in range(_TABLE)]
    table = struct.pack(f">4s4xI{_TABLE}H", b"curv", _TABLE, *levels)
    tags = {b"desc": _text("described by the image"), b"cprt": _text("none"), b"wtpt": _xyz(_D50)}
    if gray:
        tags[b"kTRC"] = table
    else:
        tags |= {
            name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _columns(primaries), strict=True)
        }
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), table)
    return _file(tags, b"GRAY" if gray else b"RGB ")


def _columns(primaries: Primaries) -> list[Sequence[float]]:
    """Return X, Y and Z of red, green and blue at full intensity, adapted to D50."""
    points = [(x / y, 1.0, (1 - x - y) / y) for x, y in zip(primaries[::2], primaries[1::2], strict=True)]
    *colors, white = points
    shares = _times(_inverse(_turned(colors)), white)
    seen, cones = _times(_BRADFORD, _D50), _times(_BRADFORD, white)
    adaptation = [one / other for one, other in zip(seen, cones, strict=True)]
    return [_adapted([share * part for part in color], adaptation) for color, share in zip(colors, shares, strict=True)]


def _adapted(color: Sequence[float], adaptation: Sequence[float]) -> list[float]:
    cones = [cone * factor for cone, factor in zip(_times(_BRADFORD, color), adaptation, strict=True)]
    return _times(_inverse(_BRADFORD), cones)


def _times(matrix: Matrix, vector: Sequence[float]) -> list[float]:
    return [sum(one * other for one, other in zip(row, vector, strict=True)) for row in matrix]


def _turned(matrix: Matrix) -> Matrix:
    return list(zip(*matrix, strict=True))


def _inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    return [[part / determinant for part in row] for row in cofactors]


def _xyz(values: Sequence[float]) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(65_536 * value) for value in values))


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(encoded), 28) + encoded


def _file(tags: dict[bytes, bytes], space: bytes) -> bytes:
    """Return a version 4 profile with these tags; equal tags share their data."""
    place, places, body = 132 + 12 * len(tags), {}, b""
    for data in dict.fromkeys(tags.values()):
        places[data] = place + len(body)
        body += data + bytes(-len(data) % 4)
    table = struct.pack(">I", len(tags)) + b"".join(
        name + struct.pack(">II", places[data], len(data)) for name, data in tags.items()
    )
    header = struct.pack(
        ">I4sI4s4s4s6H4s28x3i48x",
        place + len(body), b"", 0x04300000, b"mntr", space, b"XYZ ", 2026, 1, 1, 0, 0, 0, b"acsp",
        *(round(65_536 * value) for value in _D50),
    )  # fmt: skip
    return header + table + body
