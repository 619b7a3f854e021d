"""An image is decoded whole, or it is said how much of it can be read: damage never comes back as black rows."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from courier.errors import NotAnImage, Reason
from courier.images.preview import sample
from courier.images.probe import Bounds
from courier.images.processor import Processed, process

BOUNDS = Bounds(megapixels=50, frames=20)
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PNG_KINDS = [
    (color, depth, interlace)
    for color, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items()
    for depth in depths
    for interlace in (0, 1)
]
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def do(content: bytes, operations: str = "flip,convert=png") -> Processed:
    return process(io.BytesIO(content), name="a", operations=operations, bounds=BOUNDS)


def photo(size: tuple[int, int] = (96, 64), mode: str = "RGB") -> Image.Image:
    return Image.open(io.BytesIO(sample())).convert("RGB").resize(size).convert(mode)


def encoded(image_format: str, image: Image.Image | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    (image or photo()).save(file, image_format, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + zlib.crc32(name + data).to_bytes(4, "big")


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


def png(color: int, depth: int, interlace: int, packed: bytes, size: tuple[int, int] = (40, 20)) -> bytes:
    palette = chunk(b"PLTE", bytes(range(3)) * 2**depth) if color == 3 else b""
    header = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, interlace)
    pixels = b"".join(chunk(b"IDAT", packed[start : start + 50]) for start in range(0, len(packed), 50))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + pixels + chunk(b"IEND", b"")


def rejected(content: bytes, operations: str = "flip,convert=png") -> str:
    with pytest.raises(NotAnImage) as raised:
        do(content, operations)
    assert raised.value.reason == Reason.CORRUPT
    return raised.value.message


# PNG


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
    frames = [photo((40, 30)).rotate(30 * number) for number in range(3)]
    content = encoded("PNG", frames[0], save_all=True, append_images=frames[1:], duration=50)
    place = content.rindex(b"fdAT")
    length = int.from_bytes(content[place - 4 : place], "big")
    number, rows = content[place + 4 : place + 8], zlib.decompress(content[place + 8 : place + 4 + length])
    early = content[: place - 4] + chunk(b"fdAT", number + zlib.compress(rows[:300])) + content[place + 8 + length :]

    assert do(content, "flip").frames == 3
    assert "rows can be read" in rejected(early, "flip")


def test_a_frame_larger_than_its_animation_is_damage() -> None:
    frames = [photo((40, 30)).rotate(30 * number) for number in range(3)]
    content = encoded("PNG", frames[0], save_all=True, append_images=frames[1:], duration=50)
    place = content.rindex(b"fcTL")
    data = content[place + 4 : place + 30]
    huge = chunk(b"fcTL", data[:4] + b"\xff" * 8 + data[12:])

    assert "a frame reaches beyond the image" in rejected(content[: place - 4] + huge + content[place + 34 :], "flip")


def test_many_damaged_chunks_take_no_long_time() -> None:
    content = with_chunks(*[broken(b"tEXt", b"x")] * 50_000)

    assert do(content).notes == ["damaged or oversized metadata removed (tEXt)"]


# PNG transparency


def transparent_png(color: int, depth: int, pixels: Sequence[Sequence[int]], transparency: bytes) -> bytes:
    """Return a PNG of one row."""
    bits = "".join(format(sample, f"0{depth}b") for pixel in pixels for sample in pixel)
    row = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    content = png(color, depth, 0, zlib.compress(b"\0" + row), (len(pixels), 1))
    place = content.index(b"IDAT") - 4
    return content[:place] + chunk(b"tRNS", transparency) + content[place:]


def alphas(content: bytes, operations: str) -> list[int]:
    made = Image.open(io.BytesIO(do(content, operations).content))
    return list(made.convert("RGBA").getchannel("A").tobytes())


@pytest.mark.parametrize("operations", ["flip", "grayscale", "sepia", "convert=webp"])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_gray_is_transparent_in_every_depth(depth: int, operations: str) -> None:
    top = 2**depth - 1
    for key in {0, top // 3, top}:
        pixels = [[level] for level in (0, top // 3, key, max(0, key - 1), min(top, key + 1), top)]

        found = alphas(transparent_png(0, depth, pixels, struct.pack(">H", key)), operations)

        assert found == [255 * (level != key) for (level,) in pixels], key


@pytest.mark.parametrize("operations", ["flip", "grayscale", "sepia", "convert=webp"])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_transparent_color_is_transparent_by_all_its_bits(depth: int, operations: str) -> None:
    key = [2**depth * 5 // 16 + 3, 7, 2**depth - 2]
    others = [[level + step * (at == band) for at, level in enumerate(key)] for band in range(3) for step in (-1, 1)]

    found = alphas(transparent_png(2, depth, [key, *others, key], struct.pack(">HHH", *key)), operations)

    assert found == [0, *[255] * 6, 0]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_palettes_transparency_is_kept_in_every_depth(depth: int) -> None:
    levels = [(number * 90 + 20) % 256 for number in range(min(2**depth, 5))]
    pixels = [[number % 2**depth] for number in range(8)]

    found = alphas(transparent_png(3, depth, pixels, bytes(levels)), "flip")

    assert found == [levels[index] if index < len(levels) else 255 for (index,) in pixels]


def test_gray_of_sixteen_bits_with_a_transparent_level_says_what_it_lost() -> None:
    assert do(transparent_png(0, 16, [[1], [2]], b"\0\1")).notes == ["its 16 bits a channel became 8"]


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


def broken(name: bytes, data: bytes) -> bytes:
    return chunk(name, data)[:-1] + b"?"


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


# JPEG

JPEGS: dict[str, tuple[str, dict[str, Any]]] = {
    "4:2:0": ("RGB", {}),
    "4:4:4": ("RGB", {"subsampling": 0, "quality": 95}),
    "4:2:2": ("RGB", {"subsampling": 1}),
    "gray": ("L", {}),
    "cmyk": ("CMYK", {}),
    "restarts": ("RGB", {"restart_marker_blocks": 4}),
    "optimized": ("RGB", {"optimize": True}),
}


def test_a_jpeg_that_is_cut_anywhere_in_its_header_is_damaged() -> None:
    content = encoded("JPEG", photo((16, 16)))
    header = content.index(b"\xff\xda") + 14

    for length in range(200, header):
        rejected(content[:length], "flip")


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("operations", ["flip", "thumbnail=24", "grayscale"])
def test_a_jpeg_is_whole_or_rejected_with_its_readable_rows(kind: str, operations: str) -> None:
    mode, options = JPEGS[kind]
    content = encoded("JPEG", photo((320, 240), mode), **options)
    scan = content.index(b"\xff\xda") + 14

    whole = do(content, operations)
    assert not any("damaged" in note or "end marker" in note for note in whole.notes)
    for part in (0.3, 0.9):
        cut = content[: scan + int((len(content) - scan) * part)]
        for damaged in (cut, cut + b"\xff\xd9"):
            assert " rows can be read" in rejected(damaged, operations)
    assert " rows can be read" in rejected(content[:-40] + b"\xff\xd9", operations)


def test_a_jpeg_without_its_end_marker_whose_rows_are_all_there_is_taken() -> None:
    content = encoded("JPEG", photo((320, 240)))

    whole, endless = do(content), do(content[:-2])

    assert endless.content == whole.content
    assert endless.notes == ["its end marker is missing, but all its rows are there"]


@pytest.mark.parametrize("kind", ["4:2:0", "4:4:4", "gray"])
def test_data_that_do_not_fit_a_jpegs_size_are_said(kind: str) -> None:
    mode, options = JPEGS[kind]
    content = encoded("JPEG", photo((320, 240), mode), **options)

    assert do(content[:-2] + bytes(4) + content[-2:]).notes == do(content).notes
    assert "may be damaged" in do(content[:-2] + bytes(300) + content[-2:]).notes[-1]


def test_restarts_out_of_order_are_said() -> None:
    content = encoded("JPEG", photo((320, 240)), restart_marker_blocks=4)
    first, second = content.index(b"\xff\xd3"), content.index(b"\xff\xd4")
    lost = content[:first] + content[second:]

    try:
        assert "may be damaged" in do(lost).notes[-1]
    except NotAnImage as error:
        assert error.reason == Reason.CORRUPT  # where pixels came out short


def test_a_progressive_jpeg_that_lacks_scans_is_rejected() -> None:
    content = encoded("JPEG", photo((320, 240)), progressive=True)
    last = content.rindex(b"\xff\xda")

    assert do(content).notes == []
    assert "scans are missing" in rejected(content[:last] + b"\xff\xd9")
    assert rejected(content[: len(content) // 2])
    assert rejected(content[:-30])


# The others


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def shortened_webp(content: bytes) -> bytes:
    """Return a WebP that ends early and says so in its lengths."""
    short = bytearray(cut(content, 0.6)[:-1] if int(len(content) * 0.6) % 2 else cut(content, 0.6))
    short[4:8] = (len(short) - 8).to_bytes(4, "little")
    place = short.rindex(b"VP8")
    short[place + 4 : place + 8] = (len(short) - place - 8).to_bytes(4, "little")
    return bytes(short)


OTHERS: Sequence[tuple[str, str, dict[str, Any]]] = [
    ("GIF", "RGB", {}), ("GIF", "L", {}), ("WEBP", "RGB", {}), ("WEBP", "RGB", {"lossless": True}),
    ("WEBP", "RGBA", {}), ("BMP", "RGB", {}), ("BMP", "P", {}), ("BMP", "1", {}), ("TIFF", "RGB", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}), ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", "RGB", {"compression": "jpeg"}), ("TIFF", "RGB", {"compression": "packbits"}), ("AVIF", "RGB", {}),
]  # fmt: skip


@pytest.mark.parametrize(("image_format", "mode", "options"), OTHERS)
def test_an_image_cut_short_is_rejected_in_every_format(image_format: str, mode: str, options: dict[str, Any]) -> None:
    content = encoded(image_format, photo(mode=mode), **options)

    do(content)
    for share in (0.4, 0.7, 0.9):
        with pytest.raises(NotAnImage):
            do(cut(content, share))
    if image_format == "WEBP":
        assert rejected(shortened_webp(content))


def test_a_gif_that_ends_between_frames_says_so() -> None:
    frames = [photo((40, 30)).rotate(30 * number) for number in range(3)]
    content = encoded("GIF", frames[0], save_all=True, append_images=frames[1:], duration=50)
    place = content.rindex(b"!\xf9")

    made = do(content[:place], "flip")

    assert made.frames == 2
    assert "its end marker is missing: frames may be missing too" in made.notes
    assert do(content, "flip").notes == []


# Limits look at what is decoded


def test_a_large_jpeg_is_taken_where_a_smaller_decode_will_do_and_rejected_where_not() -> None:
    bounds = Bounds(megapixels=0.5, frames=1)
    content = encoded("JPEG", photo((2000, 1000)))

    made = process(io.BytesIO(content), name="a.jpg", operations="grayscale,thumbnail=200", bounds=bounds)
    assert (made.width, made.height) == (200, 100)
    with pytest.raises(NotAnImage, match=r"2000 x 1000 pixels \(2.0 million\); at most 0.5 million") as raised:
        process(io.BytesIO(content), name="a.jpg", operations="flip", bounds=bounds)
    assert "larger if thumbnail or resize comes first" in raised.value.hint


@pytest.mark.parametrize(("image_format", "options"), [("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {})])
def test_what_is_decoded_whole_counts_whole(image_format: str, options: dict[str, Any]) -> None:
    content = encoded(image_format, photo((1000, 600)), **options)

    with pytest.raises(NotAnImage, match="1000 x 600") as raised:
        process(io.BytesIO(content), name="a", operations="thumbnail", bounds=Bounds(megapixels=0.5, frames=1))
    assert raised.value.reason == Reason.TOO_LARGE


def test_too_many_pixels_are_rejected_before_anything_is_decoded() -> None:
    content = png(2, 8, 0, b"", (60_000, 60_000))

    with pytest.raises(NotAnImage, match=r"60000 x 60000 pixels \(3600.0 million\); at most 50 million"):
        do(content)


def test_a_gif_whose_frames_cannot_be_found_is_damage() -> None:
    frames = [photo((40, 30)).rotate(30 * number) for number in range(3)]
    content = encoded("GIF", frames[0], save_all=True, append_images=frames[1:], duration=50)
    first = 13 + 3 * 2 ** ((content[10] & 7) + 1)

    stray = content[:first] + b"\x07" + content[first:]
    assert do(stray, "flip").content == do(content, "flip").content
    for length in range(first, len(content), 61):
        for middle in (b"", b"\0\0", b",", b"\xff" * 9):
            try:
                do(content[:length] + middle + content[length + 9 :], "flip")
            except NotAnImage as error:
                assert error.reason in {Reason.CORRUPT, Reason.TOO_LARGE}
