#!/usr/bin/env python3
"""Worker of the images application: takes names of pictures from a queue, processes them and stores the results."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from courier import daemon, pictures
from courier.aws import Aws
from courier.bucket import Bucket
from courier.commandline import finish
from courier.errors import InputRefused
from courier.files import MAX_SOURCE_NAME_BYTES, check_name
from courier.plain import quoted
from courier.sandbox import Limits, Sandbox
from courier.settings import PROCESSED, UNPROCESSED, Settings, load_settings
from courier.wire import Request
from courier.worker import Worker

KIND = "image"
#: The program that each picture is given to, in a process of its own.
DARKROOM = "courier.darkroom"


class Studio:
    """Does what a request asks for: fetch, process, store, name the result."""

    def __init__(self, aws: Aws, settings: Settings) -> None:
        self._unprocessed = Bucket(aws, settings.bucket, UNPROCESSED)
        self._processed = Bucket(aws, settings.bucket, PROCESSED)
        self._limit_bytes = int(settings.image_max_megabytes * 1e6)
        self._max_megapixels = settings.image_max_megapixels
        limits = Limits(seconds=settings.image_seconds, memory_megabytes=settings.image_memory_megabytes)
        self._sandbox = Sandbox(DARKROOM, limits)

    def answer(self, request: Request) -> str:
        """Return the name of the processed picture. Raises: InputRefused; Trouble; CellFault."""
        name = check_name(request.body.strip(), MAX_SOURCE_NAME_BYTES)
        operation = _operation(request)
        order = {"name": name, "operation": operation, "max_megapixels": self._max_megapixels}
        with self._sandbox.cell() as cell:
            self._unprocessed.fetch(name, cell.source, limit_bytes=self._limit_bytes)
            made = cell.run(order)
            # Whatever a picture made of its process, its result goes nowhere else.
            result_name = check_name(made["name"])
            with cell.result() as result:
                self._processed.store(result_name, result, media_type=made["media_type"])
        return result_name


def _operation(request: Request) -> str:
    for option in request.options:
        if option != "operation":
            raise InputRefused(f"An image request has no option {quoted(option)}.", hint="It knows: operation.")
    return pictures.check_operation(request.options.get("operation", pictures.DEFAULT_OPERATION))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the image inbox until told to stop; return the exit status."""
    options = daemon.parse_options(arguments, description=__doc__ or "")
    daemon.set_up_log(options.log_format)
    settings = load_settings()
    concurrency = options.concurrency or settings.concurrency or os.cpu_count() or 1
    aws = daemon.connect()
    terms = daemon.make_terms(
        options,
        settings,
        kind=KIND,
        inbox=settings.image_inbox,
        default_reply=settings.image_outbox,
        concurrency=concurrency,
        # A picture takes long: none waits here that another worker could have begun.
        capacity=concurrency,
    )
    return daemon.serve(Worker(aws, Studio(aws, settings).answer, terms), f"images worker listens on {terms.inbox}")


if __name__ == "__main__":
    sys.exit(finish(main))
