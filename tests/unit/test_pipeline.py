"""Pipelines are read as they are written, and what is wrong is said with what is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import InputRefused
from courier.operations import OPERATIONS
from courier.pipeline import KINDS, PRESET_HELP, PRESETS, canonical, parse, slug
from courier.values import Size


def test_every_operation_is_known_at_both_ends() -> None:
    assert list(KINDS) == list(OPERATIONS)
    assert PRESETS.keys() == PRESET_HELP.keys()
    for text in PRESETS.values():
        assert parse(text)


def test_a_pipeline_is_steps_with_values() -> None:
    steps = parse(" grayscale, resize=800x600:cover:north ,convert=webp:80")

    assert [step.name for step in steps] == ["grayscale", "resize", "convert"]
    assert steps[1].values == {"size": Size(width=800, height=600), "fit": "cover", "gravity": "north"}
    assert steps[2].values == {"target": "WEBP", "quality": 80}
    assert canonical(steps) == "grayscale,resize=800x600:cover:north,convert=webp:80"


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
        ("border=3:#ff00aa", {"width": 3, "colour": "#ff00aa"}),
        ("watermark=Me\\, 2026:north", {"text": "Me, 2026", "gravity": "north"}),
        ("watermark=a\\\\\\,b", {"text": "a\\,b", "gravity": "southeast"}),
        ("watermark=a:b", {"text": "a:b", "gravity": "southeast"}),
        ("convert=jpg", {"target": "JPEG", "quality": None}),
    ],
)
def test_values_are_read_as_they_are_written(text: str, values: dict[str, object]) -> None:
    (step,) = parse(text)

    assert step.values == values
    assert parse(canonical([step]))[0].values == values


def test_presets_are_written_out() -> None:
    assert canonical(parse("web")) == PRESETS["web"]
    assert canonical(parse("flip,lab3")) == "flip,black-and-white,convert=png"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "graysacle",
            "There is no operation 'graysacle'. Did you mean grayscale? There are grayscale, black-and-white",
        ),
        ("", "An operation is missing. Write one"),
        ("flip,,flop", "An operation is missing."),
        ("watermark=a\udc80", "The operations hold characters that cannot be printed."),
        ("blur=1_0", "The operation blur cannot take '1_0'."),
        ("convert=png:10", "The operation convert cannot take 'png:10'."),
        ("resize=abc", "The operation resize cannot take 'abc'. Write resize=WxH[:FIT[:GRAVITY]]."),
        ("resize=10x10:tight", "The operation resize cannot take '10x10:tight'."),
        ("resize=1x1:fill:north:x", "The operation resize cannot take"),
        ("resize=0x10", "The operation resize cannot take"),
        ("resize=99999x1", "The operation resize cannot take"),
        ("resize=0%", "The operation resize cannot take"),
        ("blur=1000", "The operation blur cannot take '1000'."),
        ("blur=nan", "The operation blur cannot take 'nan'."),
        ("brightness", "The operation brightness cannot take ''. Write brightness=FACTOR."),
        ("grayscale=3", "The operation grayscale cannot take '3'. Write grayscale, without a value."),
        ("convert=bmp", "The operation convert cannot take 'bmp'."),
        ("convert=webp:101", "The operation convert cannot take 'webp:101'."),
        ("rotate=90:nocolour", "The operation rotate cannot take"),
        ("border=0", "The operation border cannot take"),
        ("watermark=", "The operation watermark cannot take"),
        ("web=3", "The preset web cannot take '3'. It stands for thumbnail=1600,"),
        ("flip," * 20 + "flip", "There are 21 operations; at most 20 are allowed."),
        ("x" * 1_001, "The operations have 1,001 characters; at most 1,000 are allowed."),
    ],
)
def test_what_is_wrong_is_said_with_what_is_right(text: str, said: str) -> None:
    with pytest.raises(InputRefused) as raised:
        parse(text)

    assert raised.value.sentence.startswith(said)


@given(st.text(alphabet="grayscleflipx=:,0123456789%+-.\\#ü ", max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        steps = parse(text)
    except InputRefused:
        return
    assert parse(canonical(steps)) == steps


def test_names_tell_pipelines_apart() -> None:
    texts = [
        "thumbnail,resize=1600x1200", "thumbnail=1600x1200", "thumbnail,resize=50%", "thumbnail=50%",
        "resize=300:cover",
        "blur,resize=2", "blur=2", "blur=2,resize=50%", "resize=2x2", "thumbnail=2", "convert=webp", "convert=webp:80",
        "watermark=a-flip", "watermark=a,flip", "watermark=A", "watermark=Ä", "watermark=Ö", "border=2:red", "border=2",
        *(f"watermark={'long ' * 30}{number}" for number in range(3)),
    ]  # fmt: skip
    slugs = [slug(parse(text)) for text in texts]

    assert len(set(slugs)) == len(texts)
    assert slugs[4:6] == ["300x-cover", "blur-2x"]
    assert all(len(one) <= 80 and one.isascii() and "/" not in one for one in slugs)
