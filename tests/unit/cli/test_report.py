from __future__ import annotations

import json

import pytest

from courier.cli.report import Report, summary
from courier.errors import CourierError, QueueMissing, Rejected, ResponseTimeout
from courier.numbers import render
from courier.numbers.response import Histogram, NumbersResponse
from tests.support.screens import Screen

NAMES = ("count", "min", "q1", "median", "q3", "max", "mean", "mode")
ANSWER = NumbersResponse(
    statistics=dict(zip(NAMES, ("7", "1", "2", "3", "5", "9", "3.5", None), strict=True)),
    rounded=["mean"],
    histogram=Histogram(edges=["0", "5", "10"], counts=[6, 1]),
)


def response_of(count: int) -> NumbersResponse:
    return NumbersResponse(statistics={"count": str(count)}, rounded=[], histogram=None)


def test_a_person_sees_list_table_plot_and_time() -> None:
    screen = Screen()

    Report(screen.terminal, "").show(["1", "2"], ["1", "2"], ANSWER, 0.1234)

    first, *others = screen.shown.splitlines()
    assert first == "7 numbers: 1, 2"
    assert "│ mean   │ ≈ 3.5 │" in others
    assert others[-3].endswith(" 1")
    assert others[-2].startswith("├")
    assert "0.123 s" in others[-1]


@pytest.mark.parametrize("columns", [20, 30, 40, 60, 80, 81, 200])
def test_an_answer_fits_the_terminal_and_no_number_is_cut(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    screen = Screen(is_terminal=True)

    Report(screen.terminal, "").show(["1" * 400], ["1" * 400], ANSWER, 0.1234)

    lines = screen.shown.splitlines()
    assert max(map(len, lines)) <= columns
    assert [line.split()[-1] for line in lines if "\N{EN DASH}" in line] == ["6", "1"]
    assert "1…1" in screen.shown
    words = [word.strip(",") for word in screen.shown.split()]
    assert [words[words.index(sign) - 1] for sign in ("┃", "◆")] == ["median", "mean"]


@pytest.mark.parametrize("notes", [[], ["", ""], ["A comma?", "", "No modes."]])
def test_warnings_are_below_the_answer_and_leave_it_in_sight(notes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courier.cli.output.lines", lambda _file: 24)
    monkeypatch.setenv("COLUMNS", "60")
    screen = Screen(is_terminal=True)
    report = Report(screen.terminal, "")
    report.lines_below = lambda: 2

    report.show(["1"], ["1"], ANSWER, 0.1, None, notes)

    warnings = [note for note in notes if note]
    assert screen.errors.splitlines() == warnings
    assert len(screen.shown.splitlines()) + len(warnings) + report.lines_below() < 24


def test_plain_output_has_a_fact_a_line() -> None:
    screen = Screen(plain=True)

    Report(screen.terminal, "").show(["1"], ["1"], ANSWER, 0.1)

    assert "mean: 3.5 (rounded)\n" in screen.shown
    assert "0 to 5: 6\n5 to 10: 1\n" in screen.shown
    assert screen.shown.isascii()


@pytest.mark.parametrize(("count", "shown"), [(1, "1 number: 7"), (20, "20 numbers: 7"), (21, "21 numbers: 7, …, 8")])
def test_of_a_long_list_both_ends_are_shown(count: int, shown: str) -> None:
    screen = Screen()

    Report(screen.terminal, "").show(["7"], ["8"], response_of(count), 0.1)

    assert screen.shown.startswith(shown + "\n")


def test_programs_get_json_or_csv_and_nothing_else() -> None:
    as_json, as_csv = Screen(), Screen()

    Report(as_json.terminal, "json").show([], [], ANSWER, 0.1)
    Report(as_csv.terminal, "csv").show([], [], ANSWER, 0.1)

    assert json.loads(as_json.shown)["mean"] == 3.5
    assert as_csv.shown.splitlines() == [",".join(NAMES), "7,1,2,3,5,9,3.5,"]


@pytest.mark.parametrize(
    ("output", "rows", "kind"), [("json", 4, render.JsonRows), ("", 4, render.JsonRows), ("csv", 5, None)]
)
def test_a_batch_has_a_row_a_line_and_a_summary_of_what_was_not_answered(
    output: str, rows: int, kind: type | None
) -> None:
    screen = Screen()
    report = Report(screen.terminal, output).batch()

    report.reject(1, Rejected("Item 1 is 'x'."))
    report.add(2, ANSWER)
    report.reject(3, ResponseTimeout("None came."))
    report.reject(4, QueueMissing("No queue."))
    report.end()

    assert isinstance(report._rows, kind or render.CsvRows)
    assert screen.shown.count("\n") == rows
    assert screen.errors == "4 lines: 1 answered, 1 rejected (1), 1 without a response (3), 1 failed (4)\n"
    assert report.worst == QueueMissing.exit_status


def test_a_batch_that_was_answered_says_no_more() -> None:
    screen = Screen()
    report = Report(screen.terminal, "").batch()

    report.add(1, ANSWER)
    report.end()

    assert screen.errors == ""
    assert report.worst == 0


def test_a_summary_names_some_lines_and_counts_all() -> None:
    assert summary(4, {"rejected": [3, 4, 5]}) == "7 lines: 4 answered, 3 rejected (3, 4, 5)"
    assert summary(0, {"rejected": [1]}) == "1 line: 0 answered, 1 rejected (1)"
    many = summary(0, {"rejected": list(range(1, 100_001))})
    assert "100,000 rejected (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …)" in many


def test_an_error_of_another_kind_failed() -> None:
    screen = Screen()
    report = Report(screen.terminal, "").batch()

    report.reject(1, CourierError("It broke."))
    report.end()

    assert "1 failed (1)" in screen.errors
