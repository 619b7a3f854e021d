"""The examples in the help of each command are commands that the parser accepts."""

from __future__ import annotations

import re
import shlex

import pytest

from courier.cli import examples, images_arguments, numbers_arguments

PARSERS = {"numbers_client.py": numbers_arguments.build_parser, "images_client.py": images_arguments.build_parser}


@pytest.mark.parametrize("program", PARSERS)
def test_every_command_has_examples_that_it_accepts(program: str) -> None:
    parser = PARSERS[program]("x")
    parser.prog = program

    for name, command in parser.commands.items():
        command.prog = f"{program} {name}"
        lines = re.findall(rf"^  (?:.* \| )?{program} (.*)$", command.format_help(), flags=re.MULTILINE)
        assert lines, name
        for line in lines:
            assert parser.parse_args(shlex.split(line.partition(" > ")[0])).command == name


@pytest.mark.parametrize("program", PARSERS)
def test_the_examples_of_a_program_are_commands_too(program: str) -> None:
    parser = PARSERS[program]("x")

    found = re.findall(rf"^  (?:.* \| )?{program} (.*)$", parser.format_help(), flags=re.MULTILINE)
    lines = [line.split("  ")[0] for line in found if line.strip() and not line.startswith(" ")]

    assert len(lines) >= 6
    for line in lines:
        assert parser.parse_args(shlex.split(line)).command


def test_no_command_has_examples_twice() -> None:
    assert not examples.NUMBERS.keys() & examples.QUEUES.keys()
    assert not examples.IMAGES.keys() & examples.QUEUES.keys()
