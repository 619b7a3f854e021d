"""An argument parser that reports when its help cannot be written."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


class ArgumentParser(argparse.ArgumentParser):
    """A parser that raises if its help or errors cannot be written: the pipe is closed, or the disk full."""

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Write a message; argparse's own method ignores errors. Raises: OSError."""
        stream = sys.stderr if file is None else file
        if stream is not None:
            stream.write(message)
