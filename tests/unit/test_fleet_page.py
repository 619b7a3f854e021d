"""The page on the fleet: its tables are those of the kept figures, and the set-up has the policy that they choose."""

from __future__ import annotations

import re

import pytest

from scripts import docs, fleet_tables


@pytest.mark.parametrize("name", [name for name in docs.PARTS if name.startswith("fleet ")])
def test_every_row_of_a_table_has_all_columns(name: str) -> None:
    widths = {line.count(" | ") for line in docs.PARTS[name]().splitlines()}

    assert len(widths) == 1


def test_the_set_up_has_the_backlog_per_instance_that_the_simulation_chooses() -> None:
    found = re.findall(
        r"^readonly backlog_per_machine=(\d+)$", (docs.ROOT / "setup/autoscaling.sh").read_text(), re.MULTILINE
    )

    assert found == [str(fleet_tables.chosen()["backlog"])]


def test_what_needs_simpy_has_the_same_version_of_it() -> None:
    names = ("requirements-dev.txt", "bench/requirements.txt")
    found = [re.findall(r"^simpy==.+$", (docs.ROOT / name).read_text(), re.MULTILINE) for name in names]

    assert found[0] == found[1]
    assert len(found[0]) == 1
