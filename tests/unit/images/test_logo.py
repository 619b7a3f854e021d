"""Logos: read, checked, made to fit, and laid where they belong."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from courier.errors import Reason, Rejected
from courier.images import logo
from courier.images.pipeline import parse
from courier.images.preview import sample
from courier.images.probe import Bounds
from courier.images.processor import process

BOUNDS = Bounds(megapixels=50, frames=20)


def png(size: tuple[int, int], color: Any = (255, 0, 0, 255), mode: str = "RGBA", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, color).save(file, "PNG", **options)
    return file.getvalue()


def laid(image: Image.Image, mark: Image.Image, text: str = "mark.png") -> Image.Image:
    return logo.lay(image, {**logo.read(text), logo.PIXELS: mark})


@pytest.mark.parametrize(
    ("text", "name", "gravity", "opacity"),
    [
        ("mark.png", "mark.png", "southeast", 100),
        ("mark.png:center:40%", "mark.png", "center", 40),
        ("C:\\marks\\a:b.png:30%:north", "C:\\marks\\a:b.png", "north", 30),
        ("bold", "bold", "southeast", 100),
        ("mark.png:bold", "mark.png:bold", "southeast", 100),
    ],
)
def test_a_file_a_gravity_and_an_opacity(text: str, name: str, gravity: str, opacity: int) -> None:
    assert logo.read(text) == {"logo": name, "gravity": gravity, "opacity": opacity}


@pytest.mark.parametrize("text", ["", " ", ":center", ":center:50%"])
def test_a_file_has_a_name(text: str) -> None:
    with pytest.raises(Rejected, match=r"logo (cannot take|needs a value)"):
        parse(f"logo={text}")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_it_lies_in_its_corner_as_large_as_it_is(mode: str) -> None:
    white = (255,) * len(Image.new(mode, (1, 1)).getbands())
    made = laid(Image.new(mode, (400, 200), white if len(white) > 1 else 255), Image.new("RGBA", (40, 20), "red"))

    differs = made.convert("RGB").getchannel("B").point([255 * (level == 0) for level in range(256)]).getbbox()
    assert made.size == (400, 200)
    assert differs == (355, 175, 395, 195)


@pytest.mark.parametrize(("size", "seen"), [((1_000, 10), (100, 1)), ((10, 1_000), (1, 50)), ((900, 900), (50, 50))])
def test_it_takes_at_most_a_quarter_of_the_width_and_of_the_height(
    size: tuple[int, int], seen: tuple[int, int]
) -> None:
    made = laid(Image.new("RGBA", (400, 200)), Image.new("RGBA", size, "red"), "mark.png:northwest")

    box = made.getbbox()
    assert box
    assert (box[2] - box[0], box[3] - box[1]) == seen


def test_what_is_transparent_in_it_shows_the_image_and_has_no_color() -> None:
    mark = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    mark.paste((0, 0, 255, 255), (10, 10, 30, 30))

    made = laid(Image.new("RGB", (40, 40), "white"), mark, "mark.png:center")

    assert made.getpixel((0, 0)) == (255, 255, 255)
    reds = [(red, green) for red, green, _ in made.get_flattened_data()]  # type: ignore[misc]
    assert all(red == green for red, green in reds)


def test_it_is_as_opaque_as_wanted() -> None:
    made = laid(Image.new("RGB", (40, 40), "white"), Image.new("RGBA", (10, 10), "black"), "mark.png:center:40%")

    assert made.getpixel((20, 20)) == (153, 153, 153)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (2, 3), (5, 5)])
def test_the_smallest_images_can_have_one(size: tuple[int, int]) -> None:
    assert laid(Image.new("RGBA", size), Image.new("RGBA", (60, 60), "red")).size == size


@pytest.mark.parametrize(
    ("content", "said", "reason"),
    [
        (b"\0" * 1_000_001, "1,000,001 bytes", Reason.FILE_TOO_BIG),
        (png((2_500, 1_700), 0, "1"), "at most 4 million", Reason.TOO_LARGE),
        (b"%PDF-1.4", "a PDF document", Reason.UNSUPPORTED_FORMAT),
        (b"", "empty", Reason.EMPTY),
    ],
)
def test_what_cannot_be_a_logo_is_said(content: bytes, said: str, reason: Reason) -> None:
    with pytest.raises(Rejected, match=said) as raised:
        logo.check(content)

    assert raised.value.reason == reason
    assert "MEGAPIXELS" not in raised.value.sentence


def test_damage_in_it_is_no_damage_of_the_image() -> None:
    with pytest.raises(Rejected, match=r"The logo cannot be used.*rows can be read"):
        worked(png((60, 60), "red")[:-40])


def worked(mark: bytes, operations: str = "logo=mark.png") -> Any:
    image = png((400, 300), "black", "RGB")
    return process(io.BytesIO(image), name="a", operations=operations, bounds=BOUNDS, logos={"mark.png": mark})


def test_a_logo_turns_upright_and_what_goes_of_it_is_said() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = io.BytesIO()
    Image.new("I;16", (40, 20), 65_535).save(deep, "PNG", exif=exif)

    made = worked(deep.getvalue(), "logo=mark.png:northwest,convert=png")

    assert any(note.startswith("the logo: its 16 bits") for note in made.notes)
    image = Image.open(io.BytesIO(made.content)).convert("L")
    box = image.point([255 * (level == 255) for level in range(256)]).getbbox()
    assert box
    assert (box[2] - box[0], box[3] - box[1]) == (20, 40)


def test_what_goes_of_its_metadata_is_not_said() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "our logo")
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, "PNG", pnginfo=texts)

    assert worked(file.getvalue()).notes == []


def test_it_lies_on_every_frame() -> None:
    frames = [Image.new("RGB", (80, 80), color) for color in ("red", "lime", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=100, lossless=True)

    made = process(
        file, name="a", operations="logo=mark.png:center", bounds=BOUNDS, logos={"mark.png": png((9, 9), "white")}
    )

    with Image.open(io.BytesIO(made.content)) as image:
        for number in range(3):
            image.seek(number)
            assert image.convert("RGB").getpixel((40, 40)) == (255, 255, 255)


def test_a_pipeline_names_its_logos_and_takes_other_names() -> None:
    pipeline = parse(r"flip,logo=a\,b.png:center,logo=c.png:50%,logo=c.png")

    assert pipeline.logos == ["a,b.png", "c.png"]
    other = pipeline.with_logos({"a,b.png": "a,b-1.png", "c.png": "c-2.png"})
    assert other.text == r"flip,logo=a\,b-1.png:center,logo=c-2.png:50%,logo=c-2.png"
    assert parse(other.text).meaning == other.meaning
    assert other.slug() != pipeline.slug()


def test_a_pipeline_has_few_logos() -> None:
    with pytest.raises(Rejected, match="There are 5 logos; at most 4 are allowed"):
        parse(",".join(f"logo={number}.png" for number in range(5)))


def test_a_logo_that_is_missing_is_said() -> None:
    with pytest.raises(Rejected, match="A logo is missing"):
        process(io.BytesIO(sample()), name="a", operations="logo=mark.png", bounds=BOUNDS)
