"""What results are called, and which format they have."""

from __future__ import annotations

import pytest

from courier.files import MAX_NAME_BYTES
from courier.images.naming import likely_names, name_for, result_name
from courier.images.pipeline import parse
from courier.images.probe import Header


@pytest.mark.parametrize(
    ("source", "operations", "moving", "target"),
    [
        ("JPEG", "grayscale", False, "JPEG"),
        ("PNG", "grayscale", False, "PNG"),
        ("WEBP", "grayscale", False, "WEBP"),
        ("TIFF", "grayscale", False, "TIFF"),
        ("AVIF", "grayscale", False, "AVIF"),
        ("BMP", "grayscale", False, "PNG"),
        ("GIF", "grayscale", False, "PNG"),
        ("GIF", "grayscale", True, "GIF"),
        ("WEBP", "black-and-white", True, "WEBP"),
        ("JPEG", "black-and-white", False, "PNG"),
        ("JPEG", "convert=webp", False, "WEBP"),
        ("GIF", "convert=webp", True, "WEBP"),
        ("JPEG", "convert=webp,convert=gif", False, "GIF"),
        ("JPEG", "black-and-white,convert=jpeg", False, "JPEG"),
    ],
)
def test_the_format_is_the_sources_unless_something_speaks_against_it(
    source: str, operations: str, target: str, *, moving: bool
) -> None:
    assert parse(operations).target(source, moving=moving) == target


@pytest.mark.parametrize(
    ("name", "operations", "wanted", "result"),
    [
        ("cat.jpg", "grayscale", "JPEG", "cat-grayscale.jpg"),
        ("cat.JPEG", "grayscale", "JPEG", "cat-grayscale.JPEG"),
        ("cat.gif", "grayscale", "PNG", "cat.gif.grayscale.png"),
        ("cat", "grayscale", "PNG", "cat.grayscale.png"),
        ("a.b.png", "flip", "PNG", "a.b-flip.png"),
    ],
)
def test_a_result_is_called_after_its_source_and_what_was_done(
    name: str, operations: str, wanted: str, result: str
) -> None:
    assert result_name(name, parse(operations), wanted) == result


def test_a_result_of_a_long_name_has_one_that_can_be_stored() -> None:
    name = "ä" * (MAX_NAME_BYTES // 2 - 40) + ".png"

    for wanted in ("PNG", "WEBP"):
        assert len(result_name(name, parse("grayscale,blur=3,sharpen,posterize"), wanted).encode()) <= MAX_NAME_BYTES


def test_an_image_whose_header_is_known_has_one_name() -> None:
    header = Header(format="GIF", width=1, height=1, is_moving=True)

    assert name_for("cat.gif", parse("flip"), header) == "cat-flip.gif"
    assert (
        name_for("cat.gif", parse("flip"), Header(format="GIF", width=1, height=1, is_moving=False))
        == "cat.gif.flip.png"
    )


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("cat.jpg", ["cat-flip.jpg"]),
        ("cat.GIF", ["cat.GIF.flip.png", "cat-flip.GIF"]),
        ("cat.bmp", ["cat.bmp.flip.png"]),
        ("cat", ["cat.flip.png"]),
    ],
)
def test_before_it_is_known_there_may_be_two(name: str, names: list[str]) -> None:
    assert likely_names(name, parse("flip")) == names
