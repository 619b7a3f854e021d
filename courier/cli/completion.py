"""Shell completion of the clients' commands: a script for bash or zsh, made from the parser by shtab."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from courier.cli import bootstrap
from courier.errors import WrongUsage

SHELLS = ("bash", "zsh")
#: What shtab calls the shells' own completion of paths.
FILE = {"bash": "_shtab_compgen_files", "zsh": "_files"}
FOLDER = {"bash": "_shtab_compgen_dirs", "zsh": "_files -/"}
OPERATIONS = {"bash": "_courier_operations", "zsh": "_courier_operations"}

#: Completes the last of several operations with commas between them. NAMES is replaced.
_PREAMBLE = {
    "bash": """\
_courier_operations() {
  local before="" word
  [[ "$1" == *,* ]] && before="${1%,*},"
  for word in NAMES; do
    [[ "$before$word" == "$1"* ]] && echo "$before$word"
  done
}
""",
    "zsh": """\
_courier_operations() {
  compset -P '*,'
  compadd -S '' -- NAMES
}
""",
}


class PrintCompletion(argparse.Action):
    """Prints the script for a shell, and ends the program, as --help does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002  argparse gives it
        values: str | Sequence[object] | None,
        option_string: str | None = None,  # noqa: ARG002  the same
    ) -> None:
        """Print the script. Raises: WrongUsage if shtab is not installed."""
        if find_spec("shtab") is None:
            bootstrap.rerun()
            raise WrongUsage("Shell completion needs shtab.", hint=bootstrap.how_to_set_up())
        import shtab

        shell = str(values)
        preamble = _PREAMBLE[shell].replace("NAMES", " ".join(self.const()))
        # A path in the program's name would be taken for a command's. Programs are completed, and no verbs of scripts.
        name = Path(parser.prog).name
        parser.prog = Path(sys.argv[0]).name if " " in name else name
        print(shtab.complete(parser, shell=shell, preamble=preamble))
        parser.exit()


def add_completion(parser: argparse.ArgumentParser, operations: Callable[[], Iterable[str]] = tuple) -> None:
    """Add --print-completion; `operations` returns the operations on images, if there are any."""
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        const=operations,
        choices=SHELLS,
        help='print a script that completes commands: eval "$(%(prog)s --print-completion bash)"',
    )


def completed(action: argparse.Action, by: dict[str, str] | None) -> None:
    """Have the shell complete an argument: FILE, FOLDER or OPERATIONS; None: it does not."""
    if by is not None:
        action.complete = by  # type: ignore[attr-defined]  # shtab reads it
