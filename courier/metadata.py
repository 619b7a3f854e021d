"""What EXIF data tells of a picture, and what of it is passed on: who, when and how, and never where."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

#: The tag that says how a picture is to be turned (CIPA DC-008, Exif 2.32).
ORIENTATION = 0x0112
_GPS, _CIRCUMSTANCES, _MAKER_NOTE = 0x8825, 0x8769, 0x927C
#: The EXIF tags that describe the picture and not the file: title, make, model, software, time, artist, copyright.
_DESCRIPTIVE = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)


def kept_exif(exif: Image.Exif, note: Callable[[str], None]) -> bytes:
    """Return what is kept of EXIF data: who took the picture, when, and how; not where, nor how the file is made."""
    if _GPS in exif:
        note("the position in its EXIF data (GPS) was left out")
    kept = Image.Exif()
    for tag in _DESCRIPTIVE:
        if tag in exif:
            kept[tag] = exif[tag]
    circumstances = {tag: value for tag, value in exif.get_ifd(_CIRCUMSTANCES).items() if tag != _MAKER_NOTE}
    if circumstances:
        kept[_CIRCUMSTANCES] = circumstances
    return kept.tobytes() if len(kept) else b""
