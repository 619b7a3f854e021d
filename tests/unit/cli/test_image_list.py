from __future__ import annotations

from datetime import UTC, datetime

import pytest

from courier.aws.s3 import StoredObject
from courier.cli import image_list, output
from tests.support.screens import Screen


def images(count: int, name: str = "i{:03}.png") -> list[StoredObject]:
    return image_list.by_age(
        [
            StoredObject(
                name=name.format(number),
                etag="",
                size_bytes=1_234_567 * (number + 1),
                modified=datetime.fromtimestamp(60 * number, UTC),
            )
            for number in range(count)
        ]
    )


def shown(found: list[StoredObject], columns: int | None, lines: int | None, *, whole: bool = False) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "columns", lambda _stream: columns)
        patch.setattr(output, "lines", lambda _stream: lines)
        screen = Screen(is_terminal=columns is not None)
        image_list.show(screen.terminal, "processed", found, whole=whole)
        return screen.shown.splitlines()


@pytest.mark.parametrize(("lines", "newest"), [(24, 15), (16, 7), (5, 1), (None, 15)])
def test_the_newest_are_shown_with_their_numbers_as_far_as_there_is_room(lines: int | None, newest: int) -> None:
    title, *rows, more = shown(images(95), 60, lines)

    assert title == f"processed: 95, the newest {newest}"
    assert [row.split()[:2] for row in rows] == [[str(n), f"i{95 - n:03}.png"] for n in range(1, newest + 1)]
    assert more == f"… and {95 - newest} older ones; ? shows all."


def test_the_whole_list_is_shown_for_a_question_mark() -> None:
    title, *rows = shown(images(95), 60, 24, whole=True)

    assert title == "processed: 95"
    assert len(rows) == 95


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (100, "2  a-long-name-of-a-photo-from-the-summer-holidays-000.png  1,234,567 bytes  1970-01-01 00:00 UTC"),
        (60, "2  a-long-na…-000.png  1,234,567 bytes  1970-01-01 00:00 UTC"),
        (40, "2  a-long-nam…s-000.png  1,234,567 bytes"),
        (20, "2  a-long-na…000.png"),
    ],
)
def test_names_are_shortened_in_a_narrow_screen_and_numbers_never(columns: int, row: str) -> None:
    rows = shown(images(2, "a-long-name-of-a-photo-from-the-summer-holidays-{:03}.png"), columns, 24)

    assert rows[2] == row
    assert all(len(one) <= columns for one in rows)


def test_a_screen_reader_gets_a_sentence_for_each() -> None:
    screen = Screen(plain=True)

    image_list.show(screen.terminal, "processed", images(1, "a\x1b.png"))

    assert screen.shown.splitlines() == [
        "processed: 1",
        r"1: a\x1b.png, 1,234,567 bytes, stored 1970-01-01 00:00 UTC",
    ]
