"""EXIF metadata: what is kept (who, when and how) and what never is (where)."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

#: The tag that says how a picture is to be turned (CIPA DC-008, Exif 2.32).
ORIENTATION = 0x0112
_GPS, _CIRCUMSTANCES = 0x8825, 0x8769
#: What is true of the source's file alone: maker's notes, its width and height.
_OF_THE_FILE = (0x927C, 0xA002, 0xA003)
#: The EXIF tags that describe the picture and not the file: title, make, model, software, time, artist, copyright.
_DESCRIPTIVE = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)


#: Tags of a TIFF that hold XMP, IPTC, and Photoshop's resources, in which IPTC lies as well.
_XMP, _IPTC, _PHOTOSHOP = 700, 33_723, 34_377
#: Texts of a PNG that are something else.
_NO_COMMENTS = {"XML:com.adobe.xmp"}
#: What each orientation asks for; 1 asks for nothing.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(image: Image.Image) -> int:
    """Return a picture's orientation, 1 to 8; 1 if its EXIF data cannot be read."""
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001  whatever is wrong with EXIF data, the picture is another thing
        return 1
    return found if found in _TURNS else 1


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return a picture turned as its orientation asks."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def kept_exif(image: Image.Image, note: Callable[[str], None], *, limit_bytes: int, whole: bool) -> bytes:
    """Return what is kept of EXIF data: who took the picture, when, and how; not where, nor how the file is made.

    Without `whole`, how it was taken goes, too: a compressed TIFF cannot be written with it.
    """
    try:
        exif = image.getexif()
        kept = _kept(exif, whole=whole)
        if not whole and exif.get_ifd(_CIRCUMSTANCES):
            note("its EXIF data of how it was taken went: they do not fit a TIFF")
    except Exception:  # noqa: BLE001  whatever is wrong with EXIF data, the picture is another thing
        note("its EXIF data could not be read")
        return b""
    if len(kept) > limit_bytes:
        note("its EXIF data were too long")
        return b""
    return kept


def note_what_goes(image: Image.Image, note: Callable[[str], None]) -> None:
    """Say what of a picture's metadata is never kept: where it was taken, and what is not EXIF."""
    try:
        if _GPS in image.getexif():
            note("the position in its EXIF data (GPS) was left out")
    except Exception:  # noqa: BLE001  whatever is wrong with EXIF data, the picture is another thing
        return
    tags = getattr(image, "tag_v2", {})
    # Not `image.text`, which decodes the whole picture, whatever is in it.
    texts = [name for name, value in image.info.items() if isinstance(value, str)] if image.format == "PNG" else []
    there = {
        "XMP": "xmp" in image.info or "XML:com.adobe.xmp" in image.info or _XMP in tags,
        "IPTC": "photoshop" in image.info or _IPTC in tags or _PHOTOSHOP in tags,
        "comments": "comment" in image.info or any(name not in _NO_COMMENTS for name in texts),
    }
    found = [name for name, is_there in there.items() if is_there]
    if found:
        note(f"its {' and '.join(found)} went")


def _kept(exif: Image.Exif, *, whole: bool) -> bytes:
    kept = Image.Exif()
    for tag in _DESCRIPTIVE:
        if tag in exif:
            kept[tag] = exif[tag]
    circumstances = {tag: value for tag, value in exif.get_ifd(_CIRCUMSTANCES).items() if tag not in _OF_THE_FILE}
    if circumstances and whole:
        kept[_CIRCUMSTANCES] = circumstances
    return kept.tobytes() if len(kept) else b""
