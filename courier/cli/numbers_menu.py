"""The menu of the numbers application."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from courier.cli.command_line import whole_number
from courier.cli.menu import Action, Choice, Other, leave, lines_below, run_menu
from courier.cli.numbers_arguments import MAX_RANDOM, SAMPLE
from courier.cli.typed_list import numbers_or_end, without_options
from courier.errors import WrongUsage
from courier.numbers.notation import CommaCheck
from courier.numbers.options import percentiles

if TYPE_CHECKING:
    from courier.cli.console import Terminal
    from courier.cli.numbers import Numbers

_SEPARATORS = re.compile(r"[\s,;]+")
#: How a number begins, also one in characters of another keyboard, which its error names.
_NUMBER_BEGUN = re.compile(r"[-+.\u2010-\u2015\u2212]?[\d\u00bc-\u00be\u2150-\u215e]")
#: The history of typed numbers.
_NUMBERS = "numbers"


class NumbersMenu:
    """The menu of the numbers application."""

    def __init__(self, numbers: Numbers, terminal: Terminal) -> None:
        self._numbers = numbers
        self._terminal = terminal

    def run(self) -> int:
        """Run the menu; return the exit status."""
        self._numbers.requester.prepare()
        queue_commands = self._numbers.queue_commands
        choices = [
            Choice(key="1", label="Send the pre-made message", action=lambda: self._numbers.send(SAMPLE)),
            Choice(key="2", label="Send a random message", action=self._send_random),
            Choice(key="3", label="Send your own numbers", action=self._send_own),
            Choice(key="4", label="Purge the queue", **queue_commands.purging),
            Choice(key="5", label="Check queues and worker", action=queue_commands.check),
            Choice(key="6", label="Show dead letters", action=queue_commands.show_dead_letters),
            Choice(key="7", label="Choose percentiles", action=self._choose_percentiles),
            Choice(key="0", label="Exit", action=leave),
        ]
        self._numbers.report.lines_below = lambda: lines_below(self._terminal, choices)
        other = Other(
            example="a list such as 1, 5, 22", action_of=self._action_of, question="Send them as one list of numbers?"
        )
        with self._numbers.requester:
            return run_menu(self._terminal, "Courier: numbers", choices, other)

    def _action_of(self, text: str) -> Action | None:
        """Return what sends a list that is typed or pasted at the menu. Raises: Rejected if it is nearly one."""
        if not _is_like_a_list(text):
            return None
        check = CommaCheck()
        items = _checked(text, check)

        def send() -> None:
            self._terminal.keep(_NUMBERS, text)
            self._send(items, check)

        return send

    def _send(self, items: Sequence[str], check: CommaCheck) -> None:
        self._numbers.send(",".join(items), note=without_options(check.note()))

    def _send_random(self) -> None:
        question = f"How many numbers (1 to {MAX_RANDOM:,})"
        self._numbers.send_random(self._terminal.ask(question, _length, history="length"))

    def _send_own(self) -> None:
        self._terminal.say("Type numbers one by one, or a list such as 1, 2.5, 3e4. An empty line sends them.")
        items: list[str] = []
        check = CommaCheck()
        while more := self._ask_for_more(items, check):
            items += more
        if items:
            self._send(items, check)
        else:
            self._terminal.say("No numbers were typed, so nothing was sent.")

    def _choose_percentiles(self) -> None:
        question = "Percentiles to show as well, such as 5, 95, 99.9 (Enter for none)"
        self._numbers.percentiles = self._terminal.ask(question, percentiles, history="percentiles")

    def _ask_for_more(self, items: Sequence[str], check: CommaCheck) -> list[str]:
        """Return further numbers; none at an empty line, or at Ctrl-D after some. Raises: EOFError without any."""
        question = "More, or Enter to send" if items else "Numbers"
        try:
            return self._terminal.ask(
                question, lambda text: _checked(text, check), history=_NUMBERS, explain=self._explain
            )
        except EOFError:
            if not items:
                raise
            self._terminal.say("")
            return []

    def _explain(self, _name: str) -> None:
        self._terminal.say(
            "Separate numbers by commas, semicolons, spaces or tabs, or paste a column or rows of a table."
        )
        self._terminal.say(
            "Decimals have a point, and 3e4 is 30000. Enter alone sends what was typed; Ctrl-C goes back."
        )


def _is_like_a_list(text: str) -> bool:
    """Whether a text has several words, of which the first and another begin as numbers do."""
    first, *others = _SEPARATORS.split(text.strip())
    return bool(_NUMBER_BEGUN.match(first)) and any(map(_NUMBER_BEGUN.match, others))


def _checked(text: str, check: CommaCheck) -> list[str]:
    """Return the numbers of a text, and have `check` see it. Raises: Rejected."""
    items = numbers_or_end(text)
    check.add(text.strip() + "\n" if items else "")
    return items


def _length(text: str) -> int:
    try:
        return whole_number(1, MAX_RANDOM)(text)
    except argparse.ArgumentTypeError as error:
        raise WrongUsage(f"That {error}.", hint="Type how many numbers to send, such as 30.") from error
