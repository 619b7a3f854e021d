"""The generated parts of the documentation that are --help texts."""

from __future__ import annotations

import argparse
import ast
import os
import re
from collections.abc import Iterator
from itertools import takewhile, zip_longest
from pathlib import Path
from unittest.mock import patch

from courier.cli import daemon, images, images_arguments, numbers, numbers_arguments, workers

ROOT = Path(__file__).parents[1]


def program_help() -> str:
    """Return the help of the four programs and of each of their commands."""
    parsers = {
        "numbers_client.py": numbers_arguments.build_parser(numbers.__doc__ or ""),
        "images_client.py": images_arguments.build_parser(images.__doc__ or ""),
        "numbers_worker.py": daemon.build_parser(_docstring("numbers_worker.py")),
        "images_worker.py": daemon.build_parser(_docstring("images_worker.py"), workers.IMAGE_PROCESSES),
    }
    # As wide as a page, and without the colors of newer Pythons.
    with patch.dict(os.environ, COLUMNS="100", NO_COLOR="1"):
        return "\n\n".join(part for name, parser in parsers.items() for part in _helps(name, parser))


def script_help(script: str) -> str:
    """Return the help of a shell script: the comment at its head."""
    lines = (ROOT / script).read_text().splitlines()[2:]
    return _block("\n".join(line[2:] for line in takewhile(lambda line: line.startswith("#"), lines)))


def menus() -> str:
    """Return the menus of the clients, side by side."""
    left, right = (_menu(name) for name in ("numbers", "images"))
    lines = (f"{one:<37}{other}".rstrip() for one, other in zip_longest(left, right, fillvalue=""))
    return "```\n" + "\n".join(lines) + "\n```"


def _menu(application: str) -> list[str]:
    source = (ROOT / f"courier/cli/{application}_menu.py").read_text()
    choices = re.findall(r'Choice\(key="(.)", label="([^"]+)"', source)
    return [f"Courier: {application}", *(f"  {key}  {label}" for key, label in choices)]


def _helps(program: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    parser.prog = program
    yield f"## {program}\n\n{_block(parser.format_help())}"
    for name, command in _commands(parser).items():
        command.prog = f"{program} {name}"
        yield f"### {program} {name}\n\n{_block(command.format_help())}"


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:  # noqa: SLF001  argparse has no other way to them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            return dict(action.choices)
    return {}


def _block(text: str) -> str:
    return f"```\n{text.strip()}\n```"


def _docstring(program: str) -> str:
    return ast.get_docstring(ast.parse((ROOT / program).read_text())) or ""
