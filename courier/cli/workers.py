"""The two worker programs: assemble the worker of an application and run it.

Neither imports what only the other needs: NumPy and Pillow take memory. A process that only supervises others imports
neither of them, nor boto3.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from courier.cli import daemon
from courier.errors import WrongUsage
from courier.messaging.supervised import inherited
from courier.settings import LISTS, Settings, load_settings

if TYPE_CHECKING:
    from courier.monitoring.activity import Activity
    from courier.monitoring.observers import Observer

log = logging.getLogger(__name__)

#: Why the images worker has no --processes.
IMAGE_PROCESSES = "is for numbers: an images worker has an image process per core; --concurrency N sets how many"


def numbers(arguments: Sequence[str] | None = None, *, description: str = "") -> int:
    """Run the numbers worker; return the exit status."""
    options = daemon.parse_options(arguments, description=description)
    supervised = inherited()
    settings = load_settings()
    processes = options.processes or settings.processes
    daemon.set_up_log(options.log_format, with_process=processes > 1)
    announcement = f"numbers worker listens on {settings.request_queue}"
    if processes > 1 and not supervised:
        return _supervise(processes, options, settings, announcement)
    return _serve_numbers(processes, options, settings, announcement)


def _supervise(processes: int, options: daemon.Options, settings: Settings, announcement: str) -> int:
    from courier.messaging.supervisor import Supervisor

    supervisor = Supervisor(processes, grace_seconds=settings.grace_seconds, stop_when_empty=options.stop_when_empty)
    return daemon.serve(supervisor, f"{announcement} in {processes} processes", options.ready_file)


def _serve_numbers(processes: int, options: daemon.Options, settings: Settings, announcement: str) -> int:
    from courier import Worker, WorkerConfig
    from courier.aws.s3 import Bucket
    from courier.aws.session import connect_worker
    from courier.monitoring.observers import Observers
    from courier.numbers import handler
    from courier.numbers.application import application
    from courier.numbers.stored_lists import StoredLists

    config = WorkerConfig.from_settings(
        settings,
        concurrency=options.concurrency,
        processes=processes,
        capacity=handler.CAPACITY,
        stop_when_empty=options.stop_when_empty,
        is_expensive=handler.is_claim,
    )
    aws = connect_worker()
    lists = StoredLists(Bucket(aws, settings.bucket, LISTS))
    numbers = handler.NumbersHandler(lists, aws.clock, settings.time_limit_seconds)
    observers = Observers(application(settings), settings, aws)
    metrics = _metrics(options, observers.activity, processes=processes)
    worker = Worker(numbers.answer, application(settings), config, aws=aws, hooks=observers.hooks)
    observers.start(worker, *metrics)
    return daemon.serve(worker, announcement, options.ready_file, finish=observers.stop)


def images(arguments: Sequence[str] | None = None, *, description: str = "") -> int:
    """Run the images worker; return the exit status."""
    from courier import Worker, WorkerConfig
    from courier.aws.session import connect_worker
    from courier.images import handler
    from courier.images.application import application
    from courier.images.formats import READS_HEIF
    from courier.monitoring.observers import Observers

    options = daemon.parse_options(arguments, description=description, no_processes=IMAGE_PROCESSES)
    daemon.set_up_log(options.log_format)
    log.info("HEIC images are %s", "read" if READS_HEIF else "rejected: the package pillow-heif is not installed")
    settings = load_settings()
    config = WorkerConfig.from_settings(
        settings,
        concurrency=options.concurrency or settings.concurrency or handler.concurrency(),
        processes=1,
        stop_when_empty=options.stop_when_empty,
    )
    aws = connect_worker()
    image_handler = handler.ImageHandler(aws, settings)
    image_handler.prepare()
    log.info("images are processed %d at a time, where memory allows", config.concurrency)
    observers = Observers(application(settings), settings, aws)
    metrics = _metrics(options, observers.activity, image_handler.memory_bytes)
    worker = Worker(image_handler.answer, application(settings), config, aws=aws, hooks=observers.hooks)
    observers.start(worker, *metrics)
    announcement = f"images worker listens on {settings.image_inbox}"
    return daemon.serve(worker, announcement, options.ready_file, finish=observers.stop)


def _metrics(
    options: daemon.Options, activity: Activity, memory: Callable[[], int] | None = None, *, processes: int = 1
) -> list[Observer]:
    """Return what serves the metrics, if an option asks for them. Raises: WrongUsage."""
    if options.metrics_port is None:
        return []
    if options.metrics_port and processes > 1:
        message = f"--metrics-port {options.metrics_port} is for one process, and there are {processes}."
        raise WrongUsage(message, hint="With --metrics-port 0 each takes a free one, which the log names.")
    if find_spec("prometheus_client") is None:
        raise WrongUsage("--metrics-port needs a package.", hint="Install it: pip install 'prometheus-client>=0.26,<1'")
    from courier.monitoring.metrics import MetricsServer

    return [MetricsServer(activity, address=options.metrics_address, port=options.metrics_port, memory=memory)]
