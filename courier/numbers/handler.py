"""The handler of the numbers worker: statistics of a list in a message or in the bucket."""

from __future__ import annotations

import time

from courier import Request
from courier.aws.message import Message
from courier.aws.session import Clock
from courier.numbers import fast_parser, parser
from courier.numbers.held_list import HeldList
from courier.numbers.histogram import histogram
from courier.numbers.options import Extras
from courier.numbers.response import MAX_MODES, NumbersResponse, encode
from courier.numbers.rounding import all_digits
from courier.numbers.stats import of_held, summarize
from courier.numbers.stored_lists import StoredLists
from courier.settings import LISTS

#: The messages in flight: a list takes well under a millisecond, and many keep the batches full.
CAPACITY = 100
#: The length in characters from which the fast parser is faster.
FAST_FROM = 2_000


class NumbersHandler:
    """Answers requests for lists in the message or in the bucket."""

    def __init__(self, lists: StoredLists, clock: Clock, time_limit_seconds: float) -> None:
        self._lists = lists
        self._clock = clock
        self._time_limit_seconds = time_limit_seconds

    def answer(self, request: Request) -> str:
        """Return the response's line. Raises: NotANumberList; Rejected; AwsError."""
        if not is_claim(request):
            return answer(request)
        until = time.monotonic() + self._time_limit_seconds

        def is_over() -> bool:
            is_late = request.deadline is not None and self._clock.is_past(request.deadline)
            return is_late or time.monotonic() > until

        return self._lists.answer(request.body.strip().removeprefix(LISTS), request.options, is_over)


def is_claim(message: Request | Message) -> bool:
    """Whether a message has the name of a stored list instead of a list."""
    return message.body.lstrip().startswith(LISTS)


def answer(request: Request) -> str:
    """Return the statistics of the list in the request's body as one line of JSON.

    Raises: NotANumberList; Rejected for an unknown option.
    """
    extras = Extras.of(request.options)
    numbers = read(request.body)
    drawn = histogram(numbers) if extras.histogram else None
    modes = None
    if extras.modes:
        modes = [all_digits(int(unit), numbers.decimals) for unit in numbers.modes[:MAX_MODES]], len(numbers.modes)
    return encode(NumbersResponse.of(summarize(numbers, of_held(extras.percentiles)), drawn, modes))


def read(text: str) -> HeldList:
    """Parse a list: by the fast parser if it is long and plain, else by the reference parser.

    Raises: NotANumberList.
    """
    found = fast_parser.read(text) if len(text) >= FAST_FROM else None
    units, decimals = found or parser.read(text)
    return HeldList(units=units, decimals=decimals)
