from __future__ import annotations

import io
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench import results, runner


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def measure() -> dict[str, Any]:
    return {"figure": 1.0}


def fail() -> dict[str, Any]:
    raise ValueError("no figures today")


def leave() -> dict[str, Any]:
    sys.exit("nothing to measure")


def crash() -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


@pytest.mark.parametrize("broken", [fail, leave, crash])
def test_a_benchmark_that_fails_does_not_end_those_after_it(
    broken: runner.Measure, tmp_path: Path, console: Console
) -> None:
    shown: list[str] = []

    status = runner.run(
        {"broken": broken, "whole": measure}, partial(results.store, folder=tmp_path), shown.append, console
    )

    assert status == 1
    assert shown == ["whole"]
    assert results.load("whole", folder=tmp_path)["figure"] == 1
    assert not (tmp_path / "broken.json").exists()
    assert "2 benchmarks took" in printed(console)
    assert "failed: broken" in printed(console)


def test_figures_that_cannot_be_kept_are_a_failure(console: Console) -> None:
    assert runner.run({"one": measure}, lambda *_: 3, lambda _: None, console) == 1

    assert "one failed with status 3" in printed(console)


def test_each_benchmark_is_shown_with_its_seconds_when_it_ends(tmp_path: Path, console: Console) -> None:
    def show(name: str) -> None:
        console.print(f"the table of {name}")

    status = runner.run({"one": measure, "two": measure}, partial(results.store, folder=tmp_path), show, console)

    assert status == 0
    marks = ["1/2 one", "the table of one", "one took", "2/2 two", "the table of two", "two took", "2 benchmarks took"]
    assert sorted(marks, key=printed(console).index) == marks


def test_a_benchmark_changes_nothing_for_the_next_one(tmp_path: Path, console: Console) -> None:
    def change() -> dict[str, Any]:
        os.environ["CHANGED_BY_A_BENCHMARK"] = "1"
        return {}

    def look() -> dict[str, Any]:
        return {"changed": "CHANGED_BY_A_BENCHMARK" in os.environ}

    runner.run({"change": change, "look": look}, partial(results.store, folder=tmp_path), lambda _: None, console)

    assert results.load("look", folder=tmp_path)["changed"] is False


def test_what_is_left_out_is_printed_with_its_reason(console: Console) -> None:
    unable = runner.unable({"one": ["json", "no_such_package"], "two": ["json"]})

    runner.print_left_out(unable, {"one": dict, "two": lambda: {"other": "not installed"}}, console)

    assert printed(console).splitlines() == [
        "one is skipped: no_such_package is not installed",
        "two skips other: not installed",
    ]


def test_a_table_of_the_documentation_is_printed_with_all_its_cells(console: Console) -> None:
    runner.print_table("|  | of [three] |\n| --- | --- |\n| a | 1 |\n| b | - |", console)

    assert [line.split("│")[1:-1] for line in printed(console).splitlines() if "│" in line] == [
        [" a ", " 1          "],
        [" b ", " -          "],
    ]
    assert "of [three]" in printed(console)
