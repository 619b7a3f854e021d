"""Client of the images application: uploads images, has a worker process them, and downloads the results.

Without a command, in a terminal, it is a menu.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from courier.cli import bootstrap
from courier.cli.clients import make_requester
from courier.cli.command_line import SIGNALS, complain
from courier.cli.failures import Failures
from courier.cli.images_arguments import SHEET, build_parser
from courier.cli.queue_commands import COMMANDS, QueueCommands
from courier.errors import WrongUsage
from courier.files import expand_home
from courier.images.application import application
from courier.images.operation import DEFAULT
from courier.settings import load_settings
from courier.text import printable

if TYPE_CHECKING:
    from courier import Requester
    from courier.cli.console import Terminal
    from courier.cli.images_commands import ImageCommands
    from courier.images.pipeline import Pipeline
    from courier.images.transfer import Result

#: The largest size of a preview, in characters; two are shown side by side.
PREVIEW_COLUMNS, PREVIEW_LINES = 38, 16


class Menu:
    """The menu of the images application. Opens its commands on first use, since boto3 takes long to import."""

    def __init__(
        self,
        commands: Callable[[], ImageCommands],
        requester: Requester,
        queue_commands: QueueCommands,
        terminal: Terminal,
    ) -> None:
        self._open_commands = commands
        self._requester = requester
        self._queue_commands = queue_commands
        self._terminal = terminal

    @cached_property
    def _commands(self) -> ImageCommands:
        return self._open_commands()

    def run(self) -> int:
        """Run the menu; return the exit status."""
        from courier.cli.menu import Choice, leave, run_menu

        self._requester.prepare()
        choices = [
            Choice(key="1", label="Upload an image", action=self._menu_upload),
            Choice(key="2", label="Process an image", action=self._menu_process),
            Choice(key="3", label="Download a result", action=self._menu_download),
            Choice(key="4", label="Purge the queue", **self._queue_commands.purging),
            Choice(key="0", label="Exit", action=leave),
        ]
        with self._requester:
            return run_menu(self._terminal, "Courier: images", choices)

    def _menu_upload(self) -> None:
        path = self._terminal.ask("File (Enter for the sample image)", lambda text: text.strip(), _paths)
        self._commands.upload(expand_home(path), replace=False)

    def _menu_process(self) -> None:
        (name,) = self._pick("unprocessed", "Upload an image first.")
        self._commands.operations()
        self._terminal.say("For example: thumbnail=800   sepia,border=20:white   grayscale,resize=800x600:cover   web")
        pipeline = self._terminal.ask(f"Operations (Enter for {DEFAULT})", _pipeline, _more_operations)
        for result in self._commands.process([name], pipeline):
            self._preview(name, result)

    def _preview(self, name: str, result: Result) -> None:
        """Show source and result side by side, as far as this terminal can."""
        if not self._terminal.shows_images:
            return
        from courier.images import preview

        source = io.BytesIO()
        self._commands.transfer.bucket("unprocessed").fetch(name, source)
        source.seek(0)
        made = io.BytesIO(self._commands.transfer.content(result))
        bounds = self._commands.transfer.bounds
        columns = min(PREVIEW_COLUMNS, ((self._terminal.width or 0) - 4) // 2)
        size = {"columns": max(1, columns), "lines": PREVIEW_LINES}
        self._terminal.show_images([preview.half_blocks(one, bounds, **size) for one in (source, made)])

    def _menu_download(self) -> None:
        names = self._pick("processed", "Process an image first.", may_be_all=True)
        folder = self._terminal.ask("Folder to save in (Enter for this one)", lambda text: text.strip() or ".", _paths)
        for name in names:
            with self._commands.failures.noted(name, "download", result=name):
                self._commands.download(name, expand_home(folder), replace=False)

    def _pick(self, folder: str, otherwise: str, *, may_be_all: bool = False) -> Sequence[str]:
        found = self._commands.transfer.names(folder)
        if not found:
            prefix = self._commands.transfer.bucket(folder).prefix
            raise WrongUsage(f"There is no image in {prefix} yet.", hint=otherwise)
        self._commands.show_newest(folder, found)
        names = [item.name for item in found]
        latest = self._commands.latest if folder == "unprocessed" else self._commands.latest_result
        newest = latest if latest in names else max(found, key=lambda item: item.modified).name
        question = f"Name{', or all' * may_be_all} (Enter for {printable(newest)})"
        return self._terminal.ask(question, _chosen(newest, names, may_be_all=may_be_all), lambda _text: names)


def _pipeline(text: str) -> Pipeline:
    from courier.images.pipeline import parse

    return parse(text.strip() or DEFAULT)


def _more_operations(text: str) -> Sequence[str]:
    """Return completions of the last operation in a list."""
    from courier.images.operations import OPERATIONS
    from courier.images.pipeline import PRESETS

    before, comma, _ = text.rpartition(",")
    return [f"{before}{comma}{name}" for name in (*OPERATIONS, *PRESETS)]


def _paths(text: str) -> Sequence[str]:
    """Return the files and folders in the folder of a path that is being typed."""
    begun = Path(expand_home(text))
    folder = begun if text.endswith(("/", "~")) else begun.parent
    prefix = text[: text.rfind("/") + 1]
    try:
        return sorted(f"{prefix}{one.name}{'/' * one.is_dir()}" for one in folder.iterdir())
    except OSError:
        return []


def _chosen(otherwise: str, names: Sequence[str], *, may_be_all: bool) -> Callable[[str], Sequence[str]]:
    def read(text: str) -> Sequence[str]:
        name = text.strip() or otherwise
        if may_be_all and name == "all" and "all" not in names:
            return names
        if name not in names:
            raise WrongUsage(
                f"There is no {printable(name, 60)!r} in the list.", hint="Type a name exactly as it is listed."
            )
        return [name]

    return read


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
        "sheet": lambda: _run(given, commands, [_pipeline(SHEET)]),
        "list": lambda: commands.list(given.folder, everyone=given.all),
        "operations": commands.operations,
    }[given.command]()
    return commands.failures.worst


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or the menu; return the exit status. Raises: CourierError."""
    given = build_parser(__doc__ or "").parse_args(arguments)
    bootstrap.require_packages()
    from courier.cli.console import Terminal
    from courier.cli.keyboard import Keyboard

    settings = load_settings()
    terminal = Terminal(keyboard=Keyboard(SIGNALS.read_line), plain=settings.plain, reset=SIGNALS.reset)
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
    terminal.require_person()
    return Menu(open_commands, requester, queue_commands, terminal).run()
