"""The generated parts of the documentation that are tables, each made by one function from the code it describes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import Field
from pathlib import Path

from bench import awkward, memory
from courier import settings
from courier.cli import command_line
from courier.errors import Reason
from courier.images import pipeline
from courier.images.formats import FORMATS, HEIF
from courier.images.operations import OPERATIONS
from courier.images.probe import MAX_SCANS
from courier.memory_budget import RESERVE_MEGABYTES
from scripts.verify import checks
from scripts.verify.runner import Needs

ROOT = Path(__file__).parents[1]
#: Instances of two cores, and their memory in GiB.
MACHINES = {"t3.micro": 1, "t3.small": 2, "t3.medium": 4, "t3.large": 8}
#: What takes memory there beside the work on images: Amazon Linux, both workers (41 for the numbers worker's second
#: process and what supervises both), and an image process without work.
SYSTEM_MEGABYTES, WORKERS_MEGABYTES, IDLE_MEGABYTES = 194, 96 + 41, 27
#: How the page of a decision begins.
_DECISION = re.compile(r"# (.+)\n\n- Status: (.+)\n- Date: (.+)\n- Superseded by: (.+)\n")
REASONS = {
    Reason.EMPTY: "the file is empty",
    Reason.UNSUPPORTED_FORMAT: "it is no image, or in a format that is not read",
    Reason.CORRUPT: "it is damaged or cut short",
    Reason.FILE_TOO_BIG: "the file has more bytes than `COURIER_IMAGE_MAX_MEGABYTES` allows",
    Reason.TOO_LARGE: "it has, or would have, more pixels than `COURIER_IMAGE_MAX_MEGAPIXELS` allows",
    Reason.TOO_MANY_FRAMES: "it has more frames than `COURIER_IMAGE_MAX_FRAMES` allows",
    Reason.TOO_MANY_SCANS: f"it is a JPEG of more than {MAX_SCANS} scans",
    Reason.TIMEOUT: "the work took longer than `COURIER_IMAGE_SECONDS` allows; waits for a processor do not count",
    Reason.OUT_OF_MEMORY: "the work needed more memory than `COURIER_IMAGE_MEMORY_MEGABYTES` allows, or, tried twice, "
    "than the [worker's machine](machines.md) has",
    Reason.CRASHED: "the process that worked on it ended",
    Reason.IMPOSSIBLE: "the operations cannot be done to this image",
    Reason.FAILED: "an internal error in the worker, whose log has the details",
    Reason.DEAD: "moved to the dead-letter queue, since every attempt failed",
}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))


def setting_table(*prefixes: str) -> str:
    """Return the table of the settings whose names begin with one of `prefixes`, or of all."""
    chosen = {name: one for name, one in settings.FIELDS.items() if name.startswith(prefixes or "")}
    rows = (
        (f"`{settings.variable(name)}`", _default(one), _valid(one), one.metadata["meaning"])
        for name, one in chosen.items()
    )
    return table(("variable", "default", "valid", "meaning"), rows)


def _default(setting: Field[object]) -> str:
    value, about = setting.default, setting.metadata
    if value is None:
        return about["unset"] or "none"
    return f"`{value:g}` {about['unit']}".strip() if isinstance(value, int | float) else f"`{value}`"


def _valid(setting: Field[object]) -> str:
    """Return the rule that rejects other values, with the unit."""
    about = setting.metadata
    return f"{about['values'].rule} {about['unit']}".strip()


def client_name() -> str:
    """Return the rule for the names of clients as a sentence."""
    return f"`{settings.variable('name')}` is {settings.CLIENT_NAME_RULE}."


def exit_statuses() -> str:
    """Return the table of the clients' exit statuses."""
    return table(("status", "meaning"), ((str(status), meaning) for status, meaning in command_line.MEANINGS.items()))


def operation_table() -> str:
    """Return the table of operations on images, with what each makes of the sample image."""
    rows = (
        (f"`{one.usage}`".replace("|", "\\|"), one.help, f"![{name}](../operations/{name}.png)")
        for name, one in OPERATIONS.items()
    )
    return table(("operation", "what it does", "the sample image"), rows)


def preset_table() -> str:
    """Return the table of presets."""
    rows = ((f"`{name}`", f"`{text}`", pipeline.PRESET_HELP[name]) for name, text in pipeline.PRESETS.items())
    return table(("preset", "stands for", "what it does"), rows)


def format_table() -> str:
    """Return the table of image formats."""
    rows = (
        (
            name,
            " ".join(f"`{suffix}`" for suffix in one.suffixes),
            "yes" if one.animates else "no",
            "no" if one.save_options is None else "yes",
            f"no: {one.still}" if one.still else "yes",
        )
        for name, one in {**FORMATS, HEIF.name: HEIF}.items()
    )
    return table(("format", "file names end in", "animated", "written", "still results stay in it"), rows)


def reason_table() -> str:
    """Return the table of reasons why an image is rejected."""
    return table(("reason", "meaning"), ((f"`{reason}`", REASONS[reason]) for reason in Reason))


def awkward_table() -> str:
    """Return what is computed for awkward lists: by Courier now, by other tools as measured."""
    measured = json.loads(awkward.MEASURED.read_text())
    rows = zip(awkward.rows(["Courier"]), measured, strict=True)
    return table(
        ("list", "asked", *awkward.TOOLS),
        ((*ours, *(theirs[name] for name in awkward.TOOLS if name in theirs)) for ours, theirs in rows),
    )


def cost_table() -> str:
    """Return what a month costs, as `aws_setup.sh cost` says for the two smallest instances."""
    costs = {kind: _costs(kind) for kind in ("t3.micro", "t2.micro")}
    return table(("what", *costs), ((what, *(found[what] for found in costs.values())) for what in costs["t3.micro"]))


def _costs(kind: str) -> dict[str, str]:
    options = f"instance_type={kind} as_json=true workers=1-1 fleet=false alarm_mail=you@example.org"
    script = f"{options}; . setup/cost.sh; cost"
    command = ("bash", "-c", script)
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    items = map(json.loads, output.splitlines())
    return {item["what"].replace(f"1 x {kind}", "the instance"): f"${item['dollars_a_month']:.2f}" for item in items}


def memory_table() -> str:
    """Return the table of how many images instances process at once, by operations and millions of pixels."""
    header = ("operations", *(f"{kind} ({gibibytes} GiB)" for kind, gibibytes in MACHINES.items()))
    taken: dict[str, list[int]] = {}
    for measured in json.loads(memory.MEASURED.read_text()):
        taken.setdefault(measured["operations"], []).append(measured["megabytes"])
    return table(header, (_memory_row(operations, megabytes) for operations, megabytes in taken.items()))


def _memory_row(operations: str, megabytes: Sequence[int]) -> tuple[str, ...]:
    available = map(_available_megabytes, MACHINES.values())
    return f"`{operations}`", *(", ".join(_at_once(taken, there) for taken in megabytes) for there in available)


def _available_megabytes(gibibytes: int) -> float:
    """Return the memory that image processes can take on an instance: of 1 GiB, Linux has 905 MiB."""
    mebibytes = gibibytes * 1024 * 0.984 - 103
    return mebibytes * 2**20 / 1e6 - SYSTEM_MEGABYTES - WORKERS_MEGABYTES


def _at_once(taken: int, available: float) -> str:
    """Return how many images two cores work on, if one takes that much."""
    if taken > available:
        return "none"
    if taken + IDLE_MEGABYTES > settings.Settings().image_memory_megabytes:
        return "1*"
    return "2" if 2 * taken + IDLE_MEGABYTES <= available - RESERVE_MEGABYTES else "1"


def permission_table(who: str) -> str:
    """Return the table of the IAM policy of client or worker."""
    statements = json.loads((ROOT / f"setup/policies/{who}.json").read_text())["Statement"]
    return table(("actions", "on"), map(_statement, statements))


def check_table() -> str:
    """Return the table of the checks of `./aws_setup.sh verify`."""
    where = {Needs.ANY: "yes", Needs.RECORDS: "moto", Needs.REAL: "no"}
    rows = (
        (f"`{one.name}`{' (`--long`)' if one.is_long else ''}", one.proves, where[one.needs]) for one in checks.CHECKS
    )
    return table(("check", "what it proves", "on an emulator"), rows)


def decision_table() -> str:
    """Return the table of decisions, from their pages."""
    pages = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    return table(("decision", "status", "date", "superseded by"), map(_decision, pages))


def _decision(page: Path) -> tuple[str, str, str, str]:
    found = _DECISION.match(page.read_text())
    if not found:
        raise ValueError(f"{page.name} does not begin with its title, status, date and what supersedes it.")
    return f"[{found[1]}]({page.name})", found[2], found[3], found[4]


def _statement(one: dict[str, str | list[str]]) -> tuple[str, str]:
    return ", ".join(f"`{name}`" for name in _several(one["Action"])), ", ".join(_resources(one["Resource"]))


def _several(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _resources(value: str | list[str]) -> Iterator[str]:
    """Yield resources as readers know them: queues by their default names, objects by their place in the bucket."""
    for arn in _several(value):
        text = re.sub(r"@QUEUES@|@(\w+)@", lambda found: _name(found[1] or ""), arn)
        if text == "*":
            yield "everything"
        elif "autoScalingGroup" in text:
            yield "the group of instances"
        else:
            yield f"`{text.removeprefix('arn:aws:s3:::')}`"


def _name(placeholder: str) -> str:
    found = getattr(settings.Settings(), placeholder.lower(), None)
    return found or {"BUCKET": "<bucket>", "PARTITION": "aws"}.get(placeholder, "")
