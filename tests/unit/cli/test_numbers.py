"""The numbers client: what each command line sends and shows, with a worker in memory."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from courier import testing
from courier.cli import numbers
from courier.errors import NotANumberList, WrongUsage
from tests.support.numbers_worker import numbers_answered, numbers_on
from tests.support.screens import Screen


@pytest.fixture(autouse=True)
def queues() -> Iterator[testing.Queues]:
    with numbers_answered() as made:
        yield made


def figures(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return the row that a command writes."""
    assert numbers.main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_list_is_sent_as_one_argument_or_several(capsys: pytest.CaptureFixture[str]) -> None:
    lists = (["1,5,22"], ["1", "5", "22"], ["-1.5", "-.5", "6"])

    assert [figures(capsys, "send", *words)["sum"] for words in lists] == [
        28, 28, 4,
    ]  # fmt: skip


def test_options_choose_what_is_shown_and_how_numbers_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    row = figures(capsys, "send", "1;2,5;2,5;9;9", "--decimal-comma", "--percentile", "50,95", "--modes")
    assert (row["count"], row["p50"], row["modes"]) == (5, 2.5, [2.5, 9])

    assert numbers.main(["send", "1", "2", "--csv"]) == 0
    names, values = capsys.readouterr().out.splitlines()
    assert (names.split(",")[:2], values.split(",")[:2]) == (["count", "sum"], ["2", "3"])
    with pytest.raises(WrongUsage, match="not both"):
        numbers.main(["send", "1", "--csv", "--json"])


def test_a_file_and_standard_input_are_lists(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("n;x\n1;10\n2;20\n")

    assert figures(capsys, "file", str(path), "--column", "x")["sum"] == 30
    for arguments in (["send", "-"], ["file", "-"]):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"4\n5\n")))
        assert figures(capsys, *arguments)["sum"] == 9


def test_a_rejected_list_has_its_sentence_as_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotANumberList):
        numbers.main(["send", "1,x", "--json"])

    assert "'x'" in json.loads(capsys.readouterr().out)["error"]


def test_a_batch_has_a_row_a_line_and_the_worst_status(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "lists.txt"
    path.write_text("1,2\nx\n")

    assert numbers.main(["batch", str(path), "--json"]) == 1

    assert [row.get("sum") for row in map(json.loads, capsys.readouterr().out.splitlines())] == [3, None]


def test_a_person_sees_a_histogram_and_a_warning_below() -> None:
    screen = Screen()

    numbers_on(screen).send("1,2,2,9", note="Mind the comma.")

    assert screen.shown.startswith("4 numbers: 1, 2, 2, 9\n")
    assert "\N{EN DASH}" in screen.shown
    assert screen.errors == "Mind the comma.\n"


def test_a_warning_is_shown_also_where_the_list_is_rejected() -> None:
    screen = Screen()

    with pytest.raises(NotANumberList):
        numbers_on(screen).send("1,,2")
    one = numbers_on(screen)
    one.percentiles = ("200",)  # which the worker rejects
    with pytest.raises(Exception, match="200"):
        one.send("1,2", note="Mind the comma.")

    assert screen.errors.endswith("Mind the comma.\n")


def test_random_lists_are_the_same_for_the_same_seed_and_in_their_range() -> None:
    text = numbers.random_list(500, 7)
    values = [float(item) for item in text.split(",")]

    assert text == numbers.random_list(500, 7) != numbers.random_list(500, 8)
    assert len(values) == 500
    assert -1_000 <= min(values) < -900 < 900 < max(values) <= 1_000
    assert all(len(item.partition(".")[2]) == 2 for item in text.split(","))


def test_without_a_command_a_person_is_needed() -> None:
    with pytest.raises(WrongUsage, match="needs a terminal"):
        numbers.main([])
