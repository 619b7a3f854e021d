"""The terminal and the requester of a client program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from courier import Application, Requester
from courier.cli import graphics
from courier.cli.command_line import CANCELLATION, SIGNALS
from courier.settings import Settings

if TYPE_CHECKING:
    from courier.cli.console import Terminal


def make_terminal(settings: Settings, *, preview: str = graphics.AUTO) -> Terminal:
    """Return the terminal of a client, whose questions a signal ends."""
    from courier.cli.console import Terminal
    from courier.cli.history import Histories
    from courier.cli.keyboard import Keyboard

    keyboard = Keyboard(SIGNALS.read_line, Histories(keeps=not settings.plain))
    return Terminal(keyboard=keyboard, plain=settings.plain, preview=preview, reset=SIGNALS.reset)


def make_requester(
    application: Application, settings: Settings, terminal: Terminal, *, timeout_seconds: float
) -> Requester:
    """Return a requester with the client's name, which a signal cancels."""
    requester = Requester(
        application,
        timeout=timeout_seconds,
        tell=terminal.warn,
        cancellation=CANCELLATION,
        name=settings.name,
    )
    SIGNALS.clean_up = requester.close
    return requester
