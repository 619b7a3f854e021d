"""Held to each other: the benchmarks, and the tables on the pages that their figures make."""

from __future__ import annotations

import re

import pytest

from bench import all as every
from scripts import docs


def parts_on_pages() -> set[str]:
    return {name for page in docs.pages() for name in re.findall(r"<!-- generated: ([\w ]+) -->", page.read_text())}


@pytest.mark.parametrize("name", every.BENCHMARKS)
def test_every_benchmark_has_a_table_on_a_page_or_says_why_not(name: str) -> None:
    assert (name in every.TABLES) != (name in every.NO_TABLE)
    assert set(every.TABLES.get(name, ())) <= parts_on_pages()
    assert every.TABLES.get(name) or every.NO_TABLE[name]


def test_every_table_of_figures_is_measured_by_one_benchmark() -> None:
    measured = [part for parts in every.TABLES.values() for part in parts]

    assert sorted(measured) == sorted(
        part for part in docs.PARTS if part.startswith(("performance ", "cost ", "fleet "))
    )


@pytest.mark.parametrize("named", [every.TABLES, every.NO_TABLE, every.PACKAGES, every.MISSING])
def test_what_is_said_about_benchmarks_is_said_of_those_that_there_are(named: dict[str, object]) -> None:
    assert named.keys() <= every.BENCHMARKS.keys()


def test_an_unknown_benchmark_is_rejected_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        every.main(["latency", "no-such"])

    assert "no such benchmark: no-such" in capsys.readouterr().err
