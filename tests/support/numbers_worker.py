"""A worker of the numbers application on queues in memory, and what a person has before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from courier import Worker, testing
from courier.cli.numbers import Numbers
from courier.numbers import handler
from courier.numbers.application import application
from courier.numbers.list_source import Reading
from courier.settings import load_settings
from tests.support.screens import Screen
from tests.support.signals import kept_signals


@contextmanager
def numbers_answered() -> Iterator[testing.Queues]:
    """Answer requests of numbers, in memory, while the body runs."""
    numbers = application(load_settings({}))
    with kept_signals(), testing.queues(numbers) as queues, Worker(handler.answer, numbers):
        yield queues


def numbers_on(screen: Screen, output: str = "") -> Numbers:
    """Return the actions of the client on a screen."""
    return Numbers(load_settings({}), screen.terminal, output=output, timeout_seconds=30, reading=Reading())
