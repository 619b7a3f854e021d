"""The services of the instance, as systemd reads them where it is installed, and the rules that they must keep."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.place import ROOT

ON_INSTANCE = ROOT / "setup" / "on_instance"
UNITS = sorted(ON_INSTANCE.glob("courier-*"))
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
#: In tenths, of 0 (all is closed) to 100; an ordinary service has 96.
MOST_EXPOSURE = 25


def options(unit: str) -> dict[str, list[str]]:
    """Return a unit's options, each with all its values."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (ON_INSTANCE / unit).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found[name].append(value)
    return found


@pytest.fixture
def copies(tmp_path: Path) -> list[str]:
    """The units with programs that are here."""
    for unit in UNITS:
        text = unit.read_text().replace("/opt/courier/current", str(ROOT)).replace("/usr/bin/dnf", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    return [str(tmp_path / unit.name) for unit in UNITS]


@needs_systemd
def test_systemd_has_nothing_to_say_about_the_units(copies: list[str]) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *copies], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_a_worker_is_shut_in(copies: list[str]) -> None:
    (worker,) = [copy for copy in copies if "worker@" in copy]
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSURE}", "--no-pager", worker],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_worker_has_a_user_without_rights_and_no_temporary_files_in_memory() -> None:
    worker = options("courier-worker@.service")

    assert worker["User"] == ["courier"]
    assert worker["NoNewPrivileges"] == ["yes"]
    assert worker["CapabilityBoundingSet"] == [""]
    assert worker["ProtectSystem"] == ["strict"]
    (environment,) = worker["Environment"]
    assert "TMPDIR=/var/cache/courier/%i" in environment.split()
    assert worker["CacheDirectory"] == ["courier/%i"]
    tmpfiles = (ON_INSTANCE / "tmpfiles.conf").read_text()
    assert "\ne /var/cache/courier/* - - - 1d\n" in tmpfiles


def test_one_child_that_is_killed_for_want_of_memory_ends_no_service() -> None:
    """Systemd's rule: of `stop`, the default, `continue` and `kill`, only one leaves the service as it is."""
    for unit in UNITS:
        if "worker" in unit.name:
            assert options(unit.name)["OOMPolicy"] == ["continue"]
            assert options(unit.name)["Restart"] == ["always"]
            assert options(unit.name)["StartLimitIntervalSec"] == ["0"]


def test_both_workers_share_the_folder_of_their_lock_and_it_stays_while_one_restarts() -> None:
    worker = options("courier-worker@.service")

    assert worker["RuntimeDirectory"] == ["courier"]
    assert worker["RuntimeDirectoryPreserve"] == ["yes"]
    assert worker["PIDFile"] == ["/run/courier/%i.pid"]


def test_a_child_process_may_leave_the_network() -> None:
    worker = options("courier-worker@.service")

    assert set(worker["RestrictNamespaces"][0].split()) >= {"user", "net"}
    assert worker["SystemCallFilter"] == ["@system-service"]


def test_new_code_is_looked_for_within_a_minute_and_some_seconds() -> None:
    timer = options("courier-update.timer")

    assert timer["OnUnitInactiveSec"] == ["60"]
    assert int(timer["AccuracySec"][0]) <= 5


def test_security_updates_come_from_the_newest_release() -> None:
    (command,) = options("courier-upgrade.service")["ExecStart"]

    assert "--security --releasever=latest" in command


def test_every_timer_has_its_service_and_everything_that_is_started_exists() -> None:
    for unit in UNITS:
        text = unit.read_text()
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.read_string(text)
        if unit.suffix == ".timer":
            assert unit.with_suffix(".service").exists()
        for section in parser.sections():
            for name, value in parser[section].items():
                if name.startswith("exec") and value.startswith("/opt/courier/current/"):
                    assert (ROOT / value.split()[0].removeprefix("/opt/courier/current/")).exists()
