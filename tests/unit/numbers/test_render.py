"""What people and programs read of an answer, and what travels."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.errors import ResponseTimeout
from courier.numbers import render, response
from courier.numbers.response import Histogram, NumbersResponse
from courier.numbers.rounding import Figure
from tests.support.rows import rows

ANSWER = NumbersResponse(
    statistics={"min": "1", "q1": "2", "median": "3", "q3": "5", "max": "9", "mean": "3.5", "mode": None},
    rounded=["mean"],
    histogram=Histogram(edges=["0", "5", "10"], counts=[3, 1]),
)


def test_an_answer_arrives_as_it_was_sent() -> None:
    figures = {"sum": Figure(text="1e-8", is_exact=True), "mean": Figure(text="0.3", is_exact=False), "mode": None}
    drawn = Histogram(edges=["0", "0.5"], counts=[2])

    modes = (["1", "2.5"], 7)

    assert response.decode(response.encode(NumbersResponse.of(figures, drawn, modes))) == NumbersResponse(
        statistics={"sum": "1e-8", "mean": "0.3", "mode": None}, rounded=["mean"], histogram=drawn, modes=modes
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "7",
        "[]",
        '{"sum": "text"}',
        '{"sum": [1]}',
        '{"sum": NaN}',
        '{"rounded": 5, "sum": 1}',
        "[" * 100_000,
        '{"histogram": {"edges": [1], "counts": [1]}}',
        '{"histogram": {"edges": [1, 2], "counts": [-1]}}',
        '{"histogram": {"edges": [1, 2]}}',
        '{"histogram": {"edges": [1, 2], "counts": ["x"]}}',
        '{"histogram": 5}',
        '{"modes": [1]}',
        '{"modes": ["x"], "modes_count": 1}',
        '{"modes": 1, "modes_count": 1}',
    ],
)
def test_an_answer_that_is_none_is_rejected_in_a_sentence(body: str) -> None:
    with pytest.raises(ResponseTimeout, match="response cannot be read"):
        response.decode(body)


@given(st.text(max_size=40) | st.from_regex(r'\{"[a-z]{1,3}": [-0-9.eE"]{1,5}\}', fullmatch=True))
def test_no_answer_does_anything_else(body: str) -> None:
    try:
        response.decode(body)
    except ResponseTimeout as error:
        assert error.sentence.isprintable()


def test_a_table_marks_what_was_rounded() -> None:
    shown = render.table(ANSWER, ascii_only=False)

    assert (shown["mean"], shown["median"], shown["mode"]) == ("≈ 3.5", "3", "none")
    assert render.table(ANSWER, ascii_only=True)["mean"] == "~ 3.5"
    assert render.table(ANSWER, ascii_only=True, plain=True)["mean"] == "3.5 (rounded)"


def test_modes_and_skipped_values_stand_beside_the_statistics() -> None:
    found = replace(ANSWER, modes=(["1", "9"], 2), skipped=3)

    assert render.table(found, ascii_only=True)["modes"] == "1, 9"
    assert render.table(replace(found, modes=(["1"], 1_200)), ascii_only=True)["modes"] == "1, … (1,200 in all)"
    assert render.table(replace(found, modes=([], 0)), ascii_only=True)["modes"] == "none"
    assert list(render.cells(found).items())[-2:] == [("modes", "1 9"), ("skipped", "3")]
    (row,) = rows(render.json_line(found, 7), "numbers-batch")
    assert (row["modes"], row["modes_count"], row["skipped"]) == ([1, 9], 2, 3)


def test_json_has_the_very_digits_and_no_image() -> None:
    line = render.json_line(ANSWER)

    assert '"mean": 3.5, "mode": null, "rounded": ["mean"]}' in line
    assert "histogram" not in json.loads(line)


@pytest.mark.parametrize("sign", ["#", "█"])
def test_a_plot_has_a_line_for_each_bin_and_a_box_below(sign: str) -> None:
    ascii_only = sign == "#"
    *bars, box = render.plot(ANSWER, ascii_only=ascii_only)

    assert [bar.count(sign) for bar in bars] == [40, 13]
    assert [bar.split()[-1] for bar in bars] == ["3", "1"]
    assert box[0] + box[39] == ("||" if ascii_only else "├┤")
    assert box[10] == ("|" if ascii_only else "┃")  # the median is a quarter of the way
    assert all(line.isascii() for line in [*bars, box]) == ascii_only


def test_one_number_and_equal_numbers_have_no_box() -> None:
    one = NumbersResponse(statistics={"min": "1"}, rounded=[], histogram=Histogram(edges=["1", "2"], counts=[1]))
    equal = NumbersResponse(
        statistics=dict.fromkeys(render.BOX, "4"), rounded=[], histogram=Histogram(edges=["4", "5"], counts=[3])
    )

    assert render.plot(one, ascii_only=True) == []
    assert render.plot(equal, ascii_only=True) == ["4 - 5 " + "#" * 40 + " 3"]


def test_long_edges_are_shortened() -> None:
    wide = NumbersResponse(statistics={}, rounded=[], histogram=Histogram(edges=["0", "1" + "0" * 300], counts=[2]))

    assert render.plot(wide, ascii_only=True)[0].split()[:3] == ["0", "-", "1.00000e300"]
    assert len(render.plot(wide, ascii_only=True)[0]) < 80


def test_every_json_row_of_a_batch_has_its_line() -> None:
    written: list[str] = []
    batch = render.JsonRows(written.append)

    batch.add(3, ANSWER)
    batch.reject(4, "Item 1 is empty.")
    batch.end()

    first, second = rows("\n".join(written), "numbers-batch")
    assert (first["line"], first["mean"]) == (3, 3.5)
    assert second == {"line": 4, "error": "Item 1 is empty."}


def test_csv_rows_wait_for_the_names_of_the_first_answer() -> None:
    written: list[str] = []
    rows = render.CsvRows(written.append)
    rows.reject(1, 'Item 1 is "x", no number.')
    rows.add(2, ANSWER)
    rows.reject(3, "No answer.")
    rows.end()

    names, first, second, third = csv.reader(io.StringIO("\n".join(written)))
    assert names == ["line", *ANSWER.statistics, "error"]
    assert first == ["1", *[""] * 7, 'Item 1 is "x", no number.']
    assert second == ["2", "1", "2", "3", "5", "9", "3.5", "", ""]
    assert third == ["3", *[""] * 7, "No answer."]


def test_csv_rows_without_any_answer_still_name_their_columns() -> None:
    written: list[str] = []
    rows = render.CsvRows(written.append)
    rows.reject(1, "x")
    rows.end()

    assert written == ["line,error", "1,x"]


@pytest.mark.parametrize("width", [20, 30, 40, 79, 80, 81, 82, 200])
def test_a_plot_fits_its_width_and_keeps_every_count(width: int) -> None:
    first, second, box, *key = render.plot(ANSWER, ascii_only=False, width=width)

    assert max(map(len, [first, second, box, *key])) <= width
    assert [line.split()[-1] for line in (first, second)] == ["3", "1"]
    assert ("mean" in box) == (width >= 79)
    assert "mean ◆" in [box, *key][-1]
    assert first.count("█") == min(80, width - 10)


def test_a_plot_without_room_has_no_bars() -> None:
    wide = NumbersResponse(statistics={}, rounded=[], histogram=Histogram(edges=["0", "1" + "0" * 300], counts=[2]))

    (line,) = render.plot(wide, ascii_only=True, width=31)

    assert line.split() == ["0", "-", "1.00000e300", "2"]


def test_bins_are_reported_in_words() -> None:
    assert render.bins_in_words(ANSWER) == ["0 to 5: 3", "5 to 10: 1"]
    assert render.bins_in_words(NumbersResponse(statistics={}, rounded=[], histogram=None)) == []
