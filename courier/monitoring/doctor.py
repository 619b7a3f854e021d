"""The doctor's rows: what `status` shows, and what is wrong beyond it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from courier.errors import CourierError, QueueMissing, ResponseTimeout
from courier.monitoring.drift import differences
from courier.monitoring.expected import Expected
from courier.monitoring.rows import Row, as_made, status_rows, unreadable
from courier.monitoring.snapshot import Snapshot, WorkerState

#: A larger clock difference is wrong, in seconds; AWS rejects calls beyond 300.
CLOCK_SECONDS = 60.0


def doctor_rows(snapshot: Snapshot, expected: Expected) -> Iterator[Row]:
    """Yield everything that was checked, in order, and how to fix what is wrong."""
    yield _account_row(snapshot)
    yield _clock_row(snapshot)
    rows = list(status_rows(snapshot, expected))
    expected = as_made(snapshot, expected)
    # Its rows of the workers say whether they respond.
    yield from (replace(row, advice="") for row in rows)
    is_whole = not any(row.state in ("missing", "unknown") for row in rows)
    text = f"{'' if is_whole else 'what was found '}is as aws_setup.sh makes it"
    yield from differences(snapshot, expected) or [Row(kind="drift", name="set-up", state="ok", text=text)]
    yield from _reply_queue_rows(snapshot, expected)
    for worker in snapshot.workers:
        yield _worker_row(worker, expected)


def _account_row(snapshot: Snapshot) -> Row:
    identity = snapshot.identity
    lab = ", a Learner Lab" if identity.is_lab else ""
    return Row(
        kind="account",
        name=identity.account,
        state="ok",
        text=f"region {identity.region}{lab}",
        values={"region": identity.region, "lab": identity.is_lab},
    )


def _clock_row(snapshot: Snapshot) -> Row:
    seconds = round(snapshot.clock_seconds, 1)
    is_wrong = abs(seconds) > CLOCK_SECONDS
    return Row(
        kind="clock",
        name="clock",
        state="wrong" if is_wrong else "ok",
        text=f"differs from AWS's by {seconds:.0f} s",
        fix="Set this machine's clock: timedatectl set-ntp true" if is_wrong else "",
        values={"seconds": seconds},
    )


def _reply_queue_rows(snapshot: Snapshot, expected: Expected) -> Iterator[Row]:
    found = snapshot.details.reply_queues if snapshot.details else None
    if isinstance(found, CourierError):
        yield unreadable("replies", "reply queues", found)
    elif found is not None:
        sweep = "./aws_setup.sh sweep" if expected.local else expected.command("sweep")
        yield Row(
            kind="replies",
            name="reply queues",
            state="stale" if found.stale else "ok",
            text=f"{found.stale} of {found.count} older than six hours" if found.stale else f"{found.count} of clients",
            fix=f"Remove those that crashed clients left: {sweep}" if found.stale else "",
            values={"count": found.count, "stale": found.stale},
        )


def _worker_row(worker: WorkerState, expected: Expected) -> Row:
    name = worker.application.name
    if worker.error is None:
        values = {"seconds": worker.seconds}
        return Row(kind="worker", name=name, state="ok", text=f"responds in {worker.seconds} s", values=values)
    log = f".local/{worker.application.program}.log" if expected.local else f"run {expected.command('logs')}"
    # Where a queue is missing, or the credentials are bad, no log says so.
    fix = f"Look at its log: {log}" if isinstance(worker.error, ResponseTimeout) else worker.error.hint
    fix = expected.recreate if isinstance(worker.error, QueueMissing) else fix
    fix = fix or "Look at the message from AWS."
    return Row(kind="worker", name=name, state="silent", text=worker.error.message, fix=fix, values={"seconds": None})
