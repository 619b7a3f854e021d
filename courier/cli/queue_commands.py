"""The queue commands of both clients: purge, dead, redrive and check."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from courier.cli import output
from courier.cli.waiting import informed
from courier.errors import AccessDenied, QueueMissing, WrongUsage
from courier.messaging.connection import Connection, response_of
from courier.messaging.protocol import Response
from courier.text import counted

if TYPE_CHECKING:
    from courier.cli.console import Terminal
    from courier.messaging.dead_letters import DeadLetters

#: The longest time that `check` waits for a worker's response, in seconds.
PING_SECONDS = 10.0
#: A larger clock difference gets a warning, in seconds; AWS rejects calls beyond 300.
CLOCK_SECONDS = 60.0

#: The commands and their help.
COMMANDS = {
    "purge": "delete all waiting requests",
    "dead": "show the requests in the dead-letter queue",
    "redrive": "send the dead-letter queue's requests back to the workers",
    "check": "check credentials, clock, queues and worker",
}
#: The commands that ask for confirmation.
ASKING = ("purge", "redrive")


def add_commands(add: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """Add the commands to a parser, whose `add` takes a name and a help text."""
    for name, text in COMMANDS.items():
        command = add(name, text)
        if name in ASKING:
            command.add_argument("--yes", action="store_true", help="do not ask for confirmation")


class QueueCommands:
    """The commands for the queues of an application."""

    def __init__(self, connection: Connection, terminal: Terminal, *, as_json: bool, timeout_seconds: float) -> None:
        self._ping_seconds = min(PING_SECONDS, timeout_seconds)
        self._connection = connection
        self._call = connection.call
        self._terminal = terminal
        self._as_json = as_json
        self._purge_denied = False

    @property
    def purging(self) -> dict[str, Callable[[], Any]]:
        """The action of the menu's choice that purges, and its remark once that was denied."""
        return {"action": self.purge, "remark": lambda: "not allowed here" if self._purge_denied else ""}

    def purge(self, *, sure: bool = False) -> None:
        """Purge the request queue after a confirmation, and report the result.

        Raises: WrongUsage without a terminal; AwsError.
        """
        from courier.aws.sqs import PURGE_SECONDS

        requests = self._connection.channel().requests
        if self._purge_denied:
            raise _purge_denied(requests.name)
        depth = self._call(requests.depth)
        if depth.total == 0 and not sure and self._terminal.is_interactive:
            self._terminal.say(f"{requests.name} is empty; there is nothing to purge.")
            return
        if not self._is_sure(f"Delete all {depth.total} requests in {requests.name}, of all clients?", sure=sure):
            self._terminal.say("Nothing was deleted.")
            return
        try:
            purged = self._call(requests.purge)
        except AccessDenied as error:
            self._purge_denied = True
            raise _purge_denied(requests.name) from error
        if self._as_json:
            print(json.dumps({"queue": requests.name, "purged": purged, "requests": depth.total}))
        elif purged:
            self._terminal.say(f"Purged {requests.name}: about {depth.total} requests.")
            self._terminal.say(f"SQS takes up to {PURGE_SECONDS} s; requests sent in the meantime may be deleted too.")
        else:
            self._terminal.say(f"{requests.name} was purged less than {PURGE_SECONDS} s ago; SQS allows one a minute.")
            self._terminal.say("Nothing was deleted. Wait a minute and purge again.")

    def dead(self, *, most: int | None = None) -> int:
        """Show some of the dead letters (at most `most`), and their number, which is returned. Raises: AwsError."""
        letters = self._connection.channel().dead
        found, count = self._call(letters.peek)[:most], self._call(letters.count)
        if self._as_json:
            rows = [{"id": one.message_id, "body": one.body[:100], "reason": one.reason} for one in found]
            print(json.dumps({"queue": letters.name, "count": count, "letters": rows}))
            return count
        if not found and not count:
            self._terminal.say(f"{letters.name} is empty.")
            return count
        rows_shown = [(one.message_id, one.body[:40], one.reason) for one in found]
        self._terminal.show_table(f"{letters.name}: {count}", ("message", "body", "reason"), rows_shown)
        return count

    def show_dead_letters(self) -> None:
        """Show as many dead letters as the screen has room for, and ask whether to send all of them back.

        Raises: AwsError.
        """
        # A letter has up to three lines; the menu and the question have about a dozen.
        room = max(1, (self._terminal.height or output.USUAL_LINES) - 12) // 3
        if self.dead(most=max(1, room)):
            self.redrive()

    def redrive(self, *, sure: bool = False) -> None:
        """Send the dead letters back to the request queue. Raises: WrongUsage; AwsError."""
        letters = self._connection.channel().dead
        count = self._call(letters.count)
        if not count and not sure and self._terminal.is_interactive:
            self._terminal.say(f"{letters.name} is empty.")
            return
        if not self._is_sure(
            f"Send about {counted(count, 'request')} of {letters.name} back to the workers?", sure=sure
        ):
            self._terminal.say("Nothing was sent back.")
            return
        moved = letters.redrive(self._call)
        if self._as_json:
            print(json.dumps({"queue": letters.name, "sent_back": moved}))
        else:
            self._terminal.say(
                f"Sent {counted(moved, 'request')} back." if moved or count else f"{letters.name} is empty."
            )

    def check(self) -> int:
        """Check everything that a client needs; return the exit status. Raises: AwsError."""
        # Imported here because loading boto3 would delay the menu.
        from courier.messaging.ping import ping

        aws, channel = self._connection.aws(), self._connection.channel()
        account = aws.account_id()
        with informed(self._terminal, "Waiting for a worker to respond", self._connection):
            outcome = ping(channel.exchange, channel.requests, timeout_seconds=self._ping_seconds)
        answered = isinstance(outcome.result, Response)
        difference = aws.clock.difference_seconds
        facts: dict[str, object] = {
            "account": account,
            "region": aws.region,
            "clock_difference_seconds": round(difference, 1),
            **{f"messages_in_{box.name}": self._call(box.depth).total for box in (channel.requests, channel.replies)},
            "oldest_request_seconds": channel.requests.oldest_seconds(),
            "dead_letters": self._count(channel.dead),
            "worker_answers_in_seconds": round(outcome.seconds, 3) if answered else None,
        }
        if self._as_json:
            print(json.dumps(facts))
        else:
            self._terminal.show_pairs("Check", {name.replace("_", " "): _word(value) for name, value in facts.items()})
        if abs(difference) > CLOCK_SECONDS:
            self._terminal.warn(f"This machine's clock differs from AWS's by {difference:.0f} s. Set it right.")
        response_of(outcome, worker=self._connection.application.program)
        return 0

    def run(self, given: argparse.Namespace) -> int:
        """Run a command; return the exit status. Raises: CourierError."""
        if given.command == "check":
            return self.check()
        if given.command == "dead":
            self.dead()
        else:
            (self.purge if given.command == "purge" else self.redrive)(sure=given.yes)
        return 0

    def _is_sure(self, question: str, *, sure: bool) -> bool:
        if sure:
            return True
        if not self._terminal.is_interactive:
            raise WrongUsage("This needs a confirmation.", hint="Add --yes to confirm it.")
        return self._terminal.confirm(question)

    def _count(self, letters: DeadLetters) -> int | None:
        try:
            return self._call(letters.count)
        except (QueueMissing, AccessDenied):
            return None


def _purge_denied(queue: str) -> AccessDenied:
    message = f"Your permissions do not include a purge of {queue} (sqs:PurgeQueue), so nothing was deleted."
    return AccessDenied(message, hint="A purge deletes the requests of all clients: ask the operator for it.")


def _word(value: object) -> str:
    return "none" if value is None else str(value)
