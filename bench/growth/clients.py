"""Clients at once: what each waits for, and what all of them take.

    python -m bench.growth.clients CLIENTS SHARE     a crowd; SHARE of it, from 0 to 1, with reply queues of their own

The clients are threads of one process, each sends `TRIPS` requests with a moment's thought between, and one worker
responds.
"""

from __future__ import annotations

import json
import sys
import time

from bench import results
from bench.growth.site import Figures, Site, Size, child
from bench.peak import peak_megabytes
from bench.running import running
from bench.throughput import create_queues
from tests.support import crowd
from tests.support.engines import fresh_account

TRIPS = 5


def waited(share: float, site: Site, size: Size) -> Figures:
    """Measure a crowd: the median round trip, and processor time and memory of all clients together."""
    account = fresh_account()
    create_queues(site.engine, account)
    env = site.engine.environment(account)
    with running(["numbers_worker.py"], env):
        before = site.engine_seconds
        found = child("bench.growth.clients", str(int(size)), str(share), env=env)
        return {**found, "local AWS CPU s": site.engine_seconds - before}


def main() -> None:
    """Run one crowd and print what it took."""
    clients, share = int(sys.argv[1]), float(sys.argv[2])
    made = crowd.Crowd(interactive=clients, batches=0, trips=TRIPS, private=share, timeout_seconds=60)
    spent = time.process_time()
    met = made.run()
    found = {
        "seconds": results.percentile(met.seconds, 0.5),
        "95 % s": results.percentile(met.seconds, 0.95),
        "CPU s": time.process_time() - spent,
        "peak MB": peak_megabytes(),
        "wrong": len(met.wrong),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
