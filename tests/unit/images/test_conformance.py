"""A part of the conformance matrix: nothing that the worker makes is wrong. `python -m bench.conformance` runs all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.conformance.cell import Cell
from tests.support.conformance.judge import PIPELINES, Verdict, judge
from tests.support.conformance.matrix import MAKERS, cells

#: Every so manieth cell is tried here: primes, so that the parts of their names fall differently each time.
STEPS = {"PNG": 5, "APNG": 5, "TIFF": 13, "BMP": 2, "GIF": 5, "WEBP": 3, "AVIF": 1, "JPEG": 5, "others": 1}


def some(name: str) -> Iterator[tuple[Cell, str]]:
    """Yield every so manieth cell of a format, with one pipeline and the other in turn."""
    for number, cell in enumerate(list(cells(name))[:: STEPS[name]]):
        yield cell, PIPELINES[number % len(PIPELINES)]


@pytest.mark.parametrize("name", MAKERS)
def test_what_comes_of_a_file_is_right_or_rejected_or_noted(name: str) -> None:
    wrong = {
        cell.name: judged.why
        for cell, operations in some(name)
        if (judged := judge(cell, operations)).verdict is Verdict.WRONG
    }

    assert wrong == {}
