"""Celery: late acknowledgement, ten threads, long polls without a pause, a predefined queue, no remote control.

Threads are faster here than its other pools, prefork and solo.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

from bench.peers.contestants import work


def answer(request_id: str, numbers: str) -> None:
    """Do the work of one request."""
    work.respond(request_id, work.answer(numbers))


@cache
def task() -> Any:
    """Return the task of the application."""
    import celery  # type: ignore[import-not-found,import-untyped,unused-ignore]

    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    address = f"{os.environ['AWS_ENDPOINT_URL']}/{key}/{work.REQUESTS}"
    app = celery.Celery("peers", broker=f"sqs://{key}:{secret}@")
    app.conf.update(
        task_default_queue=work.REQUESTS,
        task_acks_late=True,
        task_ignore_result=True,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        broker_transport_options={
            "region": os.environ["AWS_DEFAULT_REGION"],
            "is_secure": False,
            "visibility_timeout": work.VISIBILITY_SECONDS,
            "wait_time_seconds": work.WAIT_SECONDS,
            "polling_interval": 0,
            "predefined_queues": {work.REQUESTS: {"url": address, "access_key_id": key, "secret_access_key": secret}},
        },
    )
    return app.task(name="answer")(answer)


def sender() -> Callable[[str, str], None]:
    """Return what sends one request."""
    return lambda request_id, numbers: task().delay(request_id, numbers)


def serve() -> None:
    """Serve until a signal."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    task().app.worker_main(["worker", "--pool=threads", "--concurrency=10", *quiet])
