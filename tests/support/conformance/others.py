"""What is no image of a format that is read, under the name of one: the sentence must say what it is."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial

from tests.support.conformance.avif_writer import box
from tests.support.conformance.cell import Cell, Made, pattern
from tests.support.conformance.tiff_writer import Tiff

FILES: dict[str, tuple[bytes, str]] = {
    "HEIC": (box(b"ftyp", b"heic\0\0\0\0mif1heic") + bytes(100), "HEIC|HEIF"),
    "HEIF of many images": (box(b"ftyp", b"msf1\0\0\0\0msf1hevc") + bytes(100), "HEIC|HEIF"),
    "MP4": (box(b"ftyp", b"isom\0\0\0\0isomavc1") + bytes(100), "MP4|film|video|movie"),
    "QuickTime": (box(b"ftyp", b"qt  \0\0\0\0qt  ") + bytes(100), "QuickTime|film|video|movie"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "PDF"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "SVG with a declaration": (b"<?xml version='1.0'?>\n<!-- x -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "HTML": (b"<!DOCTYPE html>\n<html><body>403</body></html>", "HTML|web page"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript|EPS"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "JPEG 2000"),
    "JPEG 2000, bare": (b"\xff\x4f\xff\x51" + bytes(50), "JPEG 2000"),
    "JPEG XL": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "JPEG XL"),
    "JPEG XL, bare": (b"\xff\x0a" + bytes(50), "JPEG XL"),
    "JPEG XR": (b"II\xbc\x01" + bytes(50), "JPEG XR"),
    "PSD": (b"8BPS\0\1" + bytes(50), "Photoshop|PSD"),
    "ICO": (b"\0\0\1\0\1\0" + bytes(50), "ICO|icon"),
    "ZIP": (b"PK\3\4" + bytes(50), "ZIP|archive"),
    "OpenEXR": (b"v/1\1" + bytes(50), "EXR"),
    "Netpbm": (b"P6 2 2 255\n" + bytes(12), "Netpbm|PPM|PNM"),
    "QOI": (b"qoif" + struct.pack(">IIBB", 1, 1, 3, 0) + bytes(20), "QOI"),
    "XCF": (b"gimp xcf v011\0" + bytes(20), "GIMP|XCF"),
    "FLIF": (b"FLIF" + bytes(20), "FLIF|no image|not an image"),
    "Canon CR2": (b"II*\0\x10\0\0\0CR\2\0" + bytes(100), "raw|CR2|Canon"),
    "Canon CR3": (box(b"ftyp", b"crx \0\0\0\1crx isom") + bytes(100), "raw|CR3|Canon"),
    "Fujifilm RAF": (b"FUJIFILMCCD-RAW 0201" + bytes(100), "raw|RAF|Fuji"),
    "Panasonic RW2": (b"IIU\0\x18\0\0\0" + bytes(100), "raw|RW2|Panasonic"),
    "Olympus ORF": (b"IIRO\x08\0\0\0" + bytes(100), "raw|ORF|Olympus"),
    "plain text": (b"Hello, this is a letter.\n", "text|not an image|no image"),
    "nothing": (b"", "empty"),
    "zeros": (bytes(1_000), "not an image|no image|unknown"),
}


def cells() -> Iterator[Cell]:
    """Yield what is no image that is read."""
    for name, (content, truth) in FILES.items():
        yield Cell(format="others", name=name, is_bad=True, truth=truth, make=partial(Made, content=content, frames=()))
    raw: dict[str, tuple[int, dict[int, tuple[int, ...]]]] = {
        "DNG": (32_803, {50_706: (1, 4)}),
        "a camera's sensor (CFA)": (32_803, {}),
        "DNG of a preview": (1, {50_706: (1, 4)}),
        "raw file of a preview (NEF, ARW, PEF)": (1, {254: (1,), 330: (8,)}),
    }
    for name, (photometric, tags) in raw.items():
        tiff = Tiff(samples=pattern(1, 16), bits=16, photometric=photometric, tags=tags)
        yield Cell(format="others", name=name, is_bad=True, truth="raw|DNG|sensor", make=partial(_file, tiff))


def _file(tiff: Tiff) -> Made:
    return Made(content=tiff.content(), frames=())
