"""The command line of the numbers client: its commands and their options."""

from __future__ import annotations

import argparse

from courier.cli import completion, examples
from courier.cli.argument_parser import ArgumentParser
from courier.cli.client_command import shown_program
from courier.cli.command_line import STATUSES, add_command, add_common, add_version, whole_number
from courier.cli.help_format import HelpFormatter
from courier.cli.queue_commands import COMMANDS, add_commands
from courier.errors import Rejected
from courier.numbers.options import percentiles

SAMPLE = "12, 7.5, -3, 1e2, 0.25, 42, 7.5"
MAX_RANDOM = 50_000

EPILOG = f"""\
examples:
  numbers_client.py                          the menu
  numbers_client.py send "1, 5, 22"          one list; also: send 1 5 22, or send - for standard input
  numbers_client.py random 100 --seed 7 --percentile 5,95
  numbers_client.py file prices.txt          one list, of any size; - is standard input
  numbers_client.py file sales.csv --column price
  seq 9 | numbers_client.py batch -          one list per line, one JSON response per line, in order
  numbers_client.py purge --yes

lists:
  1,2.5,-3e4 or 1;2.5 or 1 2.5, over as many lines as there are. Spaces separate where there are no commas and no
  semicolons. Lines may end as on any system, and empty ones at the end count for nothing. Files are UTF-8, or UTF-16 or
  UTF-32 with a byte order mark.
  --decimal-comma      1,5; 2,5 or 1,5 2,5: separate by semicolons, spaces or line endings
  --thousands          1,234.5; 2,000 or 1,234 2,000: commas between digits group them by threes; one before a space
                       or a line ending still separates
  both                 1.234,5; 2.000
  --skip-missing       NA, NaN, null, - and similar, and empty items, are skipped and counted
  --column N           of rows with commas, semicolons, tabs or spaces between cells, quoted or not; a name is looked
                       for in the first line

percentiles:
  --percentile 95 shows p95: the value below which 95 % of the numbers lie, between two neighbors in proportion, as
  quartiles are (Hyndman-Fan type 7, the default of R and NumPy). It is exact for lists of any size.

{STATUSES}"""


def build_parser(description: str) -> ArgumentParser:
    """Return the parser of the command line."""
    program = shown_program("numbers")
    parser = ArgumentParser(
        prog=program,
        description=description,
        epilog=EPILOG.replace("numbers_client.py", program or "numbers_client.py"),
        formatter_class=HelpFormatter,
    )
    add_version(parser)
    completion.add_completion(parser)
    add_common(parser)
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = add_command(commands, name, text, (examples.NUMBERS | examples.QUEUES)[name])
        if name not in COMMANDS:
            _add_output(command)
        return command

    command = add("send", "send a list of numbers")
    command.add_argument("numbers", nargs="+", metavar="LIST", help="- is standard input")
    _add_notation(command)
    add("sample", f"send the pre-made list: {SAMPLE}")
    command = add("random", "send random numbers")
    command.add_argument("length", type=whole_number(1, MAX_RANDOM), metavar="N")
    command.add_argument("--seed", type=int, help="the same seed makes the same numbers")
    command = add("file", "send a file as one list, of any size")
    command.add_argument("--column", type=_column, metavar="N", help="use one column of the rows: its number or name")
    lines = add("batch", "send each line of a file as a list")
    for one in (command, lines):
        path = one.add_argument("path", metavar="PATH", help="- is standard input")
        completion.completed(path, completion.FILE)
        one.add_argument("--skip-header", action="store_true", help="skip the first line")
        _add_notation(one)
    add_commands(add)
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options for what is shown, and how."""
    parser.add_argument("--csv", action="store_true", help="print only CSV on stdout")
    parser.add_argument(
        "--percentile",
        type=_percentiles,
        action="extend",
        default=[],
        metavar="P",
        help="show percentiles as well: from 0 to 100, such as 95 or 5,95,99.9",
    )
    parser.add_argument("--modes", action="store_true", help="show all modes, not only the least; not of long lists")


def _add_notation(parser: argparse.ArgumentParser) -> None:
    """Add the options for the notation of numbers."""
    parser.add_argument(
        "--decimal-comma",
        action="store_true",
        help="1,5 is one and a half; semicolons, spaces and line endings separate",
    )
    parser.add_argument(
        "--thousands",
        action="store_true",
        help="1,234.5 is one number (with --decimal-comma: 1.234,5); so is 1234.5",
    )
    parser.add_argument(
        "--skip-missing",
        action="store_true",
        help="skip and count missing values: NA, NaN, null, - and similar, and empty items",
    )


def _percentiles(text: str) -> tuple[str, ...]:
    """Parse an argument that lists percentiles."""
    if not all(item.strip() for item in text.split(",")):
        raise argparse.ArgumentTypeError("has an empty item: write numbers from 0 to 100, such as 5,95,99.9")
    try:
        return percentiles(text)
    except Rejected as error:
        raise argparse.ArgumentTypeError(error.sentence) from error


def _column(text: str) -> str:
    """Check an argument that is a column: a number from 1, or a name."""
    if not text.strip() or not text.strip("0"):
        raise argparse.ArgumentTypeError("must be a column's number, from 1, or its name")
    return text
