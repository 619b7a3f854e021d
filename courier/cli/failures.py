"""Failures of a command with several steps, and the question before a file is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from courier.cli import image_rows
from courier.errors import AwsError, CourierError, WrongUsage

if TYPE_CHECKING:
    from courier.cli.console import Terminal


class Failures:
    """What went wrong in a command that does several things: told at once, and counted for the exit status."""

    def __init__(self, tell: Callable[[CourierError], None], write: Callable[[str], object] | None = None) -> None:
        self._tell = tell
        #: Writes a row for programs, if it is they who read.
        self._write = write
        self.worst = 0

    @contextmanager
    def noted(self, shown: str, step: str, **fields: object) -> Iterator[None]:
        """Let the next thing be tried if this one fails, unless AWS is in trouble, which it would meet too.

        A row tells of the step, with `fields`, which are by default what is shown.
        """
        try:
            yield
        except AwsError:
            raise
        except CourierError as error:
            self.worst = max(self.worst, error.exit_status)
            told = error if shown in error.message else CourierError(f"{shown}: {error.message}", hint=error.hint)
            self._tell(told)
            if self._write:
                self._write(image_rows.row(step, **(fields or {"name": shown}), **image_rows.of_error(error)))


def agree_to_replace(what_exists: str, asker: Terminal | None) -> None:
    """Ask before something is overwritten.

    Raises: WrongUsage if there is nobody to ask, or the answer is no.
    """
    if asker is None:
        raise WrongUsage(what_exists, hint="Use --replace to overwrite it.")
    if not asker.confirm(f"{what_exists} Replace it?"):
        raise WrongUsage("Nothing was changed.")
