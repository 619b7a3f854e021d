"""Queued requests, workers beside each other, and messages of a size; for each, bare loops as well."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from bench.growth.site import Figures, Site, Size, child
from bench.overload import BODY
from bench.peak import peak_megabytes
from bench.peers.meter import processor_seconds
from bench.processes import BARE, left, send_signal, serving
from bench.throughput import create_queues, request_attributes
from tests.support.engines import fresh_account

#: How many requests are answered while more are waiting; shared by workers beside each other; and sent of each size.
ANSWERED, SHARED, SENT = 300, 2000, 200
BATCH, BATCH_BYTES = 10, 1_040_000
#: Threads that fill a queue, while the local AWS takes one call at a time.
FILLING = 4


def drained(contestant: str, site: Site, size: Size) -> Figures:
    """Measure until a queue of `size` requests is empty."""
    account = fresh_account()
    fill(*create_queues(site.engine, account), int(size), BODY)
    return _counted(site, account, contestant)


def backlog(contestant: str, site: Site, size: Size) -> Figures:
    """Measure until the first `ANSWERED` of `size` waiting requests have been answered."""
    account = site.once("backlog's account", fresh_account)
    client, url = site.once("backlog's queue", lambda: create_queues(site.engine, account))
    fill(client, url, int(size) - left(client, url), BODY)
    return _counted(site, account, contestant, "--forever", "--stop-after", str(ANSWERED))


def messages(contestant: str, site: Site, size: Size) -> Figures:
    """Measure until `SENT` requests, each of `size` kilobytes, have been answered."""
    account = fresh_account()
    number = "-123.45,"
    fill(*create_queues(site.engine, account), SENT, (number * int(size * 1000 / len(number)))[:-1])
    return _counted(site, account, contestant)


def _counted(site: Site, account: str, *command: str) -> Figures:
    before = site.engine_seconds
    found = child("bench.counted", *command, env=site.engine.environment(account))
    return {
        "seconds": found["seconds"],
        "CPU s": found["cpu_seconds_of_work"],
        "peak MB": found["peak_mb"],
        "local AWS CPU s": site.engine_seconds - before,
        # More than usual where AWS is too slow for the heartbeats, so that requests are delivered again.
        "calls": sum(found["calls"].values()),
    }


def workers(program: Sequence[str], site: Site, size: Size) -> Figures:
    """Measure until `size` workers have emptied a queue of `SHARED` requests. Memory is the sum of their peaks."""
    account = fresh_account()
    client, url = create_queues(site.engine, account)
    with serving(site.engine, account, [program] * int(size)) as pids:
        fill(client, url, SHARED, BODY)
        spent, before = sum(map(processor_seconds, pids)), site.engine_seconds
        send_signal(pids, signal.SIGCONT)
        started = time.perf_counter()
        while left(client, url):
            time.sleep(0.02)
        return {
            "seconds": time.perf_counter() - started,
            "CPU s": sum(map(processor_seconds, pids)) - spent,
            "peak MB": sum(map(peak_megabytes, pids)),
            "local AWS CPU s": site.engine_seconds - before,
        }


OURS = ["numbers_worker.py"]
WORKERS = {"workers": partial(workers, OURS), "bare loops": partial(workers, BARE)}


def fill(client: Any, url: str, count: int, body: str) -> None:
    """Send `count` requests of this body, as many at once as a batch holds."""
    each = max(1, min(BATCH, BATCH_BYTES // len(body)))
    sizes = [min(each, count - start) for start in range(0, count, each)]
    with ThreadPoolExecutor(FILLING) as pool:
        list(pool.map(partial(_send, client, url, body), sizes))


def _send(client: Any, url: str, body: str, count: int) -> None:
    entries = [
        {
            "Id": str(index),
            "MessageBody": body,
            "DelaySeconds": 0,
            "MessageAttributes": request_attributes(uuid.uuid4().hex),
        }
        for index in range(count)
    ]
    failed = client.send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
    assert not failed, failed
