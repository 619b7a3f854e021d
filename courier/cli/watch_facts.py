"""What goes on in a set-up as lines of text: one fact a line, for pipes, logs and screen readers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from courier.cli.watch_text import age
from courier.monitoring.live import Live, QueueNow
from courier.monitoring.summary import in_milliseconds, rejections


def facts(live: Live) -> Iterator[str]:
    """Yield the lines. They contain texts that others wrote, to be escaped before they are shown."""
    endpoint = f", endpoint {live.endpoint}" if live.endpoint else ""
    yield f"account {live.account}, region {live.region}{endpoint}"
    for queue in live.queues:
        yield _queue(queue)
    for minute in live.last_minutes():
        times = [
            f"{name} {in_milliseconds(value)}" for name, value in (("p50", minute.p50), ("p95", minute.p95)) if value
        ]
        text = ", ".join([f"{minute.answered:,} answered", rejections(minute.rejected), *times])
        yield f"last minute of {minute.application}: {text}"
    if not live.workers:
        yield live.note
    for worker in live.workers:
        name = f"worker {worker.application} {worker.host}:{worker.process_id}"
        yield f"{name}: up {age(live.at - worker.since)}, {len(worker.in_flight)} requests in flight"
        for one in worker.in_flight:
            yield f"in flight {one.id}{_who(one.name)}: {one.kind}, {one.state} for {age(live.at - one.since)}"
    for done in live.requests(10):
        took = "" if done.milliseconds is None else f" after {in_milliseconds(done.milliseconds)}"
        at = time.strftime("%H:%M:%S", time.localtime(done.at))
        yield f"request {done.id}{_who(done.name)}: {done.kind}, {done.outcome}{took}, at {at}"


def _queue(queue: QueueNow) -> str:
    name = f"queue {queue.name}"
    if queue.problem:
        return f"{name}: {queue.problem}"
    if queue.role == "dead":
        return f"{name}: {queue.waiting + queue.in_flight:,} dead letters"
    oldest = "" if queue.oldest_seconds is None else f", the oldest for {age(queue.oldest_seconds)}"
    return f"{name}: {queue.waiting + queue.delayed:,} waiting, {queue.in_flight:,} in flight{oldest}"


def _who(name: str) -> str:
    return f" of {name}" if name else ""
