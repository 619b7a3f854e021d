"""Failures of a command with several steps, and the confirmation before a file is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from courier.cli import image_rows
from courier.errors import AwsError, CourierError, WrongUsage

if TYPE_CHECKING:
    from courier.cli.console import Terminal


class Failures:
    """The failures of a command with several steps: reported at once, and used for the exit status."""

    def __init__(self, report: Callable[[CourierError], None], write: Callable[[str], object] | None = None) -> None:
        self._report = report
        #: Writes a row for programs; None: the output is for people.
        self._write = write
        self.worst = 0

    @contextmanager
    def noted(self, shown: str, step: str, **fields: object) -> Iterator[None]:
        """Report an error of the body and continue, except for an AwsError, which would affect the next steps, too.

        A row for programs has the step and `fields`, by default the name that is shown.
        """
        try:
            yield
        except AwsError:
            raise
        except CourierError as error:
            self.worst = max(self.worst, error.exit_status)
            named = error if shown in error.message else CourierError(f"{shown}: {error.message}", hint=error.hint)
            self._report(named)
            if self._write:
                self._write(image_rows.row(step, **(fields or {"name": shown}), **image_rows.of_error(error)))


def confirm_replace(what_exists: str, terminal: Terminal | None, *, otherwise: str = "") -> None:
    """Ask before a file is overwritten; `otherwise` says what else can be done.

    Raises: WrongUsage without a terminal, or if the answer is no.
    """
    if terminal is None:
        raise WrongUsage(what_exists, hint="Use --replace to overwrite it.")
    if not terminal.confirm(f"{what_exists} Replace it?"):
        raise WrongUsage("Nothing was changed.", hint=otherwise)
