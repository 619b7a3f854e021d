"""Each operation does what plain Pillow does by its name, or what geometry says."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from courier.errors import NotAnImage, Rejected
from courier.images.pipeline import parse
from courier.images.preview import sample

SAMPLE = Image.open(io.BytesIO(sample())).resize((80, 60)).convert("RGB")
UNSHARP = ImageFilter.UnsharpMask(radius=2, percent=150, threshold=2)


def do(text: str, image: Image.Image = SAMPLE) -> Image.Image:
    for step in parse(text).steps:
        image = step.operation.apply(image, step.values) if step.operation.apply else image
    return image


PLAIN: dict[str, Callable[[Image.Image], Image.Image]] = {
    "grayscale": lambda image: image.convert("L"),
    "black-and-white": lambda image: image.convert("1"),
    "negate": ImageOps.invert,
    "posterize=2": lambda image: ImageOps.posterize(image, 2),
    "solarize=100": lambda image: ImageOps.solarize(image, 100),
    "equalize": ImageOps.equalize,
    "normalize": ImageOps.autocontrast,
    "brightness=1.5": lambda image: ImageEnhance.Brightness(image).enhance(1.5),
    "contrast=0.5": lambda image: ImageEnhance.Contrast(image).enhance(0.5),
    "saturation=0": lambda image: image.convert("L").convert("RGB"),
    "blur=3": lambda image: image.filter(ImageFilter.GaussianBlur(3)),
    "sharpen": lambda image: image.filter(UNSHARP),
    "edges": lambda image: image.filter(ImageFilter.FIND_EDGES),
    "emboss": lambda image: image.filter(ImageFilter.EMBOSS),
    "contour": lambda image: image.filter(ImageFilter.CONTOUR),
    "rotate=90": lambda image: image.transpose(Image.Transpose.ROTATE_270),
    "rotate=-90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "rotate=540": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "flip": ImageOps.flip,
    "flop": ImageOps.mirror,
    "crop=30x20+5+6": lambda image: image.crop((5, 6, 35, 26)),
    "crop=30x20": lambda image: image.crop((25, 20, 55, 40)),
    "crop=30x20:southeast": lambda image: image.crop((50, 40, 80, 60)),
    "crop=500x20:north": lambda image: image.crop((0, 0, 80, 20)),
    "border=4:red": lambda image: ImageOps.expand(image, 4, "red"),
    "resize=40x30:fill": lambda image: image.resize((40, 30), Image.Resampling.LANCZOS, reducing_gap=1.5),
    "strip-metadata": lambda image: image,
    "convert=png": lambda image: image,
}


@pytest.mark.parametrize("text", [text for text in PLAIN if text != "rotate=540"])
def test_it_is_what_pillow_makes_of_it(text: str) -> None:
    assert do(text).tobytes() == PLAIN[text](SAMPLE).tobytes()


def test_turning_goes_clockwise_and_further_than_once() -> None:
    assert do("rotate=180").tobytes() == do("rotate=-180").tobytes() == PLAIN["rotate=540"](SAMPLE).tobytes()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("resize=40x40", (40, 30)), ("resize=40x40:outside", (53, 40)), ("resize=40x40:cover", (40, 40)),
        ("resize=40x40:contain", (40, 40)), ("resize=40x40:fill", (40, 40)), ("resize=160x", (160, 120)),
        ("resize=x30", (40, 30)), ("resize=50%", (40, 30)), ("resize=200%:cover", (160, 120)),
        ("thumbnail=40", (40, 30)), ("thumbnail=400", (80, 60)), ("thumbnail=40x10", (13, 10)),
        ("thumbnail=10%", (8, 6)),
        ("rotate=45", (100, 100)), ("border=10", (100, 80)), ("crop=90x90", (80, 60)),
    ],
)  # fmt: skip
def test_sizes_are_those_that_geometry_gives(text: str, size: tuple[int, int]) -> None:
    assert all(abs(one - other) <= 1 for one, other in zip(do(text).size, size, strict=True))


def test_gravity_says_what_is_kept() -> None:
    halves = Image.new("RGB", (80, 20), "red")
    halves.paste((0, 0, 255), (40, 0, 80, 20))

    assert do("resize=20x20:cover:west", halves).getpixel((10, 10)) == (255, 0, 0)
    assert do("resize=20x20:cover:east", halves).getpixel((10, 10)) == (0, 0, 255)
    padded = do("resize=80x80:contain:south", halves)
    assert padded.getpixel((5, 5)) == (255, 255, 255)
    assert padded.getpixel((5, 75)) == (255, 0, 0)


def test_corners_have_the_color_that_was_requested() -> None:
    assert do("rotate=45").getpixel((0, 0)) == (255, 255, 255)
    assert do("rotate=45:blue").getpixel((0, 0)) == (0, 0, 255)
    assert do("rotate=45:transparent").getpixel((0, 0)) == (0, 0, 0, 0)
    assert do("border=2:transparent").getpixel((0, 0)) == (0, 0, 0, 0)
    assert do("rotate=45", SAMPLE.convert("RGBA")).getpixel((0, 0)) == (0, 0, 0, 0)


def test_sepia_is_brown_from_black_to_white() -> None:
    shades = do("sepia", Image.linear_gradient("L").convert("RGB"))

    assert shades.getpixel((0, 0)) == (0, 0, 0)
    red, green, blue = shades.getpixel((0, 128))  # type: ignore[misc]
    assert red > green > blue > 0


def test_a_vignette_darkens_corners_by_its_argument_and_leaves_the_middle() -> None:
    shaded = do("vignette=50", Image.new("RGB", (201, 101), (200, 100, 0)))

    assert shaded.getpixel((100, 50)) == (200, 100, 0)
    corners = [shaded.getpixel(place) for place in ((0, 0), (200, 0), (0, 100), (200, 100))]
    assert all(abs(red - 100) < 4 and abs(green - 50) < 3 for red, green, _ in corners)  # type: ignore[misc]
    left = [shaded.getpixel((x, 50))[0] for x in range(100)]  # type: ignore[index]
    assert left == sorted(left)


def test_a_watermark_is_in_its_corner_and_leaves_the_rest() -> None:
    paper = Image.new("RGB", (400, 300), "green")

    marked = do("watermark=Courier:northwest", paper)

    assert marked.crop((200, 150, 400, 300)).getcolors() == [(30_000, (0, 128, 0))]
    assert len(marked.crop((0, 0, 200, 60)).getcolors() or []) > 3


@pytest.mark.parametrize("words", ["© José Müller", "Ελληνικά", "Россия", "Łódź, Đà Nẵng", "20 €"])
@pytest.mark.parametrize("font", ["regular", "bold", "italic"])
def test_a_watermark_has_latin_greek_and_cyrillic_letters(words: str, font: str) -> None:
    paper = Image.new("RGB", (400, 300), "green")
    escaped = words.replace(",", "\\,")

    assert do(f"watermark={escaped}:{font}", paper).tobytes() != paper.tobytes()


def test_a_letter_that_cannot_be_drawn_is_named_before_anything_is_done() -> None:
    with pytest.raises(Rejected, match="'山' cannot be drawn") as raised:
        parse("watermark=© 山田")
    assert raised.value.reason == "impossible"


def test_a_watermarks_options_stand_in_any_order_and_colons_in_its_text() -> None:
    expected = {"text": "a:b", "gravity": "north", "font": "bold", "opacity": 50}

    for text in ("a:b:north:bold:50%", "a:b:50%:north:bold", "a:b:bold:50%:north"):
        assert parse(f"watermark={text}").steps[0].values == expected
    assert parse("watermark=bold").steps[0].values["text"] == "bold"
    assert parse("watermark=a:0%").steps[0].values["text"] == "a:0%"


def test_a_watermark_has_the_color_and_the_size_of_its_arguments() -> None:
    paper = Image.new("RGB", (800, 600), "white")
    inked = {}
    for text in ("small:red", "red", "#ff0000:large", "large:black"):
        red, green, _ = do(f"watermark=H:{text}:100%", paper).split()
        inked[text] = sum(ImageChops.subtract(red, green).histogram()[150:])

    assert 0 < inked["small:red"] < inked["red"] < inked["#ff0000:large"]
    assert inked["large:black"] == 0
    assert do("watermark=H:red", Image.new("L", (400, 300), 255)).mode == "RGB"
    assert parse("watermark=a:#ff:12345").steps[0].values["text"] == "a:#ff:12345"


def test_a_watermark_is_as_opaque_as_its_argument() -> None:
    paper = Image.new("RGB", (400, 300), "black")

    brightest = [max(do(f"watermark=H:{percent}%", paper).convert("L").tobytes()) for percent in (20, 50, 100)]

    assert brightest == pytest.approx([51, 128, 255], abs=2)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (4, 4)])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_watermark_fits_into_the_smallest_image(mode: str, size: tuple[int, int]) -> None:
    assert do("watermark=Courier", Image.new(mode, size)).size == size


def test_a_watermark_on_nothing_is_seen() -> None:
    marked = do("watermark=Hi:100%", Image.new("RGBA", (200, 100), (90, 0, 0, 0)))

    assert marked.getchannel("A").getextrema()[1] > 200  # type: ignore[operator]
    assert {marked.getpixel(place)[:3] for place in [(199, 0)]} <= {(90, 0, 0), (0, 0, 0)}  # type: ignore[index]


def test_without_its_package_a_watermark_has_pillows_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.images.watermark._PACKAGE", "no_such_package")

    assert do("watermark=Courier 1").tobytes() != SAMPLE.tobytes()
    with pytest.raises(Rejected, match="'ж'"):
        parse("watermark=ж2")


def test_a_cut_outside_is_rejected() -> None:
    with pytest.raises(NotAnImage, match="crop at 100, 0 is outside of the image of 80 x 60"):
        do("crop=10x10+100+0")
