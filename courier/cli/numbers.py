"""Client of the numbers application: sends lists of numbers to a worker and shows their statistics.

Without a command, in a terminal, it is a menu.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from courier import Request
from courier.cli import bootstrap
from courier.cli.clients import make_requester, make_terminal
from courier.cli.command_line import CANCELLATION
from courier.cli.numbers_arguments import SAMPLE, build_parser
from courier.cli.queue_commands import COMMANDS, QueueCommands
from courier.cli.report import SHOWN_BACK, Report
from courier.cli.typed_list import joined
from courier.cli.waiting import informed
from courier.errors import CourierError, WrongUsage
from courier.numbers import parser, response
from courier.numbers.application import application
from courier.numbers.list_source import ListSource, Reading
from courier.numbers.missing import MissingValues
from courier.numbers.options import Extras
from courier.numbers.source import STANDARD_INPUT, Stream, opened, read_lines, size_of
from courier.settings import Settings, load_settings

if TYPE_CHECKING:
    from courier.cli.console import Terminal

#: The bytes of a file that are read before asking the queue for its message limit.
BEGINNING_BYTES = 1_024
NO_MODES = "All modes need the whole list in a message: of a list this long there are none."


class Numbers:
    """The actions of the numbers client, for the menu and the commands."""

    def __init__(
        self,
        settings: Settings,
        terminal: Terminal,
        *,
        output: str,
        timeout_seconds: float,
        reading: Reading,
        percentiles: tuple[str, ...] = (),
        modes: bool = False,
    ) -> None:
        self._settings = settings
        self._terminal = terminal
        #: json, csv, or empty for people.
        self._output = output
        self.report = Report(terminal, output)
        self._reading = reading
        #: The percentiles to show as well.
        self.percentiles = percentiles
        self._modes = modes
        self.requester = make_requester(application(settings), settings, terminal, timeout_seconds=timeout_seconds)
        self.queue_commands = QueueCommands(
            self.requester, terminal, as_json=output == "json", timeout_seconds=timeout_seconds
        )

    @property
    def _extras(self) -> Extras:
        """The options of a single request."""
        return Extras(histogram=not self._output, percentiles=self.percentiles, modes=self._modes)

    def send(self, text: str, *, note: str = "") -> None:
        """Request the statistics of `text` and show them, with a warning. Raises: CourierError."""
        self._send(ListSource([text], self._reading.of_text), note)

    def _send(self, source: ListSource, note: str = "") -> None:
        text = source.text()
        items = parser.split(text)
        content = text.encode()
        note = note or source.note
        try:
            if len(content) > self.requester.max_body_bytes(len(content)):
                self._send_long(ListSource([text], Reading()), "the list", source.missing, note)
                return
            with informed(self._terminal, "Waiting for the response (Ctrl-C to cancel)", self.requester):
                found = self.requester.request(Request(body=text, options=self._extras.options))
        except CourierError:
            self._warn(note)
            raise
        shown = response.decode(found.body)
        ends = items[:SHOWN_BACK], items[-SHOWN_BACK:]
        self.report.show(*ends, shown, found.seconds, source.missing, [note])

    def send_file(self, path: str) -> None:
        """Request the statistics of a file, or of standard input for `-`, of any size. Raises: CourierError."""
        with opened(path, CANCELLATION) as file:
            begun = file.read(BEGINNING_BYTES)
            room = self.requester.max_body_bytes(len(begun))
            if len(begun) == BEGINNING_BYTES:
                begun += file.read(max(0, room + 1 - len(begun)))
            source = ListSource.of_stream(Stream(begun, file), path, self._reading)
            if len(begun) > room:
                self._send_long(source, path, source.missing)
            else:
                self._send(source)

    def _send_long(self, source: ListSource, name: str, missing: MissingValues | None, note: str = "") -> None:
        """Request the statistics of a list that is too large for a message, by claim check. Raises: CourierError."""
        from courier.numbers import claim_check

        client = claim_check.StoredListClient(
            requester=self.requester,
            part_bytes=int(self._settings.list_part_megabytes * 1e6),
            extras=replace(self._extras, modes=False),
        )
        result, took_seconds = claim_check.request(client, self._settings.bucket, source, name, self._terminal)
        notes = [note or source.note, NO_MODES * self._modes]
        beginning, end = (re.split(r"[,;\s]+", part.strip()) for part in (source.beginning, source.end))
        self.report.show(beginning[:SHOWN_BACK], end[-SHOWN_BACK:], result, took_seconds, missing, notes)

    def _warn(self, note: str) -> None:
        if note:
            self._terminal.warn(note)

    def batch(self, path: str) -> int:
        """Request the statistics of every line of a file; return the exit status."""
        from courier.cli.numbers_batch import Batch

        extras = replace(self._extras, histogram=False)
        batch = Batch(self.requester, self._terminal, self.report.batch(), self._reading, extras)
        return batch.run(read_lines(path), size_of(path))

    def send_random(self, length: int) -> None:
        """Request the statistics of random numbers and show them. Raises: CourierError."""
        self.send(random_list(length))


def random_list(length: int, seed: int | None = None) -> str:
    """Return `length` random numbers with two decimals, from -1000 to 1000; the same for the same seed."""
    chosen = random.Random(seed)  # noqa: S311  an example, no secret
    return ",".join(f"{chosen.randint(-100_000, 100_000) / 100:.2f}" for _ in range(length))


def run(given: argparse.Namespace, numbers: Numbers) -> int:
    """Run a command; return the exit status. Raises: CourierError."""
    if given.command == "batch":
        return numbers.batch(given.path)
    if given.command in COMMANDS:
        return numbers.queue_commands.run(given)
    texts = {
        "send": lambda: joined([word.removeprefix(" ") for word in given.numbers]),
        "sample": lambda: SAMPLE,
        "random": lambda: random_list(given.length, given.seed),
    }
    try:
        if given.command == "file" or getattr(given, "numbers", None) == [STANDARD_INPUT]:
            numbers.send_file(getattr(given, "path", STANDARD_INPUT))
        else:
            numbers.send(texts[given.command]())
    except CourierError as error:
        if given.json:
            print(json.dumps({"error": error.sentence}))
        raise
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or the menu; return the exit status. Raises: CourierError."""
    raw = sys.argv[1:] if arguments is None else arguments
    # A leading blank keeps argparse from treating a list that begins with a minus as an option.
    is_list = "send" in raw
    given = build_parser(__doc__ or "").parse_args(
        [f" {word}" if is_list and re.match(r"-[.,\d]", word) else word for word in raw]
    )
    bootstrap.require_packages()
    settings = load_settings()
    terminal = make_terminal(settings)
    as_csv = getattr(given, "csv", False)
    if given.json and as_csv:
        raise WrongUsage("Use --json or --csv, not both.")
    output = "json" if given.json else "csv" if as_csv else ""
    numbers = Numbers(
        settings,
        terminal,
        output=output,
        timeout_seconds=given.timeout or settings.timeout_seconds,
        reading=Reading.of(given),
        percentiles=tuple(dict.fromkeys(getattr(given, "percentile", ()))),
        modes=getattr(given, "modes", False),
    )
    if given.command:
        return run(given, numbers)
    from courier.cli.numbers_menu import NumbersMenu

    terminal.require_person()
    return NumbersMenu(numbers, terminal).run()
