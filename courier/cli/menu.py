"""A menu in a terminal, with choices by key. Unconfirmed type-ahead is not used as a choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from courier.cli.console import Terminal
from courier.errors import INTERRUPTED, CourierError, RequestCanceled, WrongUsage
from courier.text import quoted


class LeaveMenu(Exception):
    """The user has chosen to leave."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A line of a menu: the key to type, the label and the action."""

    key: str
    label: str
    action: Callable[[], object]
    #: Returns a remark behind the label; may be empty.
    remark: Callable[[], str] = lambda: ""


def leave() -> None:
    """End the menu: the action of its exit choice."""
    raise LeaveMenu


def run_menu(terminal: Terminal, title: str, choices: Sequence[Choice]) -> int:
    """Show the menu and run chosen actions until the user leaves; return the exit status.

    No error in an action ends the menu. Ctrl-C in an action returns to the menu; at the menu's own prompt it leaves, as
    Ctrl-D and the exit choice do.
    """
    while True:
        _show(terminal, title, choices)
        try:
            choice = _chosen(terminal, choices)
        except EOFError:
            terminal.say("")
            return 0
        except KeyboardInterrupt:
            terminal.say("")
            return INTERRUPTED
        try:
            _do(terminal, choice)
        except LeaveMenu:
            return 0


def _show(terminal: Terminal, title: str, choices: Sequence[Choice]) -> None:
    terminal.say("")
    terminal.say(title, style="bold")
    for choice in choices:
        remark = choice.remark()
        terminal.say(f"  {choice.key}  {choice.label}{f' ({remark})' if remark else ''}")


def _chosen(terminal: Terminal, choices: Sequence[Choice]) -> Choice:
    while True:
        terminal.confirm_typed_ahead()
        line = terminal.ask_for_command("Your choice")
        if line is None:
            continue
        try:
            return _pick(line, choices)
        except WrongUsage as error:
            terminal.complain(error)


def _do(terminal: Terminal, choice: Choice) -> None:
    try:
        choice.action()
    except LeaveMenu:
        raise
    except (KeyboardInterrupt, EOFError, RequestCanceled):
        if not terminal.reset():
            raise KeyboardInterrupt from None
        terminal.say("")
        terminal.say("Canceled; back to the menu.")
    except CourierError as error:
        terminal.complain(error)
    except Exception as error:  # noqa: BLE001  a bug must not end the menu
        terminal.complain(CourierError(f"Internal error: {type(error).__name__}: {error}"))
    finally:
        terminal.reset()


def _pick(answer: str, choices: Sequence[Choice]) -> Choice:
    for choice in choices:
        if answer.strip() == choice.key:
            return choice
    keys = sorted(choice.key for choice in choices)
    hint = f"Type {', '.join(keys[:-1])} or {keys[-1]}."
    if not answer.strip():
        raise WrongUsage(hint)
    raise WrongUsage(f"There is no choice {quoted(answer.strip(), 20)}.", hint=hint)
