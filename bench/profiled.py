"""Where a worker's processor time goes, function by function.

    python -m bench.profiled [--requests 4000] [--lines 60]

Each thread of a worker has a profile of its own, by its own processor time; they are added up. A profile makes calls of
small functions look more expensive than they are: read the shares, and not the seconds.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import pstats
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench import counted
from bench.throughput import ROOT, fill
from tests.support.engines import Engine, fresh_account

#: What is shown on the page: the end of a file's name, and the function in it, with all that it calls.
PARTS = {
    "calls to AWS": ("aws/errors.py", "call_aws"),
    "… the request from its parameters": ("botocore/client.py", "_convert_to_request_dict"),
    "… the signature": ("botocore/signers.py", "sign"),
    "… HTTP": ("botocore/httpsession.py", "send"),
    "… the parsed response": ("botocore/parsers.py", "parse"),
    "the handler: text to statistics to text": ("numbers/handler.py", "answer"),
    "a line of the log": ("messaging/replies.py", "_report"),
    "states of messages in flight": ("messaging/in_flight.py", "move"),
}


def run_profiled(path: str) -> None:
    """Run a worker until its queue is empty, in this process; write the profile of all its threads."""
    profiles: list[cProfile.Profile] = []
    run = threading.Thread.run

    def profiled(thread: threading.Thread) -> None:
        profile = cProfile.Profile(time.thread_time)
        profiles.append(profile)
        profile.enable()
        try:
            run(thread)
        finally:
            profile.disable()

    threading.Thread.run = profiled  # type: ignore[method-assign,assignment]
    sys.argv = ["counted", "courier"]
    counted.main()
    stats = pstats.Stats(profiles[0], stream=io.StringIO())
    for profile in profiles[1:]:
        stats.add(profile)
    stats.dump_stats(path)


def profile(requests: int) -> pstats.Stats:
    """Return the profile of a worker that answers a backlog."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder)).start()
        try:
            account, path = fresh_account(), f"{folder}/stats"
            fill(engine, account, requests)
            command = [sys.executable, "-m", "bench.profiled", "--into", path]
            env = engine.environment(account)
            silent = subprocess.DEVNULL
            subprocess.run(command, cwd=ROOT, env=env, stdout=silent, stderr=silent, check=True)
            return pstats.Stats(path)
        finally:
            engine.stop()


def measure(requests: int = 4000) -> dict[str, Any]:
    """Return the profiled seconds of each part, and of all."""
    stats = profile(requests)
    found = stats.get_stats_profile().total_tt
    return {"requests": requests, "all": found, "parts": {name: seconds(stats, *at) for name, at in PARTS.items()}}


def seconds(stats: pstats.Stats, file: str, function: str) -> float:
    """Return what a function and all that it calls took."""
    rows: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = stats.stats  # type: ignore[attr-defined]
    return max(row[3] for (path, _, name), row in rows.items() if path.endswith(file) and name == function)


def main() -> None:
    """Print a profile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--lines", type=int, default=60)
    parser.add_argument("--into", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.into:
        run_profiled(given.into)
        return
    profile(given.requests).strip_dirs().sort_stats("cumulative").print_stats(given.lines)


if __name__ == "__main__":
    main()
