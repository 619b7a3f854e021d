"""A terminal for questions: a screen and a keyboard, with type-ahead."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.console import Console

from courier.cli import graphics, layout, output
from courier.cli.image_screen import ImageScreen
from courier.cli.keyboard import END, Keyboard
from courier.cli.line_editing import Complete
from courier.errors import CourierError, WrongUsage
from courier.text import counted, printable, quoted

T = TypeVar("T")

#: The most type-ahead lines that are shown, and the most characters of each.
SHOWN_AHEAD = 5
SHOWN_OF_EACH = 30
#: The longest rejected line that is shown again to be edited, in characters.
MAX_EDITED = 500
#: The history of the lines at a menu, of this session alone.
COMMANDS = "commands"
#: A question about the question: ? alone, or before the name of what is to be explained; a pattern is none.
_ASKED = re.compile(r"\?(\s.*|[\w-]*)", re.DOTALL)


class Terminal(ImageScreen):
    """A screen and a keyboard. Input that was typed before a question is not used as its answer."""

    def __init__(
        self,
        console: Console | None = None,
        errors: Console | None = None,
        keyboard: Keyboard | None = None,
        *,
        plain: bool = False,
        preview: str = graphics.AUTO,
        reset: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(console, errors, plain=plain, preview=preview)
        self._keyboard = keyboard or Keyboard()
        self._has_said_how_to_clear = False
        #: Call it after a canceled action has ended; returns whether the menu continues.
        self.reset = reset

    def _keep_typed(self, typed: bytes) -> None:
        self._keyboard.give_back(typed)

    @property
    def is_interactive(self) -> bool:
        """Whether input and output are terminals."""
        return self._keyboard.is_there and output.is_terminal(self._console.file)

    def require_person(self) -> None:
        """Check that a menu can be used. Raises: WrongUsage if the input or the output is not a terminal."""
        if not self.is_interactive:
            raise WrongUsage("The menu needs a terminal.", hint="Give a command; --help lists them.")

    def ask(
        self,
        question: str,
        read: Callable[[str], T],
        complete: Complete | None = None,
        *,
        history: str = "",
        explain: Callable[[str], object] | None = None,
    ) -> T:
        """Ask until `read` accepts the answer, printing its errors. Tab offers the results of `complete`.

        ? alone, or before a word, calls `explain` with that word. With a `history`, the arrow keys bring back
        earlier answers, and a rejected one can be edited.
        Raises: EOFError or KeyboardInterrupt if the user leaves.
        """
        begin = ""
        while True:
            try:
                line = self._read_line(f"{question}: ", complete, begin=begin, history=history)
                begin = ""
                if explain and (asked := _ASKED.fullmatch(line.strip())):
                    explain(asked[1].strip())
                    continue
                answer = read(line)
            except UnicodeDecodeError:
                self.complain(WrongUsage("That is not text in this terminal's encoding.", hint="Type it again."))
            except CourierError as error:
                self.complain(error)
                begin = self._editable(line) if history else ""
            else:
                self._keyboard.histories.keep(history, line)
                return answer

    def keep(self, history: str, line: str) -> None:
        """Add an accepted line to a history, for a question where it was not typed itself."""
        self._keyboard.histories.add(history, line)
        self._keyboard.histories.keep(history, line)

    def _editable(self, line: str) -> str:
        """Return a rejected line if it can be shown again, to be edited; empty: the arrow keys bring it back.

        Says once how to clear it.
        """
        can_edit = output.can_move_cursor(self._console.file) and not self.plain
        if not (can_edit and 0 < len(line) <= MAX_EDITED and line.isprintable()):
            return ""
        if not self._has_said_how_to_clear:
            self._has_said_how_to_clear = True
            self.note("Edit the line, or clear it with Ctrl-U.")
        return line

    def confirm(self, question: str) -> bool:
        """Ask for yes or no; Enter alone is no. Type-ahead is not used as the answer."""
        while True:
            self._hold_typed_ahead()
            is_sure = self.ask(f"{question} [y/N]", _yes_or_no)
            more = self._keyboard.take_lines()
            if not more:
                return is_sure
            self._keyboard.held += more
            self.warn("More lines came with that answer, so it is ignored.")

    def ask_for_command(self, question: str, *, begin: str = "") -> str | None:
        """Ask for a line; None if several lines came at once, as in a paste: they are held as type-ahead."""
        is_agreed = bool(self._keyboard.agreed)
        try:
            line = self._read_line(f"{question}: ", None, begin=self._editable(begin), history=COMMANDS)
        except UnicodeDecodeError:
            self.complain(WrongUsage("That is not text in this terminal's encoding.", hint="Type it again."))
            return None
        more = [] if is_agreed else self._keyboard.take_lines()
        if not more:
            return line
        self._keyboard.held += [line, *more]
        return None

    def confirm_typed_ahead(
        self, as_one: Callable[[str], T | None] = lambda _text: None, question: str = ""
    ) -> T | None:
        """Ask whether to use type-ahead lines as answers. Raises: EOFError if the only type-ahead is Ctrl-D.

        If `as_one` accepts them as one text, ask `question` first; return what it makes of it after a yes, else None.
        """
        lines = self._typed_ahead()
        if not lines:
            return None
        self.say(f"{_count_of(lines)} typed or pasted ahead: {_shown(lines)}.")
        whole = as_one("\n".join(lines))
        if whole is not None and self.confirm(question):
            return whole
        is_one = len(lines) == 1
        if self.confirm("Take it as a choice or an answer?" if is_one else "Take them as choices and answers?"):
            self._keyboard.agreed.extend(lines)
        else:
            self.say("It is ignored." if is_one else "They are ignored.")
        return None

    def _typed_ahead(self) -> list[str]:
        """Return type-ahead lines that are not confirmed yet. Raises: EOFError if the only one is Ctrl-D."""
        if self._keyboard.agreed:
            return []
        lines = [*self._keyboard.held, *self._keyboard.take_lines()]
        self._keyboard.held.clear()
        while lines and not lines[-1].strip():
            lines.pop()
        if lines == [END]:
            raise EOFError
        return lines

    def _hold_typed_ahead(self) -> None:
        """Hold type-ahead at a question that must be answered after it was asked, with a warning."""
        lines = [*self._keyboard.agreed, *self._keyboard.take_lines()]
        self._keyboard.agreed.clear()
        if any(line.strip() for line in lines):
            self._keyboard.held += lines
            self.warn(f"{_count_of(lines)} typed ahead, and not taken as the answer: {_shown(lines)}.")

    def _read_line(self, prompt: str, complete: Complete | None, *, begin: str, history: str) -> str:
        """Return a line that the user types, without its line ending, or a confirmed type-ahead line."""
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
            return self._keyboard.read_line(last, complete, begin=begin, question=history)


def _yes_or_no(answer: str) -> bool:
    word = answer.strip().lower()
    if word in {"y", "yes"}:
        return True
    if word in {"", "n", "no"}:
        return False
    raise WrongUsage("That is neither yes nor no.", hint="Type y or n.")


def _count_of(lines: Sequence[str]) -> str:
    return f"{counted(len(lines), 'line')} {'was' if len(lines) == 1 else 'were'}"


def _shown(lines: Sequence[str]) -> str:
    shown = [quoted(line, SHOWN_OF_EACH) for line in lines[:SHOWN_AHEAD]]
    return ", ".join([*shown, "…"] if len(lines) > SHOWN_AHEAD else shown)
