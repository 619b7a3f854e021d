"""Every format is found by its names, and Pillow writes it in all its modes by its save options."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from courier.images.formats import FORMATS, HEIF, READS_HEIF, TARGETS, WRITTEN, Format, named_by
from tests.support.image_files import encoded, photo


@pytest.mark.parametrize("known", WRITTEN, ids=lambda known: known.name)
def test_pillow_writes_it_in_each_of_its_modes(known: Format) -> None:
    for mode in known.modes:
        image = photo(mode="L").convert("I").convert("I;16") if mode == "I;16" else photo(mode=mode)
        if mode in {"LA", "RGBA"}:
            image.paste(0, (0, 0, 9, 9))

        made = Image.open(io.BytesIO(encoded(known.name, image, **known.save_options or {})))

        assert (made.format, made.size, made.get_format_mimetype()) == (known.name, image.size, known.media_type)
        # None of them turns gray into anything else, or loses transparency.
        assert ("A" in made.mode or "transparency" in made.info) == ("A" in mode), mode


def test_each_suffix_is_one_formats_in_any_case() -> None:
    suffixes = [suffix for known in FORMATS.values() for suffix in known.suffixes]

    assert len(suffixes) == len({*suffixes})
    for known in FORMATS.values():
        assert all(named_by(suffix) is named_by(suffix.upper()) is known for suffix in known.suffixes)
    assert named_by(".txt") is named_by("") is named_by("png") is None


def test_results_have_the_formats_that_are_written_and_a_still_one_has_such_a_format() -> None:
    assert {known.name for known in TARGETS.values()} == {known.name for known in WRITTEN}
    assert TARGETS["jpg"] is TARGETS["jpeg"] is FORMATS["JPEG"]
    assert "bmp" not in TARGETS
    for known in (*FORMATS.values(), HEIF):
        assert FORMATS[known.still or known.name].save_options is not None


@pytest.mark.parametrize("known", [known for known in WRITTEN if known.effort_option], ids=lambda known: known.name)
def test_more_effort_makes_a_smaller_file(known: Format) -> None:
    fast, small = (encoded(known.name, None, **{known.effort_option: effort}) for effort in (1, 9))

    assert len(small) < len(fast)


def test_an_optional_format_is_read_where_its_package_is_installed() -> None:
    assert (HEIF.name in FORMATS) is READS_HEIF
