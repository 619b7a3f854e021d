"""A process confines itself, which cannot be taken back: each test is in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from courier import confinement
from tests.support.place import ROOT

HEAD = """
import json, os, socket, sys
from pathlib import Path
from courier.confinement import end_first, leave_network
def status():
    return dict(line.split(":\\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
"""


def run(program: str, *arguments: object) -> Any:
    """Run a program in a process of its own; return what it reports."""
    command = [sys.executable, "-c", HEAD + program, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_is_ended_first_starts_what_is_ended_first() -> None:
    program = """
end_first()
import subprocess
inherited = subprocess.check_output(["cat", "/proc/self/oom_score_adj"], text=True)
print(json.dumps([Path("/proc/self/oom_score_adj").read_text(), inherited]))
"""

    assert run(program) == [f"{confinement.FIRST_TO_END}\n"] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such networks")
def test_what_has_left_the_network_reaches_none_is_who_it_was_and_may_do_nothing_more() -> None:
    program = """
is_left, error = leave_network(), ""
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5).close()
except OSError as failed:
    error = str(failed)
found = status()
print(json.dumps([is_left, error, os.geteuid(), os.getegid(), found["CapEff"], found["CapPrm"], found["NoNewPrivs"]]))
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        is_left, error, *standing = run(program, server.getsockname()[1])

    assert ("unreachable" in error) is is_left
    if is_left and Path("/proc/self/uid_map").exists():
        assert standing == [os.geteuid(), os.getegid(), "0" * 16, "0" * 16, "1"]


def test_where_there_are_no_such_networks_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    assert not confinement.leave_network()


def test_where_no_score_can_be_set_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(confinement, "Path", lambda _path: tmp_path / "missing" / "oom_score_adj")

    confinement.end_first()
