"""What becomes of folders of real files, by the programs as they are, and the page of it in docs/reference/folders.md.

    python -m bench.folders [--list] [--write] [--to DIR] [--operations LIST]... NAME=DIR...

Each folder goes through `images_client.py run DIR --recursive` on a local AWS of its own, once, with several lists of
operations. Every file must have a result of each, or a reason; results of `convert=png` are held to other decoders
(bench/requirements.txt) where these read the source. Returns 1 for anything that should not be: an end of the program
that its rows do not explain, a file without a row, a result that is not there, an internal error, other pixels.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.batch import new_account
from bench.throughput import ROOT
from tests.support.engines import Engine
from tests.support.place import WorkerProcess

PAGE = Path(__file__).parents[1] / "docs/reference/folders.md"
OPERATIONS = ("sepia", "convert=png", "resize=50%")
#: The operations whose results have the pixels of their sources.
COMPARED = "convert=png"
#: No file holds up a run for longer than this.
TIMEOUT_SECONDS = "120"
#: What a row without a reason of the closed set is counted as.
_UNNAMED = "other"
#: The exit statuses of a run in which every file has a result, and in which some file has none.
_DONE, _SOME_FAILED = 0, 1
HEAD = """# Folders of real files

What became of folders of files that nobody made for this project: `images_client.py run DIR --recursive`, with
{operations}, through bucket, queues and a worker on a local AWS. Written by `python -m bench.folders --write`; the
files themselves are not a part of this project.

- **done**: a result; **noted**: a result whose notes say what is different; **rejected**: no result, for a reason
- **skipped**: not taken for an image, which the client says before it begins
- **held to other decoders**: results of `convert=png` that libvips, ffmpeg, tifffile or imagecodecs see as they see the
  source, of those that they can read and in whose notes no color is converted

| folder | files | results wanted | done | noted | rejected | held to other decoders | exit status | s |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
"""


@dataclass(kw_only=True)
class Run:
    """A folder's run: its rows, and what is wrong with it."""

    name: str
    folder: Path
    status: int
    seconds: float
    rows: list[dict[str, Any]]
    results: Path
    faults: list[str] = field(default_factory=list)
    #: Files whose results other decoders do not confirm, and how far they are off.
    different: list[str] = field(default_factory=list)

    def of(self, step: str) -> list[dict[str, Any]]:
        """Return the rows of a step."""
        return [row for row in self.rows if row["step"] == step]


@contextmanager
def _worker(engine: Engine, account: str, log: Path) -> Iterator[None]:
    """Serve images while the caller works; the log goes to a file, which is never full."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "images_worker.py"], cwd=ROOT, env=engine.environment(account), stderr=file
        )
    try:
        WorkerProcess(process=process, log_path=log).until_logged("listens on")
        yield
    finally:
        process.terminate()
        process.wait(60)


def _run(engine: Engine, name: str, folder: Path, operations: list[str], results: Path) -> Run:
    account = new_account(engine)
    asked = [part for one in operations for part in ("--operations", one)]
    command = ["run", str(folder), "--recursive", "--json", "--timeout", TIMEOUT_SECONDS, *asked, "--to", str(results)]
    with _worker(engine, account, results.with_suffix(".log")):
        started = time.monotonic()
        ran = subprocess.run(
            [sys.executable, "images_client.py", *command],
            cwd=ROOT,
            env=engine.environment(account),
            capture_output=True,
            text=True,
            check=False,
        )
    results.with_suffix(".jsonl").write_text(ran.stdout)
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    seconds = time.monotonic() - started
    found = Run(name=name, folder=folder, status=ran.returncode, seconds=seconds, rows=rows, results=results)
    said = ran.stderr + results.with_suffix(".log").read_text()
    if "Traceback" in said:
        found.faults.append(said[said.index("Traceback") :])
    return found


def _check(run: Run, operations: list[str]) -> None:
    """Note a file without a row, a result that is not there, an exit status that rows do not explain."""
    wanted = {(row["name"], row["operations"]) for row in run.of("run")}
    skipped = {row["name"] for row in run.of("skip")}
    files = [str(path) for path in sorted(run.folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    for path in files:
        lost = [one for one in operations if (path, one) not in wanted]
        if lost and path not in skipped:
            run.faults.append(f"{path}: no row of {lost}")
    for row in run.of("run"):
        if row["path"] and not Path(row["path"]).is_file():
            run.faults.append(f"{row['name']}: {row['path']} is not there")
        if row["reason"] in {"worker_error", "timeout"} or (row["error"] and not row["reason"]):
            run.faults.append(f"{row['name']}: {row['operations']}: {row['error']}")
    failed = any(row["error"] for row in run.of("run"))
    if run.status != (_SOME_FAILED if failed else _DONE):
        run.faults.append(f"exit status {run.status}")


def _compare(run: Run) -> Counter[bool | None]:
    """Hold results to other decoders; return how many are equal, and note those that are not."""
    try:
        from bench import second_opinion
    except ImportError:
        return Counter()
    seen: Counter[bool | None] = Counter()
    for row in run.of("run"):
        if row["operations"] == COMPARED and row["path"]:
            off = second_opinion.difference(Path(row["name"]), Path(row["path"]), row["notes"])
            seen[None if off is None else not off] += 1
            if off:
                run.different.append(f"`{Path(row['name']).relative_to(run.folder)}`: {off}")
    return seen


def _row(run: Run, seen: Counter[bool | None]) -> str:
    rows, files = run.of("run"), len({row["name"] for row in run.of("run")})
    noted = sum(bool(row["notes"]) and not row["error"] for row in rows)
    rejected = sum(bool(row["error"]) for row in rows)
    held = f"{seen[True]:,} of {seen[True] + seen[False]:,}" if seen[True] + seen[False] else "-"
    counts = f"{len(rows) - noted - rejected:,} | {noted:,} | {rejected:,}"
    return f"| {run.name} | {files:,} | {len(rows):,} | {counts} | {held} | {run.status} | {run.seconds:.0f} |"


def _reasons(runs: list[Run]) -> str:
    """Return the table of reasons: how many files of each folder have no result, or were skipped."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for run in runs:
        rejected = {(row["name"], row["reason"] or _UNNAMED) for row in run.of("run") if row["error"]}
        for _, reason in rejected:
            counts.setdefault(("rejected", f"`{reason}`"), Counter())[run.name] += 1
        for row in run.of("skip"):
            counts.setdefault(("skipped", row["notes"][0]), Counter())[run.name] += 1
    lines = [
        f"| {what} | {reason} | {' | '.join(f'{found[run.name]:,}' for run in runs)} |"
        for (what, reason), found in sorted(counts.items(), key=lambda item: (item[0][0], -item[1].total(), item[0][1]))
    ]
    names = " | ".join(run.name for run in runs)
    return f"| files | reason | {names} |\n|---|---|{'--:|' * len(runs)}\n" + "".join(f"{line}\n" for line in lines)


def _rejected(run: Run) -> str:
    """Return a line for each file without a result: of which operations, why, and what was said first."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in run.of("run"):
        if row["error"]:
            name = str(Path(row["name"]).relative_to(run.folder))
            found.setdefault((name, row["reason"], row["error"].partition(". ")[0].rstrip(".")), []).append(
                row["operations"]
            )
    wanted = len({row["operations"] for row in run.of("run")})
    return "".join(
        f"| {run.name} | `{name}` | {'all' if len(done) == wanted else ', '.join(f'`{one}`' for one in done)} "
        f"| `{reason}` | {said} |\n"
        for (name, reason, said), done in sorted(found.items())
    )


def _list(run: Run) -> None:
    for row in run.of("skip"):
        print(f"{run.name}: {row['name']}: skipped: {row['notes'][0]}")
    for row in run.of("run"):
        if row["error"] or row["notes"]:
            said = f"{row['reason']}: {row['error']}" if row["error"] else f"noted: {'; '.join(row['notes'])}"
            print(f"{run.name}: {row['name']}: {row['operations']}: {said}")


def _named(text: str) -> tuple[str, Path]:
    name, _, folder = text.rpartition("=")
    return name or Path(folder).name, Path(folder).resolve(strict=True)


def main(arguments: list[str]) -> int:
    """Run the folders; return 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print every file that was not done, and every note")
    parser.add_argument("--write", action="store_true", help="write the page")
    parser.add_argument("--to", type=Path, metavar="DIR", help="keep the results and the workers' logs")
    parser.add_argument("--operations", action="append", metavar="LIST", help=f"default: {' and '.join(OPERATIONS)}")
    parser.add_argument("folders", nargs="+", type=_named, metavar="NAME=DIR")
    given = parser.parse_args(arguments)
    operations, runs, lines = given.operations or list(OPERATIONS), [], []
    with tempfile.TemporaryDirectory() as place:
        engine = Engine(name="ministack", folder=Path(place) / "engine").start()
        try:
            for name, folder in given.folders:
                run = _run(engine, name, folder, operations, (given.to or Path(place)) / name)
                _check(run, operations)
                lines.append(_row(run, _compare(run)))
                runs.append(run)
                if given.list:
                    _list(run)
        finally:
            engine.stop()
    page = HEAD.format(operations=" and ".join(f"`{one}`" for one in operations)) + "\n".join(lines)
    page += f"\n\nFiles that were not done, by reason:\n\n{_reasons(runs)}"
    page += "\nResults that other decoders do not confirm:\n\n"
    page += "".join(f"- {run.name}, {one}\n" for run in runs for one in run.different) or "- none\n"
    page += "\nEvery file that was rejected:\n\n"
    page += "| folder | file | operations | reason | what was said |\n|---|---|---|---|---|\n"
    page += "".join(map(_rejected, runs))
    print(page)
    if given.write:
        PAGE.write_text(page)
    faults = [f"{run.name}: {fault}" for run in runs for fault in (*run.faults, *run.different)]
    print("\n".join(faults), file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
