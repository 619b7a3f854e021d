"""What `watch` shows: a set-up with two applications, and workers at work."""

from __future__ import annotations

from typing import Any

from courier.messaging.application import Application
from courier.monitoring.live import Live, QueueNow
from courier.monitoring.worker_status import Finished, InFlight, Period, WorkerStatus

NUMBERS = Application("numbers", requests="requestQueue", replies="responseQueue")
IMAGES = Application("images", requests="imageInbox", replies="imageOutbox", kind="image")


def queue(name: str, role: str, application: str, **known: Any) -> QueueNow:
    """Return a queue."""
    return QueueNow(name=name, role=role, application=application, **known)


def worker(number: int, **known: Any) -> WorkerStatus:
    """Return the report of a worker."""
    given_: dict[str, Any] = {
        "id": f"w{number}",
        "application": "numbers" if number % 2 else "images",
        "program": "numbers_worker.py",
        "host": f"ip-10-0-0-{number}",
        "process_id": 1000 + number,
        "since": 1000.0 - number,
        "written_at": 1999.0,
        "beat_seconds": 15.0,
        "polled_at": 1998.0,
        "answered": 7,
        "retries": 0,
        "rejected": {},
        "in_flight": (InFlight(id=f"{number}a3bc9fe", kind="numbers", name="anna", state="working", since=1999.6),),
        "recent": tuple(
            Finished(
                id=f"{number}{one}f00dcafe",
                kind="numbers",
                name="ben",
                outcome="ok",
                at=1990.0 + one,
                milliseconds=40.0,
            )
            for one in range(6)
        ),
        "periods": (Period(begun=1995.0, answered=20, rejected={"invalid": 2, "timeout": 1}, times={"40": 20}),),
    }
    return WorkerStatus(**{**given_, **known})


def live(count: int = 2, **known: Any) -> Live:
    """Return what goes on, with that many workers."""
    given_: dict[str, Any] = {
        "at": 2000.0,
        "account": "000000000000",
        "region": "us-east-1",
        "endpoint": "http://127.0.0.1:4566",
        "applications": (NUMBERS, IMAGES),
        "queues": (
            queue("requestQueue", "requests", "numbers", waiting=12, in_flight=4, oldest_seconds=35, history=(0, 12)),
            queue("responseQueue", "replies", "numbers"),
            queue("requestQueue-dead", "dead", "numbers", waiting=3),
            queue("imageInbox", "requests", "images", problem="does not exist"),
            queue("imageOutbox", "replies", "images"),
            queue("imageInbox-dead", "dead", "images"),
        ),
        "workers": tuple(worker(number) for number in range(1, count + 1)),
        "note": "",
    }
    return Live(**{**given_, **known})
