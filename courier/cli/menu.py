"""A menu in a terminal, with choices by key. Unconfirmed type-ahead is not used as a choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from courier.cli.console import Terminal
from courier.errors import INTERRUPTED, CourierError, RequestCanceled, WrongUsage
from courier.text import one_of, quoted

Action = Callable[[], object]

#: A terminal with fewer lines does not show the menu in full below each answer: that would push the answer off the top.
TALL_LINES = 30


class LeaveMenu(Exception):
    """The user has chosen to leave."""


class _NoChoice(WrongUsage):
    """There is no such choice."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A line of a menu: the key to type, the label and the action."""

    key: str
    label: str
    action: Action
    #: Returns a remark behind the label; may be empty.
    remark: Callable[[], str] = lambda: ""


@dataclass(frozen=True, kw_only=True)
class Other:
    """What can be typed at a menu beside its keys."""

    #: What it is, for the end of a sentence.
    example: str
    #: The action for a text; None: it is something else. Raises: CourierError if the text is nearly right.
    action_of: Callable[[str], Action | None]
    #: The question whether several lines that came at once are one such text.
    question: str


def leave() -> None:
    """End the menu: the action of its exit choice."""
    raise LeaveMenu


def run_menu(terminal: Terminal, title: str, choices: Sequence[Choice], other: Other | None = None) -> int:
    """Show the menu and run chosen actions until the user leaves; return the exit status.

    No error in an action ends the menu. Ctrl-C in an action returns to the menu; at the menu's own prompt it leaves, as
    Ctrl-D and the exit choice do. Enter alone shows the menu again; a low terminal shows it only then.
    """
    action: Action = _show_again
    while True:
        if action is _show_again or not _is_low(terminal):
            _show(terminal, title, choices)
        else:
            _show_keys(terminal, title, choices)
        try:
            action = _Question(terminal, choices, other).action()
        except EOFError:
            terminal.say("")
            return 0
        except KeyboardInterrupt:
            terminal.say("")
            return INTERRUPTED
        try:
            _do(terminal, action)
        except LeaveMenu:
            return 0


def lines_below(terminal: Terminal, choices: Sequence[Choice]) -> int:
    """Return how many lines the menu takes below what an action shows, without its prompt."""
    return 2 if _is_low(terminal) else 2 + len(choices)


def _is_low(terminal: Terminal) -> bool:
    return (terminal.height or TALL_LINES) < TALL_LINES


def _show_again() -> None:
    """Do nothing: the menu is shown in full before the next choice."""


def _show_keys(terminal: Terminal, title: str, choices: Sequence[Choice]) -> None:
    terminal.say("")
    keys = [choice.key for choice in choices]
    terminal.say(f"{title}: {min(keys)} to {max(keys)}; Enter shows what they do.", style="bold")


def _show(terminal: Terminal, title: str, choices: Sequence[Choice]) -> None:
    terminal.say("")
    terminal.say(title, style="bold")
    for choice in choices:
        remark = choice.remark()
        terminal.say(f"  {choice.key}  {choice.label}{f' ({remark})' if remark else ''}")


class _Question:
    """The question for a choice."""

    def __init__(self, terminal: Terminal, choices: Sequence[Choice], other: Other | None) -> None:
        self._terminal = terminal
        self._actions = {choice.key: choice.action for choice in choices}
        self._other = other

    def action(self) -> Action:
        """Ask until there is an action; the one that shows the menu again does nothing."""
        begin = ""
        while True:
            whole = self._terminal.confirm_typed_ahead(self._as_one, self._other.question if self._other else "")
            if whole:
                return whole
            line = self._terminal.ask_for_command("Your choice", begin=begin)
            if line is None:
                continue
            try:
                return self._action_of(line.strip())
            except CourierError as error:
                # A list that is nearly right can be edited; a wrong key is typed again.
                begin = "" if isinstance(error, _NoChoice) else line
                self._terminal.complain(error)

    def _action_of(self, answer: str) -> Action:
        if answer in {"", "?"}:
            return _show_again
        action = self._actions.get(answer) or (self._other and self._other.action_of(answer))
        if action:
            return action
        other = f", or {self._other.example}" if self._other else ""
        hint = f"Type {one_of(sorted(self._actions))}{other}."
        raise _NoChoice(f"There is no choice {quoted(answer, 20)}.", hint=hint)

    def _as_one(self, text: str) -> Action | None:
        """Return the action for lines that came at once, if they are no choices."""
        if self._other is None or all(line.strip() in self._actions for line in text.splitlines()):
            return None
        try:
            return self._other.action_of(text)
        except CourierError:
            return None


def _do(terminal: Terminal, action: Action) -> None:
    try:
        action()
    except LeaveMenu:
        raise
    except (KeyboardInterrupt, EOFError, RequestCanceled) as left:
        if not terminal.reset():
            raise KeyboardInterrupt from None
        terminal.say("")
        is_sent = isinstance(left, RequestCanceled)
        terminal.say("Canceled; back to the menu." + " The request may still be worked on; purge deletes it." * is_sent)
    except CourierError as error:
        terminal.complain(error)
    except Exception as error:  # noqa: BLE001  a bug must not end the menu
        terminal.complain(CourierError(f"Internal error: {type(error).__name__}: {error}"))
    finally:
        terminal.reset()
