"""The menu of the images application. Opens its commands on first use, since boto3 takes long to import."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from courier import Requester
from courier.cancellation import Canceled
from courier.cli import picks, typed_paths
from courier.cli.menu import Action, Choice, Other, leave, run_menu
from courier.cli.queue_commands import QueueCommands
from courier.errors import CourierError, RequestCanceled, WrongUsage
from courier.text import printable, quoted

if TYPE_CHECKING:
    from courier.aws.s3 import StoredObject
    from courier.cli.console import Terminal
    from courier.cli.images_commands import ImageCommands
    from courier.images.sources import Source
    from courier.images.transfer import Result

#: The lines below and above a preview: its caption, the menu, and what was processed.
OTHER_LINES = 13
#: What a line at the menu has that is a path, and how one begins that can be nothing else.
_LIKE_A_PATH = re.compile(r"[./~*\\]")
_PATH_BEGUN = re.compile(r"""[/~'"]|\.\.?/|file://|[A-Za-z]:\\""")
#: What is said at a prompt instead of an option, which cannot be typed there.
_INSTEAD = {
    "--recursive": "Type its subfolders, or a pattern such as photos/*/*.jpg.",
    "--to": "Choose another folder.",
    "--replace": "Choose another folder, or rename the file.",
}
#: What was done with the images in a folder of the bucket.
_DONE = {"unprocessed": "uploaded", "processed": "made"}
#: The most existing files that are named.
NAMED = 5


class ImagesMenu:
    """The menu of the images application."""

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
        #: The names of what was uploaded last, and of the last results: what Enter picks.
        self._newest: dict[str, list[str]] = {"unprocessed": [], "processed": []}
        self._folder = ""

    @cached_property
    def _commands(self) -> ImageCommands:
        return self._open_commands()

    def run(self) -> int:
        """Run the menu; return the exit status."""
        self._requester.prepare()
        choices = [
            Choice(key="1", label="Upload images", action=self._upload),
            Choice(key="2", label="Process images", action=self._process),
            Choice(key="3", label="Download results", action=self._download),
            Choice(key="4", label="Purge the queue", **self._queue_commands.purging),
            Choice(key="5", label="Check queues and worker", action=self._queue_commands.check),
            Choice(key="6", label="Show dead letters", action=self._queue_commands.show_dead_letters),
            Choice(key="0", label="Exit", action=leave),
        ]
        other = Other(
            example="files to upload, such as photos/*.jpg", action_of=self._action_of, question="Upload these files?"
        )
        with self._requester:
            return run_menu(self._terminal, "Courier: images", choices, other)

    # Upload

    def _action_of(self, text: str) -> Action | None:
        """Return what uploads files that are typed or dropped at the menu. Raises: WrongUsage if there are none."""
        if not _LIKE_A_PATH.search(text):
            return None
        try:
            sources = self._sources(text)
        except WrongUsage:
            if _PATH_BEGUN.match(text.strip()):
                raise
            return None

        def upload() -> None:
            self._terminal.keep("files", text)
            self._upload_all(sources)

        return upload

    def _upload(self) -> None:
        self._terminal.say("Type or drop files, folders, or patterns such as photos/*.jpg; Tab completes.")
        question = "Files (Enter for the sample image)"
        sources = self._terminal.ask(
            question, self._sources, typed_paths.complete_files, history="files", explain=self._explain_paths
        )
        self._upload_all(sources)

    def _sources(self, text: str) -> list[Source]:
        """Return the files that a text names, the sample image for an empty one. Raises: WrongUsage."""
        with _for_a_prompt():
            return self._commands.sources(typed_paths.paths(text))

    def _upload_all(self, sources: Sequence[Source]) -> None:
        uploaded: list[str] = []
        for source in sources:
            with self._commands.failures.noted(source.shown, "upload"), _for_a_prompt():
                uploaded.append(self._commands.upload(source.path, replace=False))
                self._newest["unprocessed"] = uploaded
        if len(sources) > 1:
            self._terminal.say(f"{len(uploaded):,} of {len(sources):,} files are in the bucket.")

    def _explain_paths(self, _name: str) -> None:
        self._terminal.say("Several files are separated by spaces. A name with spaces is put in quotes: 'My cat.png'.")
        self._terminal.say("A folder stands for the images in it, *.jpg for all JPEGs, and ~ for your home folder.")

    # Process

    def _process(self) -> None:
        from courier.cli import operation_prompt
        from courier.images.operation import DEFAULT

        names = self._pick("unprocessed", "Upload an image first.")
        self._terminal.say(operation_prompt.EXAMPLES)
        pipeline = self._terminal.ask(
            f"Operations (Enter for {DEFAULT})",
            operation_prompt.read,
            operation_prompt.complete,
            history="operations",
            explain=partial(operation_prompt.explain, self._terminal),
        )
        try:
            results = self._commands.process(names, pipeline)
        except Canceled:  # while it waited for responses, and not at a question
            raise RequestCanceled from None
        if results:
            self._newest["processed"] = [result.name for result in results]
        if len(names) > 1:
            self._terminal.say(f"{len(results):,} of {len(names):,} images were processed.")
        if len(names) == len(results) == 1:
            self._preview(names[0], results[0])

    def _preview(self, name: str, result: Result) -> None:
        """Show source and result side by side, as far as this terminal can."""
        if not self._terminal.shows_images:
            return
        from courier.cli import previews

        transfer = self._commands.transfer
        images = [(name, transfer.uploaded(name)), (result.name, transfer.content(result))]
        files = [(caption, io.BytesIO(content)) for caption, content in images]
        previews.show(self._terminal, files, transfer.bounds, free_lines=OTHER_LINES)

    # Download

    def _download(self) -> None:
        names = self._pick("processed", "Process an image first.")
        question = f"Folder to save in (Enter for {printable(self._folder) or 'this one'})"
        self._folder = self._terminal.ask(
            question, self._read_folder, typed_paths.complete_folders, history="folders", explain=self._explain_folder
        )
        folder = self._folder or "."
        existing = [name for name in names if os.path.lexists(Path(folder) / name)]
        is_replacing = bool(existing) and self._may_replace(existing, folder)
        for name in names:
            if name not in existing or is_replacing:
                with self._commands.failures.noted(name, "download", result=name), _for_a_prompt():
                    self._commands.download(name, folder, replace=name in existing)

    def _read_folder(self, text: str) -> str:
        folder = typed_paths.path(text) or self._folder
        if os.path.lexists(folder) and not Path(folder).is_dir():
            raise WrongUsage(
                f"{quoted(folder, 60)} is not a folder.", hint="Type a folder; it is made if it is missing."
            )
        return folder

    def _explain_folder(self, _name: str) -> None:
        self._terminal.say("A folder is made if it is missing. ~ is your home folder, and . this one. Tab completes.")

    def _may_replace(self, existing: Sequence[str], folder: str) -> bool:
        """Ask once whether to replace existing files, and say that they are kept after a no."""
        named = ", ".join(existing[:NAMED]) + (", …" if len(existing) > NAMED else "")
        end = "" if len(existing) > NAMED else "."
        if len(existing) == 1:
            question = f"{Path(folder) / named} exists already. Replace it?"
        else:
            question = f"{len(existing):,} of these files exist already in {folder}: {named}{end} Replace them?"
        if self._terminal.confirm(question):
            return True
        self._terminal.say(f"Nothing was changed of {named}{end}")
        return False

    # Both lists

    def _pick(self, folder: str, otherwise: str) -> list[str]:
        """Ask for images of a folder of the bucket. Raises: WrongUsage if it has none."""
        from courier.cli import image_list

        found = image_list.by_age(self._commands.transfer.names(folder))
        if not found:
            prefix = self._commands.transfer.bucket(folder).prefix
            raise WrongUsage(f"There is no image in {prefix} yet.", hint=otherwise)
        names = [item.name for item in found]
        newest = [name for name in self._newest[folder] if name in names] or names[:1]
        image_list.show(self._terminal, self._commands.place(folder), found)
        many = f"the {len(newest):,} {_DONE[folder]} last"
        what = printable(newest[0], 60) if len(newest) == 1 else many
        return self._terminal.ask(
            f"Images, such as 1-3,5 (Enter for {what})",
            lambda text: picks.picked(text, names) or newest,
            lambda line: picks.complete(line, [name for name in names if name.isprintable()]),
            history=f"names in {folder}",
            explain=partial(self._explain_picks, folder, found),
        )

    def _explain_picks(self, folder: str, found: Sequence[StoredObject], _name: str) -> None:
        from courier.cli import image_list

        image_list.show(self._terminal, self._commands.place(folder), found, whole=True)
        self._terminal.say(
            "Type numbers, ranges such as 1-3, names, patterns such as *.png, or all; Tab completes names."
        )


@contextlib.contextmanager
def _for_a_prompt() -> Iterator[None]:
    """Change the hints of errors that name options, which cannot be typed at a prompt."""
    try:
        yield
    except CourierError as error:
        error.hint = next((text for option, text in _INSTEAD.items() if option in error.hint), error.hint)
        raise
