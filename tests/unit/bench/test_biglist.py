from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from bench import biglist, results, spent

#: A list of 8,750 numbers.
GIGABYTES = 0.0001


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one contender, since each start of a library takes half a second of processor time."""
    monkeypatch.setattr(biglist, "CONTENDERS", ("courier",))


def test_every_contender_that_is_installed_finds_the_mean(tmp_path: Path) -> None:
    right = biglist.make(tmp_path / "list", 1000, 0)

    for name in set(biglist.CONTENDERS) - biglist.missing().keys():
        found = biglist.measured(name, tmp_path / "list")
        assert float(found["mean"]) == pytest.approx(float(right))
        assert found.keys() == {"seconds", "wall seconds", "peak MB", "mean"}


def test_our_mean_is_exact_for_each_kind(tmp_path: Path) -> None:
    for decimals in biglist.KINDS.values():
        right = biglist.make(tmp_path / "list", 3000, decimals)

        assert biglist.measured("courier", tmp_path / "list")["mean"] == right


@pytest.mark.usefixtures("alone")
def test_a_size_is_kept_beside_those_measured_before(tmp_path: Path) -> None:
    results.store("biglist", {"sizes": {"2": {"numbers": 175_000_000}, "0.0001": {"numbers": 1}}}, folder=tmp_path)

    sizes = biglist.measure(GIGABYTES, rounds=1, folder=tmp_path)["sizes"]

    assert list(sizes) == ["0.0001", "2"]
    assert sizes["2"] == {"numbers": 175_000_000}
    assert sizes["0.0001"]["numbers"] == 8750
    assert {kind: len(one["rounds"]) for kind, one in sizes["0.0001"]["kinds"].items()} == dict.fromkeys(
        biglist.KINDS, 1
    )


@pytest.mark.usefixtures("alone")
def test_a_kind_is_kept_beside_another_one_of_its_size(tmp_path: Path) -> None:
    decimals, integers = reversed(biglist.KINDS)
    for kind in (decimals, integers):
        results.store("biglist", biglist.measure(GIGABYTES, 1, [kind], folder=tmp_path), folder=tmp_path)

    assert list(results.load("biglist", folder=tmp_path)["sizes"]["0.0001"]["kinds"]) == [integers, decimals]


def test_a_list_without_room_is_rejected_before_it_is_made(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free / 1e9

    with pytest.raises(OSError, match=r"A list of .* GB needs .* GB in .*, and .* are free\."):
        biglist.require_space(str(tmp_path), free + 1)


def test_a_contender_that_is_not_installed_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert biglist.missing()["datamash"] == "not installed: apt-get install datamash"


def test_a_programs_memory_is_its_own_and_not_its_parents() -> None:
    ours = bytes(200_000_000)

    found = spent.of([sys.executable, "-c", "print('found')"])

    assert found["output"] == "found"
    assert found["peak MB"] < len(ours) / 2**20 / 2


def test_a_program_that_fails_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        spent.of([sys.executable, "-c", "raise SystemExit(3)"])
