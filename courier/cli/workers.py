"""The two worker programs: queues, limits and handler of each, assembled and run until they are stopped.

Neither loads what only the other needs: NumPy and Pillow take memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from courier.aws.s3 import Bucket
from courier.cli import daemon
from courier.messaging.worker import Worker
from courier.settings import LISTS, load_settings


def numbers(arguments: Sequence[str] | None = None, *, description: str = "") -> int:
    """Serve the numbers' request queue until told to stop; return the exit status."""
    from courier.numbers import handler
    from courier.numbers.stored_lists import LongLists

    options = daemon.parse_options(arguments, description=description)
    daemon.set_up_log(options.log_format)
    settings = load_settings()
    config = daemon.make_config(
        options,
        settings,
        kind=handler.KIND,
        inbox=settings.request_queue,
        default_reply=settings.response_queue,
        concurrency=options.concurrency or settings.concurrency or handler.CONCURRENCY,
        capacity=handler.CAPACITY,
    )
    config = replace(config, is_expensive=handler.is_claim)
    aws = daemon.connect()
    lists = LongLists(Bucket(aws, settings.bucket, LISTS))
    calculator = handler.NumbersHandler(lists, aws.clock, settings.time_limit_seconds)
    return daemon.serve(
        Worker(aws, calculator.answer, config), f"numbers worker listens on {config.inbox}", options.ready_file
    )


def images(arguments: Sequence[str] | None = None, *, description: str = "") -> int:
    """Serve the image inbox until told to stop; return the exit status."""
    from courier.images import handler

    options = daemon.parse_options(arguments, description=description)
    daemon.set_up_log(options.log_format)
    settings = load_settings()
    concurrency = options.concurrency or settings.concurrency or os.cpu_count() or 1
    aws = daemon.connect()
    config = daemon.make_config(
        options,
        settings,
        kind=handler.KIND,
        inbox=settings.image_inbox,
        default_reply=settings.image_outbox,
        concurrency=concurrency,
        # A picture takes long: none waits here that another worker could have begun.
        capacity=concurrency,
    )
    worker = Worker(aws, handler.ImageHandler(aws, settings).answer, config)
    return daemon.serve(worker, f"images worker listens on {config.inbox}", options.ready_file)
