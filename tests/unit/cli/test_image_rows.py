"""Rows for programs have all the same fields, whatever a worker says."""

from __future__ import annotations

import json

import pytest

from courier.cli import image_rows
from courier.errors import Rejected, ResponseTimeout
from courier.images.transfer import Result
from tests.support.rows import rows


def test_a_row_has_nothing_that_a_worker_makes_up() -> None:
    details = {"width": "8", "height": -1, "notes": [5], "etag": 7, "name": "x", "step": "y"}

    line = image_rows.row("run", **image_rows.of_result(Result(name="a.png", details=details)))

    (row,) = rows(line, "images")
    assert (row["step"], row["name"], row["width"], row["etag"], row["notes"]) == ("run", None, None, None, ["5"])
    with pytest.raises(KeyError, match="color"):
        image_rows.row("run", color=1)


def test_rows_of_all_steps_have_the_same_fields_in_the_same_order() -> None:
    lines = [
        image_rows.row("run", name="a.png", **image_rows.of_result(Result(name="b.png", seconds=1.23456))),
        image_rows.row("skip", name="a.jxl", **image_rows.of_error(Rejected("No.", reason="corrupt"))),
        image_rows.row("show"),
    ]

    run, skip, show = rows("\n".join(lines), "images")
    assert list(run) == list(skip) == list(show)
    assert (run["seconds"], run["was_there"], run["error"]) == (1.235, False, None)
    assert json.loads(lines[2])["notes"] == []


def test_an_error_has_its_sentence_and_a_rejection_its_reason() -> None:
    error = Rejected("It is damaged.", hint="Send another.", reason="corrupt")

    assert image_rows.of_error(error) == {"error": "It is damaged. Send another.", "reason": "corrupt"}
    assert image_rows.of_error(ResponseTimeout("None came."))["reason"] is None
