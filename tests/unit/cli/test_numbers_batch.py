"""A batch has a row for every line, in order, whatever becomes of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from courier import testing
from courier.cli.command_line import CANCELLATION
from courier.cli.numbers_batch import Batch
from courier.errors import INTERRUPTED
from courier.numbers.list_source import Reading
from courier.numbers.notation import Notation
from courier.numbers.options import Extras
from tests.support.numbers_worker import numbers_answered, numbers_on
from tests.support.screens import Screen


@pytest.fixture(autouse=True)
def queues() -> Iterator[testing.Queues]:
    with numbers_answered() as made:
        yield made


def run(*lines: str | None, cancel_after_a_row: bool = False, **reading: Any) -> tuple[int, list[dict[str, Any]], str]:
    """Return the exit status, the rows, and what was said on standard error."""
    screen = Screen()
    numbers = numbers_on(screen, "json")

    def given() -> Iterator[str | None]:
        first, *others = lines
        yield first
        while cancel_after_a_row and not screen.shown:
            yield None
        if cancel_after_a_row:
            CANCELLATION.cancel()
        yield from others

    batch = Batch(
        numbers.requester, screen.terminal, numbers.report.batch(), Reading(**reading), Extras(percentiles=("95",))
    )
    with numbers.requester:
        status = batch.run(given(), None)
    return status, [json.loads(line) for line in screen.shown.splitlines()], screen.errors


def test_lines_are_answered_in_their_order() -> None:
    status, found, said = run(*(f"{number} {number}" for number in range(50)))

    assert [row["sum"] for row in found] == [2 * number for number in range(50)]
    assert all("p95" in row for row in found)
    assert (status, said) == (0, "")


def test_a_rejected_line_has_its_row_at_its_place() -> None:
    status, found, said = run("1", "x", "", "2 " * (2**19 + 1), "4")

    assert [row["line"] for row in found] == [1, 2, 3, 4, 5]
    assert [row.get("sum") for row in found] == [1, None, None, None, 4]
    assert "'x'" in found[1]["error"]
    assert "with the file command" in found[3]["error"]
    assert status == 1
    assert "5 lines: 2 answered, 3 rejected (2, 3, 4)" in said


def test_behind_a_header_lines_keep_their_numbers() -> None:
    _, found, _ = run("a,b", "1,2", skip_header=True)
    _, without, _ = run("a,b", "1,2")

    assert [(row["line"], row["sum"]) for row in found] == [(2, 3)]
    assert "--skip-header" in without[0]["error"]


def test_skipped_values_are_counted_for_each_line_and_for_all() -> None:
    _, found, said = run("1,NA,3", "4", "NA,,5", skip_missing=True)

    assert [(row["count"], row["skipped"]) for row in found] == [(2, 1), (1, 0), (1, 2)]
    assert "3" in said


def test_a_comma_that_may_be_decimal_is_said_once_and_one_that_was_read_so_is_not() -> None:
    lines = [f"{number},5" for number in range(30)]
    _, _, said = run(*lines)
    _, found, none = run(*lines, notation=Notation(decimal_comma=True))

    assert said.count("a decimal comma?") == 1
    assert [row["sum"] for row in found] == [number + 0.5 for number in range(30)]
    assert none == ""


def test_after_a_cancellation_what_was_sent_has_a_row_and_nothing_more_is_sent(queues: testing.Queues) -> None:
    status, found, said = run("1", "2", "3", cancel_after_a_row=True)

    assert status == INTERRUPTED
    assert [row.get("sum") for row in found][:1] == [1]
    assert [row["line"] for row in found] == list(range(1, len(found) + 1))
    assert all(row["error"] for row in found[1:])
    assert "3" not in [row.get("sum") for row in found]
    assert len(queues.bodies("requestQueue")) == 0, said


def test_an_unfinished_line_of_a_slow_input_delays_none() -> None:
    status, found, _ = run("1", None, "2", None)

    assert (status, [row["sum"] for row in found]) == (0, [1, 2])
