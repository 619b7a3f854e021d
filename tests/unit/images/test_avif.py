"""An AVIF is read box by box, and what cannot be read keeps its default; real files are in test_conformance."""

from __future__ import annotations

import struct

import pytest

from courier.images import avif
from courier.images.preview import sample
from courier.images.profiles import Description
from tests.support.conformance import avif_writer
from tests.support.conformance.avif_writer import Avif, box, clean_aperture
from tests.support.image_files import encoded, moving, photo

SIZE = (40, 30)


def still(**known: object) -> bytes:
    return Avif(configuration=b"\x81\0\x0c\0", pixels=b"pixels", size=SIZE, **known).content()  # type: ignore[arg-type]


def test_an_avifs_depth_and_description_are_read() -> None:
    content = encoded("AVIF", photo((32, 32)))
    place = content.index(b"pixi") + 9
    deep = content[:place] + b"\x0a\x0a\x0a" + content[place + 3 :]

    assert (avif.read(content).bits, avif.read(content).description) == (8, Description(primaries=1, curve=13))
    assert avif.read(deep).bits == 10
    assert avif.read(sample()) == avif.Avif()
    for length in range(0, len(content), 7):
        avif.read(content[:length])


@pytest.mark.parametrize(("flags", "bits"), [(0x0C, 8), (0x4C, 10), (0x6C, 12)])
def test_without_a_depth_of_its_own_it_is_that_of_the_pixels(flags: int, bits: int) -> None:
    content = Avif(configuration=bytes((0x81, 0, flags, 0)), pixels=b"", size=SIZE).content()

    assert avif.read(content.replace(b"pixi", b"none")).bits == bits


def test_the_properties_are_those_of_the_first_image_and_not_of_another() -> None:
    content = still(bits=10, properties=[box(b"colr", b"nclx" + struct.pack(">HHHB", 12, 16, 6, 0))], cicp=None)
    place = content.index(b"ipma") + 4 + 4 + 4 + 2  # version and flags, how many items, and its number
    count = content[place]
    others = content[: place + 1] + bytes([1]) * count + content[place + 1 + count :]

    assert avif.read(content).description == Description(primaries=12, curve=16)
    assert avif.read(others).description is None
    assert avif.read(content).items == {b"av01"}


def test_a_clean_aperture_is_an_area_within_the_image() -> None:
    inside = still(properties=[clean_aperture(20, 10, 4, 6, SIZE)])
    beyond = still(properties=[clean_aperture(30, 30, 20, 0, SIZE)])
    nonsense = still(properties=[box(b"clap", struct.pack(">IIIIiIiI", 20, 0, 10, 1, 0, 1, 0, 1))])

    assert avif.read(inside).aperture == (4, 6, 24, 16)
    assert avif.read(beyond).aperture is None
    assert avif.read(nonsense).aperture is None
    assert avif.read(still()).aperture is None


@pytest.mark.parametrize("plays", [0, 1, 2, 7])
def test_an_animation_is_shown_as_often_as_it_is_written(plays: int) -> None:
    content = moving("AVIF")

    made = avif.with_plays(content, plays)

    assert avif.read(made).plays == avif_writer.plays(made) == plays
    assert len(made) == len(content)
    assert avif.read(avif_writer.shown(content, plays)).plays == plays


def test_an_animations_properties_are_those_of_its_frames() -> None:
    content = moving("AVIF")
    place = content.rindex(b"nclx") + 4
    track = content[:place] + struct.pack(">HH", 9, 16) + content[place + 4 :]

    assert content.index(b"moov") < place
    assert avif.read(track).description == Description(primaries=9, curve=16)
