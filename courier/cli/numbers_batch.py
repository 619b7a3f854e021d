"""A batch: the statistics of every line of a file, many at once, with a row for each, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from courier import Request, Requester
from courier.cli.command_line import CANCELLATION
from courier.cli.report import BatchReport
from courier.cli.waiting import workers_watched
from courier.errors import INTERRUPTED, CourierError, MessageTooLong, Rejected
from courier.numbers import parser, response
from courier.numbers.list_source import ListSource, Reading, without_last_empty
from courier.numbers.missing import MissingValues
from courier.numbers.notation import CommaCheck
from courier.numbers.options import Extras

if TYPE_CHECKING:
    from courier.cli.console import Terminal


class Batch:
    """Requests the statistics of every line. For one file."""

    def __init__(
        self, requester: Requester, terminal: Terminal, report: BatchReport, reading: Reading, extras: Extras
    ) -> None:
        self._requester = requester
        self._terminal = terminal
        self._report = report
        self._reading = reading
        self._extras = extras
        #: The lines on their way: their sizes in bytes, and how many missing values each had.
        self._sent: deque[tuple[int, int]] = deque()
        self._missing = MissingValues()

    def run(self, lines: Iterable[str | None], size_bytes: int | None) -> int:
        """Request the statistics of every line of a file; print a row for each.

        Returns the exit status: that of the worst line, where a missing response is worse than a rejection. After a
        cancellation no more lines are sent, and every line that was sent has a row.
        """
        results = self._requester.request_many(self._requests(lines))
        with (
            self._terminal.counting("answered", size_bytes) as advance,
            workers_watched(self._terminal, self._requester) as heard,
            closing(results),
        ):
            for number, result in enumerate(results, start=1 + self._reading.skip_header):
                heard()
                size, skipped = self._sent.popleft()
                if isinstance(result, CourierError):
                    self._report.reject(number, result)
                else:
                    found = response.decode(result.body)
                    self._report.add(number, replace(found, skipped=skipped) if self._reading.skip_missing else found)
                advance(size)
        self._report.end()
        self._warn(self._missing.note())
        return INTERRUPTED if CANCELLATION.is_canceled else self._report.worst

    def _requests(self, lines: Iterable[str | None]) -> Iterator[Request | CourierError | None]:
        check = CommaCheck()
        behind = "\n0"  # The first line may be a header: parse it as a list in lines, for the hint.
        for line in without_last_empty(lines, skip_header=self._reading.skip_header):
            if line is None:
                yield None
                continue
            before = self._missing.count
            request = self._request(line, behind)
            self._sent.append((len(line.encode()) + 1, self._missing.count - before))
            yield request
            behind = ""
            check.add(line + "\n")
        if self._reading.notation.is_plain:
            self._warn(check.note())

    def _request(self, line: str, behind: str) -> Request | CourierError:
        try:
            line = ListSource([line], self._reading.of_text, missing=self._missing).text()
            parser.split(line + behind if line.strip() else line)
        except Rejected as error:
            return error
        size = len(line.encode())
        room = self._requester.max_body_bytes(size)
        if size > room:
            message = f"The list has {size:,} bytes, and a message can have {room:,}."
            return MessageTooLong(message, hint="Send it as a separate file, with the file command.")
        return Request(body=line, options=self._extras.options)

    def _warn(self, note: str) -> None:
        if note:
            self._terminal.warn(note)
