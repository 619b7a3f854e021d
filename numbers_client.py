#!/usr/bin/env python3
"""Client of the numbers application: sends lists of numbers to a worker and shows their statistics.

Without a command, in a terminal, it is a menu.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import sys
from collections.abc import Iterable, Sequence

from courier import answers, client, numberlist, textfile
from courier.arguments import ArgumentParser
from courier.commandline import STATUSES, add_common, add_version, finish, leaving_off, whole_number
from courier.errors import CourierError, InputRefused, MessageTooLong, WrongUsage
from courier.inquiry import Asked, Question
from courier.menu import Choice, leave, run_menu
from courier.report import SHOWN_BACK, Report
from courier.settings import Settings, load_settings
from courier.terminal import INTERRUPTED, Terminal
from courier.typedlist import numbers_or_end
from courier.upkeep import COMMANDS, Upkeep, add_commands

SAMPLE = "12, 7.5, -3, 1e2, 0.25, 42, 7.5"
MAX_RANDOM = 50_000
WORKER = "numbers_worker.py"

#: What a list begins and ends with, its answer, and how many seconds that took.
Shown = tuple[Sequence[str], Sequence[str], answers.NumbersAnswer, float]

EPILOG = f"""\
examples:
  numbers_client.py                          the menu
  numbers_client.py send "1, 5, 22"          one list; also: send 1 5 22
  numbers_client.py random 100 --seed 7
  numbers_client.py file prices.txt          one list, of any size; - is standard input
  seq 9 | numbers_client.py batch -          a list a line, a JSON answer a line, in order
  numbers_client.py purge --yes

{STATUSES}"""


class Numbers:
    """What the application does, for the menu and for the commands."""

    def __init__(self, settings: Settings, terminal: Terminal, *, output: str, timeout_seconds: float) -> None:
        self._settings = settings
        self._terminal = terminal
        #: json, csv, or nothing for a person.
        self._output = output
        self._report = Report(terminal, output)
        self._timeout_seconds = timeout_seconds
        self.connection = client.Connection(
            kind="numbers",
            requests=settings.request_queue,
            replies=settings.response_queue,
            patience_seconds=timeout_seconds,
            tell=terminal.warn,
        )
        self.upkeep = Upkeep(
            self.connection, terminal, worker=WORKER, as_json=output == "json", timeout_seconds=timeout_seconds
        )

    def send(self, text: str) -> None:
        """Ask for the statistics of `text` and show them. Raises: CourierError."""
        items = numberlist.split(text)
        content = text.encode()
        if len(content) > self.connection.room_bytes(len(content)):
            self._report.show(*self._ask_long(textfile.Stream(content, io.BytesIO()), "the list"))
            return
        options = {} if self._output else answers.ASKED
        with (
            self._terminal.waiting("Waiting for the answer; Ctrl-C leaves off"),
            client.requester_for(self.connection, [Question(body=text, options=options)]) as (requester, questions),
        ):
            (outcome,) = requester.ask_many(questions, timeout_seconds=self._timeout_seconds)
        answer = answers.decode(client.answer_of(outcome, worker=WORKER).body)
        self._report.show(items[:SHOWN_BACK], items[-SHOWN_BACK:], answer, outcome.seconds)

    def send_file(self, path: str) -> None:
        """Ask for the statistics of a file, or of standard input for `-`, of any size. Raises: CourierError."""
        with textfile.opened(path) as file:
            begun = file.read(client.SMALLEST_LIMIT)
            room = self.connection.room_bytes(len(begun))
            if len(begun) == client.SMALLEST_LIMIT:
                begun += file.read(max(0, room + 1 - len(begun)))
            is_long = len(begun) > room
            asked = self._ask_long(textfile.Stream(begun, file), path) if is_long else None
        if asked:
            self._report.show(*asked)
        else:
            self.send(textfile.decoded(begun, path))

    def _ask_long(self, source: textfile.Stream, name: str) -> Shown:
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
        beginning, end = (re.split(r"[,;\s]+", part.decode().strip()) for part in (source.beginning, source.end))
        return beginning[:SHOWN_BACK], end[-SHOWN_BACK:], answer, took_seconds

    def batch(self, lines: Iterable[str | None]) -> int:
        """Ask for every line's statistics, many at once; print an answer a line, in order.

        Returns the exit status: that of the worst line, where no answer is worse than a refusal. Ctrl-C leaves
        off, with a row for every line that was sent.
        """
        report = self._report.batch()
        with (
            self._terminal.counting("answered") as advance,
            client.requester_for(self.connection, map(self._question, lines)) as (requester, questions),
            leaving_off(requester.leave_off) as left_off,
        ):
            outcomes = requester.ask_many(questions, timeout_seconds=self._timeout_seconds)
            for number, outcome in enumerate(outcomes, start=1):
                try:
                    report.add(number, answers.decode(client.answer_of(outcome, worker=WORKER).body))
                except CourierError as error:
                    report.reject(number, error)
                advance(1)
        report.end()
        return INTERRUPTED if left_off() else report.worst

    def _question(self, line: str | None) -> Asked:
        if line is None:
            return None
        try:
            numberlist.split(line)
        except InputRefused as error:
            return error
        size = len(line.encode())
        if size > (room := self.connection.room_bytes(size)):
            message = f"The list has {size:,} bytes, and a message carries {room:,}."
            return MessageTooLong(message, hint="Send it as a file of its own, with the file command.")
        return Question(body=line)

    def menu(self) -> int:
        """Run the menu; return the exit status."""
        self.connection.warm_up()
        choices = [
            Choice(key="1", label="Send the pre-made message", action=lambda: self.send(SAMPLE)),
            Choice(key="2", label="Send a random message", action=self._send_random),
            Choice(key="3", label="Send your own numbers", action=self._send_own),
            Choice(key="4", label="Purge the queue", action=self.upkeep.purge),
            Choice(key="0", label="Exit", action=leave),
        ]
        return self.connection.leave(run_menu(self._terminal, "Courier: numbers", choices))

    def _send_random(self) -> None:
        length = self._terminal.ask(f"How many numbers (1 to {MAX_RANDOM:,})", _length)
        self.send(random_list(length, seed=None))

    def _send_own(self) -> None:
        self._terminal.say("Type numbers one by one, or a list such as 1, 2.5, 3e4. An empty line sends them.")
        items: list[str] = []
        while more := self._ask_for_more(items):
            items += more
        if items:
            self.send(",".join(items))
        else:
            self._terminal.say("No numbers, nothing sent.")

    def _ask_for_more(self, items: Sequence[str]) -> list[str]:
        """Return further numbers; none at an empty line, or at Ctrl-D behind some. Raises: EOFError without any."""
        try:
            return self._terminal.ask("More, or Enter to send" if items else "Numbers", numbers_or_end)
        except EOFError:
            if not items:
                raise
            self._terminal.say("")
            return []


def random_list(length: int, seed: int | None) -> str:
    """Return `length` random numbers with up to two decimals, from -1000 to 1000; the same for the same seed."""
    chosen = random.Random(seed)  # noqa: S311  an example, no secret
    return ",".join(f"{chosen.randint(-100_000, 100_000) / 100:.2f}" for _ in range(length))


def _length(text: str) -> int:
    word = text.strip().lstrip("0")
    if not (word.isascii() and word.isdigit() and len(word) <= len(str(MAX_RANDOM)) and int(word) <= MAX_RANDOM):
        raise WrongUsage(f"That must be a whole number from 1 to {MAX_RANDOM:,}.")
    return int(word)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_version(parser)
    add_common(parser)
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        add_common(command, inherited=True)
        if name not in COMMANDS:
            command.add_argument("--csv", action="store_true", help="print CSV on stdout, and nothing else")
        return command

    add("send", "send a list of numbers").add_argument("numbers", nargs="+", metavar="LIST")
    add("sample", f"send the pre-made list: {SAMPLE}")
    command = add("random", "send random numbers")
    command.add_argument("length", type=whole_number(1, MAX_RANDOM), metavar="N")
    command.add_argument("--seed", type=int, help="the same seed makes the same numbers")
    add("file", "send a file as one list, of any size").add_argument("path", metavar="PATH", help="- is standard input")
    add("batch", "send a file's lines, a list each").add_argument("path", metavar="PATH", help="- is standard input")
    add_commands(add)
    return parser


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
    given = build_parser().parse_args([f" {word}" if is_list and re.match(r"-[.\d]", word) else word for word in raw])
    settings = load_settings()
    terminal = Terminal(plain=settings.plain)
    as_csv = getattr(given, "csv", False)
    if given.json and as_csv:
        raise WrongUsage("There is one output: --json or --csv.")
    output = "json" if given.json else "csv" if as_csv else ""
    numbers = Numbers(settings, terminal, output=output, timeout_seconds=given.timeout or settings.timeout_seconds)
    if given.command:
        return run(given, numbers)
    terminal.require_person()
    return numbers.menu()


if __name__ == "__main__":
    sys.exit(finish(main))
