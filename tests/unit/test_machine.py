"""What a machine gives, read from files like Linux's."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from courier import machine
from courier.machine import TimeHad, available_bytes, free_swap_bytes

MB = 1_000_000
GROUPS = "sys/fs/cgroup"


def write(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 600000 kB\nSwapFree: 2000 kB\n")
    write(tmp_path, "proc/self/cgroup", "4:memory:/system.slice/courier\n2:cpu,cpuacct:/\n0::/system.slice/courier\n")
    return tmp_path


def first_version(root: Path, group: str, **files: str) -> None:
    for name, text in files.items():
        write(root, f"{GROUPS}/memory/{group}/memory.{name}", text)


def second_version(root: Path, group: str, files: dict[str, str]) -> None:
    for name, text in files.items():
        write(root, f"{GROUPS}/{group}/memory.{name}", text)


def test_a_machine_without_groups_has_what_linux_calls_available(root: Path) -> None:
    assert available_bytes(root) == 600_000 * 1024
    assert free_swap_bytes(root) == 2_000 * 1024


def test_a_system_that_does_not_say_has_no_limit(tmp_path: Path) -> None:
    assert available_bytes(tmp_path) == math.inf
    assert free_swap_bytes(tmp_path) == 0


@pytest.mark.parametrize("group", ["system.slice/courier", "system.slice", ""])
def test_the_first_version_limits_by_any_group_above(root: Path, group: str) -> None:
    stat = f"inactive_file 1\ntotal_inactive_file {30 * MB}\ntotal_active_file {20 * MB}\n"
    (root / GROUPS / "memory/system.slice/courier").mkdir(parents=True)
    first_version(root, group, limit_in_bytes=f"{300 * MB}\n", usage_in_bytes=f"{120 * MB}\n", stat=stat)

    assert available_bytes(root) == (300 - 120 + 30 + 20 // 2) * MB


def test_the_second_version_limits_likewise_and_may_say_max(root: Path) -> None:
    second_version(root, "system.slice/courier", {"max": "max\n", "current": f"{50 * MB}\n"})
    second_version(
        root,
        "system.slice",
        {
            "max": f"{200 * MB}\n",
            "current": f"{50 * MB}\n",
            "stat": f"inactive_file {8 * MB}\nactive_file {2 * MB}\n",
            "swap.max": f"{MB}\n",
            "swap.current": "500000\n",
        },
    )

    assert available_bytes(root) == (200 - 50 + 8 + 1) * MB
    assert free_swap_bytes(root) == 500_000


def test_the_first_version_counts_memory_and_swap_together(root: Path) -> None:
    (root / GROUPS / "memory/system.slice/courier").mkdir(parents=True)
    group = {"limit_in_bytes": f"{300 * MB}", "usage_in_bytes": f"{100 * MB}"}
    swap = {"memsw.limit_in_bytes": f"{301 * MB}", "memsw.usage_in_bytes": f"{100 * MB}"}
    first_version(root, "system.slice", **group, **swap)

    assert free_swap_bytes(root) == MB


@pytest.mark.parametrize("path", ["/docker/1234", "/../../outside"])
def test_in_a_container_the_group_is_that_which_is_mounted(root: Path, path: str) -> None:
    write(root, "proc/self/cgroup", f"0::{path}\n")
    second_version(root, "", {"max": f"{100 * MB}", "current": f"{40 * MB}", "stat": ""})

    assert available_bytes(root) == 60 * MB


# Time

PID = 7


class Clock:
    """A machine whose time passes when a test says so."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root = root
        self.now = 1000.0
        self.pass_by(0)
        monkeypatch.setattr(machine.time, "monotonic", lambda: self.now)  # type: ignore[attr-defined]

    def pass_by(self, seconds: float, *, delays: tuple[float, ...] = (5.0, 0.0), stolen: float = 0.0) -> None:
        """Let time pass; the threads' delays and what was stolen count from the start."""
        self.now += seconds
        for thread, delay in enumerate(delays):
            write(self._root, f"proc/{PID}/task/{PID + thread}/schedstat", f"1 {int(delay * 1e9)} 3\n")
        ticks = int(stolen * os.sysconf("SC_CLK_TCK"))
        write(self._root, "proc/stat", f"cpu  1 2 3 4 5 6 7 {ticks} 0 0\ncpu0 1 2 3 4 5 6 7 {ticks} 0 0\n")


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path, monkeypatch)


def test_time_on_an_idle_machine_is_that_of_the_clock(clock: Clock, tmp_path: Path) -> None:
    had = TimeHad(PID, tmp_path)

    assert had.left(30) == 30
    clock.pass_by(20)
    assert had.left(30) == 10
    clock.pass_by(11)
    assert had.left(30) <= 0


def test_what_a_process_waits_for_a_processor_does_not_count(clock: Clock, tmp_path: Path) -> None:
    had = TimeHad(PID, tmp_path)

    # A fifth of a core: 6 of 30 s.
    clock.pass_by(30, delays=(5.0 + 24, 1.0))

    assert had.left(30) == pytest.approx(24)
    clock.pass_by(25, delays=(5.0 + 24, 1.0))
    assert had.left(30) <= 0


def test_the_threads_that_work_count_where_the_first_only_waits_for_them(clock: Clock, tmp_path: Path) -> None:
    had = TimeHad(PID, tmp_path)

    clock.pass_by(40, delays=(5.0, 25.0))

    assert had.left(30) == pytest.approx(15)


def test_what_the_machine_itself_did_not_get_does_not_count(clock: Clock, tmp_path: Path) -> None:
    had = TimeHad(PID, tmp_path)

    clock.pass_by(30, stolen=24)

    assert had.left(30) == pytest.approx(24)


def test_even_on_a_starved_machine_all_ends(clock: Clock, tmp_path: Path) -> None:
    had = TimeHad(PID, tmp_path)

    clock.pass_by(599, delays=(5.0 + 10_000,), stolen=10_000)
    assert had.left(30) == 30
    clock.pass_by(1, delays=(5.0 + 10_000,), stolen=10_000)
    assert had.left(30) == 0


def test_a_process_that_has_ended_and_a_system_that_does_not_say_count_by_the_clock(
    clock: Clock, tmp_path: Path
) -> None:
    had = TimeHad(PID + 100, tmp_path / "nowhere")

    clock.pass_by(31)

    assert had.left(30) <= 0
    assert machine.size_bytes(2**22 + 1) == (0, 0)


def test_this_process_has_a_size() -> None:
    size, resident = machine.size_bytes(os.getpid())

    assert 0 < resident <= size <= machine.peak_bytes()
