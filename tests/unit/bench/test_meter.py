"""What is counted of processes that have started others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench.peers.meter import own_seconds, processor_seconds, tree

SPENT = 0.3
CHILD = f"""
import time
while time.process_time() < {SPENT}:
    pass
print(flush=True)
input()
"""
PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {CHILD!r}])
print(flush=True)
input()
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.communicate("\n\n")


def test_a_tree_counts_what_it_has_started_and_each_of_its_processes_only_itself(
    parent: subprocess.Popen[str],
) -> None:
    assert parent.stdout is not None
    parent.stdout.readline()

    _, child = tree(parent.pid)

    assert own_seconds(child) >= SPENT - 0.02
    assert own_seconds(parent.pid) + own_seconds(child) <= processor_seconds(parent.pid)
    assert processor_seconds(parent.pid) - own_seconds(child) < SPENT


def test_what_has_ended_counts_for_what_started_it(parent: subprocess.Popen[str]) -> None:
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write("\n")
    parent.stdin.flush()
    for _ in range(2):
        parent.stdout.readline()

    assert [*tree(parent.pid)] == [parent.pid]
    assert own_seconds(parent.pid) < SPENT
    assert own_seconds(parent.pid, with_ended=True) == processor_seconds(parent.pid) >= SPENT - 0.02
