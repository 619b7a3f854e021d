"""A screen and a keyboard: questions, and type-ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.console import Console

from courier.cli import layout, output
from courier.cli.keyboard import END, Complete, Keyboard
from courier.cli.screen import Screen
from courier.errors import CourierError, WrongUsage
from courier.text import printable, quoted

T = TypeVar("T")

#: How many lines that were typed ahead are shown, and how much of each, in characters.
SHOWN_AHEAD = 5
SHOWN_OF_EACH = 30


class Terminal(Screen):
    """A screen, and a keyboard to answer on. What was typed before a question was put is not taken as its answer."""

    def __init__(
        self,
        console: Console | None = None,
        errors: Console | None = None,
        keyboard: Keyboard | None = None,
        *,
        plain: bool = False,
        reset: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(console, errors, plain=plain)
        self._keyboard = keyboard or Keyboard()
        #: To be called when what Ctrl-C was meant for has ended: whether the menu goes on.
        self.reset = reset

    @property
    def is_interactive(self) -> bool:
        """Whether a person sits at both ends."""
        return self._keyboard.is_there and output.is_terminal(self._console.file)

    def require_person(self) -> None:
        """Make sure that a menu makes sense. Raises: WrongUsage if nobody sits there."""
        if not self.is_interactive:
            raise WrongUsage("The menu needs a terminal.", hint="Give a command; --help lists them.")

    def ask(self, question: str, read: Callable[[str], T], complete: Complete | None = None) -> T:
        """Ask until `read` takes the answer; what it refuses is said, and the question put again.

        Tab offers what `complete` returns.
        Raises: EOFError or KeyboardInterrupt if the user leaves instead of answering.
        """
        while True:
            try:
                return read(self._read_line(f"{question}: ", complete))
            except UnicodeDecodeError:
                self.complain(WrongUsage("That is not text in this terminal's encoding.", hint="Type it again."))
            except CourierError as error:
                self.complain(error)

    def confirm(self, question: str) -> bool:
        """Ask for a yes or a no; Enter alone is no. Only what is typed after the question is an answer."""
        while True:
            self._hold_typed_ahead()
            is_sure = self.ask(f"{question} [y/N]", _yes_or_no)
            more = self._keyboard.take_lines()
            if not more:
                return is_sure
            self._keyboard.held += more
            self.warn("More lines came with that answer, so it is ignored.")

    def ask_for_command(self, question: str) -> str | None:
        """Ask for a line; None if it came with others at once, as pasted ones do: they are held, and settled later."""
        is_agreed = bool(self._keyboard.agreed)
        line = self.ask(question, str)
        more = [] if is_agreed else self._keyboard.take_lines()
        if not more:
            return line
        self._keyboard.held += [line, *more]
        return None

    def settle_typed_ahead(self) -> None:
        """Ask whether lines that were typed before their question are to be taken as answers.

        Raises: EOFError if all that was typed ahead is Ctrl-D.
        """
        if self._keyboard.agreed:
            return
        lines = [*self._keyboard.held, *self._keyboard.take_lines()]
        self._keyboard.held.clear()
        while lines and not lines[-1].strip():
            lines.pop()
        if not lines:
            return
        if lines == [END]:
            raise EOFError
        self.say(f"{_count_of(lines)} typed or pasted ahead: {_shown(lines)}.")
        if self.confirm("Take them as choices and answers?"):
            self._keyboard.agreed.extend(lines)
        else:
            self.say("They are ignored.")

    def _hold_typed_ahead(self) -> None:
        """Set aside what was typed before a question that only a person may answer, and say so."""
        lines = [*self._keyboard.agreed, *self._keyboard.take_lines()]
        self._keyboard.agreed.clear()
        if any(line.strip() for line in lines):
            self._keyboard.held += lines
            self.warn(f"{_count_of(lines)} typed ahead, and not taken as the answer: {_shown(lines)}.")

    def _read_line(self, prompt: str, complete: Complete | None) -> str:
        """Return one line that the user types, without its end, or one that was typed ahead and agreed to."""
        question = printable(prompt, None).rstrip()
        *before, last = layout.wrapped(question, self.width and self.width - 1)
        for line in before:
            self.say(line)
        last += " "
        if self._keyboard.agreed:
            line = self._keyboard.agreed.popleft()
            self.say(last + line)
            if line == END:
                raise EOFError
            return line
        with self.cleared():
            return self._keyboard.read_line(last, complete)


def _yes_or_no(answer: str) -> bool:
    word = answer.strip().lower()
    if word in {"y", "yes"}:
        return True
    if word in {"", "n", "no"}:
        return False
    raise WrongUsage("That is neither yes nor no.", hint="Type y or n.")


def _count_of(lines: Sequence[str]) -> str:
    return "1 line was" if len(lines) == 1 else f"{len(lines):,} lines were"


def _shown(lines: Sequence[str]) -> str:
    shown = [quoted(line, SHOWN_OF_EACH) for line in lines[:SHOWN_AHEAD]]
    return ", ".join([*shown, "…"] if len(lines) > SHOWN_AHEAD else shown)
