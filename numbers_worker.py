#!/usr/bin/env python3
"""Worker of the numbers application: takes lists of numbers from a queue and answers with their statistics."""

from __future__ import annotations

if __name__ == "__main__":
    from courier.cli import bootstrap

    bootstrap.start_worker(__doc__ or "")

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from courier.aws.message import Envelope
from courier.aws.s3 import Bucket
from courier.aws.session import Clock
from courier.cli import daemon
from courier.cli.command_line import finish
from courier.errors import InputRefused
from courier.messaging.protocol import Request
from courier.messaging.worker import Worker
from courier.numbers import fast_parser, parser, response
from courier.numbers.histogram import histogram
from courier.numbers.stats import Sample, summarise
from courier.numbers.stored_lists import LongLists
from courier.settings import LISTS, load_settings
from courier.text import quoted

KIND = "numbers"
CONCURRENCY = 4
#: A list takes well under a millisecond, so many may wait in hand: that keeps the batches full.
CAPACITY = 100
#: From so many characters on the fast engine is the faster one.
FAST_FROM = 2_000
OPTIONS = "It knows: histogram=yes."
#: What a list in the bucket counts for: with one in hand there is room for light ones, and for one more.
HEAVY = 75


class Calculator:
    """Does what a request asks for, whether the list is in the message or in the bucket."""

    def __init__(self, lists: LongLists, clock: Clock, time_limit_seconds: float) -> None:
        self._lists = lists
        self._clock = clock
        self._time_limit_seconds = time_limit_seconds

    def answer(self, request: Request) -> str:
        """Return the answer's line. Raises: NotANumberList; InputRefused; AwsTrouble."""
        if not is_claim(request):
            return answer(request)
        until = time.monotonic() + self._time_limit_seconds

        def is_over() -> bool:
            is_late = request.deadline is not None and self._clock.is_past(request.deadline)
            return is_late or time.monotonic() > until

        return self._lists.answer(request.body.strip().removeprefix(LISTS), request.options, is_over)


def is_claim(message: Request | Envelope) -> bool:
    """Whether a message brings a list's place in the bucket instead of the list."""
    return message.body.lstrip().startswith(LISTS)


def answer(request: Request) -> str:
    """Return the statistics of the numbers in the request's body, and a histogram if asked, as one line of JSON.

    Raises: NotANumberList; InputRefused for an unknown option.
    """
    for option, value in request.options.items():
        if response.ASKED.get(option) != value:
            raise InputRefused(f"A numbers request has no option {quoted(f'{option}={value}')}.", hint=OPTIONS)
    sample = read(request.body)
    drawn = histogram(sample) if request.options else None
    return response.encode(summarise(sample), drawn)


def read(text: str) -> Sample:
    """Return the numbers of a list: by the fast engine if it is long and plain, else by the reference one.

    Raises: NotANumberList.
    """
    found = fast_parser.read(text) if len(text) >= FAST_FROM else None
    units, decimals = found or parser.read(text)
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
    terms = replace(terms, weigh=lambda envelope: HEAVY if is_claim(envelope) else 1)
    aws = daemon.connect()
    lists = LongLists(Bucket(aws, settings.bucket, LISTS))
    calculator = Calculator(lists, aws.clock, settings.time_limit_seconds)
    return daemon.serve(
        Worker(aws, calculator.answer, terms), f"numbers worker listens on {terms.inbox}", options.ready_file
    )


if __name__ == "__main__":
    sys.exit(finish(main))
