"""Animated PNGs are put together as the specification says; the matrix tries the ways to do it."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from courier.errors import NotAnImage
from courier.images.apng import parts
from courier.images.canvas import composed
from courier.images.notes import Notes
from courier.images.probe import open_source
from tests.support.conformance.apng import Apng

RGBA = Apng(kind=6, bits=8)


def read(content: bytes) -> list[tuple[Image.Image, float]]:
    source = open_source(io.BytesIO(content))
    return list(composed(source.image.size, parts(source, Notes().add)))


@pytest.mark.parametrize("apng", [RGBA, replace(RGBA, is_first_shown=False), replace(RGBA, dispose=2)])
def test_frames_come_whole_and_with_their_times(apng: Apng) -> None:
    made = apng.made()

    found = read(made.content)

    assert [time for _, time in found] == [frame.milliseconds for frame in made.frames]
    for (image, _), expected in zip(found, made.frames, strict=True):
        seen = np.asarray(image) / 255
        assert np.allclose(seen * seen[..., 3:], expected.pixels * expected.pixels[..., 3:])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (replace(RGBA, declared=5).content(), "4 frames are there"),
        (RGBA.content()[:-30], "the checksum of its chunk fdAT"),
        (RGBA.content().replace(b"fdAT", b"fdAU"), "rows can be read"),
    ],
)
def test_what_is_missing_is_an_error(content: bytes, said: str) -> None:
    with pytest.raises(NotAnImage, match=said):
        read(content)
