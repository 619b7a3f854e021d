#!/usr/bin/env python3
"""Worker of the numbers application: takes lists of numbers from a queue and answers with their statistics."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from courier import answers, daemon, fastlist, numberlist
from courier.commandline import finish
from courier.errors import InputRefused
from courier.histogram import histogram
from courier.plain import quoted
from courier.settings import load_settings
from courier.summary import Sample, summarise
from courier.wire import Request
from courier.worker import Worker

KIND = "numbers"
CONCURRENCY = 4
#: A list takes well under a millisecond, so many may wait in hand: that keeps the batches full.
CAPACITY = 100
#: From so many characters on the fast engine is the faster one.
FAST_FROM = 2_000
OPTIONS = "It knows: histogram=yes."


def answer(request: Request) -> str:
    """Return the statistics of the numbers in the request's body, and a histogram if asked, as one line of JSON.

    Raises: NotANumberList; InputRefused for an unknown option.
    """
    for option, value in request.options.items():
        if answers.ASKED.get(option) != value:
            raise InputRefused(f"A numbers request has no option {quoted(f'{option}={value}')}.", hint=OPTIONS)
    sample = read(request.body)
    drawn = histogram(sample) if request.options else None
    return answers.encode(summarise(sample), drawn)


def read(text: str) -> Sample:
    """Return the numbers of a list: by the fast engine if it is long and plain, else by the reference one.

    Raises: NotANumberList.
    """
    found = fastlist.read(text) if len(text) >= FAST_FROM else None
    units, decimals = found or numberlist.read(text)
    return Sample(units=units, decimals=decimals)


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
