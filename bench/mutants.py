"""How much of what can go wrong in a module its unit tests would notice: each mutant is tested in a fork of its own.

    python -m bench.mutants [MODULE ...] [--jobs N] [--least PERCENT] [--wait SECONDS]

Without modules: those that carry messages. A mutant is tested by the module's own file in tests/unit and, if that
passes, by those that import the module and those of the modules that do. It is killed if a test fails, or if the tests
do not end in five times their time. Mutants that no test can tell from the original stand with a reason in
bench/equivalent_mutants.toml. Exits with 1 if fewer than PERCENT (default 90) of a module's others are killed. On a
busy machine, let a test wait longer than 4 seconds for what a mutant may never do.
"""

from __future__ import annotations

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.mutations import Mutant, MutantFinder, imported, module_of, mutants

ROOT = Path(__file__).parents[1]
EQUIVALENT = ROOT / "bench" / "equivalent_mutants.toml"
MESSAGING = (
    *("aws.backoff", "aws.retry", "aws.scale_in", "aws.sqs"),
    *("messaging.application", "messaging.backlog", "messaging.connection", "messaging.dead_letters"),
    *("messaging.exchange", "messaging.in_flight", "messaging.isolated", "messaging.listening"),
    *("messaging.message_attributes", "messaging.outbox", "messaging.parking", "messaging.pending", "messaging.ping"),
    *("messaging.poll_turns", "messaging.prepared_queue", "messaging.private_exchange", "messaging.processes"),
    *("messaging.processor", "messaging.protocol", "messaging.replies", "messaging.reply_queue"),
    *("messaging.requester", "messaging.slow_calls", "messaging.stored_bodies", "messaging.supervisor"),
    *("messaging.worker", "cli.daemon"),
)
#: What is loaded once, before the forks: it costs most of a test's start.
LOADED = (
    "boto3",
    "botocore.stub",
    "hypothesis",
    "numpy",
    "PIL.Image",
    "pexpect",
    "pytest",
    "rich.progress",
    "_pytest.logging",
)
#: The exit statuses of a fork whose tests passed and failed; any other is a death of its own.
PASSED, FAILED = 81, 82
#: Tests of a mutant are stopped after this multiple of their usual time, and after this many seconds at least.
TIMES_LONGER, LEAST_SECONDS = 5, 10.0
#: How long a test waits for what a mutant may never do, in seconds.
WAIT_SECONDS = 4
MEMORY_BYTES = 4 * 2**30


Stage = tuple[tuple[str, ...], float]


@dataclass(kw_only=True)
class Trial:
    """A mutant's test in a fork: which files, until when."""

    mutant: Mutant
    #: The tests that follow if these pass, each with how long they may take.
    stages: list[Stage]
    until: float
    folder: Path


@dataclass(kw_only=True)
class Score:
    """What became of a module's mutants."""

    outcomes: Counter[str] = field(default_factory=Counter)
    alive: list[Mutant] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """How many of a hundred that can be noticed are."""
        killed = self.outcomes["killed"] + self.outcomes["hung"]
        return 100 * killed / max(1, killed + self.outcomes["alive"])


def path_of(module: str) -> Path:
    """Return the file of a module that is named as below courier."""
    return (ROOT / "courier").joinpath(*module.split(".")).with_suffix(".py")


def stages_for(module: str) -> list[tuple[str, ...]]:
    """Return the files that test `module`: its own, then those that are near."""
    files = {module_of(path): path for path in sorted((ROOT / "tests/unit").rglob("test_*.py"))}
    users = {module_of(path) for path in (ROOT / "courier").rglob("*.py") if module in imported(path)}
    own = (str(files[module]),) if module in files else ()
    near = tuple(
        str(path)
        for name, path in files.items()
        if name != module and (module in imported(path) or (name in users and module in MESSAGING))
    )
    return [stage for stage in (own, near) if stage]


def run_tests(files: Sequence[str], folder: Path) -> int:
    """Run the tests in `files` in this process, quietly; return PASSED or FAILED."""
    import pytest

    silence = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(silence, number)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.orig_argv = [sys.executable]  # a mutant that starts its program again must not start this one
    options = [
        "-o",
        "addopts=",
        "--assert=plain",
        "--import-mode=importlib",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-x",
        "-q",
    ]
    status = pytest.main([*options, "--hypothesis-profile=mutants", "--tb=no", f"--basetemp={folder}/temp", *files])
    return PASSED if status == pytest.ExitCode.OK else FAILED


def fork(files: Sequence[str], folder: Path, mutant: Mutant | None) -> int:
    """Test a mutant (or the original) in a fork; return its process id."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        if mutant:
            path = path_of(mutant.module)
            sys.meta_path.insert(0, MutantFinder(f"courier.{mutant.module}", path, mutant.code))
        status = run_tests(files, folder)
    except BaseException:  # noqa: BLE001  whatever it was, it is this fork's
        status = FAILED
    os._exit(status)


def timed(stages: Sequence[tuple[str, ...]]) -> Iterator[Stage]:
    """Yield the tests with how long they may take, by what they take where nothing is wrong."""
    for files in stages:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            _, status = os.waitpid(fork(files, Path(folder), None), 0)
        if os.waitstatus_to_exitcode(status) != PASSED:
            raise SystemExit(f"These tests fail without a mutant: {' '.join(files)}")
        yield files, max(LEAST_SECONDS, TIMES_LONGER * (time.monotonic() - began))


class Field:
    """Runs trials, some at a time."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._running: dict[int, Trial] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="mutants-"))

    def outcomes(self, module: str) -> Iterator[tuple[Mutant, str]]:
        """Yield each mutant of `module` with what became of it: killed, hung or alive."""
        stages = list(timed(stages_for(module)))
        for mutant in mutants(path_of(module)):
            if not stages:
                yield mutant, "alive"
            else:
                while len(self._running) >= self._jobs:
                    yield from self._wait()
                self._start(mutant, stages)
        while self._running:
            yield from self._wait()

    def close(self) -> None:
        """End the trials, and remove what they left."""
        for process in self._running:
            _kill_group(process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, mutant: Mutant, stages: list[Stage]) -> None:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        files, seconds = stages[0]
        process = fork(files, folder, mutant)
        self._running[process] = Trial(
            mutant=mutant, stages=stages[1:], until=time.monotonic() + seconds, folder=folder
        )

    def _wait(self) -> Iterator[tuple[Mutant, str]]:
        time.sleep(0.01)
        for process, trial in list(self._running.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if not ended and time.monotonic() < trial.until:
                continue
            _kill_group(process)
            if not ended:
                os.waitpid(process, 0)
            del self._running[process]
            shutil.rmtree(trial.folder, ignore_errors=True)
            if ended and os.waitstatus_to_exitcode(status) == PASSED and trial.stages:
                self._start(trial.mutant, trial.stages)
            else:
                passed = ended and os.waitstatus_to_exitcode(status) == PASSED
                yield trial.mutant, "alive" if passed else "killed" if ended else "hung"


def _kill_group(process: int) -> None:
    """End what a fork has started and left; the session is its own."""
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)


def measure(field_: Field, module: str, known: dict[str, str]) -> Score:
    """Test every mutant of `module`."""
    score = Score()
    met: set[str] = set()
    for mutant, became in field_.outcomes(module):
        outcome = "equivalent" if became == "alive" and mutant.key in known else became
        score.outcomes[outcome] += 1
        met.add(mutant.key)
        if outcome == "alive":
            score.alive.append(mutant)
            print(f"{module}:{mutant.line} {mutant.where}\n  - {mutant.before}\n  + {mutant.after}", flush=True)
    for key in known.keys() - met:
        print(f"{EQUIVALENT.name} knows a mutant of {module} that is none: {key}", flush=True)
    return score


def row(module: str, score: Score) -> str:
    """Return what became of a module's mutants."""
    counts = [score.outcomes[outcome] for outcome in ("killed", "hung", "alive", "equivalent")]
    return f"| {module} | {sum(counts)} | {' | '.join(map(str, counts))} | {score.percent:.0f} % |"


def table(scores: dict[str, Score]) -> str:
    """Return what became of all, a module a line."""
    head = ["| module | mutants | killed | hung | alive | equivalent | score |", "|---|---|---|---|---|---|---|"]
    return "\n".join([*head, *(row(module, score) for module, score in scores.items())])


def load() -> None:
    """Load what every fork needs, and nothing of courier's, which each imports for itself."""
    for name in LOADED:
        importlib.import_module(name)
    from hypothesis import Phase, settings

    settings.register_profile(
        "mutants", max_examples=50, deadline=None, database=None, phases=[Phase.explicit, Phase.generate]
    )


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--least", type=float, default=90, metavar="PERCENT")
    parser.add_argument("--wait", type=float, default=WAIT_SECONDS, metavar="SECONDS")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is under way ends, too
    os.chdir(ROOT)
    os.environ["TEST_WAIT_SECONDS"] = str(given.wait)
    load()
    known: dict[str, dict[str, str]] = tomllib.loads(EQUIVALENT.read_text())
    field_, scores = Field(given.jobs), dict[str, Score]()
    try:
        for module in given.modules or MESSAGING:
            scores[module] = measure(field_, module, known.get(module, {}))
            print(row(module, scores[module]), flush=True)
    finally:
        field_.close()
    print(f"\n{table(scores)}")
    return int(any(score.percent < given.least for score in scores.values()))


if __name__ == "__main__":
    sys.exit(main())
