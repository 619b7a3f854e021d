"""EXIF metadata: what is kept (who, when and how) and what never is (where)."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass

from PIL import ExifTags, Image

from courier.images import color
from courier.images.formats import Format
from courier.images.notes import Note
from courier.images.pipeline import Pipeline

#: The orientation tag (CIPA DC-008, Exif 2.32).
ORIENTATION = 0x0112
_GPS, _CIRCUMSTANCES = 0x8825, 0x8769
_INTEROPERABILITY = 0xA005
#: The color space tag, with its value for sRGB; other values would be wrong for the result.
_COLOR_SPACE, _SRGB = 0xA001, 1
#: Tags that apply to the source file only: maker notes, width and height, and compatible cards.
_OF_THE_FILE = (0x927C, 0xA002, 0xA003, _INTEROPERABILITY)
#: The EXIF tags that describe the image and not the file: title, make, model, software, time, artist, computer,
#: ratings, copyright, and Windows' title, comment, author, keywords and subject.
_DESCRIPTIVE = (
    0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749, 0x8298,
    0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F,
)  # fmt: skip
#: EXIF tags about the file that can be dropped silently: orientation, resolution, chroma positions.
_TECHNICAL = (
    ORIENTATION,
    0x0100,
    0x0101,
    0x0102,
    0x0103,
    0x0106,
    0x0115,
    0x011A,
    0x011B,
    0x011C,
    0x0128,
    0x0213,
    0xEA1C,
)


#: TIFF tags with XMP, IPTC, and Photoshop resources, which may contain IPTC.
_XMP, _IPTC, _PHOTOSHOP = 700, 33_723, 34_377
#: PNG text chunks with other metadata.
_NO_COMMENTS = {"XML:com.adobe.xmp"}
#: The names under which Pillow stores XMP, the XMP name of the orientation, and the name that hides it.
_XMP_NAMES, _XMP_ORIENTATION, _HIDDEN = ("xmp", "XML:com.adobe.xmp"), b"tiff:Orientation", b"tiff:orientation"
_XMP_TURN = re.compile(rb"tiff:[Oo]rientation(?:=[\"']|>)[2-8]")
#: The transposition for each orientation; none for 1.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


#: The first orientation that swaps width and height.
SIDEWAYS = 5
_MAX_DOTS = 100_000


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The metadata and color profile of a result."""

    #: EXIF data without the location; None: none.
    exif: Image.Exif | None = None
    #: The resolution, in dots per inch.
    dots: tuple[float, float] | None = None
    #: The color profile to embed.
    profile: bytes = b""
    #: The profile for the conversion to sRGB; empty: CMYK without a profile; None: no conversion.
    foreign: bytes | None = None


def exif_of(image: Image.Image) -> Image.Exif:
    """Return an image's EXIF data. Unlike Pillow, does not decode a PNG to find some.

    Ignores an orientation that only XMP has, as ISO/IEC 23008-12 (6.5.10) wants for AVIFs, and as browsers do.
    """
    _hide_xmp_orientation(image)
    if image.format == "AVIF":
        exif = Image.Exif()
        exif.load(image.info.get("exif", b""))
        return exif
    return Image.Image.getexif(image) if image.format == "PNG" else image.getexif()


def _hide_xmp_orientation(image: Image.Image) -> None:
    """Hide the XMP orientation from Pillow, now and when it decodes a TIFF."""
    for name in _XMP_NAMES:
        found = image.info.get(name)
        if isinstance(found, bytes) and _XMP_ORIENTATION in found:
            image.info[name] = found.replace(_XMP_ORIENTATION, _HIDDEN)
        elif isinstance(found, str) and _XMP_ORIENTATION.decode() in found:
            image.info[name] = found.replace(_XMP_ORIENTATION.decode(), _HIDDEN.decode())
        else:
            continue
        image._exif = None  # noqa: SLF001  read when the image was opened, XMP included


def _turns_by_xmp(image: Image.Image) -> bool:
    """Whether XMP has an orientation other than 1, and EXIF has none."""
    texts = [image.info.get(name, b"") for name in _XMP_NAMES]
    turns = any(_XMP_TURN.search(one if isinstance(one, bytes) else one.encode()) for one in texts)
    return turns and ORIENTATION not in exif_of(image)


def orientation_of(image: Image.Image) -> int:
    """Return an image's orientation, 1 to 8; 1 if its EXIF data cannot be read."""
    try:
        found = exif_of(image).get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001  broken EXIF data must not break the image
        return 1
    return found if found in _TURNS else 1


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Apply the orientation."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def kept_of(image: Image.Image, pipeline: Pipeline, target: Format, note: Note) -> Kept:
    """Return the metadata of the result, and note what is removed."""
    profile, foreign = _profiles(image, pipeline, target)
    note_removed(image, note)
    if pipeline.strips_metadata:
        return Kept(foreign=foreign)
    dots = image.info.get("dpi")
    # A TIFF without a resolution reads as 1; 100,000 is beyond any printer.
    is_true = isinstance(dots, tuple) and all(1 < float(one) < _MAX_DOTS for one in dots)
    exif = kept_exif(image, target, note) if target.max_exif_bytes else None
    return Kept(exif=exif, dots=dots if is_true and target.has_resolution else None, profile=profile, foreign=foreign)


def _profiles(image: Image.Image, pipeline: Pipeline, target: Format) -> tuple[bytes, bytes | None]:
    """Return the profile to embed, and the profile for the conversion to sRGB."""
    profile = image.info.get("icc_profile") or b""
    is_held = target.max_exif_bytes and ("L" in target.modes or not color.is_of_gray(profile))
    stays = is_held and pipeline.keeps_color and not pipeline.strips_metadata
    if image.mode == "CMYK" or (color.is_foreign(profile) and not stays):
        return b"", profile
    return profile if stays else b"", None


class _OriginalText(str):
    """Text that is written with its original bytes; Pillow reads Latin-1 and writes ASCII."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the text itself."""
        return self

    def encode(self, _encoding: str = "", _errors: str = "") -> bytes:
        """Return the original bytes, for any encoding."""
        return super().encode("latin-1")


def kept_exif(image: Image.Image, target: Format, note: Note) -> Image.Exif | None:
    """Filter EXIF data: keep author, time and camera settings; drop the location and tags about the file."""
    try:
        exif = exif_of(image)
        kept = _kept(exif, whole=target.has_exposure)
        size_bytes = len(kept.tobytes()) if len(kept) else 0
        if not target.has_exposure and exif.get_ifd(_CIRCUMSTANCES):
            note(f"its EXIF data about the exposure was removed: it does not fit a {target.name}")
    except Exception:  # noqa: BLE001  broken EXIF data must not break the image
        note("its EXIF data could not be read")
        return None
    if size_bytes > target.max_exif_bytes:
        note("its EXIF data was too long")
        return None
    return kept if size_bytes else None


def note_removed(image: Image.Image, note: Note) -> None:
    """Note metadata that is always removed: the location, and metadata other than EXIF."""
    with contextlib.suppress(Exception):  # broken EXIF data must not break the image
        _note_exif(image, note)
    tags = getattr(image, "tag_v2", {})
    # Not `image.text`, which decodes the whole image.
    texts = [name for name, value in image.info.items() if isinstance(value, str)] if image.format == "PNG" else []
    there = {
        "XMP": "xmp" in image.info or "XML:com.adobe.xmp" in image.info or _XMP in tags,
        "IPTC": "photoshop" in image.info or _IPTC in tags or _PHOTOSHOP in tags,
        "comments": "comment" in image.info or any(name not in _NO_COMMENTS for name in texts),
    }
    found = [name for name, is_there in there.items() if is_there]
    if found:
        note(f"{' and '.join(found)} removed")


def _note_exif(image: Image.Image, note: Note) -> None:
    if _turns_by_xmp(image):
        note("the orientation in its XMP data was not applied: other programs do not either")
    exif = exif_of(image)
    if _GPS in exif:
        note("the position in its EXIF data (GPS) was removed")
    known = (*_DESCRIPTIVE, *_TECHNICAL, _CIRCUMSTANCES, _GPS)
    others = (
        [] if image.format == "TIFF" else [ExifTags.TAGS.get(tag, f"{tag:#06x}") for tag in exif if tag not in known]
    )
    others += ["Interoperability"] * (_INTEROPERABILITY in exif.get_ifd(_CIRCUMSTANCES))
    if others:
        note(f"other EXIF data removed ({', '.join(others[:5])})")


def _kept(exif: Image.Exif, *, whole: bool) -> Image.Exif:
    kept = Image.Exif()
    for tag in _DESCRIPTIVE:
        if tag in exif:
            kept[tag] = _with_original_text(exif[tag])
    circumstances = {tag: value for tag, value in exif.get_ifd(_CIRCUMSTANCES).items() if tag not in _OF_THE_FILE}
    if circumstances.get(_COLOR_SPACE) != _SRGB:
        circumstances.pop(_COLOR_SPACE, None)
    if circumstances and whole:
        kept[_CIRCUMSTANCES] = {tag: _with_original_text(value) for tag, value in circumstances.items()}
    return kept


def _with_original_text(value: object) -> object:
    return _OriginalText(value) if isinstance(value, str) else value
