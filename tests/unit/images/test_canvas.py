"""Parts are drawn on a canvas as their disposal, blending and place say."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from courier.images.canvas import Disposal, Part, composed

RED, GREEN, CLEAR, HALF = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 0, 0), (0, 0, 255, 128)
SIZE = (3, 1)


def part(*colors: tuple[int, ...], left: int = 0, disposal: Disposal = Disposal.KEEP, **known: Any) -> Part:
    image = Image.frombytes("RGBA", (len(colors), 1), bytes(level for color in colors for level in color))
    return Part(image=image, left=left, top=0, milliseconds=known.pop("milliseconds", 0), disposal=disposal, **known)


def colors(*parts: Part) -> list[list[tuple[int, ...]]]:
    """Return the pixels of each frame."""
    return [[frame.getpixel((x, 0)) for x in range(SIZE[0])] for frame, _ in composed(SIZE, parts)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("disposal", "second"),
    [
        (Disposal.KEEP, [RED, GREEN, RED]),
        (Disposal.CLEAR, [RED, GREEN, CLEAR]),
        (Disposal.RESTORE, [RED, GREEN, RED]),
    ],
)
def test_what_becomes_of_a_part_is_seen_in_the_next_frame(disposal: Disposal, second: list[tuple[int, ...]]) -> None:
    last = part(GREEN, left=1)
    middle = part(RED if disposal is Disposal.KEEP else GREEN, left=2, disposal=disposal)

    found = colors(part(RED, RED, RED), middle, last)

    assert found[1][2] == (RED if disposal is Disposal.KEEP else GREEN)
    assert found[2] == second


def test_before_the_first_part_there_is_nothing_to_restore() -> None:
    assert colors(part(RED, RED, disposal=Disposal.RESTORE), part(GREEN, left=2))[1] == [CLEAR, CLEAR, GREEN]


def test_a_part_is_cleared_to_its_color_and_no_more_than_its_area() -> None:
    cleared = part(RED, left=1, disposal=Disposal.CLEAR, cleared=GREEN)

    assert colors(part(RED, RED, RED), cleared, part(CLEAR))[2] == [RED, GREEN, RED]


def test_transparent_pixels_show_what_is_below_or_replace_it() -> None:
    below = part(RED, RED, RED)

    over = colors(below, part(CLEAR, HALF))[1]
    instead = colors(below, part(CLEAR, HALF, is_laid_over=False))[1]

    assert over == [RED, (127, 0, 128, 255), RED]
    assert instead == [CLEAR, HALF, RED]


def test_frames_keep_their_times_and_do_not_change_later() -> None:
    parts = [part(RED, milliseconds=40), part(GREEN, milliseconds=12.5)]

    (first, one), (second, other) = composed(SIZE, parts)

    assert (one, other) == (40, 12.5)
    assert (first.getpixel((0, 0)), second.getpixel((0, 0))) == (RED, GREEN)
