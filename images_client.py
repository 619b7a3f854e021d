#!/usr/bin/env python3
"""Client of the images application: uploads pictures, has a worker process them, downloads the results.

Without a command, in a terminal, it is a menu.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from courier import client, pictures
from courier.commandline import STATUSES, add_common, add_version, complain, finish
from courier.errors import InputRefused, WrongUsage
from courier.files import MAX_SOURCE_NAME_BYTES, check_name, expand_home, read_file, writing
from courier.plain import one_of, printable
from courier.settings import PROCESSED, UNPROCESSED, Settings, load_settings
from courier.terminal import Choice, Terminal, leave
from courier.upkeep import COMMANDS, Upkeep, add_commands

if TYPE_CHECKING:
    from courier.bucket import Bucket, StoredObject
    from courier.inquiry import Asked

WORKER = "images_worker.py"
FOLDERS = {"unprocessed": UNPROCESSED, "processed": PROCESSED}

EPILOG = f"""\
examples:
  images_client.py                                    the menu
  images_client.py run cat.jpg --to out               upload, process, download
  images_client.py run                                the same with the sample picture
  images_client.py upload *.jpg && images_client.py list
  images_client.py process cat.jpg --operation black-and-white
  images_client.py download cat.jpg.black-and-white.png --to out
  images_client.py purge --yes

{STATUSES}"""


class Images:
    """What the application does, for the menu and for the commands."""

    def __init__(
        self,
        settings: Settings,
        terminal: Terminal,
        failures: client.Failures,
        *,
        as_json: bool,
        timeout_seconds: float,
    ) -> None:
        self._settings = settings
        self._terminal = terminal
        self._as_json = as_json
        self._timeout_seconds = timeout_seconds
        self.failures = failures
        self.connection = client.Connection(
            kind="image",
            requests=settings.image_inbox,
            replies=settings.image_outbox,
            patience_seconds=timeout_seconds,
            tell=terminal.warn,
        )
        self.upkeep = Upkeep(self.connection, terminal, worker=WORKER, as_json=as_json, timeout_seconds=timeout_seconds)

    def upload(self, path: str, *, replace: bool) -> str:
        """Upload one file (the sample picture, for an empty path); return its name. Raises: CourierError."""
        name = check_name(Path(path).name if path else pictures.SAMPLE_NAME, MAX_SOURCE_NAME_BYTES)
        limit_bytes = int(self._settings.image_max_megabytes * 1e6)
        content = read_file(Path(path), limit_bytes=limit_bytes) if path else pictures.sample()
        header = pictures.read_header(io.BytesIO(content), max_megapixels=self._settings.image_max_megapixels)
        bucket = self._bucket("unprocessed")
        there = None if replace else bucket.find(name)
        if there and (path or there.size_bytes != len(content)):  # the sample may replace itself
            client.agree_to_replace(f"{name} is in the bucket already.", self._asker)
        with self._terminal.moving(f"Uploading {name}") as moved:
            moved.expect(len(content))
            bucket.store(
                name, io.BytesIO(content), media_type=pictures.media_type(header.format), progress=moved.advance
            )
        self._report(
            {"name": name, "width": header.width, "height": header.height, "bytes": len(content)},
            f"uploaded {name}  {header.format} {header.width} x {header.height}, {len(content):,} bytes",
        )
        return name

    def process(self, names: Sequence[str], operation: str) -> list[str]:
        """Have `names` processed, all at once; return the results' names. What is refused is noted as a failure.

        Raises: CourierError if nothing could be asked.
        """
        options = {"operation": pictures.check_operation(operation)}
        questions = [_question(name, options) for name in names]
        results: list[str] = []
        with client.requester_for(self.connection, questions) as (requester, asked):
            outcomes = requester.ask_many(asked, timeout_seconds=self._timeout_seconds)
            for name in names:
                with self.failures.noted(name):
                    with self._terminal.waiting(f"Waiting for {name}; Ctrl-C leaves off"):
                        outcome = next(outcomes)
                    result = check_name(client.answer_of(outcome, worker=WORKER).body)
                    results.append(result)
                    self._report(
                        {"name": name, "result": result, "seconds": round(outcome.seconds, 3)},
                        f"processed {name} into {result}, answered in {outcome.seconds:.3f} s",
                    )
        return results

    def download(self, name: str, folder: str, *, replace: bool) -> None:
        """Fetch one processed picture into `folder`. Raises: CourierError."""
        target = Path(folder) / check_name(name)
        if not Path(folder).is_dir():
            raise WrongUsage(f"{folder} is no folder.", hint="Create it first, or name another with --to.")
        if not replace and target.exists():
            client.agree_to_replace(f"{target} exists already.", self._asker)
            replace = True
        bucket = self._bucket("processed")
        with writing(target, replace=replace) as file, self._terminal.moving(f"Downloading {name}") as moved:
            bucket.fetch(name, file, opened=moved.expect, progress=moved.advance)
        self._report({"name": name, "path": str(target)}, f"downloaded {target}")

    def list(self, folder: str) -> None:
        """Show what is in the bucket. Raises: CourierError."""
        found = list(self._bucket(folder).names())
        if self._as_json:
            for item in found:
                modified = item.modified.isoformat()
                print(json.dumps({"name": item.name, "bytes": item.size_bytes, "modified": modified}))
        else:
            self._show(folder, found)

    def _show(self, folder: str, found: Sequence[StoredObject]) -> None:
        rows = [(item.name, f"{item.size_bytes:,}", f"{item.modified:%Y-%m-%d %H:%M}") for item in found]
        self._terminal.show_table(f"{FOLDERS[folder]}: {len(rows)}", ("name", "bytes", "stored (UTC)"), rows)

    def menu(self) -> int:
        """Run the menu; return the exit status."""
        self.connection.warm_up()
        choices = [
            Choice(key="1", label="Upload a picture", action=self._menu_upload),
            Choice(key="2", label="Process a picture", action=self._menu_process),
            Choice(key="3", label="Download a result", action=self._menu_download),
            Choice(key="4", label="Purge the queue", action=self.upkeep.purge),
            Choice(key="0", label="Exit", action=leave),
        ]
        return self.connection.leave(self._terminal.run_menu("Courier: images", choices))

    def _menu_upload(self) -> None:
        path = self._terminal.ask("File (Enter for the sample picture)", lambda text: text.strip())
        self.upload(expand_home(path), replace=False)

    def _menu_process(self) -> None:
        name = self._pick("unprocessed", "Upload a picture first.")
        for known, entry in pictures.OPERATIONS.items():
            self._terminal.say(f"  {known}: {entry.help}")
        operation = self._terminal.ask(
            f"Operation (Enter for {pictures.DEFAULT_OPERATION})",
            lambda text: pictures.check_operation(text.strip() or pictures.DEFAULT_OPERATION),
        )
        self.process([name], operation)

    def _menu_download(self) -> None:
        name = self._pick("processed", "Process a picture first.")
        folder = self._terminal.ask("Folder to save it in (Enter for this one)", lambda text: text.strip() or ".")
        self.download(name, expand_home(folder), replace=False)

    def _pick(self, folder: str, otherwise: str) -> str:
        found = list(self._bucket(folder).names())
        if not found:
            raise WrongUsage("There is none.", hint=otherwise)
        self._show(folder, found)
        newest = max(found, key=lambda item: item.modified).name
        question = f"Name (Enter for {printable(newest)})"
        return self._terminal.ask(question, _chosen(newest, [item.name for item in found]))

    def _bucket(self, folder: str) -> Bucket:
        from courier.bucket import Bucket

        bucket = Bucket(self.connection.aws(), self._settings.bucket, FOLDERS[folder])
        bucket.check()
        return bucket

    @property
    def _asker(self) -> Terminal | None:
        """The terminal, if there is somebody at it to ask."""
        return self._terminal if self._terminal.is_interactive and not self._as_json else None

    def _report(self, fields: dict[str, object], text: str) -> None:
        if self._as_json:
            print(json.dumps(fields), flush=True)
        else:
            self._terminal.say(text)


def _question(name: str, options: Mapping[str, str]) -> Asked:
    from courier.inquiry import Question

    try:
        return Question(body=check_name(name), options=options)
    except InputRefused as error:
        return error


def _chosen(otherwise: str, names: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        name = text.strip() or otherwise
        if name not in names:
            raise WrongUsage(
                f"There is no {printable(name, 60)!r} in the list.", hint="Type a name as it stands there."
            )
        return name

    return read


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_version(parser)
    add_common(parser)
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")

    def add(name: str, text: str, *options: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        add_common(command, inherited=True)
        for option in options:
            command.add_argument(option, **_OPTIONS[option])
        return command

    add("upload", "upload pictures (none named: the sample picture)", "--replace").add_argument(
        "files", nargs="*", metavar="FILE"
    )
    add("list", "show what is in the bucket").add_argument(
        "folder", nargs="?", choices=tuple(FOLDERS), default="unprocessed", help="default: unprocessed"
    )
    add("process", "have uploaded pictures processed", "--operation").add_argument("names", nargs="+", metavar="NAME")
    add("download", "fetch processed pictures", "--to", "--replace").add_argument("names", nargs="+", metavar="NAME")
    add("run", "upload, process and download", "--operation", "--to", "--replace").add_argument(
        "files", nargs="*", metavar="FILE", help="none: the sample picture"
    )
    add_commands(add)
    return parser


_OPTIONS: dict[str, dict[str, Any]] = {
    "--operation": {
        "default": pictures.DEFAULT_OPERATION,
        "metavar": "NAME",
        "help": f"{one_of(list(pictures.OPERATIONS))} (default: {pictures.DEFAULT_OPERATION})",
    },
    "--to": {"default": ".", "metavar": "DIR", "help": "the folder to save in (default: this one)"},
    "--replace": {"action": "store_true", "help": "overwrite what exists already, here or in the bucket"},
}


def run(given: argparse.Namespace, images: Images) -> int:
    """Carry out one command; return the exit status. Raises: CourierError."""
    noted = images.failures.noted
    names: list[str] = []
    if given.command in {"upload", "run"}:
        for path in given.files or [""]:
            with noted(path):
                names.append(images.upload(path, replace=given.replace))
    if given.command in {"process", "run"}:
        names = images.process(given.names if given.command == "process" else names, given.operation)
    if given.command in {"download", "run"}:
        for name in given.names if given.command == "download" else names:
            with noted(name):
                images.download(name, given.to, replace=given.replace)
    if given.command == "list":
        images.list(given.folder)
    if given.command in COMMANDS:
        return images.upkeep.run(given)
    return images.failures.worst


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or the menu; return the exit status. Raises: CourierError."""
    given = build_parser().parse_args(arguments)
    settings = load_settings()
    terminal = Terminal()
    failures = client.Failures(complain if given.command else terminal.complain, as_json=given.json)
    timeout_seconds = given.timeout or settings.timeout_seconds
    images = Images(settings, terminal, failures, as_json=given.json, timeout_seconds=timeout_seconds)
    if given.command:
        return run(given, images)
    terminal.require_person()
    return images.menu()


if __name__ == "__main__":
    sys.exit(finish(main))
