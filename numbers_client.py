#!/usr/bin/env python3
"""Client of the numbers application: sends lists of numbers to a worker and shows their statistics.

Without a command, in a terminal, it is a menu.
"""

from __future__ import annotations

if __name__ == "__main__":
    from courier import bootstrap

    bootstrap.check_python()

import argparse
import json
import random
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from courier import answers, bootstrap, client, numberlist, presentation, textfile
from courier.commandline import CANCELLATION, SIGNALS, finish
from courier.errors import CourierError, InputRefused, MessageTooLong, WrongUsage
from courier.inquiry import Asked, Question
from courier.listsource import ListSource, Reading, without_last_empty
from courier.notation import CommaWatch
from courier.numberarguments import MAX_RANDOM, SAMPLE, build_parser
from courier.settings import Settings, load_settings
from courier.upkeep import COMMANDS, Upkeep

if TYPE_CHECKING:
    from courier.terminal import Terminal

#: Up to so many numbers are all shown back, of more the first and the last.
SHOWN_BACK = 20
WORKER = "numbers_worker.py"

#: What a list begins and ends with, its answer, and how many seconds that took.
Shown = tuple[Sequence[str], Sequence[str], answers.NumbersAnswer, float]


class Numbers:
    """What the application does, for the menu and for the commands."""

    def __init__(
        self, settings: Settings, terminal: Terminal, *, output: str, timeout_seconds: float, reading: Reading
    ) -> None:
        self._settings = settings
        self._terminal = terminal
        #: json, csv, or nothing for a person.
        self._output = output
        self._timeout_seconds = timeout_seconds
        self._reading = reading
        self.connection = client.Connection(
            kind="numbers",
            requests=settings.request_queue,
            replies=settings.response_queue,
            patience_seconds=timeout_seconds,
            tell=terminal.warn,
            cancellation=CANCELLATION,
        )
        self.upkeep = Upkeep(
            self.connection, terminal, worker=WORKER, as_json=output == "json", timeout_seconds=timeout_seconds
        )

    def send(self, text: str) -> None:
        """Ask for the statistics of `text` and show them. Raises: CourierError."""
        self._send(ListSource([text], Reading(notation=self._reading.notation)))

    def _send(self, source: ListSource) -> None:
        text = source.text()
        items = numberlist.split(text)
        content = text.encode()
        if len(content) > self.connection.room_bytes(len(content)):
            self._show(*self._ask_long(ListSource([text], Reading()), "the list"))
            return
        self._warn(source.note)
        options = {} if self._output else answers.ASKED
        waiting = self._terminal.waiting("Waiting for the answer; Ctrl-C leaves off")
        asking = client.requester_for(self.connection, [Question(body=text, options=options)])
        with waiting, asking as (requester, questions):
            (outcome,) = requester.ask_many(questions, timeout_seconds=self._timeout_seconds)
        answer = answers.decode(client.answer_of(outcome, worker=WORKER).body)
        self._show(items[:SHOWN_BACK], items[-SHOWN_BACK:], answer, outcome.seconds)

    def send_file(self, path: str) -> None:
        """Ask for the statistics of a file, or of standard input for `-`, of any size. Raises: CourierError."""
        with textfile.opened(path, CANCELLATION) as file:
            begun = file.read(client.SMALLEST_LIMIT)
            room = self.connection.room_bytes(len(begun))
            if len(begun) == client.SMALLEST_LIMIT:
                begun += file.read(max(0, room + 1 - len(begun)))
            source = ListSource.of_stream(textfile.Stream(begun, file), path, self._reading)
            asked = self._ask_long(source, path) if len(begun) > room else None
            if not asked:
                self._send(source)
                return
        self._show(*asked)

    def _ask_long(self, source: ListSource, name: str) -> Shown:
        """Ask about a list that no message carries, by way of the bucket. Raises: CourierError."""
        from courier import claimcheck

        inquiry = claimcheck.Inquiry(
            connection=self.connection,
            worker=WORKER,
            part_bytes=int(self._settings.list_part_megabytes * 1e6),
            timeout_seconds=self._timeout_seconds,
            drawn=not self._output,
        )
        answer, took_seconds = claimcheck.ask(inquiry, self._settings.bucket, source, name, self._terminal)
        self._warn(source.note)
        beginning, end = (re.split(r"[,;\s]+", part.strip()) for part in (source.beginning, source.end))
        return beginning[:SHOWN_BACK], end[-SHOWN_BACK:], answer, took_seconds

    def _warn(self, note: str) -> None:
        if note:
            self._terminal.warn(note)

    def batch(self, lines: Iterable[str | None]) -> int:
        """Ask for every line's statistics, many at once; print an answer a line, in order.

        Returns the exit status: that of the worst line, where no answer is worse than a refusal. Once canceled,
        it sends no more, and has a row for every line that was sent.
        """
        worst = 0
        rows = (presentation.CsvRows if self._output == "csv" else presentation.JsonRows)(_print_now)
        counting = self._terminal.counting("answered")
        asking = client.requester_for(self.connection, self._questions(lines))
        with counting as advance, asking as (requester, questions):
            outcomes = requester.ask_many(questions, timeout_seconds=self._timeout_seconds)
            for number, outcome in enumerate(outcomes, start=1 + self._reading.skip_header):
                try:
                    rows.add(number, answers.decode(client.answer_of(outcome, worker=WORKER).body))
                except CourierError as error:
                    worst = max(worst, error.exit_status)
                    rows.refuse(number, error.sentence)
                advance(1)
        rows.end()
        return worst

    def _questions(self, lines: Iterable[str | None]) -> Iterator[Asked]:
        behind = "\n0"  # The first line may be a header: what is said of it then is said of lines.
        for line in without_last_empty(lines, skip_header=self._reading.skip_header):
            yield None if line is None else self._question(line, behind)
            behind = behind if line is None else ""

    def _question(self, line: str, behind: str) -> Asked:
        try:
            line = ListSource([line], Reading(notation=self._reading.notation)).text()
            numberlist.split(line + behind if line.strip() else line)
        except InputRefused as error:
            return error
        size = len(line.encode())
        room = self.connection.room_bytes(size)
        if size > room:
            message = f"The list has {size:,} bytes, and a message carries {room:,}."
            return MessageTooLong(message, hint="Send it as a file of its own, with the file command.")
        return Question(body=line)

    def menu(self) -> int:
        """Run the menu; return the exit status."""
        from courier.terminal import Choice, leave

        self.connection.warm_up()
        choices = [
            Choice(key="1", label="Send the pre-made message", action=lambda: self.send(SAMPLE)),
            Choice(key="2", label="Send a random message", action=self._send_random),
            Choice(key="3", label="Send your own numbers", action=self._send_own),
            Choice(key="4", label="Purge the queue", action=self.upkeep.purge),
            Choice(key="0", label="Exit", action=leave),
        ]
        return self._terminal.run_menu("Courier: numbers", choices)

    def _send_random(self) -> None:
        length = self._terminal.ask(f"How many numbers (1 to {MAX_RANDOM:,})", _length)
        self.send(random_list(length, seed=None))

    def _send_own(self) -> None:
        self._terminal.say("Type numbers one by one, or a list such as 1, 2.5, 3e4. An empty line sends them.")
        items: list[str] = []
        watch = CommaWatch()

        def read(text: str) -> list[str]:
            more = _list_or_end(text)
            watch.see(text.strip() + "\n" if more else "")
            return more

        while True:
            more = self._terminal.ask("More, or Enter to send" if items else "Numbers", read)
            if not more:
                break
            items += more
        self._warn(watch.note())
        if items:
            self.send(",".join(items))
        else:
            self._terminal.say("No numbers, nothing sent.")

    def _show(self, first: Sequence[str], last: Sequence[str], answer: answers.NumbersAnswer, took: float) -> None:
        """Show an answer; of the list, what it begins and ends with: all of it, if it is short."""
        if self._output == "json":
            print(presentation.json_line(answer))
        elif self._output == "csv":
            print(presentation.csv_line(list(answer.statistics)))
            print(presentation.csv_line(list(answer.statistics.values())))
        else:
            self._show_person(first, last, answer)
            self._terminal.say(f"answered in {took:.3f} s")

    def _show_person(self, first: Sequence[str], last: Sequence[str], answer: answers.NumbersAnswer) -> None:
        count = int(answer.statistics.get("count") or 0)
        shown = ", ".join(first if count <= SHOWN_BACK else [*first[:5], "…", *last[-5:]])
        self._terminal.say(f"{count:,} numbers: {shown}" if count != 1 else f"1 number: {shown}")
        ascii_only = self._terminal.ascii_only
        self._terminal.show_pairs("Statistics", presentation.table(answer, ascii_only=ascii_only))
        for line in presentation.plot(answer, ascii_only=ascii_only):
            self._terminal.say(line)


def random_list(length: int, seed: int | None) -> str:
    """Return `length` random numbers with up to two decimals, from -1000 to 1000; the same for the same seed."""
    chosen = random.Random(seed)  # noqa: S311  an example, no secret
    return ",".join(f"{chosen.randint(-100_000, 100_000) / 100:.2f}" for _ in range(length))


def _length(text: str) -> int:
    word = text.strip().lstrip("0")
    if not (word.isascii() and word.isdigit() and len(word) <= len(str(MAX_RANDOM)) and int(word) <= MAX_RANDOM):
        raise WrongUsage(f"That must be a whole number from 1 to {MAX_RANDOM:,}.")
    return int(word)


def _list_or_end(text: str) -> list[str]:
    return numberlist.split(text) if text.strip() else []


def _print_now(line: str) -> None:
    print(line, flush=True)


def run(given: argparse.Namespace, numbers: Numbers) -> int:
    """Carry out one command; return the exit status. Raises: CourierError."""
    if given.command == "batch":
        return numbers.batch(textfile.read_lines(given.path))
    if given.command in COMMANDS:
        return numbers.upkeep.run(given)
    texts = {
        "send": lambda: " ".join(word.removeprefix(" ") for word in given.numbers),
        "sample": lambda: SAMPLE,
        "random": lambda: random_list(given.length, given.seed),
    }
    try:
        if given.command == "file":
            numbers.send_file(given.path)
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
    # A blank in front keeps argparse from taking a list that begins with a minus for an option.
    is_list = "send" in raw
    given = build_parser(__doc__ or "").parse_args(
        [f" {word}" if is_list and re.match(r"-[.,\d]", word) else word for word in raw]
    )
    bootstrap.require_packages()
    from courier.terminal import Terminal

    settings = load_settings()
    terminal = Terminal(read_line=SIGNALS.read_line, reset=SIGNALS.reset)
    as_csv = getattr(given, "csv", False)
    if given.json and as_csv:
        raise WrongUsage("There is one output: --json or --csv.")
    output = "json" if given.json else "csv" if as_csv else ""
    timeout_seconds = given.timeout or settings.timeout_seconds
    numbers = Numbers(settings, terminal, output=output, timeout_seconds=timeout_seconds, reading=Reading.of(given))
    if given.command:
        return run(given, numbers)
    terminal.require_person()
    return numbers.menu()


if __name__ == "__main__":
    sys.exit(finish(main))
