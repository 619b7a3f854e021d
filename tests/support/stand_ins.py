"""A folder for run_local.sh in which every program but itself is a stand-in, and what is run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pexpect

from courier.cli import lock_file
from tests.support.checkout import processes_in, stand_in_copy
from tests.support.engines import free_port
from tests.support.place import WAIT_SECONDS, wait_for

if TYPE_CHECKING:
    Menu = pexpect.spawn[str]
else:
    Menu = pexpect.spawn


class Folder:
    """A folder with stand-ins, and what is run in it."""

    def __init__(self, path: Path, tools: str) -> None:
        self.path = stand_in_copy(path)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COURIER_"))}
        self.env = {**kept, "PATH": tools, "LOCAL_AWS_PORT": str(free_port())}

    def run(
        self, *arguments: str, stdout: int | IO[str] = subprocess.PIPE, **env: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.path / "run_local.sh"), *arguments],
            cwd=self.path,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )

    def menu(self) -> Menu:
        env = {**self.env, "TERM": "dumb"}
        program = [str(self.path / "run_local.sh")]
        return pexpect.spawn("bash", program, cwd=str(self.path), env=env, encoding="utf-8", timeout=WAIT_SECONDS)

    def holder(self, name: str) -> int:
        return int((self.path / f".local/{name}.lock").read_text().split()[0])

    def runs(self, name: str) -> bool:
        return lock_file.holder(str(self.path / f".local/{name}.lock")) is not None

    def until_nothing_runs(self) -> None:
        wait_for(lambda: not processes_in(self.path), what="an end of all processes")


def without_tmux(folder: Path) -> str:
    """Return a PATH that has everything but tmux."""
    folder.mkdir()
    tools = "awk bash cat cksum cut dirname env grep head kill mkdir mv ps rm sed sh sleep sort tail tr uname"
    for tool in tools.split():
        (folder / tool).symlink_to(shutil.which(tool) or "")
    return f"{folder}:{Path(sys.executable).parent}"
