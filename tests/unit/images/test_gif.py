"""A GIF is read block by block: its frames as they are stored, and whether its end is there."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from courier.errors import NotAnImage, Reason
from courier.images import gif
from courier.images.canvas import Disposal
from tests.support.conformance.gif import Gif, GifFrame
from tests.support.image_files import do, moving

RED_AND_GREEN = np.array([[255, 0, 0], [0, 255, 0]], dtype=np.uint8)
GRAYS = np.array([[20, 20, 20], [90, 90, 90]], dtype=np.uint8)


def test_a_gif_that_ends_between_frames_says_so() -> None:
    content = moving("GIF")
    place = content.rindex(b"!\xf9")

    made = do(content[:place], "flip")

    assert made.frames == 2
    assert "its end marker is missing: frames may be missing too" in made.notes
    assert do(content, "flip").notes == []


def test_a_gif_whose_frames_cannot_be_found_is_damage() -> None:
    content = moving("GIF")
    first = 13 + 3 * 2 ** ((content[10] & 7) + 1)

    stray = content[:first] + b"\x07" + content[first:]
    assert do(stray, "flip").content == do(content, "flip").content
    for length in range(first, len(content), 61):
        for middle in (b"", b"\0\0", b",", b"\xff" * 9):
            try:
                do(content[:length] + middle + content[length + 9 :], "flip")
            except NotAnImage as error:
                assert error.reason in {Reason.CORRUPT, Reason.TOO_LARGE}


def frame(*rows: list[int], **known: object) -> GifFrame:
    return GifFrame(indices=np.array(rows), **known)  # type: ignore[arg-type]


def test_frames_come_with_their_places_times_and_what_becomes_of_them() -> None:
    frames = [
        frame([0, 1], delay=7),
        frame([1], left=3, top=2, delay=700, disposal=2),
        frame([1], disposal=2, clear=0),
        frame([0], disposal=3),
        frame([0], is_controlled=False),
    ]

    found = list(gif.parts(Gif(frames=frames, palette=RED_AND_GREEN, background=1).content()))

    assert [part.image.size for part in found] == [(2, 1), (1, 1), (1, 1), (1, 1), (1, 1)]
    assert [(part.left, part.top) for part in found[:2]] == [(0, 0), (3, 2)]
    assert [part.milliseconds for part in found] == [70, 7_000, 0, 0, 0]
    keep, clear, restore = Disposal.KEEP, Disposal.CLEAR, Disposal.RESTORE
    assert [part.disposal for part in found] == [keep, clear, clear, restore, keep]
    # To the background, or to nothing if the frame has a transparent color.
    assert [part.cleared for part in found[1:3]] == [(0, 255, 0, 255), (0, 0, 0, 0)]


def test_a_frame_has_its_own_colors_or_the_files_or_grays() -> None:
    own = frame([0, 1], palette=GRAYS)
    shared = frame([0, 1])

    both = [part.image.tobytes() for part in gif.parts(Gif(frames=[own, shared], palette=RED_AND_GREEN).content())]
    (neither,) = gif.parts(Gif(frames=[shared]).content())

    assert both == [bytes((20, 20, 20, 255, 90, 90, 90, 255)), bytes((255, 0, 0, 255, 0, 255, 0, 255))]
    assert neither.image.tobytes() == bytes((0, 0, 0, 255, 1, 1, 1, 255))


def test_a_frames_transparent_color_is_transparent_and_not_the_next_frames() -> None:
    frames = [frame([0, 1], clear=1), frame([0, 1], is_controlled=False)]

    found = list(gif.parts(Gif(frames=frames, palette=RED_AND_GREEN).content()))

    assert [list(part.image.getchannel("A").tobytes()) for part in found] == [[255, 0], [255, 255]]


@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        (frame([0, 3]), "color number 3"),
        (frame([0] * 8, [0] * 8, coded=3), "image file is truncated"),
    ],
)
def test_a_damaged_frame_is_an_error_as_it_is_pillows(damaged: GifFrame, said: str) -> None:
    with pytest.raises((OSError, ValueError), match=said):
        list(gif.parts(Gif(frames=[damaged], palette=RED_AND_GREEN).content()))


def test_a_frame_of_billions_of_pixels_is_never_decoded() -> None:
    content = bytearray(Gif(frames=[frame([0, 1])], palette=RED_AND_GREEN).content())
    place = content.index(b",") + 5
    content[place : place + 4] = b"\xff" * 4

    with pytest.raises(ValueError, match="65535 x 65535 pixels"):
        list(gif.parts(bytes(content)))


def test_an_end_marker_counts_only_where_a_block_may_begin() -> None:
    # A semicolon, the end marker's code, is in a comment and in pixels as well.
    comment = b"!\xfe\x03;;;\0"
    whole = Gif(frames=[frame(*[[0, 1] * 9] * 9)], palette=RED_AND_GREEN, extensions=comment).content()
    Image.open(io.BytesIO(whole)).load()

    assert gif.has_end(whole)
    assert not any(gif.has_end(whole[:length]) for length in range(13, len(whole)))
    assert gif.has_end(whole[:-1] + b"\x07;")  # as Pillow treats an unknown block
