"""How large images become: sums that can be done manually."""

from __future__ import annotations

import pytest

from courier.images import geometry
from courier.images.arguments import Size
from courier.images.pipeline import parse


@pytest.mark.parametrize(
    ("wanted", "result"),
    [
        (Size(width=80, height=20), (80, 20)),
        (Size(width=80), (80, 60)),
        (Size(height=15), (20, 15)),
        (Size(percent=50), (20, 15)),
        (Size(percent=200), (80, 60)),
        (Size(width=1), (1, 1)),
        (Size(percent=0.1), (1, 1)),
    ],
)
def test_a_missing_side_follows_the_other(wanted: Size, result: tuple[int, int]) -> None:
    assert geometry.target((40, 30), wanted) == result


@pytest.mark.parametrize(
    ("operation", "size", "result"),
    [
        ("resize=80x80", (40, 30), (80, 60)),
        ("resize=20x20", (40, 30), (20, 15)),
        ("resize=20x20:inside", (30, 40), (15, 20)),
        ("resize=20x20:outside", (40, 30), (27, 20)),
        ("resize=20x20:cover", (40, 30), (20, 20)),
        ("resize=20x20:contain", (40, 30), (20, 20)),
        ("resize=20x20:fill", (40, 30), (20, 20)),
        ("resize=20x:outside", (40, 30), (20, 15)),
        ("resize=x15:outside", (40, 30), (20, 15)),
        ("resize=50%:outside", (40, 30), (20, 15)),
        ("thumbnail=20x20", (40, 30), (20, 15)),
        ("thumbnail=20", (40, 30), (20, 15)),
        ("thumbnail=x20", (30, 40), (15, 20)),
        ("thumbnail=400", (40, 30), (40, 30)),
        ("thumbnail=200%", (40, 30), (40, 30)),
        ("thumbnail=50%", (40, 30), (20, 15)),
        ("thumbnail=1", (1000, 1), (1, 1)),
        ("border=3", (40, 30), (46, 36)),
        ("rotate=45", (100, 100), (142, 142)),
        ("rotate=30", (100, 10), (92, 59)),
        ("rotate=-30", (100, 10), (92, 59)),
        ("rotate=90", (40, 30), (40, 30)),
        ("rotate=-180", (40, 30), (40, 30)),
        ("grayscale", (40, 30), (40, 30)),
    ],
)
def test_what_comes_of_an_operation_is_known_beforehand(
    operation: str, size: tuple[int, int], result: tuple[int, int]
) -> None:
    (step,) = parse(operation).steps

    assert step.size_after(size) == result


@pytest.mark.parametrize(
    ("gravity", "place"),
    [
        ("center", (5, 10)),
        ("north", (5, 0)),
        ("south", (5, 20)),
        ("west", (0, 10)),
        ("east", (10, 10)),
        ("northwest", (0, 0)),
        ("southeast", (10, 20)),
    ],
)
def test_gravity_says_where_something_lies(gravity: str, place: tuple[int, int]) -> None:
    assert geometry.place((30, 40), (20, 20), gravity) == place


def test_what_is_larger_begins_at_the_edge_and_half_pixels_are_left_out() -> None:
    assert geometry.place((10, 10), (20, 30), "southeast") == (0, 0)
    assert geometry.corner((11, 11), (10, 8), "center") == (0.5, 1.5)
    assert geometry.place((11, 11), (10, 8), "center") == (0, 1)
