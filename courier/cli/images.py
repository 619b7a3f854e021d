"""Client of the images application: uploads images, has a worker process them, and downloads the results.

Without a command, in a terminal, it is a menu.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from courier.cli import bootstrap
from courier.cli.clients import make_requester, make_terminal
from courier.cli.command_line import complain
from courier.cli.failures import Failures
from courier.cli.images_arguments import SHEET, build_parser
from courier.cli.queue_commands import COMMANDS, QueueCommands
from courier.images.application import application
from courier.images.operation import DEFAULT
from courier.settings import load_settings

if TYPE_CHECKING:
    from courier.cli.images_commands import ImageCommands
    from courier.images.pipeline import Pipeline


def _upload(given: argparse.Namespace, commands: ImageCommands) -> None:
    for source in commands.sources(given.files):
        with commands.failures.noted(source.shown, "upload", name=Path(source.shown).name):
            commands.upload(source.path, replace=given.replace)


def _download(given: argparse.Namespace, commands: ImageCommands) -> None:
    for name in given.names:
        with commands.failures.noted(name, "download", result=name):
            commands.download(name, given.to, replace=given.replace)


def _pipelines(given: argparse.Namespace) -> list[Pipeline]:
    """Return the requested pipelines, each once. Raises: Rejected."""
    from courier.images.pipeline import parse

    pipelines = [parse(text) for text in given.operations or [DEFAULT]]
    return list({pipeline.meaning: pipeline for pipeline in pipelines}.values())


def _sheet() -> Pipeline:
    from courier.images.pipeline import parse

    return parse(SHEET)


def _process(given: argparse.Namespace, commands: ImageCommands) -> None:
    for pipeline in _pipelines(given):
        commands.process(given.names, pipeline)


def _run(given: argparse.Namespace, commands: ImageCommands, pipelines: Sequence[Pipeline]) -> None:
    commands.run(given.files, pipelines, given.to, replace=given.replace, recursive=given.recursive)


def run(given: argparse.Namespace, commands: ImageCommands) -> int:
    """Run a command; return the exit status. Raises: CourierError."""
    {
        "upload": lambda: _upload(given, commands),
        "process": lambda: _process(given, commands),
        "download": lambda: _download(given, commands),
        "run": lambda: _run(given, commands, _pipelines(given)),
        "sheet": lambda: _run(given, commands, [_sheet()]),
        "show": lambda: commands.show_stored(given.names),
        "list": lambda: commands.list(given.folder, everyone=given.all),
        "operations": commands.operations,
    }[given.command]()
    return commands.failures.worst


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or the menu; return the exit status. Raises: CourierError."""
    given = build_parser(__doc__ or "").parse_args(arguments)
    bootstrap.require_packages()
    settings = load_settings()
    terminal = make_terminal(settings, preview=settings.preview)
    failures = Failures(complain if given.command else terminal.complain, terminal.row if given.json else None)
    timeout_seconds = given.timeout or settings.timeout_seconds
    requester = make_requester(application(settings), settings, terminal, timeout_seconds=timeout_seconds)
    queue_commands = QueueCommands(requester, terminal, as_json=given.json, timeout_seconds=timeout_seconds)

    def open_commands() -> ImageCommands:
        from courier.cli.images_commands import ImageCommands
        from courier.images.transfer import ImageTransfer

        transfer = ImageTransfer(requester, settings)
        return ImageCommands(transfer, terminal, failures, as_json=given.json)

    if given.command in COMMANDS:
        return queue_commands.run(given)
    if given.command:
        with requester:
            return run(given, open_commands())
    from courier.cli.images_menu import ImagesMenu

    terminal.require_person()
    return ImagesMenu(open_commands, requester, queue_commands, terminal).run()
