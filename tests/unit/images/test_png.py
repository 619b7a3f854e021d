"""A PNG is read chunk by chunk: what pixels need is checked, and what else is damaged is left out.

What its chunks say of colors is in test_profiles.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import pytest
from PIL import Image, PngImagePlugin

from courier.errors import NotAnImage, Reason
from courier.images.png import packed, read
from tests.support.image_files import CHANNELS, broken, chunk, do, encoded, moving, photo, png, rejected

PNG_KINDS = [
    (color, depth, interlace)
    for color, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items()
    for depth in depths
    for interlace in (0, 1)
]
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def rows_of(color: int, depth: int, interlace: int, size: tuple[int, int]) -> list[bytes]:
    """Return rows of an image whose samples differ, each behind its filter's byte."""
    width, height = size
    bits, rows = depth * CHANNELS[color], []
    for left, top, across, down in PASSES if interlace else ((0, 0, 1, 1),):
        columns = max(0, -(-(width - left) // across))
        for y in range(top, height, down):
            length = -(-columns * bits // 8)
            rows += [b"\0" + bytes((x * 37 + y * 11) % 255 + 1 for x in range(length))] if columns else []
    return rows


@pytest.mark.parametrize(("color", "depth", "interlace"), PNG_KINDS)
def test_a_png_is_whole_or_rejected_with_its_readable_rows(color: int, depth: int, interlace: int) -> None:
    rows = rows_of(color, depth, interlace, (40, 20))
    half = len(rows) // 2

    do(png(color, depth, interlace, zlib.compress(b"".join(rows))))
    for damaged in (
        zlib.compress(b"".join(rows[:half])),
        zlib.compress(b"".join([*rows[:half], b"\x07" + rows[half][1:], *rows[half + 1 :]])),
    ):
        said = rejected(png(color, depth, interlace, damaged))
        assert f"only {half} of {len(rows)} rows can be read" in said


@pytest.mark.parametrize("operations", ["flip", "thumbnail=10", "grayscale", "strip-metadata", "convert=gif"])
def test_no_operation_takes_a_damaged_png(operations: str) -> None:
    rows = rows_of(6, 8, 0, (40, 20))

    assert "7 of 20 rows" in rejected(png(6, 8, 0, zlib.compress(b"".join(rows[:7]))), operations)


def test_a_damaged_stream_and_a_wrong_check_sum_are_damage() -> None:
    content = encoded("PNG", photo((300, 200)))
    place = content.index(b"IDAT") + len(content) // 2
    flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    start = content.index(b"IDAT")
    length = int.from_bytes(content[start - 4 : start], "big")
    data = bytearray(content[start + 4 : start + 4 + length])
    data[length // 2 : length // 2 + 40] = bytes(40)
    summed = content[: start - 4] + chunk(b"IDAT", bytes(data)) + content[start + 8 + length :]

    for damaged in (flipped, summed, content[: len(content) // 2]):
        said = rejected(damaged)
        assert " of 200 rows" in said or "check sum" in said


def test_a_dark_last_row_is_no_damage() -> None:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        do(encoded("PNG", Image.new(mode, (40, 30))))
        do(encoded("PNG", Image.new(mode, (1, 1))))


def test_a_png_without_its_last_chunk_is_whole() -> None:
    assert do(encoded("PNG")[:-12]).notes == []


def test_a_damaged_frame_of_an_animation_is_damage() -> None:
    content = moving("PNG")
    place = content.rindex(b"fdAT")
    length = int.from_bytes(content[place - 4 : place], "big")
    number, rows = content[place + 4 : place + 8], zlib.decompress(content[place + 8 : place + 4 + length])
    early = content[: place - 4] + chunk(b"fdAT", number + zlib.compress(rows[:300])) + content[place + 8 + length :]

    assert do(content, "flip").frames == 3
    assert "rows can be read" in rejected(early, "flip")


def test_a_frame_larger_than_its_animation_is_damage() -> None:
    content = moving("PNG")
    place = content.rindex(b"fcTL")
    data = content[place + 4 : place + 30]
    huge = chunk(b"fcTL", data[:4] + b"\xff" * 8 + data[12:])

    assert "a frame reaches beyond the image" in rejected(content[: place - 4] + huge + content[place + 34 :], "flip")


def test_many_damaged_chunks_take_no_long_time() -> None:
    content = with_chunks(*[broken(b"tEXt", b"x")] * 50_000)

    assert do(content).notes == ["damaged or oversized metadata removed (tEXt)"]


# PNG chunks that pixels need


HEADER = struct.pack(">IIBBBBB", 4, 1, 8, 3, 0, 0, 0)
PALETTE = bytes(range(12))


def indexed(*chunks: bytes, header: bytes = HEADER, pixels: bytes = b"\0\0\1\2\3") -> bytes:
    """Return a PNG of four pixels with a palette; its chunks between header and pixels are given."""
    parts = (chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("name", [b"tRNS", b"acTL"])
def test_a_wrong_check_sum_in_what_pixels_need_is_damage(name: bytes) -> None:
    content = indexed(chunk(b"PLTE", PALETTE), broken(name, struct.pack(">II", 1, 0)))

    assert f"the check sum of its {name.decode()} is wrong" in rejected(content)


@pytest.mark.parametrize(
    ("name", "data"), [(b"IHDR", HEADER), (b"PLTE", PALETTE), (b"tRNS", b"\0"), (b"acTL", struct.pack(">II", 1, 0))]
)
def test_two_of_what_there_may_be_one_of_are_damage(name: bytes, data: bytes) -> None:
    first = () if name == b"IHDR" else (chunk(name, data),)
    palette = () if name == b"PLTE" else (chunk(b"PLTE", PALETTE),)

    assert f"more than one {name.decode()}" in rejected(indexed(*palette, *first, chunk(name, data)))


def test_a_header_that_is_not_first_is_damage() -> None:
    content = indexed(chunk(b"PLTE", PALETTE))

    assert "header is missing" in rejected(content[:8] + chunk(b"tIME", bytes(7)) + content[8:])


@pytest.mark.parametrize(
    ("palette", "said"),
    [
        ((), "palette (PLTE) is missing"),
        ((chunk(b"PLTE", b""),), "palette (PLTE) is missing"),
        ((chunk(b"PLTE", PALETTE[:-1]),), "has 11 bytes"),
        ((chunk(b"PLTE", bytes(771)),), "has 771 bytes"),
        ((chunk(b"PLTE", PALETTE[:-3]),), "pixels of color number 3, and its palette ends at 2"),
    ],
)
def test_pixels_without_their_palettes_colors_are_damage(palette: Sequence[bytes], said: str) -> None:
    assert do(indexed(chunk(b"PLTE", PALETTE))).width == 4
    assert said in rejected(indexed(*palette))


def test_a_palette_behind_the_pixels_is_no_palette() -> None:
    content = indexed()

    assert "palette (PLTE) is missing" in rejected(content[:-12] + chunk(b"PLTE", PALETTE) + content[-12:])


def test_a_palette_that_is_only_suggested_may_be_odd() -> None:
    header = struct.pack(">IIBBBBB", 4, 1, 8, 2, 0, 0, 0)

    assert do(indexed(chunk(b"PLTE", PALETTE[:-1]), header=header, pixels=bytes(13))).width == 4


# PNG metadata

METADATA = (b"pHYs", b"iCCP", b"gAMA", b"tIME", b"eXIf", b"zTXt", b"sRGB", b"cHRM")


def with_chunks(*chunks: bytes) -> bytes:
    content = encoded("PNG")
    return content[:33] + b"".join(chunks) + content[33:]


@pytest.mark.parametrize(
    "name", [b"pHYs", b"iCCP", b"tEXt", b"gAMA", b"tIME", b"eXIf", b"zTXt", b"sRGB", b"cHRM", b"abCd"]
)
def test_a_wrong_check_sum_in_metadata_costs_only_these(name: bytes) -> None:
    made = do(with_chunks(broken(name, b"name\0\0something or other")))

    assert made.notes == [f"damaged or oversized metadata removed ({name.decode()})"]
    assert (
        Image.open(io.BytesIO(made.content)).convert("RGB").tobytes()
        == photo().transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes()
    )


@pytest.mark.parametrize(
    "name", [b"pHYs", b"iCCP", b"gAMA", b"tIME", b"eXIf", b"zTXt", b"sRGB", b"cHRM", b"iTXt", b"bKGD"]
)
def test_metadata_that_make_no_sense_stop_nothing(name: bytes) -> None:
    assert do(with_chunks(chunk(name, b"\0"))).width == 96


def test_long_texts_and_profiles_are_read_and_longer_ones_left_out() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * 3_000_000, zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<x>" + " " * 3_000_000 + "</x>", zip=True)
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**24 + 1)))

    assert do(encoded("PNG", pnginfo=info)).notes == ["XMP and comments removed"]
    assert do(with_chunks(bomb)).notes == ["damaged or oversized metadata removed (zTXt)"]


def test_exif_data_behind_the_pixels_count() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded("PNG")
    data = exif.tobytes().removeprefix(b"Exif\0\0")

    made = do(content[:-12] + chunk(b"eXIf", data) + content[-12:], "strip-metadata")

    assert (made.width, made.height) == (64, 96)


def test_a_chunk_that_must_be_known_and_is_not_is_named() -> None:
    with pytest.raises(NotAnImage, match="CgBI") as raised:
        do(with_chunks(chunk(b"CgBI", b"1234")))

    assert raised.value.reason == Reason.UNSUPPORTED_FORMAT
    assert "IHDR" in rejected(b"\x89PNG\r\n\x1a\n" + broken(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)))


# What Pillow gets


def test_a_good_file_is_given_as_it_is() -> None:
    content = with_chunks(chunk(b"tIME", bytes(7)), chunk(b"abCd", b"private"))

    found = read(content)

    assert found.content is content
    assert found.dropped == []
    assert (found.depth, found.color_type, found.is_interlaced) == (8, 2, False)
    assert found.chunks[b"abCd"] == b"private"


def test_damaged_metadata_are_dropped_and_late_ones_come_before_the_pixels() -> None:
    text = packed(b"tEXt", b"Comment\0late")
    plain = encoded("PNG")
    content = plain[:33] + broken(b"pHYs", bytes(9)) + plain[33:-12] + text + plain[-12:]

    found = read(content)

    assert found.dropped == ["pHYs"]
    assert found.content == plain[:33] + text + plain[33:]
    assert read(content + text).content == found.content


def test_a_bare_file_has_what_pixels_need_and_nothing_else() -> None:
    content = indexed(chunk(b"PLTE", PALETTE), chunk(b"tRNS", b"\0\x80"), chunk(b"tIME", bytes(7)))

    found = read(content)

    assert found.bare() == indexed(chunk(b"PLTE", PALETTE), chunk(b"tRNS", b"\0\x80"))
    assert found.entries == 4
    assert read(encoded("PNG")).entries == 0


def test_pixels_are_those_of_the_image_and_of_each_frame() -> None:
    found = read(moving("PNG"))

    assert [found.rows_of(image) for image in found.images] == [(image.height, image.height) for image in found.images]
    assert (found.images[0].width, found.images[0].height) == (40, 30)
    assert len(found.images) == 3
    assert all(image.is_sound for image in found.images)


def test_pixels_with_a_wrong_check_sum_are_known_as_such() -> None:
    content = encoded("PNG")

    (image,) = read(content[:-13] + b"?" + content[-12:]).images

    assert not image.is_sound
