"""From file to file: every kind of image is worked on, and what is kept, changed or rejected is said."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import pytest
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageOps, JpegImagePlugin, PngImagePlugin

from courier.errors import NotAnImage, Reason, Rejected
from courier.files import check_name
from courier.images.animation import decoded_frames, plays_of
from courier.images.naming import likely_names, name_for, result_name
from courier.images.operations import OPERATIONS
from courier.images.pipeline import parse
from courier.images.preview import SAMPLE_NAME, sample
from courier.images.probe import Bounds, is_lossless_webp, open_source, read_header
from courier.images.processor import Processed, process
from tests.support.conformance.apng import Apng
from tests.support.conformance.avif_writer import shown
from tests.support.conformance.cell import pattern
from tests.support.conformance.judge import decoded
from tests.support.conformance.tiff_writer import Tiff

BOUNDS = Bounds(megapixels=50, frames=20)


def image_file(mode: str = "RGB", image_format: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """Return a image file with a color gradient."""
    return encoded(mode, image_format, size, **options) if options else usual(mode, image_format, size)


@cache
def usual(mode: str, image_format: str, size: tuple[int, int]) -> bytes:
    """Return what most tests ask for, encoded once."""
    return encoded(mode, image_format, size)


def encoded(mode: str, image_format: str, size: tuple[int, int], **options: Any) -> bytes:
    file = io.BytesIO()
    pixels(mode, size).save(file, format=image_format, **options)
    return file.getvalue()


@cache
def pixels(mode: str, size: tuple[int, int]) -> Image.Image:
    image = Image.open(io.BytesIO(sample())).resize(size)
    if mode == "I;16":
        image = image.convert("L").convert("I").point(lambda value: value * 257)
    return image.convert(mode)


def processed(
    content: bytes, operations: str = "grayscale", name: str = "cat.png", bounds: Bounds = BOUNDS
) -> Processed:
    return process(io.BytesIO(content), name=name, operations=operations, bounds=bounds, logos={SAMPLE_NAME: sample()})


def do(content: bytes, operations: str = "grayscale", name: str = "cat.png") -> Image.Image:
    image = Image.open(io.BytesIO(processed(content, operations, name).content))
    image.load()
    return image


def test_more_effort_makes_a_smaller_png_of_the_same_pixels() -> None:
    fast, small = (processed(sample(), f"convert=png:{effort}") for effort in (1, 9))

    assert (fast.name, small.name) == ("cat-e1.png", "cat-e9.png")
    assert len(small.content) < len(fast.content)
    assert (
        ImageChops.difference(Image.open(io.BytesIO(small.content)), Image.open(io.BytesIO(fast.content))).getbbox()
        is None
    )


def moving(image_format: str = "GIF", **options: Any) -> bytes:
    """Return three frames of 8 x 8 pixels: red, green, blue."""
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "lime", "blue")]
    given: dict[str, Any] = {"duration": [100, 200, 300], "loop": 0, **options}
    frames[0].save(file, image_format, save_all=True, append_images=frames[1:], **given)
    return file.getvalue()


@cache
def profile_of_other_colors() -> bytes:
    """Return a profile in which red and green have changed places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"xxxx").replace(b"gXYZ", b"rXYZ").replace(b"xxxx", b"gXYZ")


def of_one_color(mode: str, image_format: str, **options: Any) -> bytes:
    """Return a image that is red by its numbers, and green by the other profile."""
    file = io.BytesIO()
    image = Image.new("RGB", (16, 16), (200, 30, 30)).convert(mode)
    image.save(file, image_format, icc_profile=profile_of_other_colors(), **options)
    return file.getvalue()


def tell(notes: Sequence[str], *facts: str) -> bool:
    """Return whether there is one note for each fact, in this order."""
    return len(notes) == len(facts) and all(fact in note for fact, note in zip(facts, notes, strict=True))


def is_green(image: Image.Image) -> bool:
    red, green, blue = cast("tuple[int, ...]", image.convert("RGB").getpixel((8, 8)))
    return green > 140 and red < 120 and blue < 120


KINDS_OF_IMAGES = [
    ("1", "PNG"), ("L", "PNG"), ("P", "PNG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"), ("I;16", "PNG"),
    ("L", "JPEG"), ("RGB", "JPEG"), ("CMYK", "JPEG"), ("RGB", "GIF"), ("L", "GIF"), ("RGB", "WEBP"), ("RGBA", "WEBP"),
    ("1", "TIFF"), ("L", "TIFF"), ("RGB", "TIFF"), ("RGBA", "TIFF"), ("CMYK", "TIFF"), ("I;16", "TIFF"),
    ("RGB", "BMP"), ("L", "BMP"), ("1", "BMP"), ("RGB", "AVIF"), ("RGBA", "AVIF"),
]  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_kind_of_image_comes_back_from_every_operation(operation: str) -> None:
    example = OPERATIONS[operation].example
    operations = f"{operation}={example}" if example else operation
    for mode, image_format in KINDS_OF_IMAGES:
        made = processed(image_file(mode, image_format), operations)

        image = Image.open(io.BytesIO(made.content))
        image.load()
        assert image.size == (made.width, made.height), (mode, image_format)
        # Of black and white, solarizing leaves black.
        assert len(set(image.tobytes())) > 1 or (operation, mode) == ("solarize", "1"), (mode, image_format)


@pytest.mark.parametrize("target", ["jpeg", "png", "webp", "avif", "gif", "tiff"])
def test_every_kind_of_image_becomes_every_format(target: str) -> None:
    for mode, image_format in KINDS_OF_IMAGES:
        image = do(
            image_file(mode, image_format),
            f"convert={target}:90" if target in {"jpeg", "webp"} else f"convert={target}",
        )

        assert image.format == target.upper()
        assert image.size == (40, 30)


def test_what_changes_no_pixel_changes_none() -> None:
    for operations in ("convert=png", "strip-metadata", "rotate=0", "resize=100%", "crop=40x30", "convert=tiff"):
        for mode in ("L", "RGB", "RGBA", "LA", "I;16"):
            content = image_file(mode)
            assert do(content, operations).tobytes() == Image.open(io.BytesIO(content)).tobytes(), (operations, mode)


@pytest.mark.parametrize(
    ("name", "operations", "target", "expected"),
    [
        ("cat.jpg", "grayscale", "JPEG", "cat-grayscale.jpg"),
        ("cat.JPEG", "grayscale", "JPEG", "cat-grayscale.JPEG"),
        ("cat.jpg", "black-and-white", "PNG", "cat.jpg.black-and-white.png"),
        ("cat", "grayscale", "PNG", "cat.grayscale.png"),
        ("a.b.png", "grayscale,resize=800x600", "PNG", "a.b-grayscale-800x600.png"),
        ("cat.webp", "grayscale,resize=800x600:cover,convert=webp:80", "WEBP", "cat-grayscale-800x600-cover-q80.webp"),
    ],
)
def test_the_name_says_what_was_done(name: str, operations: str, target: str, expected: str) -> None:
    assert result_name(name, parse(operations), target) == expected


def test_the_longest_name_leaves_room_for_what_was_done() -> None:
    source = "\N{LATIN SMALL LETTER E WITH ACUTE}" * 98 + ".gif"
    pipelines = [
        "grayscale,resize=800x600:cover:northwest,blur=3,sharpen",
        "grayscale,resize=800x600:cover:northwest,blur=3",
    ]

    for target in ("GIF", "JPEG"):
        names = [result_name(source, parse(operations), target) for operations in pipelines]
        assert [check_name(name) for name in names] == names
        assert len(set(names)) == 2


@pytest.mark.parametrize("operations", ["grayscale", "convert=webp", "black-and-white", "thumbnail=20"])
def test_the_name_is_known_beforehand(operations: str) -> None:
    for image_format, ending in (("JPEG", "jpg"), ("PNG", "png"), ("BMP", "bmp"), ("AVIF", "avif")):
        content, name = image_file("RGB", image_format), f"cat.{ending}"
        expected = processed(content, operations, name).name

        assert name_for(name, parse(operations), read_header(io.BytesIO(content))) == expected
        assert likely_names(name, parse(operations)) == [expected]
    for content in (moving(), image_file("RGB", "GIF")):
        assert processed(content, "flip", "cat.gif").name in likely_names("cat.gif", parse("flip"))


@pytest.mark.parametrize(
    ("image_format", "kept"),
    [
        ("JPEG", "JPEG"),
        ("PNG", "PNG"),
        ("WEBP", "WEBP"),
        ("TIFF", "TIFF"),
        ("AVIF", "AVIF"),
        ("GIF", "PNG"),
        ("BMP", "PNG"),
    ],
)
def test_a_still_image_keeps_its_format_where_that_is_a_good_one(image_format: str, kept: str) -> None:
    content = image_file("RGB", image_format)

    assert do(content).format == kept
    assert do(content, "black-and-white").format == "PNG"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("operations", ["grayscale", "grayscale,resize=20x", "thumbnail=20"])
@pytest.mark.parametrize("image_format", ["JPEG", "TIFF", "WEBP"])
def test_every_exif_orientation_is_applied_once(orientation: int, operations: str, image_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif, "quality": 95} if image_format != "TIFF" else {"tiffinfo": {0x0112: orientation}}
    content = image_file("RGB", image_format, (400, 300), **options)

    result = do(content, operations)

    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("L").resize((16, 16))
    differences = [
        abs(a - b) for a, b in zip(result.convert("L").resize((16, 16)).tobytes(), upright.tobytes(), strict=True)
    ]
    assert sum(differences) / len(differences) < 6
    assert (result.width > result.height) == (orientation < 5)
    assert result.getexif().get(0x0112, 1) == 1


def test_who_and_when_stay_and_where_goes() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif[0x8769] = {0x9003: "2026:01:02 03:04:05", 0x927C: b"secret"}
    exif[0x8825] = {1: "N", 2: (50.0, 0.0, 0.0)}
    for image_format in ("JPEG", "PNG", "WEBP", "AVIF"):
        made = processed(image_file("RGB", image_format, exif=exif), "flip")
        kept = Image.open(io.BytesIO(made.content)).getexif()

        assert kept[0x010F] == "Maker"
        assert kept.get_ifd(0x8769) == {0x9003: "2026:01:02 03:04:05"}
        assert 0x8825 not in kept
        assert tell(made.notes, "GPS")
    stripped = processed(image_file("RGB", "JPEG", exif=exif, comment=b"hello", dpi=(300, 300)), "strip-metadata")
    image = Image.open(io.BytesIO(stripped.content))
    assert not len(image.getexif())
    assert "comment" not in image.info


@pytest.mark.parametrize("operations", ["grayscale", "flip", "sepia", "grayscale,convert=gif", "flip,convert=gif"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_stays_in_a_gif(mode: str, operations: str) -> None:
    frames = [Image.new("RGBA", (40, 40), (0, 0, 0, 0)) for _ in range(3)]
    for number, frame in enumerate(frames):
        frame.paste((200, 30, 30, 255), (4 * number, 10, 20 + 4 * number, 20))
    file, still = io.BytesIO(), io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], disposal=2, duration=[50, 70, 90])
    frames[0].convert(mode).save(still, "PNG")

    for content in (file.getvalue(), still.getvalue()):
        made = do(content, operations).convert("RGBA")
        assert made.getpixel((39, 39))[3] == 0  # type: ignore[index]
        assert made.getpixel((10, 15 if "flip" not in operations else 25))[3] == 255  # type: ignore[index]


def test_how_an_image_was_taken_stays_but_in_a_tiff() -> None:
    exif = Image.Exif()
    exif[0x8769] = {0x9003: "2020:01:01 00:00:00", 0xA002: 4000}
    content = image_file("RGB", "JPEG", exif=exif)

    png, tiff = processed(content, "resize=20x,convert=png"), processed(content, "convert=tiff")

    kept = Image.open(io.BytesIO(png.content)).getexif().get_ifd(0x8769)
    assert kept == {0x9003: "2020:01:01 00:00:00"}
    assert tell(tiff.notes, "does not fit a TIFF")


def test_a_moving_image_is_judged_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    content = moving("PNG", exif=exif)
    monkeypatch.setattr(Image.Image, "load", lambda _image: pytest.fail("it was decoded"))

    with pytest.raises(NotAnImage, match="3 frames; at most 2") as raised:
        processed(content, bounds=Bounds(megapixels=50, frames=2))

    assert raised.value.reason == Reason.TOO_MANY_FRAMES


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_a_moving_image_cut_anywhere_is_rejected_or_whole(image_format: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    file = io.BytesIO()
    frames = [Image.open(io.BytesIO(sample())).resize((40, 40)).rotate(10 * number) for number in range(4)]
    frames[0].save(file, image_format, save_all=True, append_images=frames[1:], exif=exif, duration=50)
    content = file.getvalue()

    rejected = 0
    for length in range(1, len(content), 97):
        for read in (lambda part: read_header(io.BytesIO(part)), processed):
            try:
                read(content[:length])
            except NotAnImage as error:
                rejected += 1
                assert error.reason in set(Reason)
    assert rejected > 5


def test_a_damaged_png_with_exif_is_corrupt_like_any_other() -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    content = image_file("RGB", "PNG", (200, 200), exif=exif)

    with pytest.raises(NotAnImage) as raised:
        processed(content[: len(content) // 2])

    assert raised.value.reason == Reason.CORRUPT


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_sixteen_bits_a_channel_are_said_to_become_eight(mode: str) -> None:
    assert tell(processed(deep_png(mode), "flip").notes, "16 bits a channel")
    assert processed(image_file(mode), "flip").notes == []


def deep_png(mode: str) -> bytes:
    """Return a PNG of 16 bits a channel, which Pillow reads and does not write."""
    channels = {"LA": (2, 4), "RGB": (3, 2), "RGBA": (4, 6)}
    count, kind = channels[mode]
    rows = b"".join(b"\0" + bytes([row * 20, 1] * count * 8) for row in range(8))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, kind, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def test_what_a_format_cannot_hold_is_said_where_it_is_there() -> None:
    soft, hard = image_file("RGBA"), io.BytesIO()
    image = Image.open(io.BytesIO(image_file("RGB"))).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save(hard, "PNG")

    assert processed(soft, "convert=jpeg").notes == []
    assert tell(processed(hard.getvalue(), "convert=jpeg").notes, "white: JPEG")
    assert tell(processed(hard.getvalue(), "black-and-white").notes, "white: black and white")
    assert tell(processed(hard.getvalue(), "convert=gif").notes, "reduced to 256: GIF", "partial transparency")
    assert "durations were rounded" in processed(moving("WEBP", duration=33), "convert=gif").notes[-1]
    assert processed(moving("WEBP", duration=700_000), "convert=gif").frames == 3
    assert tell(processed(moving(duration=0), "convert=avif").notes, "shown for a millisecond")
    assert tell(processed(image_file("L", icc_profile=profile_of_other_colors()), "flip").notes, "profile was removed")


def disc(hidden: str, mode: str) -> bytes:
    """Return a disc of the sample with a soft edge, on something transparent of a color that cannot be seen."""
    alpha = Image.new("L", (480, 320))
    ImageDraw.Draw(alpha).ellipse((80, 40, 320, 280), fill=255)
    alpha = alpha.resize((120, 80), Image.Resampling.LANCZOS)
    image = pixels("RGB", (120, 80)).copy()
    image.paste(hidden, mask=alpha.point(lambda level: 255 * (level == 0)))
    image = image.convert(mode[:-1])
    image.putalpha(alpha)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


VISIBLE = [
    *(f"{name}{'=' * bool(known.example)}{known.example},convert=png" for name, known in OPERATIONS.items()),
    *("resize=50x30:fill,convert=png", "thumbnail=20"),
    *(f"flip,convert={target}" for target in ("webp", "avif", "gif", "jpeg")),
]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("operations", VISIBLE)
def test_what_cannot_be_seen_changes_nothing_that_can(operations: str, mode: str) -> None:
    black, white = (do(disc(hidden, mode), operations).convert("RGBA").convert("RGBa") for hidden in ("black", "white"))

    assert black.tobytes() == white.tobytes()


def table_of(image: Any) -> int:
    return sum(image.quantization[0])


@pytest.mark.parametrize("operations", ["flip", "sepia", "thumbnail=20"])
def test_a_jpeg_keeps_a_finer_quality_and_the_sampling_of_its_colors(operations: str) -> None:
    for quality, subsampling in ((97, 0), (97, 2), (60, 0), (90, 2)):
        content = image_file("RGB", "JPEG", quality=quality, subsampling=subsampling)
        made = do(content, operations)
        least = table_of(Image.open(io.BytesIO(image_file("RGB", "JPEG", quality=90))))

        assert JpegImagePlugin.get_sampling(made) == subsampling
        assert table_of(made) == min(least, table_of(Image.open(io.BytesIO(content))))
    for mode in ("L", "CMYK"):
        assert table_of(do(image_file(mode, "JPEG", quality=97), operations)) < least
    assert table_of(do(image_file("RGB", "JPEG", quality=97), "grayscale")) < least


def test_quality_and_sampling_are_those_that_are_requested() -> None:
    fine, coarse = (
        do(image_file(), "convert=jpeg:95:444"),
        do(image_file("RGB", "JPEG", subsampling=0), "convert=jpeg:50:420"),
    )

    assert (JpegImagePlugin.get_sampling(fine), JpegImagePlugin.get_sampling(coarse)) == (0, 2)
    assert table_of(fine) < table_of(coarse)
    assert processed(image_file(), "convert=jpeg:95:444", "a.png").name == "a.png.q95-444.jpg"
    with pytest.raises(Rejected, match="webp:80:444"):
        processed(image_file(), "convert=webp:80:444")


@pytest.mark.parametrize(("mode", "kept"), [("P", "P"), ("1", "1"), ("RGB", "RGB"), ("L", "L")])
def test_a_png_of_few_colors_stays_one_where_nothing_is_lost_by_that(mode: str, kept: str) -> None:
    content = image_file(mode, size=(200, 150))

    turned = processed(content, "flip")

    assert Image.open(io.BytesIO(turned.content)).mode == kept
    if kept in {"P", "1"}:
        assert len(turned.content) < 1.3 * len(content)
    exact = Image.open(io.BytesIO(content)).convert("RGB").transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    assert Image.open(io.BytesIO(turned.content)).convert("RGB").tobytes() == exact.tobytes()


def test_an_encoder_without_memory_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    content = image_file()

    def save(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("Failed to encode image: Unknown error")

    monkeypatch.setattr(Image.Image, "save", save)

    with pytest.raises(MemoryError):
        processed(content, "convert=avif")


def test_what_always_goes_is_said() -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "hello")
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=texts)
    xmp = image_file("RGB", "JPEG", xmp=b"<x:xmpmeta/>", comment=b"hello")

    assert tell(processed(image_file("RGB", "JPEG", exif=exif), "strip-metadata").notes, "GPS")
    assert processed(xmp).notes == ["XMP and comments removed"]
    assert processed(file.getvalue()).notes == ["comments removed"]
    assert processed(image_file("RGB", "TIFF", tiffinfo={33723: b"iptc"})).notes == ["IPTC removed"]
    assert processed(image_file()).notes == []


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_without_loss_stays_without(mode: str) -> None:
    exact, lossy = (image_file(mode, "WEBP", lossless=lossless, quality=90) for lossless in (True, False))

    turned = processed(exact, "flip")
    image = Image.open(io.BytesIO(turned.content)).convert("RGBA")

    flipped = Image.open(io.BytesIO(exact)).convert("RGBA").transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    assert image.tobytes() == flipped.tobytes()
    for content, expected in ((turned.content, True), (processed(lossy, "flip").content, False)):
        assert is_lossless_webp(io.BytesIO(content)) == expected
    assert not is_lossless_webp(io.BytesIO(processed(exact, "convert=webp:80").content))
    assert is_lossless_webp(io.BytesIO(moving("WEBP", lossless=True)))
    assert not is_lossless_webp(io.BytesIO(moving("WEBP", lossless=False)))
    assert not is_lossless_webp(io.BytesIO(b"RIFF1234WEBP"))


def test_resolution_and_profile_stay_where_colors_do() -> None:
    profile = profile_of_other_colors()
    content = image_file("RGB", "JPEG", icc_profile=profile, dpi=(300, 300))

    turned, gray = do(content, "rotate=90"), do(content)

    assert turned.info["icc_profile"] == profile
    assert turned.info["dpi"] == (300, 300)
    assert "icc_profile" not in gray.info
    assert tell(processed(content).notes, "sRGB")
    assert is_green(do(of_one_color("RGB", "PNG"), "blur=1"))


@pytest.mark.parametrize("operations", ["blur=1", "strip-metadata", "web", "convert=gif", "sharpen,convert=webp"])
@pytest.mark.parametrize(("mode", "image_format"), [("RGB", "JPEG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG")])
def test_colors_are_converted_wherever_their_profile_does_not_go_along(
    mode: str, image_format: str, operations: str
) -> None:
    made = processed(of_one_color(mode, image_format), operations)

    assert is_green(Image.open(io.BytesIO(made.content)))
    assert any("sRGB" in note for note in made.notes)


def test_every_frame_has_its_colors_converted() -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (16, 16), (200, 30 + shade, 30)) for shade in (0, 2, 4)]
    frames[0].save(
        file, "PNG", save_all=True, append_images=frames[1:], duration=100, icc_profile=profile_of_other_colors()
    )

    image = Image.open(io.BytesIO(processed(file.getvalue(), "blur=1").content))

    for number in range(3):
        image.seek(number)
        assert is_green(image)


@pytest.mark.parametrize(
    ("source", "options", "target", "loop"),
    [
        ("GIF", {"loop": 0}, "webp", 0),
        ("GIF", {"loop": 2}, "webp", 3),
        ("WEBP", {"loop": 3}, "gif", 2),
        ("PNG", {"loop": 1}, "gif", None),
    ],
)
def test_frames_are_shown_as_often_as_before(
    source: str, options: dict[str, int], target: str, loop: int | None
) -> None:
    made = processed(moving(source, **options), f"convert={target}")

    assert Image.open(io.BytesIO(made.content)).info.get("loop") == loop


def test_a_moving_image_is_turned_upright_and_its_stand_in_left_out() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [Image.new("RGB", (16, 8), color) for color in ("blue", "red", "lime")]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:], default_image=True, exif=exif, duration=50)

    made = processed(file.getvalue(), "flip")

    assert (made.width, made.height, made.frames) == (8, 16, 2)
    assert Image.open(io.BytesIO(made.content)).convert("RGB").getpixel((4, 4)) == (255, 0, 0)


def test_what_cannot_be_written_is_said_of_the_result_and_not_of_the_source() -> None:
    with pytest.raises(NotAnImage, match="The result, 20000 x 20 pixels, cannot be written as WEBP"):
        processed(image_file("L", "PNG", (20_000, 20)), "convert=webp")


def test_odd_metadata_cost_the_metadata_only() -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 100_000

    made = processed(image_file("RGB", "PNG", exif=exif), "convert=jpeg")

    assert tell(made.notes, "EXIF data was too long")


def test_a_large_box_around_a_small_result_is_fine_and_a_large_result_is_not_made() -> None:
    assert do(image_file("L", "PNG", (30, 10)), "resize=9000x9000").size == (9000, 3000)
    assert do(image_file("L", "PNG", (1200, 800)), "resize=1x30000:cover").size == (1, 30000)
    with pytest.raises(NotAnImage, match="each of 3 frames"):
        processed(moving(), "resize=6000x6000")


def test_ink_becomes_light_and_says_so() -> None:
    made = processed(image_file("CMYK", "JPEG"), "flip")

    assert Image.open(io.BytesIO(made.content)).mode == "RGB"
    assert tell(made.notes, "CMYK")


def test_what_is_transparent_stays_so_and_turns_white_where_it_cannot() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(file, "PNG")
    content = file.getvalue()

    for operations in ("grayscale", "sepia", "blur=1", "negate", "convert=webp", "convert=avif"):
        assert do(content, operations).getchannel("A").getextrema() == (0, 0), operations
    assert do(content, "black-and-white").getextrema() == (255, 255)
    made = processed(content, "convert=jpeg")
    assert Image.open(io.BytesIO(made.content)).getpixel((4, 4)) == (255, 255, 255)
    assert tell(made.notes, "white: JPEG")


def test_no_color_from_under_transparency_comes_to_light() -> None:
    image = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (8, 8, 12, 12))
    file = io.BytesIO()
    image.save(file, "PNG")

    for operations in ("blur=2", "resize=10x", "rotate=30"):
        pixels = do(file.getvalue(), operations).tobytes()
        seen = [pixels[place] for place in range(0, len(pixels), 4) if pixels[place + 3] > 10]
        assert seen
        assert max(seen) < 20, operations


def test_sixteen_bits_stay_sixteen_or_say_so() -> None:
    file = io.BytesIO()
    Image.frombytes("I;16", (2, 1), b"\x01\x02\x03\x04").save(file, "PNG")

    assert do(file.getvalue()).tobytes() == b"\x01\x02\x03\x04"
    assert tell(processed(file.getvalue(), "negate").notes, "16 bits of gray")
    assert tell(processed(file.getvalue(), "convert=jpeg").notes, "16 bits of gray")


def test_sixteen_bits_become_black_and_white_by_their_height() -> None:
    image = Image.frombytes("I;16", (256, 4), b"".join((level * 257).to_bytes(2, "little") for level in range(256)) * 4)
    file = io.BytesIO()
    image.save(file, "PNG")

    shades = list(do(file.getvalue(), "black-and-white").convert("L").tobytes())

    assert 100 < sum(shades) / len(shades) < 155


@pytest.mark.parametrize("mode", ["I", "F"])
def test_thirty_two_bits_are_rejected_where_no_rule_says_what_is_black(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (8, 8), 9).save(file, "TIFF")

    with pytest.raises(NotAnImage, match="32 bits"):
        do(file.getvalue(), "black-and-white")
    assert do(file.getvalue(), "flip").mode == mode
    assert do(file.getvalue(), "convert=png").tobytes() == b"\x09\x00" * 64


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_every_frame_is_worked_on_and_keeps_its_time(image_format: str) -> None:
    made = processed(moving(image_format), "negate,border=1:white", f"a.{image_format.lower()}")

    image = Image.open(io.BytesIO(made.content))
    seen = []
    for number in range(made.frames):
        image.seek(number)
        image.load()
        seen.append((image.convert("RGB").getpixel((5, 5)), round(image.info["duration"])))
    assert made.frames == 3
    assert image.size == (10, 10)
    assert image.info["loop"] == 0
    near = [(tuple(round(level / 255) for level in cast("tuple[int, ...]", color)), time) for color, time in seen]
    assert near == [((0, 1, 1), 100), ((1, 0, 1), 200), ((1, 1, 0), 300)]


def test_a_moving_image_in_a_still_format_is_its_first_frame_and_says_so() -> None:
    made = processed(moving(), "convert=jpeg")

    assert made.frames == 1
    assert tell(made.notes, "first of 3 frames")


@pytest.mark.parametrize("plays", [0, 1, 3])
@pytest.mark.parametrize("source", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_becomes_an_avif_and_an_avif_stays_one(source: str, plays: int) -> None:
    loop = {"GIF": {0: 0, 1: None, 3: 2}, "AVIF": {}}.get(source, {0: 0, 1: 1, 3: 3})
    content = moving(source, loop=loop.get(plays))
    content = shown(content, plays) if source == "AVIF" else content

    made = processed(content, "flip,convert=avif" if source != "AVIF" else "flip")

    assert (made.media_type, made.frames, made.notes) == ("image/avif", 3, [])
    result = open_source(io.BytesIO(made.content))
    assert plays_of(result.image) == plays
    frames = list(decoded_frames(result, print))
    assert [time for _, time in frames] == [100, 200, 300]
    assert [max(zip(image.getpixel((4, 4)), "RGB", strict=False))[1] for image, _ in frames] == list("RGB")  # type: ignore[arg-type]


def test_too_many_frames_and_too_many_pixels_in_them_are_rejected() -> None:
    with pytest.raises(NotAnImage, match="3 frames; at most 2 "):
        processed(moving(), "flip", bounds=Bounds(megapixels=1, frames=2))
    with pytest.raises(NotAnImage, match=r"8 x 8 pixels .*3 frames"):
        processed(moving(), "flip", bounds=Bounds(megapixels=0.0001, frames=20))


def test_a_result_that_would_be_too_large_is_rejected_before_it_is_made() -> None:
    for operations in ("resize=20000x20000:fill", "border=5000"):
        with pytest.raises(NotAnImage, match=r"result would .* at most 50 million"):
            processed(image_file(), operations)


def test_a_phones_two_images_in_one_jpeg_count_as_the_first() -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), shade) for shade in ("red", "blue")]
    frames[0].save(file, "MPO", save_all=True, append_images=frames[1:])

    assert do(file.getvalue(), name="p.jpg").format == "JPEG"


def test_an_unknown_operation_is_rejected() -> None:
    with pytest.raises(Rejected, match="no operation 'sepiaa'"):
        do(image_file(), "sepiaa")


@pytest.mark.parametrize("content", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_rejected(content: bytes) -> None:
    with pytest.raises(NotAnImage):
        do(content)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_an_image_cut_anywhere_is_rejected_or_whole_and_raises_nothing_else(image_format: str) -> None:
    content = image_file("RGB", image_format, (120, 90))

    rejected = 0
    for length in range(0, len(content), max(1, len(content) // 60)):
        try:
            do(content[:length])
        except NotAnImage as error:
            rejected += 1
            assert error.message

    assert rejected >= 60


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_an_image_with_bits_flipped_is_rejected_or_done_and_raises_nothing_else(image_format: str) -> None:
    content = bytearray(image_file("RGB", image_format, (60, 45)))
    for place in range(0, min(len(content), 1_500), 11):
        spoiled = bytearray(content)
        spoiled[place] ^= 1 << (place % 8)
        try:
            processed(bytes(spoiled), "grayscale,thumbnail=20")
        except NotAnImage as error:
            assert error.message


def test_the_sample_is_worked_on() -> None:
    assert do(sample()).size == (640, 480)


@pytest.mark.parametrize("operations", ["strip-metadata", "convert=tiff", "convert=png", "flip"])
def test_what_is_said_to_be_removed_is_not_in_the_file(operations: str) -> None:
    tags = {700: b"<x:xmpmeta secret/>", 33_723: b"\x1c\x02\x05\x00\x06secret", 34_377: b"8BIMsecret"}

    made = processed(image_file("RGB", "TIFF", tiffinfo=tags), operations)

    assert any("XMP and IPTC removed" in note for note in made.notes)
    assert b"secret" not in made.content


def test_a_tiff_of_further_channels_becomes_one_without_them() -> None:
    content = Tiff(samples=pattern(4), bits=8, photometric=2, extra=(0,)).content()

    assert do(content, "convert=tiff").mode == "RGB"


@pytest.mark.parametrize("target", ["png", "webp", "gif"])
def test_a_cleared_frame_stays_transparent_in_every_format(target: str) -> None:
    content = Apng(kind=2, bits=8, dispose=1).content()

    frames = decoded(processed(content, f"convert={target}").content)

    assert [frame.pixels[..., 3].min() for frame in frames] == [1, 0, 0, 0]
