#!/usr/bin/env python3
"""Worker of the numbers application: takes lists of numbers from a queue and answers with their statistics."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from courier import daemon, numberlist
from courier.commandline import finish
from courier.errors import InputRefused
from courier.plain import quoted
from courier.settings import load_settings
from courier.summary import summarise
from courier.wire import Request
from courier.worker import Worker

KIND = "numbers"
CONCURRENCY = 4
#: A list takes well under a millisecond, so many may wait in hand: that keeps the batches full.
CAPACITY = 100


def answer(request: Request) -> str:
    """Return the statistics of the numbers in the request's body, as one line of JSON.

    Raises: NotANumberList; InputRefused for options, of which there are none yet.
    """
    for option in request.options:
        raise InputRefused(f"A numbers request has no option {quoted(option)}.")
    statistics = summarise(numberlist.parse(request.body))
    return "{" + ", ".join(f'"{name}": {numberlist.render(value)}' for name, value in statistics.items()) + "}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the request queue until told to stop; return the exit status."""
    options = daemon.parse_options(arguments, description=__doc__ or "")
    daemon.set_up_log(options.log_format)
    settings = load_settings()
    terms = daemon.make_terms(
        options,
        settings,
        kind=KIND,
        inbox=settings.request_queue,
        default_reply=settings.response_queue,
        concurrency=options.concurrency or settings.concurrency or CONCURRENCY,
        capacity=CAPACITY,
    )
    return daemon.serve(Worker(daemon.connect(), answer, terms), f"numbers worker listens on {terms.inbox}")


if __name__ == "__main__":
    sys.exit(finish(main))
