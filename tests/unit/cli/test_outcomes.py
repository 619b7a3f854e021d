from __future__ import annotations

from pathlib import Path

import pytest

from courier.cli.outcomes import Outcomes
from courier.errors import CourierError, Rejected, Unreachable
from courier.images.batch import Task
from courier.images.transfer import Result

PATHS = ["a.png", "b.png", "c.png", "d.png"]
TASKS = [Task(path=path, operations="flip") for path in PATHS]


def result(name: str) -> Result:
    return Result(name=name, seconds=0.1)


def outcomes_in_order(*order: str, errors: dict[str, CourierError] | None = None) -> tuple[list[str], Outcomes]:
    reported: list[str] = []
    outcomes = Outcomes(TASKS, lambda task, _target, _result: reported.append(task.path))
    for path in order:
        error = (errors or {}).get(path)
        outcomes.add(
            Task(path=path, operations="flip"), None if error else Path("/nowhere") / path, error or result(path)
        )
    return reported, outcomes


def test_files_are_reported_in_their_order_as_soon_as_can_be() -> None:
    assert outcomes_in_order("b.png", "c.png")[0] == []
    assert outcomes_in_order("b.png", "a.png")[0] == ["a.png", "b.png"]
    assert outcomes_in_order("d.png", "c.png", "b.png", "a.png")[0] == PATHS


def test_what_is_missing_in_the_end_holds_nothing_back() -> None:
    reported, outcomes = outcomes_in_order("d.png", "b.png")

    outcomes.end()
    outcomes.end()

    assert reported == ["b.png", "d.png"]


def test_an_aws_error_is_kept_and_not_reported_for_each_file() -> None:
    first, second = Unreachable("No."), Unreachable("No again.")
    reported, outcomes = outcomes_in_order(*PATHS, errors={"a.png": Rejected("Bad."), "b.png": first, "c.png": second})

    assert reported == ["a.png", "d.png"]
    assert outcomes.aws_error is first


@pytest.mark.parametrize(
    ("sizes", "folder", "said"),
    [
        ([12_400_000, 1, 1, 1], "out", "4 images, 12.4 MB, 8 s, in out/"),
        ([1_500, 500], "out/", "2 of 4 images, 2 kB, 8 s, in out/"),
        ([], ".", "0 of 4 images, 0 kB, 8 s, in this folder"),
    ],
)
def test_a_summary_counts_what_was_made(tmp_path: Path, sizes: list[int], folder: str, said: str) -> None:
    outcomes = Outcomes(TASKS, lambda *_: None)
    for path, size in zip(PATHS, sizes, strict=False):
        (tmp_path / path).write_bytes(b"")
        with (tmp_path / path).open("r+b") as file:
            file.truncate(size)
        outcomes.add(Task(path=path, operations="flip"), tmp_path / path, result(path))

    assert outcomes.summary(Path(folder), 8.2) == said


@pytest.mark.parametrize(
    ("paths", "made", "said"),
    [
        (["a.png", "b.png", "c.png"], 6, "6 results of 3 images, 0 kB"),
        (["a.png", "b.png", "c.png"], 5, "5 of 6 results of 3 images, 0 kB"),
        (["a.png"], 2, "2 results of 1 image, 0 kB"),
    ],
)
def test_several_results_of_an_image_are_counted_as_results(paths: list[str], made: int, said: str) -> None:
    tasks = [Task(path=path, operations=operations) for path in paths for operations in ("flip", "flop")]
    outcomes = Outcomes(tasks, lambda *_: None)
    for task in tasks[:made]:
        outcomes.add(task, Path("/nowhere") / task.path, result(task.path))

    assert outcomes.summary(Path(), 1).startswith(f"{said}, ")


def test_a_canceled_batch_says_how_many_are_done_and_what_makes_the_rest() -> None:
    _, outcomes = outcomes_in_order("a.png", "c.png")
    outcomes.is_canceled = True
    outcomes.end()

    said = outcomes.summary(Path("out"), 1)

    assert "2 of 4 images" in said
    assert "again" in said
