"""Write the tables of the README that the code knows best: settings, exit statuses, operations on images.

    python -m scripts.docs [--check]

A table stands between two comments in the README, `<!-- NAME: made by python -m scripts.docs -->` and
`<!-- end of NAME -->`. With --check nothing is written; the exit status is 1 if a table is not as it should be.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import Field
from pathlib import Path

from courier.cli.command_line import MEANINGS
from courier.images.operations import OPERATIONS
from courier.settings import FIELDS, variable

README = Path(__file__).parents[1] / "README.md"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    head, *body = (f"| {' | '.join(cells)} |\n" for cells in (header, *rows))
    return "".join([head, f"|{'---|' * len(header)}\n", *body])


def settings() -> str:
    """Return the table of settings."""
    rows = ([f"`{variable(name)}`", _default(one), one.metadata["meaning"]] for name, one in FIELDS.items())
    return table(("variable", "default", "meaning"), rows)


def _default(setting: Field[object]) -> str:
    value, about = setting.default, setting.metadata
    if value is None:
        return about["unset"] or "none"
    return f"`{value:g}` {about['unit']}".strip() if isinstance(value, int | float) else f"`{value}`"


def statuses() -> str:
    """Return the table of exit statuses."""
    return table(("status", "meaning"), ((str(status), meaning) for status, meaning in MEANINGS.items()))


def operations() -> str:
    """Return the table of operations on images."""
    rows = (
        ("`{}`".format(one.usage.replace("|", "\\|")), one.help, f"![{name}](docs/operations/{name}.png)")
        for name, one in OPERATIONS.items()
    )
    return table(("operation", "what it does", "the sample"), rows)


#: The tables, and what makes them: another one is a line here and a pair of comments in the README.
TABLES: dict[str, Callable[[], str]] = {"settings": settings, "statuses": statuses, "operations": operations}


def renewed(text: str) -> str:
    """Return a README with its tables as they should be. Raises: ValueError if one has no place in it."""
    for name, make in TABLES.items():
        begin, end = f"<!-- {name}: made by python -m scripts.docs -->\n", f"<!-- end of {name} -->\n"
        before, begun, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not (begun and ended):
            raise ValueError(f"There is no place for the table {name}.")
        text = f"{before}{begin}{make()}{end}{after}"
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or check them; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and tell by the exit status")
    given = parser.parse_args(arguments)
    before = README.read_text()
    after = renewed(before)
    if given.check and after != before:
        print("README.md is not as the code is. Run: python -m scripts.docs", file=sys.stderr)
        return 1
    if not given.check:
        README.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
