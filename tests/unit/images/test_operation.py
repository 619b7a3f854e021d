"""What an operation does not say of itself has a default, and a step tells its part of a result's name."""

from __future__ import annotations

import pytest

from courier.images.operation import DEFAULT, Operation, Step, always, never
from courier.images.operations import OPERATIONS
from courier.images.pipeline import parse


def test_an_operation_without_more_changes_nothing() -> None:
    plain = Operation(name="plain", help="nothing")

    assert plain.apply is None
    assert plain.size((4, 3), {}) == (4, 3)
    assert plain.scale((4, 3), {}) is None
    assert not plain.keeps_depth({})
    assert plain.read("") == {}
    with pytest.raises(ValueError, match=r"^$"):
        plain.read("5")


def test_usage_is_the_name_with_its_value() -> None:
    assert [OPERATIONS[name].usage for name in ("flip", "blur", "brightness")] == [
        "flip", "blur=[RADIUS]", "brightness=FACTOR",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flip", ["flip"]),
        ("blur=3", ["blur-3"]),
        ("crop=30x20:north", ["crop-30x20-north"]),
        ("border=4:#ff0000", ["border-4-ff0000"]),
        ("resize=800x600", ["800x600"]),
        ("thumbnail", ["thumbnail-200"]),
    ],
)
def test_a_step_names_its_part_of_a_result(text: str, words: list[str]) -> None:
    (step,) = parse(text).steps

    assert list(step.words) == words
    assert step.name == text.partition("=")[0]


def test_a_step_knows_the_size_of_its_result() -> None:
    step = Step(operation=OPERATIONS["border"], text="border=4", values={"width": 4, "color": "black"})

    assert step.size_after((10, 20)) == (18, 28)


def test_the_default_is_an_operation_without_a_value() -> None:
    assert OPERATIONS[DEFAULT].value == ""
    assert (always({"x": 1}), never({"x": 1})) == (True, False)
