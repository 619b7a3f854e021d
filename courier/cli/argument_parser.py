"""An argument parser that suggests what a misspelled word may mean, and reports when its help cannot be written."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from courier.text import nearest, one_of, printable, quoted

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


class ArgumentParser(argparse.ArgumentParser):
    """A parser that suggests commands, options and choices that are spelled alike."""

    def parse_args(  # type: ignore[override]  # argparse overloads it for other namespaces
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Parse a command line; exits with status 2, naming a similar option, if it is wrong."""
        given, unknown = self.parse_known_args(args, namespace)
        if unknown:
            command = self.commands.get(getattr(given, "command", None) or "", self)
            options = [*self._option_string_actions, *command._option_string_actions]  # noqa: SLF001  its own class
            hint = suggestion(unknown[0].partition("=")[0], options) if unknown[0].startswith("-") else ""
            command.error(f"unknown arguments: {printable(' '.join(unknown))}.{hint}")
        return given

    @property
    def commands(self) -> dict[str, ArgumentParser]:
        """The parsers of the commands, by name; empty if it has none."""
        return {name: parser for choices in self._choices() for name, parser in choices.items()}

    def _choices(self) -> Iterator[dict[str, ArgumentParser]]:
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  argparse has no other way to them
                yield action.choices

    def _check_value(self, action: argparse.Action, value: Any) -> None:  # noqa: ANN401  as argparse has it
        """Check that a value is one of an action's choices. Raises: argparse.ArgumentError."""
        if action.choices is None or value in action.choices:
            return
        word, known = str(value), list(map(str, action.choices))
        hint = suggestion(word, known)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  argparse has no other name for it
            text = f"there is no command {quoted(word)}.{hint} There are {one_of(known)}."
            raise argparse.ArgumentError(None, text)
        text = f"cannot be {quoted(word)}.{hint} Choose {one_of(known)}."
        raise argparse.ArgumentError(action, text)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Write a message; argparse's own method ignores errors. Raises: OSError."""
        stream = sys.stderr if file is None else file
        if stream is not None:
            stream.write(message)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the sentence that suggests the known word most similar to `word`, after a blank; empty if none is."""
    near = nearest(word, known)
    return f" Did you mean {near}?" if near else ""
