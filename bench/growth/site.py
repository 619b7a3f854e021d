"""Where sizes are measured: a local AWS with accounts, a folder, and child processes that report what they took."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.peers.meter import processor_seconds
from bench.throughput import ROOT
from tests.support.engines import Engine

Size = float
#: What was measured at one size: "seconds", "CPU s", "peak MB"; where it took part, "local AWS CPU s"; and some more.
Figures = dict[str, float]


@dataclass(kw_only=True)
class Site:
    """A local AWS and a folder, and what is kept there from one size to the next."""

    engine: Engine
    folder: Path
    kept: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` returned at its first call with this name."""
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    @property
    def engine_seconds(self) -> float:
        """Return the processor time of the local AWS so far."""
        assert self.engine.process is not None
        return processor_seconds(self.engine.process.pid)


@contextmanager
def site() -> Iterator[Site]:
    """Run a local AWS during the body."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(name="ministack", folder=Path(folder) / "engine").start()
        try:
            yield Site(engine=engine, folder=Path(folder))
        finally:
            engine.stop()


def child(*command: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run a Python module of the benchmarks to its end; return the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
