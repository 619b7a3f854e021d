"""A watermark is a line of text in a corner that can be read, of the letters that its font has."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops

from courier.errors import Rejected
from courier.images.pipeline import parse
from tests.support.image_files import applied, photo

SAMPLE = photo((80, 60))


def test_a_watermark_is_in_its_corner_and_leaves_the_rest() -> None:
    paper = Image.new("RGB", (400, 300), "green")

    marked = applied("watermark=Courier:northwest", paper)

    assert marked.crop((200, 150, 400, 300)).getcolors() == [(30_000, (0, 128, 0))]
    assert len(marked.crop((0, 0, 200, 60)).getcolors() or []) > 3


@pytest.mark.parametrize("words", ["© José Müller", "Ελληνικά", "Россия", "Łódź, Đà Nẵng", "20 €"])
@pytest.mark.parametrize("font", ["regular", "bold", "italic"])
def test_a_watermark_has_latin_greek_and_cyrillic_letters(words: str, font: str) -> None:
    paper = Image.new("RGB", (400, 300), "green")
    escaped = words.replace(",", "\\,")

    assert applied(f"watermark={escaped}:{font}", paper).tobytes() != paper.tobytes()


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
        red, green, _ = applied(f"watermark=H:{text}:100%", paper).split()
        inked[text] = sum(ImageChops.subtract(red, green).histogram()[150:])

    assert 0 < inked["small:red"] < inked["red"] < inked["#ff0000:large"]
    assert inked["large:black"] == 0
    assert applied("watermark=H:red", Image.new("L", (400, 300), 255)).mode == "RGB"
    assert parse("watermark=a:#ff:12345").steps[0].values["text"] == "a:#ff:12345"


def test_a_watermark_is_as_opaque_as_its_argument() -> None:
    paper = Image.new("RGB", (400, 300), "black")

    brightest = [max(applied(f"watermark=H:{percent}%", paper).convert("L").tobytes()) for percent in (20, 50, 100)]

    assert brightest == pytest.approx([51, 128, 255], abs=2)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (4, 4)])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_watermark_fits_into_the_smallest_image(mode: str, size: tuple[int, int]) -> None:
    assert applied("watermark=Courier", Image.new(mode, size)).size == size


def test_a_watermark_on_nothing_is_seen() -> None:
    marked = applied("watermark=Hi:100%", Image.new("RGBA", (200, 100), (90, 0, 0, 0)))

    assert marked.getchannel("A").getextrema()[1] > 200  # type: ignore[operator]
    assert {marked.getpixel(place)[:3] for place in [(199, 0)]} <= {(90, 0, 0), (0, 0, 0)}  # type: ignore[index]


def test_without_its_package_a_watermark_has_pillows_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.images.watermark._PACKAGE", "no_such_package")

    assert applied("watermark=Courier 1").tobytes() != SAMPLE.tobytes()
    with pytest.raises(Rejected, match="'ж'"):
        parse("watermark=ж2")


def test_a_text_must_be_there_and_not_too_long() -> None:
    for text in ("", " ", "north:bold", "x" * 201):
        with pytest.raises(Rejected):
            parse(f"watermark={text}" if text != "north:bold" else "watermark= :north:bold")
    assert parse("watermark=" + "x" * 200).steps[0].values["text"] == "x" * 200


def test_a_text_is_readable_on_its_own_color_by_its_shadow() -> None:
    for color, shadow in (("white", 0), ("black", 255)):
        marked = applied(f"watermark=Courier:{color}:100%", Image.new("RGB", (400, 300), color)).convert("L")

        darkest, brightest = marked.getextrema()
        assert abs((darkest if shadow == 0 else brightest) - shadow) < 70  # type: ignore[operator]
