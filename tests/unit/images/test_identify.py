"""What is not worked on is called what it is, and what a photograph carries beside its image is named."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from PIL import Image, TiffImagePlugin

from courier.errors import NotAnImage, Reason
from courier.images.formats import FORMATS, HEIF
from courier.images.preview import sample
from courier.images.probe import Bounds, open_source
from courier.images.processor import process


@pytest.fixture(autouse=True)
def _without_heif(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where pillow-heif is not installed; tests/unit/images/test_heif.py has the rest."""
    monkeypatch.delitem(FORMATS, HEIF.name, raising=False)


def encoded(image_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(sample())).convert("RGB").resize((64, 48)).save(file, image_format, **options)
    return file.getvalue()


def rejected(content: bytes) -> NotAnImage:
    with pytest.raises(NotAnImage) as raised:
        open_source(io.BytesIO(content))
    return raised.value


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC image"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a HEIF image"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "Canon CR3"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", "a video"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "a PostScript document"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b'<?xml version="1.0"?>\n<!-- made manually -->\n<svg width="1"/>', "an SVG drawing"),
        (b"\n<!DOCTYPE html><html><body>404</body></html>", "an HTML page"),
        (b"<html>", "an HTML page"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
        (b"\xff\x0a\xfa", "a JPEG XL image"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
        (b"FUJIFILMCCD-RAW 0201", "Fujifilm RAF"),
        (b"IIRO\x08\0\0\0", "Olympus ORF"),
        (b"PK\3\4", "a ZIP archive"),
        (b"\x1f\x8b\x08\0", "a gzip archive"),
        (b"P6\n1 1\n255\nabc", "a Netpbm image"),
        (encoded("JPEG2000"), "a JPEG 2000 image"),
        (encoded("ICO"), "an icon"),
    ],
)
def test_what_is_not_worked_on_is_called_what_it_is(content: bytes, kind: str) -> None:
    error = rejected(content)

    assert kind in error.message
    assert "not an image that can be read here" in error.message
    assert error.reason == Reason.UNSUPPORTED_FORMAT


def test_what_nobody_knows_is_no_image() -> None:
    assert rejected(b"some words").message == "This is not an image that can be read here."


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
def test_a_damaged_header_is_damage_and_no_unknown_format(image_format: str) -> None:
    error = rejected(encoded(image_format)[:24])

    assert error.reason == Reason.CORRUPT
    assert "The formats are" not in error.sentence


def with_frame(marker: int, bits: int) -> bytes:
    content = encoded("JPEG")
    place = content.index(b"\xff\xc0")
    return (
        content[:place] + bytes([0xFF, marker]) + content[place + 2 : place + 4] + bytes([bits]) + content[place + 5 :]
    )


@pytest.mark.parametrize(
    ("marker", "bits", "said"),
    [
        (0xC1, 12, "a JPEG of 12 bits a channel"),
        (0xC0, 12, "a JPEG of 12 bits a channel"),
        (0xC3, 16, "a JPEG without loss"),
        (0xC5, 8, "a JPEG of several layers"),
    ],
)
def test_an_odd_jpeg_is_called_what_it_is(marker: int, bits: int, said: str) -> None:
    error = rejected(with_frame(marker, bits))

    assert said in error.message
    assert error.reason == Reason.UNSUPPORTED_FORMAT


def test_an_odd_bmp_is_not_called_damaged() -> None:
    content = bytearray(encoded("BMP"))
    content[30:34] = struct.pack("<I", 4)  # a JPEG inside

    error = rejected(bytes(content))

    assert error.reason == Reason.UNSUPPORTED_FORMAT
    assert "a JPEG inside" in error.message


@pytest.mark.parametrize(("tags", "kind"), [({50_706: b"\1\4\0\0"}, "DNG"), ({254: 1, 330: 8, 271: "Nikon"}, "Nikon")])
def test_a_raw_image_is_never_taken_for_its_preview(tags: dict[int, Any], kind: str) -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        info[tag] = value

    error = rejected(encoded("TIFF", tiffinfo=info))

    assert f"a camera's raw image ({kind})" in error.message
    assert error.reason == Reason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(
    ("sign", "said"),
    [
        (b'<x hdrgm:Version="1.0"/>', "gain map (HDR) removed"),
        (b"urn:iso:std:iso:ts:21496:-1", "gain map (HDR) removed"),
        (b'<x GDepth:Format="x"/>', "depth map removed"),
        (b'<x hdrgm:Version="1.0" Item:Semantic="Depth"/>', "gain map (HDR) and depth map removed"),
        (b'<x GCamera:MotionPhoto="1"/>', "video (motion photo) removed"),
    ],
)
def test_what_a_photograph_carries_beside_its_image_is_named(sign: bytes, said: str) -> None:
    content = encoded("JPEG") + sign

    made = process(io.BytesIO(content), name="a", operations="flip", bounds=Bounds(megapixels=1, frames=1))

    assert made.notes == [said]
