"""Lists of numbers: the reader alone, and all of a client, a bucket and a worker.

    python -m bench.growth.lists FILE     reads a file as a worker reads an object; prints what it took as JSON

A file repeats a block of a million random integers, whose mean is that of the whole, so that it is known.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bench import biglist
from bench.batch import new_account
from bench.growth.site import Figures, Site, Size, child
from bench.peak import peak_megabytes
from bench.peers.meter import processor_seconds, tree
from bench.running import running
from bench.throughput import ROOT

BLOCK = 1_000_000


def reader(site: Site, size: Size) -> Figures:
    """Measure all statistics of a file, the start of the program excluded."""
    path, mean = _file(site, int(size))
    found = child("bench.growth.lists", str(path))
    assert found.pop("mean") == mean
    return found


def whole(site: Site, size: Size) -> Figures:
    """Measure a client's command from start to end; processor time is its own and the worker's, memory the worker's."""
    path, mean = _file(site, int(size))
    account = new_account(site.engine)
    env = site.engine.environment(account)
    with running(["numbers_worker.py"], env) as worker:
        spent, engine, client = processor_seconds(worker.pid), site.engine_seconds, _children_seconds()
        started = time.perf_counter()
        command = [sys.executable, "numbers_client.py", "file", str(path), "--json", "--timeout", "600"]
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        seconds = time.perf_counter() - started
        assert str(json.loads(done.stdout)["mean"]) == mean, (done.stdout, mean)
        return {
            "seconds": seconds,
            "CPU s": processor_seconds(worker.pid) - spent + _children_seconds() - client,
            "peak MB": sum(map(peak_megabytes, tree(worker.pid))),
            "local AWS CPU s": site.engine_seconds - engine,
        }


def _children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _file(site: Site, size: int) -> tuple[Path, str]:
    """Return the file of this size, and its mean; the one of another size is removed."""
    if site.kept.get("size") != size:
        path = site.folder / "list.txt"
        mean = biglist.make(path, min(size, BLOCK), decimals=0)
        block = path.read_bytes()
        with path.open("ab") as file:
            for _ in range(size // BLOCK - 1):
                file.write(block)
        site.kept.update(size=size, file=(path, mean))
    found: tuple[Path, str] = site.kept["file"]
    return found


def main() -> None:
    """Read a file and print what it took."""
    started, spent = time.perf_counter(), time.process_time()
    mean = biglist.ours(sys.argv[1])
    found = {
        "seconds": time.perf_counter() - started,
        "CPU s": time.process_time() - spent,
        "peak MB": peak_megabytes(),
        "mean": mean,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
