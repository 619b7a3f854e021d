"""What of a image's metadata is passed on: who, when and how, and never where."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin, TiffTags

from courier.images.formats import FORMATS, Format
from courier.images.metadata import ORIENTATION, kept_exif, kept_of, note_removed, orientation_of, upright
from courier.images.pipeline import parse
from courier.images.probe import Bounds
from courier.images.processor import process

ARTIST, WIDTH, EXPOSURE, MAKER_NOTE = 0x013B, 0x0100, 0x829A, 0x927C
GPS, CIRCUMSTANCES = 0x8825, 0x8769
PNG, TIFF = FORMATS["PNG"], FORMATS["TIFF"]


def exif(**more: Any) -> Image.Exif:
    made = Image.Exif()
    made[ARTIST] = "Ann"
    made[WIDTH] = 40
    for tag, value in more.items():
        made[int(tag.removeprefix("t"))] = value
    return made


def jpeg(given: Image.Exif | None = None, **options: Any) -> Image.Image:
    file = io.BytesIO()
    Image.new("RGB", (4, 2)).save(file, "JPEG", **({"exif": given} if given else {}), **options)
    return Image.open(io.BytesIO(file.getvalue()))


def circumstances() -> Image.Exif:
    made = exif()
    made[CIRCUMSTANCES] = {EXPOSURE: 0.5, MAKER_NOTE: b"secret", 0xA002: 40, 0xA003: 30}
    return made


class Unreadable(Image.Image):
    """A image whose EXIF data break the reader."""

    def getexif(self) -> Image.Exif:
        raise SyntaxError("not a TIFF file")


def kept(image: Image.Image, target: Format = PNG) -> tuple[Image.Exif, list[str]]:
    notes: list[str] = []
    found = kept_exif(image, target, notes.append)
    made = Image.Exif()
    if found:
        made.load(found.tobytes())
    return made, notes


@pytest.mark.parametrize("number", range(1, 9))
def test_an_orientation_is_read(number: int) -> None:
    assert orientation_of(jpeg(exif(**{f"t{ORIENTATION}": number}))) == number


@pytest.mark.parametrize("image", [jpeg(), jpeg(exif(**{f"t{ORIENTATION}": 9})), Unreadable()])
def test_what_is_no_orientation_asks_for_nothing(image: Image.Image) -> None:
    assert orientation_of(image) == 1


def test_an_image_is_turned_as_each_orientation_asks() -> None:
    image = Image.new("L", (2, 1))
    image.putpixel((1, 0), 9)
    expected = {
        1: ((2, 1), [0, 9]),
        2: ((2, 1), [9, 0]),
        3: ((2, 1), [9, 0]),
        4: ((2, 1), [0, 9]),
        5: ((1, 2), [0, 9]),
        6: ((1, 2), [0, 9]),
        7: ((1, 2), [9, 0]),
        8: ((1, 2), [9, 0]),
    }

    for number, (size, pixels) in expected.items():
        turned = upright(image, number)
        assert (turned.size, list(turned.tobytes())) == (size, pixels), number


def test_who_and_when_are_kept_and_the_files_own_is_not() -> None:
    found, notes = kept(jpeg(exif()))

    assert dict(found) == {ARTIST: "Ann"}
    assert notes == []


def test_how_it_was_taken_is_kept_without_what_is_the_files() -> None:
    found, _ = kept(jpeg(circumstances()))

    assert dict(found.get_ifd(CIRCUMSTANCES)) == {EXPOSURE: 0.5}


def test_a_tiff_cannot_hold_how_it_was_taken_and_that_is_said() -> None:
    found, notes = kept(jpeg(circumstances()), TIFF)

    assert dict(found) == {ARTIST: "Ann"}
    assert len(notes) == 1
    assert "TIFF" in notes[0]


def test_where_there_is_nothing_of_it_nothing_is_said() -> None:
    found, notes = kept(jpeg(exif()), TIFF)

    assert (dict(found), notes) == ({ARTIST: "Ann"}, [])


TEXTS = {
    0x8298: "© 2024 Zoë Müller",
    0x013B: "山田太郎",
    0x010E: "Ω и ß",
    0x013C: "Rechner",
}


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("target", ["jpeg", "png", "webp", "tiff", "avif"])
def test_texts_keep_their_bytes_from_every_format_to_every_format(source: str, target: str) -> None:
    given = Image.Exif()
    for tag, text in TEXTS.items():
        given[tag] = text.encode()
    given[0x9C9B] = "Größe".encode("utf-16-le")
    given[0x4746] = 4
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, source, exif=given)

    made = process(file, name="a", operations=f"flip,convert={target}", bounds=Bounds(megapixels=1, frames=1))

    found = Image.open(io.BytesIO(made.content)).getexif()
    assert {tag: found[tag].encode("latin-1").decode() for tag in TEXTS} == TEXTS
    assert (found[0x9C9B].decode("utf-16-le").rstrip("\0"), found[0x4746]) == ("Größe", 4)
    assert made.notes == []


def test_texts_of_how_it_was_taken_keep_their_bytes_and_types() -> None:
    given = Image.Exif()
    given[CIRCUMSTANCES] = {0x9003: "2024:01:02 03:04:05", 0xA430: "ZoeX", 0x9286: b"ASCII\0\0\0x"}
    image = jpeg()
    image.info["exif"] = given.tobytes().replace(b"ZoeX", "Zoë".encode())

    found = kept(image)[0].get_ifd(CIRCUMSTANCES)

    assert found[0xA430].encode("latin-1").decode() == "Zoë"
    assert (found[0x9003], found[0x9286]) == ("2024:01:02 03:04:05", b"ASCII\0\0\0x")


def test_other_exif_data_that_go_are_named() -> None:
    given = exif(t33445="x")
    given[CIRCUMSTANCES] = {EXPOSURE: 0.5, 0xA005: {1: "R98"}}
    notes: list[str] = []

    note_removed(jpeg(given), notes.append)

    assert notes == ["other EXIF data removed (0x82a5, Interoperability)"]


def test_where_it_was_taken_is_never_kept() -> None:
    given = exif()
    given[GPS] = {1: "N", 2: (47.0, 3.0, 1.0)}

    found, _ = kept(jpeg(given))

    assert GPS not in found


def test_an_image_without_any_has_none() -> None:
    assert kept_exif(jpeg(), PNG, print) is None


def test_too_much_is_left_out_and_said() -> None:
    found = kept_exif(jpeg(exif()), PNG, print)
    assert found
    size = len(found.tobytes())

    assert dict(kept(jpeg(exif()), replace(PNG, max_exif_bytes=size))[0]) == {ARTIST: "Ann"}
    found, notes = kept(jpeg(exif()), replace(PNG, max_exif_bytes=size - 1))
    assert dict(found) == {}
    assert len(notes) == 1
    assert "too long" in notes[0]


def test_what_cannot_be_read_is_said() -> None:
    found, notes = kept(Unreadable())

    assert dict(found) == {}
    assert len(notes) == 1
    assert "could not be read" in notes[0]


@pytest.mark.parametrize("dots", [(1, 1), (100_000, 300), None, "300"])
def test_a_resolution_goes_along_if_it_is_one_and_the_format_has_one(dots: Any) -> None:
    image = with_info(dpi=(300, 72))

    resolutions = {name: kept_of(image, parse("flip"), known, print).dots for name, known in FORMATS.items()}

    assert {name for name, found in resolutions.items() if found == (300, 72)} == {"JPEG", "PNG", "TIFF"}
    assert kept_of(image, parse("strip-metadata"), PNG, print).dots is None
    assert kept_of(with_info(dpi=dots), parse("flip"), PNG, print).dots is None


def gps(image_format: str) -> Image.Image:
    given = exif()
    given[GPS] = {1: "N"}
    file = io.BytesIO()
    Image.new("RGB", (4, 2)).save(file, image_format, exif=given)
    return Image.open(io.BytesIO(file.getvalue()))


def png(*texts: tuple[str, str]) -> Image.Image:
    info = PngImagePlugin.PngInfo()
    for name, text in texts:
        info.add_itxt(name, text)
    file = io.BytesIO()
    Image.new("RGB", (4, 2)).save(file, "PNG", pnginfo=info)
    return Image.open(io.BytesIO(file.getvalue()))


def with_info(**info: Any) -> Image.Image:
    image = Image.new("RGB", (1, 1))
    image.info.update({name.replace("__", ":"): value for name, value in info.items()})
    return image


def tagged(tag: int) -> Image.Image:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info.tagtype[tag] = TiffTags.UNDEFINED
    info[tag] = b"x"
    file = io.BytesIO()
    Image.new("RGB", (4, 2)).save(file, "TIFF", tiffinfo=info)
    return Image.open(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: gps("JPEG"), ["GPS"]),
        (lambda: with_info(xmp=b"<x/>"), ["XMP"]),
        (lambda: png(("XML:com.adobe.xmp", "<x/>")), ["XMP"]),
        (lambda: tagged(700), ["XMP"]),
        (lambda: with_info(photoshop={}), ["IPTC"]),
        (lambda: tagged(33_723), ["IPTC"]),
        (lambda: tagged(34_377), ["IPTC"]),
        (lambda: with_info(comment=b"hi"), ["comments"]),
        (lambda: png(("Title", "hi")), ["comments"]),
        (lambda: with_info(xmp=b"", photoshop={}, comment=b""), ["XMP and IPTC and comments"]),
        (lambda: jpeg(exif()), []),
        (Unreadable, []),
    ],
)
def test_what_goes_is_said(make: Callable[[], Image.Image], words: list[str]) -> None:
    notes: list[str] = []

    note_removed(make(), notes.append)

    assert len(notes) == len(words)
    assert all(word in note for word, note in zip(words, notes, strict=True))
