"""Identify unsupported files by their first bytes, and find additional data of photographs."""

from __future__ import annotations

import re

#: Patterns of a file's first bytes, and the kind of file.
_HEIF: tuple[tuple[bytes, str], ...] = (
    (rb"....ftyp(heic|heix|heim|heis|hevc|hevx|hevm|hevs)", "a HEIC image"),
    (rb"....ftyp(mif1|msf1|miaf)", "a HEIF image"),
)
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    *_HEIF,
    (rb"....ftypcrx ", "a camera's raw image (Canon CR3)"),
    (rb"....ftyp(jxl |jxlp)", "a JPEG XL image"),
    (rb"....ftyp(qt  |isom|iso\d|mp4\d|avc1|M4V |3gp|dash)", "a video"),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "a JPEG XL image"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (rb"%PDF-", "a PDF document"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript document"),
    (rb"8BPS", "a Photoshop document"),
    (rb"gimp xcf", "a GIMP document"),
    (rb"\0\0[\x01\x02]\0", "an icon"),
    (rb"II\*\0\x10\0\0\0CR", "a camera's raw image (Canon CR2)"),
    (rb"FUJIFILMCCD-RAW", "a camera's raw image (Fujifilm RAF)"),
    (rb"IIRO|MMOR|IIRS", "a camera's raw image (Olympus ORF)"),
    (rb"IIU\0", "a camera's raw image (Panasonic RW2)"),
    (rb"FOVb", "a camera's raw image (Sigma X3F)"),
    (rb"\0MRM", "a camera's raw image (Minolta MRW)"),
    (rb"PK\x03\x04", "a ZIP archive or an office document"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"\xd0\xcf\x11\xe0", "an office document"),
    (rb"RIFF....AVI |\x1aE\xdf\xa3|OggS|FLV", "a video"),
    (rb"ID3|\xff[\xfb\xf3\xf2]|RIFF....WAVE|fLaC", "a sound"),
    (rb"qoif", "a QOI image"),
    (rb"FLIF", "a FLIF image"),
    (rb"II\xbc", "a JPEG XR image"),
    (rb"icns", "an icon"),
    (rb"\x28\0\0\0.{8}\x01\0[\x01\x04\x08\x10\x18\x20]\0", "a bitmap without the header of a BMP file"),
    (rb"/\* XPM \*/", "an XPM image"),
    (rb"#define \w+_width", "an XBM image"),
    (rb"\x0a[\0-\x05]\x01[\x01\x02\x04\x08]", "a PCX image"),
    (rb"\x01\xda[\0\x01][\x01\x02]", "an SGI image"),
    (rb"\x59\xa6\x6a\x95", "a Sun raster image"),
    (rb"BLP[12]", "a texture"),
    (rb"....[\x11\x12]\xaf", "an animation (FLI or FLC)"),
    (rb"DDS |\xabKTX", "a texture"),
    (rb"P[1-7]\s", "a Netpbm image"),
    (rb"\x76\x2f\x31\x01", "an OpenEXR image"),
    (rb"#\?(RADIANCE|RGBE)", "a Radiance HDR image"),
    (rb"SIMPLE  =", "a FITS image"),
    (rb"\x01\0\0\0.{36} EMF|\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (rb"<(!DOCTYPE )?svg", "an SVG drawing"),
    (rb"<(!DOCTYPE )?html|<(head|body)", "an HTML page"),
    (rb"<\?xml", "an XML document"),
    (rb"MZ|\x7fELF|#!", "a program"),
)
#: The supported formats by their first bytes.
_OURS: tuple[tuple[bytes, str], ...] = (
    (rb"\xff\xd8", "JPEG"), (rb"\x89PNG\r\n\x1a\n", "PNG"), (rb"GIF8[79]a", "GIF"), (rb"RIFF....WEBP", "WEBP"),
    (rb"II\*\0|MM\0\*|II\+\0|MM\0\+", "TIFF"), (rb"BM", "BMP"), (rb"....ftypavi[fs]", "AVIF"),
)  # fmt: skip
_FLAGS = re.DOTALL | re.IGNORECASE
_PROLOGUE = re.compile(rb"^\xef\xbb\xbf|<!--.*?-->|<\?[^>]*>", re.DOTALL)
#: The number of bytes that are read.
HEAD_BYTES = 1024
#: Markers of additional data of a photograph.
_COMPANIONS: tuple[tuple[tuple[bytes, ...], str], ...] = (
    ((b"hdrgm:", b"urn:iso:std:iso:ts:21496:-1", b"hdrgainmap", b"HDRGainMap"), "gain map (HDR)"),
    ((b"GDepth:", b'Semantic="Depth', b"depthmap", b"auxiliary:depth"), "depth map"),
    ((b"MotionPhoto", b"MicroVideo"), "video (motion photo)"),
)


def other_kind(head: bytes) -> str:
    """Return the kind of an unsupported file, such as `a PDF document`; empty if unknown."""
    kind = next((kind for pattern, kind in _SIGNATURES if re.match(pattern, head, _FLAGS)), "")
    if kind and kind != "an XML document":
        return kind
    # The first element of an XML file identifies it.
    inner = _PROLOGUE.sub(b"", head).lstrip()
    return next((kind for pattern, kind in _SIGNATURES if re.match(pattern, inner, _FLAGS)), kind)


def heif_kind(head: bytes) -> str:
    """Return the kind of HEIF of a file with these first bytes; empty if it is none."""
    return next((kind for pattern, kind in _HEIF if re.match(pattern, head, _FLAGS)), "")


def our_format(head: bytes) -> str:
    """Return the supported format of a file by its first bytes; empty if it has none."""
    return next((name for pattern, name in _OURS if re.match(pattern, head, re.DOTALL)), "")


def companions(content: bytes) -> list[str]:
    """Return the additional data of a photograph: gain map, depth map, video."""
    return [what for signs, what in _COMPANIONS if any(sign in content for sign in signs)]
