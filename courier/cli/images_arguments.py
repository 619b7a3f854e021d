"""The command line of the images client: its commands and their options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from courier.cli import completion, examples
from courier.cli.argument_parser import ArgumentParser
from courier.cli.client_command import shown_program
from courier.cli.command_line import STATUSES, add_command, add_common, add_version
from courier.cli.help_format import HelpFormatter
from courier.cli.queue_commands import add_commands
from courier.images.operation import DEFAULT

FOLDERS = ("unprocessed", "processed")

EPILOG = f"""\
examples:
  images_client.py                                    the menu
  images_client.py run cat.jpg --to out               upload, process, download
  images_client.py run                                the same with the sample image
  images_client.py run 'photos/*.jpg' --operations thumbnail=800,convert=webp:80 --to out/
                                                      many at once; run again, only what is missing
  images_client.py run cat.jpg --operations web --operations sepia
                                                      several results of one upload
  images_client.py run photos --recursive --to out    with subfolders
  images_client.py operations                         what can be done
  images_client.py sheet cat.jpg                      each operation on it, in one image
  images_client.py process cat.jpg --operations grayscale,resize=800x600:cover
  images_client.py purge --yes

{STATUSES}"""


def build_parser(description: str) -> ArgumentParser:
    """Return the parser of the command line."""
    program = shown_program("images")
    parser = ArgumentParser(
        prog=program,
        description=description,
        epilog=EPILOG.replace("images_client.py", program or "images_client.py"),
        formatter_class=HelpFormatter,
    )
    add_version(parser)
    completion.add_completion(parser, _operation_names)
    add_common(parser)
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")

    def add(name: str, text: str, *options: str) -> argparse.ArgumentParser:
        command = add_command(commands, name, text, (examples.IMAGES | examples.QUEUES)[name])
        for option in options:
            completion.completed(command.add_argument(option, **_OPTIONS[option]), _COMPLETED.get(option))
        return command

    _add_files(add("upload", "upload images (without names: the sample image)", "--replace"), "")
    add("list", "list the images in the bucket", "--all").add_argument(
        "folder", nargs="?", choices=FOLDERS, default=FOLDERS[0], help=f"default: {FOLDERS[0]}"
    )
    add("process", "process uploaded images", "--operations").add_argument("names", nargs="+", metavar="NAME")
    add("download", "download processed images", "--to", "--replace").add_argument("names", nargs="+", metavar="NAME")
    _add_files(add("run", "upload, process and download", "--operations", *_RUN), _SOURCES)
    _add_files(add("sheet", "show what each operation makes of images, in one image each", *_RUN), _SOURCES)
    add("show", "show images of the bucket, results or uploads").add_argument("names", nargs="+", metavar="NAME")
    add("operations", "list the operations on images")
    add_commands(add)
    return parser


def _add_files(command: argparse.ArgumentParser, text: str) -> None:
    action = command.add_argument("files", nargs="*", metavar="FILE", help=text or None)
    completion.completed(action, completion.FILE)


def _operation_names() -> Sequence[str]:
    from courier.images.operations import OPERATIONS
    from courier.images.pipeline import PRESETS

    return [*OPERATIONS, *PRESETS]


_SOURCES = "files, folders, patterns; none: the sample image"
#: The options of the commands that upload, process and download.
_RUN = ("--to", "--recursive", "--replace")
#: The preset of contact sheets.
SHEET = "sheet"
_OPTIONS: dict[str, dict[str, Any]] = {
    "--all": {"action": "store_true", "help": "those of all clients (default: those of COURIER_NAME)"},
    "--operations": {
        "action": "append",
        "metavar": "LIST",
        "help": "such as grayscale,resize=800x600; the operations command lists them; repeat it for several results "
        f"(default: {DEFAULT})",
    },
    "--to": {"default": ".", "metavar": "DIR", "help": "the folder to save in, created if missing (default: this one)"},
    "--recursive": {"action": "store_true", "help": "include subfolders, and keep them in --to"},
    "--replace": {"action": "store_true", "help": "overwrite existing files; for upload: in the bucket"},
}
#: What the shell offers as their values.
_COMPLETED = {"--operations": completion.OPERATIONS, "--to": completion.FOLDER}
