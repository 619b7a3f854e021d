"""The question for operations: what it accepts, what Tab completes, and what ? explains."""

from __future__ import annotations

import re
from collections.abc import Sequence

from courier.cli.screen import Screen
from courier.errors import Rejected, WrongUsage
from courier.images.formats import WRITTEN
from courier.images.operation import DEFAULT, Operation
from courier.images.operations import OPERATIONS
from courier.images.pipeline import PRESET_HELP, PRESETS, Pipeline, UnknownOperation, parse
from courier.text import nearest, quoted

EXAMPLES = "Such as sepia or resize=50%,sepia,convert=webp, one after another. ? lists all."
#: The columns of the table of operations, and its lines beside the rows, with the next question.
TABLE_COLUMNS, TABLE_LINES = 100, 10
#: The last operation of a list that is being typed.
_LAST = re.compile(r"((?:.*,)?\s*)[^,]*", re.DOTALL)


def read(text: str) -> Pipeline:
    """Return the typed pipeline; the default for an empty text. Raises: Rejected, with what can be typed."""
    try:
        return parse(text.strip() or DEFAULT)
    except Rejected as error:
        if separated := _with_commas(text):
            raise Rejected(error.message, hint=f"Separate operations by commas: {separated}.") from error
        if not isinstance(error, UnknownOperation):
            raise
        hint = f"Did you mean {error.near}? " if error.near else ""
        raise Rejected(error.message, hint=f"{hint}? lists all operations.") from error


def complete(line: str) -> list[str]:
    """Return what a line can become when its last operation is completed."""
    found = _LAST.fullmatch(line)
    before = found[1] if found else ""
    return [before + one for one in _beginnings()]


def explain(screen: Screen, name: str) -> None:
    """Show all operations, as far as the screen has room: in a table, or their names; or explain the one named."""
    name = name.partition("=")[0].strip()
    if name in OPERATIONS:
        for line in _explained(OPERATIONS[name]):
            screen.say(line)
    elif name in PRESETS:
        screen.say(f"{name}: {PRESET_HELP[name]}. It means {PRESETS[name]}.")
    elif name:
        near = nearest(name, [*OPERATIONS, *PRESETS])
        hint = f"Did you mean {near}?" if near else "? lists all operations."
        screen.complain(WrongUsage(f"There is no operation {quoted(name)}.", hint=hint))
    elif _has_room(screen):
        show_table(screen)
    else:
        _show_names(screen)


def rows() -> list[tuple[str, str]]:
    """Return the syntax of each operation and preset, and what it does."""
    operations = [(known.usage, known.help) for known in OPERATIONS.values()]
    return operations + [(name, f"{PRESET_HELP[name]} ({text})") for name, text in PRESETS.items()]


def show_table(screen: Screen) -> None:
    """Show all operations and what each does."""
    screen.show_table("Operations; separate several by commas", ("operation", "what it does"), rows(), in_words=True)


def _has_room(screen: Screen) -> bool:
    lines = len(OPERATIONS) + len(PRESETS) + TABLE_LINES
    is_large = (screen.height or lines) >= lines and (screen.width or TABLE_COLUMNS) >= TABLE_COLUMNS
    return screen.plain or is_large


def _show_names(screen: Screen) -> None:
    screen.say(f"Operations: {', '.join(OPERATIONS)}.")
    screen.say(f"Several in one word: {', '.join(PRESETS)}.")
    screen.say(
        "Separate several by commas: resize=50%,sepia,convert=webp. ? and a name, such as ? resize, explains one."
    )


def _explained(operation: Operation) -> Sequence[str]:
    lines = [f"{operation.usage}: {operation.help}."]
    return [*lines, f"For example {operation.name}={operation.example}."] if operation.example else lines


def _beginnings() -> list[str]:
    """Return the words with which an operation can begin: its name, with = if it needs a value."""
    names = [
        f"{known.name}=" if known.value and not known.value.startswith("[") else known.name
        for known in OPERATIONS.values()
        if known.name != "convert"
    ]
    return [*names, *(f"convert={known.name.lower()}" for known in WRITTEN), *PRESETS]


def _with_commas(text: str) -> str:
    """Return the operations of a text with commas for the blanks between them; empty if that is not what is wrong."""
    words = text.replace(",", " ").split()
    try:
        return parse(",".join(words)).text if len(words) > 1 else ""
    except Rejected:
        return ""
