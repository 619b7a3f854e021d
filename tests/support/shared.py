"""Servers that all processes of one test run use: the first to need one starts it, and the run's end ends it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import quickcli, quickprograms
from tests.support.engines import Engine
from tests.support.forkserver import start_server
from tests.support.parallel import run_folder

END_SECONDS = 30
#: Those that this process has started. They are not its own to end.
_STARTED: list[subprocess.Popen[bytes]] = []


class Shared:
    """What is shared, noted in a folder that all processes of the run know."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    @classmethod
    def of(cls, config: pytest.Config) -> Shared:
        """Return that of the run: of the process that hands out the tests and of those that run them."""
        return cls(run_folder(config) / "shared")

    def engine(self, name: str) -> Engine:
        """Return a local AWS."""

        def start(folder: Path) -> tuple[subprocess.Popen[bytes], Any]:
            engine = Engine(name=name, folder=folder).start()
            assert engine.process is not None
            return engine.process, engine.port

        return Engine(name=name, folder=self._folder / name, port=self._once(name, start))

    def programs(self) -> str:
        """Return the socket that gives forks of the programs."""
        return self._forks("programs", quickprograms.__name__)

    def cli(self) -> Path:
        """Return the folder to put before all others on PATH, for an AWS CLI that starts quickly."""
        return quickcli.install(self._folder / "cli", self._forks("cli", quickcli.__name__))

    def _forks(self, name: str, module: str) -> str:
        def start(folder: Path) -> tuple[subprocess.Popen[bytes], Any]:
            folder.mkdir()
            return start_server(module, folder / "socket"), str(folder / "socket")

        return str(self._once(name, start))

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return the folder that one process of the run has made, in the place where all see it."""
        folder = self._folder / name
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self._folder / f"{name}.made").exists():
                folder.mkdir()
                make(folder)
                (self._folder / f"{name}.made").touch()
        return folder

    def _once(self, name: str, start: Callable[[Path], tuple[subprocess.Popen[bytes], Any]]) -> Any:
        note = self._folder / f"{name}.json"
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not note.exists():
                process, where = start(self._folder / name)
                _STARTED.append(process)
                note.write_text(json.dumps({"pid": process.pid, "where": where}))
            return json.loads(note.read_text())["where"]

    def end(self) -> None:
        """End all of it."""
        pids = [json.loads(note.read_text())["pid"] for note in self._folder.glob("*.json")]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + END_SECONDS
        while any(map(_is_there, pids)) and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in _STARTED:
            process.wait(END_SECONDS)


def _is_there(pid: int) -> bool:
    if any(process.pid == pid and process.poll() is not None for process in _STARTED):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
