"""Print the responses of the numbers client, single or in a batch: for people, as JSON or as CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from courier.cli import answer, layout, output
from courier.errors import CourierError, Rejected, RequestCanceled, ResponseTimeout
from courier.numbers import render
from courier.numbers.missing import MissingValues
from courier.numbers.response import NumbersResponse

if TYPE_CHECKING:
    from courier.cli.console import Terminal

#: The longest list that is shown in full, and how many numbers are shown of each end of a longer list.
SHOWN_BACK = 20
SHOWN_OF_MANY = 5
#: The lines beside statistics and plot: the list, what was skipped, the time, and the prompt.
OTHER_LINES = 4
#: The most characters of a number that are shown.
SHOWN_OF_NUMBER = 60
#: The most line numbers in a summary.
NAMED_LINES = 10
#: The outcomes of a line other than a response.
OUTCOMES = (REJECTED, WITHOUT_RESPONSE, CANCELED, FAILED) = ("rejected", "without a response", "canceled", "failed")


class Report:
    """Shows responses on a terminal; `output` is json, csv, or empty for people."""

    def __init__(self, terminal: Terminal, output: str) -> None:
        self._terminal = terminal
        self._output = output
        #: Returns how many lines a menu shows below an answer.
        self.lines_below: Callable[[], int] = lambda: 0

    def show(
        self,
        first: Sequence[str],
        last: Sequence[str],
        response: NumbersResponse,
        took_seconds: float,
        missing: MissingValues | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """Show a response, and the `first` and `last` numbers of the list, all of them if it is short.

        `missing`: the values that were skipped; None if none are. `notes`: warnings, where they are seen: below the
        rest; some may be empty.
        """
        response = replace(response, skipped=missing.count) if missing else response
        if self._output == "json":
            self._terminal.row(render.json_line(response))
        elif self._output == "csv":
            row = render.cells(response)
            self._terminal.row(render.csv_line(list(row)))
            self._terminal.row(render.csv_line(list(row.values())))
        else:
            self._show_list(first, last, int(response.statistics.get("count") or 0))
            if missing and missing.count:
                self._terminal.say(missing.note())
            self._show_person(response, notes)
            self._terminal.say(f"answered in {took_seconds:.3f} s")
        for note in filter(None, notes):
            self._terminal.warn(note)

    def _show_list(self, first: Sequence[str], last: Sequence[str], count: int) -> None:
        self._terminal.say(list_line(first, last, count, self._terminal.width))

    def _show_person(self, response: NumbersResponse, notes: Sequence[str]) -> None:
        ascii_only, plain = self._terminal.ascii_only, self._terminal.plain
        if self._terminal.width and not plain:
            width = self._terminal.width
            below = sum(len(layout.wrapped(note, width)) for note in notes if note)
            height = (self._terminal.height or output.USUAL_LINES) - OTHER_LINES - self.lines_below() - below
            spans = answer.fitted(response, width=width, height=height, ascii_only=ascii_only)
            self._terminal.say_spans(spans)
            return
        self._terminal.show_pairs("Statistics", render.table(response, ascii_only=ascii_only, plain=plain))
        lines = render.bins_in_words(response) if plain else render.plot(response, ascii_only=ascii_only)
        for line in lines:
            self._terminal.say(line)

    def batch(self) -> BatchReport:
        """Return a report for the rows of a batch."""
        rows = (render.CsvRows if self._output == "csv" else render.JsonRows)(self._terminal.row)
        return BatchReport(self._terminal, rows)


def list_line(first: Sequence[str], last: Sequence[str], count: int, width: int | None) -> str:
    """Return the numbers of a list for one line of a terminal: all of them, or as many of each end as fit."""
    room = min(SHOWN_OF_NUMBER, (width or SHOWN_OF_NUMBER + 1) - 1)
    head = f"{count:,} numbers" if count != 1 else "1 number"
    ends = [[*first[:end], "…", *last[-end:]] for end in range(SHOWN_OF_MANY, 0, -1) if count > 2 * end]
    shown = [", ".join(layout.shortened(item, room) for item in items) for items in _whole(first, count) + ends]
    lines = [f"{head}: {text}" for text in shown]
    return next((line for line in lines if width is None or layout.cell_len(line) <= width), lines[-1])


def _whole(first: Sequence[str], count: int) -> list[list[str]]:
    return [list(first)] if count <= SHOWN_BACK else []


class BatchReport:
    """Shows the rows of a batch, and a summary."""

    def __init__(self, terminal: Terminal, rows: render.JsonRows | render.CsvRows) -> None:
        self._terminal = terminal
        self._rows = rows
        self._answered = 0
        self._others: dict[str, list[int]] = {}
        #: The exit status: that of the worst line, where a missing response is worse than a rejection.
        self.worst = 0

    def add(self, line: int, response: NumbersResponse) -> None:
        """Show the response to a line."""
        self._answered += 1
        self._rows.add(line, response)

    def reject(self, line: int, error: CourierError) -> None:
        """Show why a line has no response."""
        self.worst = max(self.worst, error.exit_status)
        self._others.setdefault(_outcome(error), []).append(line)
        self._rows.reject(line, error.sentence)

    def end(self) -> None:
        """End the rows, and print on stderr a summary of lines without a response, if there are any."""
        self._rows.end()
        if self._others:
            self._terminal.note(summary(self._answered, self._others))


def summary(answered: int, others: dict[str, list[int]]) -> str:
    """Return a summary of a batch: `7 lines: 4 answered, 3 rejected (3, 4, 5)`."""
    total = answered + sum(map(len, others.values()))
    parts = [f"{answered:,} answered"]
    for outcome, lines in sorted(others.items(), key=lambda item: OUTCOMES.index(item[0])):
        more = ", …" if len(lines) > NAMED_LINES else ""
        parts.append(f"{len(lines):,} {outcome} ({', '.join(map(str, lines[:NAMED_LINES]))}{more})")
    return f"{total:,} line{'s' * (total != 1)}: {', '.join(parts)}"


def _outcome(error: CourierError) -> str:
    kinds = {Rejected: REJECTED, ResponseTimeout: WITHOUT_RESPONSE, RequestCanceled: CANCELED}
    return next((outcome for kind, outcome in kinds.items() if isinstance(error, kind)), FAILED)
