"""Failures of a command with several steps, and the question before a file is overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from courier.errors import AwsError, CourierError, Rejected, WrongUsage

if TYPE_CHECKING:
    from courier.cli.console import Terminal


class Failures:
    """What went wrong in a command that does several things: told at once, and counted for the exit status."""

    def __init__(self, tell: Callable[[CourierError], None], *, as_json: bool) -> None:
        self._tell = tell
        self._as_json = as_json
        self.worst = 0

    @contextmanager
    def noted(self, name: str) -> Iterator[None]:
        """Let the next thing be tried if this one fails, unless AWS is in trouble, which it would meet too."""
        try:
            yield
        except AwsError:
            raise
        except CourierError as error:
            self.worst = max(self.worst, error.exit_status)
            told = error if name in error.message else CourierError(f"{name}: {error.message}", hint=error.hint)
            self._tell(told)
            if self._as_json:
                reason = {"reason": error.reason} if isinstance(error, Rejected) and error.reason else {}
                print(json.dumps({"name": name, "error": error.sentence, **reason}), flush=True)


def agree_to_replace(what_exists: str, asker: Terminal | None) -> None:
    """Ask before something is overwritten.

    Raises: WrongUsage if there is nobody to ask, or the answer is no.
    """
    if asker is None:
        raise WrongUsage(what_exists, hint="Use --replace to overwrite it.")
    if not asker.confirm(f"{what_exists} Replace it?"):
        raise WrongUsage("Nothing was changed.")
