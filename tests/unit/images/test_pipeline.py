"""Pipelines are read as they are written, and what is wrong is said with what is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import Rejected
from courier.images.arguments import Size
from courier.images.pipeline import PRESET_HELP, PRESETS, Pipeline, parse

PLAIN = {"font": "regular", "opacity": 78}


def test_every_preset_is_a_pipeline_with_a_line_of_help() -> None:
    assert PRESETS.keys() == PRESET_HELP.keys()
    for text in PRESETS.values():
        assert parse(text).steps


def test_a_pipeline_is_steps_with_values() -> None:
    pipeline = parse(" grayscale, resize=800x600:cover:north ,convert=webp:80")

    assert [step.name for step in pipeline.steps] == ["grayscale", "resize", "convert"]
    assert pipeline.steps[1].values == {"size": Size(width=800, height=600), "fit": "cover", "gravity": "north"}
    assert pipeline.steps[2].values == {"target": "WEBP", "quality": 80}
    assert pipeline.text == "grayscale,resize=800x600:cover:north,convert=webp:80"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("resize=800x", {"size": Size(width=800), "fit": "inside", "gravity": "center"}),
        ("resize=x600", {"size": Size(height=600), "fit": "inside", "gravity": "center"}),
        ("resize=12.5%", {"size": Size(percent=12.5), "fit": "inside", "gravity": "center"}),
        ("thumbnail", {"size": Size(width=200)}),
        ("thumbnail=300x200", {"size": Size(width=300, height=200)}),
        ("crop=30x20+5+6", {"width": 30, "height": 20, "left": 5, "top": 6, "gravity": ""}),
        ("crop=30x20:southwest", {"width": 30, "height": 20, "left": 0, "top": 0, "gravity": "southwest"}),
        ("posterize", {"bits": 3}),
        ("solarize=0", {"threshold": 0}),
        ("blur", {"radius": 2}),
        ("rotate=-30:gold", {"degrees": -30, "background": "gold"}),
        ("border=3:#ff00aa", {"width": 3, "color": "#ff00aa"}),
        ("watermark=Me\\, 2026:north", {"text": "Me, 2026", "gravity": "north", **PLAIN}),
        ("watermark=a\\\\\\,b", {"text": "a\\,b", "gravity": "southeast", **PLAIN}),
        ("watermark=a:b", {"text": "a:b", "gravity": "southeast", **PLAIN}),
        ("convert=jpg", {"target": "JPEG", "quality": None}),
    ],
)
def test_values_are_read_as_they_are_written(text: str, values: dict[str, object]) -> None:
    (step,) = parse(text).steps

    assert step.values == values
    assert parse(Pipeline(steps=(step,)).text).steps[0].values == values


def test_presets_are_written_out() -> None:
    assert parse("web").text == PRESETS["web"]
    assert parse("flip,lab3").text == "flip,black-and-white,convert=png"


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("graysacle", ["no operation 'graysacle'. Did you mean grayscale?"]),
        ("x", ["no operation 'x'. There are grayscale, black-and-white"]),
        ("", ["is missing"]),
        ("flip,,flop", ["is missing", "comma"]),
        ("watermark=a\udc80", ["cannot be printed"]),
        ("blur=1_0", ["blur cannot take '1_0'"]),
        ("convert=png:10", ["convert cannot take 'png:10'"]),
        ("rotate", ["rotate needs a value", "rotate=DEGREES[:COLOR]"]),
        ("rotate=", ["rotate needs a value"]),
        ("resize=abc", ["resize cannot take 'abc'", "resize=WxH|N%[:FIT[:GRAVITY]]"]),
        ("resize=10x10:tight", ["resize cannot take '10x10:tight'"]),
        ("resize=1x1:fill:north:x", ["resize cannot take '1x1:fill:north:x'"]),
        ("resize=0x10", ["resize cannot take '0x10'"]),
        ("resize=99999x1", ["resize cannot take '99999x1'"]),
        ("resize=0%", ["resize cannot take '0%'"]),
        ("blur=1000", ["blur cannot take '1000'"]),
        ("blur=nan", ["blur cannot take 'nan'"]),
        ("brightness", ["brightness needs a value", "brightness=FACTOR"]),
        ("grayscale=3", ["grayscale cannot take '3'", "without a value"]),
        ("convert=bmp", ["convert cannot take 'bmp'"]),
        ("convert=webp:101", ["convert cannot take 'webp:101'"]),
        ("rotate=90:nocolor", ["rotate cannot take '90:nocolor'"]),
        ("border=0", ["border cannot take '0'"]),
        ("watermark=", ["watermark needs a value"]),
        ("web=3", ["preset web cannot take '3'", "thumbnail=1600,"]),
        ("flip," * 20 + "flip", ["21 operations; at most 20 "]),
        ("x" * 1_001, ["1,001 characters; at most 1,000 "]),
    ],
)
def test_what_is_wrong_is_said_with_what_is_right(text: str, facts: list[str]) -> None:
    with pytest.raises(Rejected) as raised:
        parse(text)

    assert all(fact in raised.value.sentence for fact in facts), raised.value.sentence


@given(st.text(alphabet="grayscleflipx=:,0123456789%+-.\\#ü ", max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        pipeline = parse(text)
    except Rejected:
        return
    assert parse(pipeline.text) == pipeline


def test_names_tell_pipelines_apart() -> None:
    texts = [
        "thumbnail,resize=1600x1200", "thumbnail=1600x1200", "thumbnail,resize=50%", "thumbnail=50%",
        "resize=300:cover",
        "blur,resize=2", "blur=2", "blur=2,resize=50%", "resize=2x2", "thumbnail=2", "convert=webp", "convert=webp:80",
        "watermark=a-flip", "watermark=a,flip", "watermark=A", "watermark=Ä", "watermark=Ö", "border=2:red", "border=2",
        *(f"watermark={'long ' * 30}{number}" for number in range(3)),
    ]  # fmt: skip
    slugs = [parse(text).slug() for text in texts]

    assert len(set(slugs)) == len(texts)
    assert slugs[4:6] == ["300x-cover", "blur-2x"]
    assert all(len(one) <= 80 and one.isascii() and "/" not in one for one in slugs)
