from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bench.growth import measuring, plots
from bench.growth.curves import curve, curves, ratio
from bench.growth.dimensions import DIMENSIONS, Dimension
from bench.growth.site import Site
from scripts import docs, growth_tables

PAGE = docs.ROOT / "docs/explanation/performance.md"


def nothing(_: Site, __: float) -> dict[str, float]:
    raise AssertionError


def dimension(**others: Any) -> Dimension:
    measures = {"worker": nothing, "bare loop": nothing}
    given = {"sizes": (1, 10, 100), "quick": (1, 10), "beside": ("worker", "bare loop"), **others}
    return Dimension(unit="requests", time="until the end", measures=measures, **given)


def point(size: float, seconds: float, **others: float) -> dict[str, float]:
    return {"size": size, "seconds": seconds, "CPU s": 1.0, "peak MB": 60.0, **others}


FOUND = {
    "date": "2026-11-30",
    "load": 1.0,
    "series": {
        "worker": [point(1, 1), point(10, 10), point(1000, 100_000, **{"peak MB": 90.0})],
        "bare loop": [point(1, 2), point(10, 20), point(1000, 200_000)],
    },
}


def test_a_table_has_exponents_and_where_a_curve_bends() -> None:
    lines = growth_tables.growth_table(dimension(), FOUND).splitlines()

    assert lines[0].startswith("| 1 to 1,000 requests (at a load of 1) | of | ")
    assert lines[2] == "| time until the end | worker | 100,000 times | 1.00, 2.00 | 1.71 | 10 (1.00, then 2.00) |"
    assert lines[4] == "| time until the end | worker, bare loop being 1 | 0.50 to 0.50 | 0.00, 0.00 | 0.00 | - |"
    assert lines[8] == "| peak memory | worker | 60 to 90 MB | 0.00, 0.09 | 0.06 | - |"


def test_a_contestant_that_stops_early_says_where() -> None:
    series = {"worker": FOUND["series"]["worker"], "bare loop": FOUND["series"]["bare loop"][:2]}  # type: ignore[index]

    table = growth_tables.growth_table(dimension(beside=None), {**FOUND, "series": series})

    assert "| time until the end | bare loop, to 10 | 10 times | 1.00 | 1.00 | - |" in table.splitlines()


def test_a_curve_that_is_steep_from_the_start_bends_at_its_first_size() -> None:
    steep = {"load": 0, "series": {"worker": [point(0.1, 1), point(1, 100)], "bare loop": [point(0.1, 1), point(1, 1)]}}

    assert "| 100 times | 2.00 | 2.00 | 0.1 (2.00) |" in growth_tables.growth_table(dimension(), steep)


@pytest.mark.parametrize(
    ("growth", "text"), [(0.546, "0.55"), (1.0, "1"), (9.96, "10"), (123.0, "120"), (1_234_567, "1,200,000")]
)
def test_a_factor_has_two_digits(growth: float, text: str) -> None:
    assert growth_tables._factor(growth) == text


def test_what_was_too_little_to_be_measured_is_no_point() -> None:
    points = [point(1, 0), point(10, 1), point(100, 2)]

    found = curve(points, "seconds")

    assert found
    assert found.sizes == [10, 100]
    assert curve(points[:2], "seconds") is None
    assert curve(points, "local AWS CPU s") is None


def test_the_local_aws_is_shown_beside_processor_time_alone() -> None:
    points = [point(1, 1, **{"local AWS CPU s": 1}), point(10, 1, **{"local AWS CPU s": 20})]
    found = {"series": {"the reader": [point(1, 1), point(10, 1)], "worker": points}}

    assert [name for name, _ in curves(found, "CPU s")] == ["the reader", "worker", "local AWS"]
    assert [name for name, _ in curves(found, "seconds")] == ["the reader", "worker"]


def test_what_has_no_bare_loop_is_compared_with_none() -> None:
    assert ratio(dimension(beside=None), FOUND, "seconds") is None


def test_of_several_rounds_the_least_time_and_the_most_memory_count() -> None:
    rounds = iter([point(1, 3, **{"peak MB": 50}), point(1, 2, **{"peak MB": 70})])

    found = measuring.at_size(lambda _, __: next(rounds), Site(engine=None, folder=Path()), 1, rounds=2)  # type: ignore[arg-type]

    assert (found["seconds"], found["peak MB"]) == (2, 70)


def test_a_contestant_ends_at_its_limit() -> None:
    limited = dimension(limits={"worker": 10})

    assert limited.sizes_of("worker", quick=False) == [1, 10]
    assert limited.sizes_of("bare loop", quick=False) == [1, 10, 100]
    assert limited.sizes_of("bare loop", quick=True) == [1, 10]


@pytest.mark.parametrize("name", DIMENSIONS)
def test_sizes_ascend_and_all_contestants_have_a_color(name: str) -> None:
    one = DIMENSIONS[name]

    assert list(one.sizes) == sorted(set(one.sizes))
    assert set(one.limits) | set(one.beside or ()) <= set(one.measures)
    assert len(one.measures) <= len(plots.COLORS)


@pytest.mark.parametrize("name", DIMENSIONS)
def test_a_plot_on_the_page_was_drawn_from_the_kept_figures(name: str) -> None:
    """Draw them with `python -m bench.growth --plot`."""
    content = plots.path(name).read_bytes()

    with Image.open(BytesIO(content)) as image:
        assert image.info[plots.DRAWN_FROM] == plots.digest(measuring.kept()[name])
        assert image.width >= 1600  # shown half as large
    assert len(content) < 60_000
    (alt,) = [line for line in PAGE.read_text().splitlines() if line.endswith(f"](growth/{name}.png)")]
    assert len(alt.partition("]")[0]) > 60


def test_a_plot_is_as_large_as_ever_with_axes_that_have_units() -> None:
    pytest.importorskip("matplotlib")

    content = plots.plot(dimension(), FOUND)

    with Image.open(BytesIO(content)) as image:
        assert image.size == (1600, 660)
        assert image.info[plots.DRAWN_FROM] == plots.digest(json.loads(json.dumps(FOUND)))


@pytest.mark.parametrize(
    ("value", "text"), [(0.05, "0.05"), (20.0, "20"), (1000.0, "1k"), (10_000.0, "10k"), (100_000_000.0, "100M")]
)
def test_an_axis_has_short_numbers(value: float, text: str) -> None:
    assert plots.tick(value) == text


def test_a_table_that_is_not_what_was_measured_is_found() -> None:
    text = PAGE.read_text()
    table = growth_tables.growth("lists")

    assert table in text
    assert docs.generated(text.replace(table, table.replace("1", "2"))) == docs.generated(text)
