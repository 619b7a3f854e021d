"""The values of operations: read into their parts, or none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.images import arguments, watermark
from courier.images.arguments import MAX_SIDE, Size, Values

Reader = Callable[[str], Values]
READERS: dict[str, Reader] = {
    "nothing": arguments.nothing,
    "number": arguments.number("factor", 0, 10, 1),
    "needed number": arguments.number("factor", -2.5, 10),
    "whole": arguments.whole("levels", 2, 8, 4),
    "needed whole": arguments.whole("levels", 2, 8),
    "resize": arguments.resize,
    "thumbnail": arguments.thumbnail,
    "crop": arguments.crop,
    "rotate": arguments.rotate,
    "border": arguments.border,
    "watermark": watermark.read,
    "convert": arguments.convert,
}

#: What a watermark has that says no more of itself.
PLAIN = {"font": "regular", "opacity": 78}


def placed(width: int, height: int, left: int, top: int, gravity: str) -> Values:
    return {"width": width, "height": height, "left": left, "top": top, "gravity": gravity}


def sized(fit: str, gravity: str, **size: int) -> Values:
    return {"size": Size(**size), "fit": fit, "gravity": gravity}


@pytest.mark.parametrize(
    ("reader", "text", "expected"),
    [
        ("nothing", "", {}),
        ("number", "", {"factor": 1}),
        ("number", "0", {"factor": 0}),
        ("number", "10", {"factor": 10}),
        ("number", "+0.5", {"factor": 0.5}),
        ("number", "2.123456", {"factor": 2.123456}),
        ("needed number", "-2.5", {"factor": -2.5}),
        ("whole", "", {"levels": 4}),
        ("whole", "2", {"levels": 2}),
        ("whole", "8", {"levels": 8}),
        ("resize", "800x600", sized("inside", "center", width=800, height=600)),
        ("resize", "800", sized("inside", "center", width=800)),
        ("resize", "800x", sized("inside", "center", width=800)),
        ("resize", "x600", sized("inside", "center", height=600)),
        ("resize", "1x30000:cover", sized("cover", "center", width=1, height=MAX_SIDE)),
        ("resize", "5:fill:north", sized("fill", "north", width=5)),
        ("resize", "5::north", sized("inside", "north", width=5)),
        ("resize", "50%", {"size": Size(percent=50), "fit": "inside", "gravity": "center"}),
        ("resize", "0.5%", {"size": Size(percent=0.5), "fit": "inside", "gravity": "center"}),
        ("thumbnail", "", {"size": Size(width=200)}),
        ("thumbnail", "64x32", {"size": Size(width=64, height=32)}),
        ("crop", "30x20", placed(30, 20, 0, 0, "center")),
        ("crop", "30x20:southwest", placed(30, 20, 0, 0, "southwest")),
        ("crop", "30x20+5+0", placed(30, 20, 5, 0, "")),
        ("crop", "1x30000+0+7", placed(1, MAX_SIDE, 0, 7, "")),
        ("rotate", "90", {"degrees": 90, "background": ""}),
        ("rotate", "-360:white", {"degrees": -360, "background": "white"}),
        ("rotate", "360:#00ff7F", {"degrees": 360, "background": "#00ff7F"}),
        ("border", "1", {"width": 1, "color": "black"}),
        ("border", "5000:gold", {"width": 5000, "color": "gold"}),
        ("watermark", "Hi", {"text": "Hi", "gravity": "southeast", **PLAIN}),
        ("watermark", "Hi:north", {"text": "Hi", "gravity": "north", **PLAIN}),
        ("watermark", "12:30", {"text": "12:30", "gravity": "southeast", **PLAIN}),
        ("watermark", "a:b:west", {"text": "a:b", "gravity": "west", **PLAIN}),
        ("watermark", "x" * 200, {"text": "x" * 200, "gravity": "southeast", **PLAIN}),
        (
            "resize",
            "50%:cover:north:linear",
            {"size": Size(percent=50), "fit": "cover", "gravity": "north", "linear": True},
        ),
        ("convert", "jpg", {"target": "JPEG", "quality": None}),
        ("convert", "webp:1", {"target": "WEBP", "quality": 1}),
        ("convert", "png:9", {"target": "PNG", "quality": None, "effort": 9}),
        ("convert", "avif:100", {"target": "AVIF", "quality": 100}),
        ("convert", "gif", {"target": "GIF", "quality": None}),
        ("convert", "webp:max-200kB", {"target": "WEBP", "quality": None, "max_bytes": 200_000}),
        ("convert", "jpeg:max-1.5MB:420", {"target": "JPEG", "quality": None, "max_bytes": 1_500_000, "sampling": 2}),
    ],
)
def test_a_value_is_read_into_its_parts(reader: str, text: str, expected: Values) -> None:
    assert READERS[reader](text) == expected


@pytest.mark.parametrize(
    ("reader", "texts"),
    [
        ("nothing", ["1", " "]),
        ("number", ["-0.1", "10.1", "1e1", "nan", "inf", ".5", "5.", "1.1234567", "1234567", "x", " 1"]),
        ("needed number", ["", "-2.6", "+"]),
        ("whole", ["1", "9", "2.0", "-2", "+2", "x", "1234567890"]),
        ("needed whole", [""]),
        ("resize", ["", "x", "0", "0x5", "5x0", "30001", "5x30001", "-5", "5x5x5", "5:square", "5:cover:up"]),
        ("resize", ["5:cover:north:", "5:cover:north:x", "0%", "0.0%", "1000%", "%", "5%%", "1.2345%", "123456"]),
        ("thumbnail", ["0", "x", "5:cover"]),
        ("crop", ["", "5", "5x", "x5", "0x5", "5x0", "5x5+1", "5x5+1+", "5x5+1+-1", "30001x1", "1x30001", "5x5:up"]),
        ("crop", ["5x5+1+1:north", "0x5+1+1", "50%"]),
        ("rotate", ["", "361", "-361", "90:pinkish", "90:#12345", "90:#1234567", "x", "90:Red"]),
        ("border", ["", "0", "5001", "1:ultra", "1.5"]),
        ("watermark", ["", " ", ":north", " :north", "x" * 201]),
        ("convert", ["", "bmp", "JPEG", "png:0", "png:10", "gif:5", "webp:0", "webp:101", "webp:", "webp:x"]),
        ("convert", ["png:max-9kB", "webp:max-9", "webp:max-0kB", "webp:max-9KB", "webp:max-9kB:444", "avif:max-"]),
    ],
)
def test_what_is_no_value_is_none(reader: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ValueError):  # noqa: PT011  the caller says what is right
            READERS[reader](text)


@pytest.mark.parametrize("reader", READERS)
@given(text=st.text(st.sampled_from("0123456789x%+-.:# acegnorstw"), max_size=20))
def test_no_text_raises_anything_else(reader: str, text: str) -> None:
    try:
        READERS[reader](text)
    except ValueError:
        return


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (Size(width=8, height=6), "8x6"),
        (Size(width=8), "8x"),
        (Size(height=6), "x6"),
        (Size(percent=50), "50pc"),
        (Size(percent=12.5), "12.5pc"),
    ],
)
def test_a_size_is_named_as_it_is_meant(size: Size, words: str) -> None:
    assert size.words == words
