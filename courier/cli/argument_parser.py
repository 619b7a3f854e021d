"""An argument parser that reports when its help cannot be written."""

from __future__ import annotations

import argparse
import sys
from typing import Protocol


class Writable(Protocol):
    """What a message can be written to."""

    def write(self, text: str, /) -> object:
        """Write a text."""


class ArgumentParser(argparse.ArgumentParser):
    """A parser whose help and errors are output like any other: a reader that goes away, or a full disk, is met."""

    def _print_message(self, message: str, file: Writable | None = None) -> None:
        """Write a message; argparse's own would drop one that cannot be written. Raises: OSError."""
        stream = sys.stderr if file is None else file
        if stream is not None:
            stream.write(message)
