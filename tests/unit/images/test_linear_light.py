"""Resizing in linear light, beside the same by NumPy in floating point."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from courier.images import linear_light
from courier.images.linear_light import scaled
from courier.images.pipeline import parse
from courier.images.probe import Bounds
from courier.images.processor import Processed, process

Values = npt.NDArray[np.float64]


def light(values: Values) -> Values:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def stored(shares: Values) -> Values:
    shares = shares.clip(0, 1)
    return np.asarray(np.where(shares <= 0.0031308, shares * 12.92, 1.055 * shares ** (1 / 2.4) - 0.055))


def band(image: Image.Image, name: str) -> Values:
    return np.asarray(image.getchannel(name), dtype=float) / 255


def halved(values: Values) -> Values:
    """Return the means of blocks of 2 x 2, which is what a box filter makes."""
    return np.asarray((values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]) / 4)


def noise(mode: str) -> Image.Image:
    chosen = np.random.default_rng(7)
    return Image.fromarray(chosen.integers(0, 256, (32, 32, 4), dtype=np.uint8)).convert(mode)


def processed(image: Image.Image, operations: str) -> Processed:
    file = io.BytesIO()
    image.save(file, "PNG")
    bounds = Bounds(megapixels=1, frames=1)
    return process(io.BytesIO(file.getvalue()), name="a.png", operations=operations, bounds=bounds)


def test_black_and_white_dots_become_as_bright_as_they_look() -> None:
    dots = Image.new("L", (64, 64))
    dots.paste(255, mask=Image.fromarray(np.indices((64, 64)).sum(axis=0) % 2 == 0))

    linear, usual = (Image.open(io.BytesIO(processed(dots, f"resize=16x16{word}").content)) for word in (":linear", ""))

    assert linear.getpixel((8, 8)) == pytest.approx(188, abs=1)
    assert usual.getpixel((8, 8)) == pytest.approx(128, abs=1)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_light_is_averaged_and_weighed_by_opacity(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_light, "_FILTER", Image.Resampling.BOX)
    image = noise(mode)

    made = scaled(image, (16, 16))

    weights = band(image, "A") if mode.endswith("A") else np.ones((32, 32))
    for name in mode.rstrip("A"):
        expected = stored(halved(light(band(image, name)) * weights) / halved(weights))
        assert np.abs(band(made, name) - expected).max() < 1.5 / 255
    if mode.endswith("A"):
        assert np.abs(band(made, "A") - halved(weights)).max() < 1.5 / 255


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("level", [0, 1, 5, 128, 254, 255])
def test_what_is_even_stays_as_it_is(mode: str, level: int) -> None:
    image = Image.new(mode, (9, 7), tuple([level] * len(mode)))
    image.putalpha(90) if mode.endswith("A") else None

    assert set(scaled(image, (5, 20)).split()[0].tobytes()) == {level}


def test_every_fit_and_its_name_know_linear_light() -> None:
    sizes = {"inside": (16, 16), "outside": (24, 24), "cover": (24, 16), "contain": (24, 16), "fill": (24, 16)}
    for fit, size in sizes.items():
        made = processed(noise("RGB"), f"resize=24x16:{fit}:linear")

        assert (made.width, made.height) == size
        assert "linear" in made.name
    assert parse("resize=50%:linear").slug() == "50pc-linear"


def test_deep_gray_becomes_8_bits_and_that_is_said() -> None:
    made = processed(Image.new("I;16", (8, 8), 40_000), "resize=4x4:linear")

    assert any("16 bits" in note for note in made.notes)


def test_a_jpeg_is_not_decoded_smaller_before() -> None:
    step = parse("resize=4x4:linear").steps[0]

    assert step.operation.scale((4_000, 3_000), step.values) is None
