"""The console blocks of a page: the commands in them, run as a reader would, and what they print."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.support import quickcli, terminals
from tests.support.place import ROOT, WAIT_SECONDS, Place, without_waits

#: The account in the pages: that of ./run_local.sh.
ACCOUNT = "000000000000"
#: Before a block whose commands run in a terminal of 80 columns, not with a pipe behind them.
_IN_TERMINAL = "<!-- in a terminal -->\n"
_BLOCK = re.compile(rf"^({_IN_TERMINAL})?```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
#: As `eval "$(./run_local.sh env)"` defines it.
_AWS = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n'
_RUN_LOCAL = """#!/bin/sh
program={root}/$1_client.py
shift
exec {fork} "$program" "$@"
"""


class Shell:
    """Runs commands of a page in a place: ./run_local.sh and aws are quick, and everything else is itself."""

    def __init__(self, place: Place, cli: Path, programs: str) -> None:
        self._place = place
        self._env = {**place.env, "PATH": f"{cli}:{os.environ['PATH']}"}
        fork = quickcli.install(place.folder / "programs", programs) / "aws"
        script = place.folder / "run_local.sh"
        script.write_text(_RUN_LOCAL.format(root=ROOT, fork=fork))
        script.chmod(0o755)

    def run(self, command: str, *, in_terminal: bool = False) -> str:
        """Return what a command prints, to a pipe or in a terminal."""
        account = self._place.env["AWS_ACCESS_KEY_ID"]
        bash = ["bash", "-c", _AWS + command.replace(ACCOUNT, account)]
        printed = (_shown if in_terminal else piped)(bash, self._place.folder, self._env)
        return printed.replace(account, ACCOUNT)


def piped(command: list[str], folder: Path, env: Mapping[str, str]) -> str:
    """Return what a command prints where there is no terminal."""
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    ).stdout


def _shown(command: list[str], folder: Path, env: Mapping[str, str]) -> str:
    leader, follower = terminals.terminal(terminals.COLUMNS)
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**env, "TERM": "xterm-256color"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    ):
        os.close(follower)
        arrived = terminals.read_all(leader)
    os.close(leader)
    return "\n".join([*terminals.screen(arrived, terminals.COLUMNS), ""])


def plain(text: str) -> str:
    """Leave out what differs from run to run: times, lines about a long wait, and blanks at line ends."""
    text = without_waits(text)
    text = re.sub(r"in \d+\.\d{3} s", "in N s", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "TIME", text)
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def commands(page: str) -> list[tuple[str, str]]:
    """Return each command of the page's console blocks, and what the page says that it prints."""
    return [found for _, block in _BLOCK.findall(page) for found in _COMMAND.findall(block)]


def rewritten(page: str, run: Callable[..., str]) -> str:
    """Return the page with what the commands of its console blocks print now, where that differs."""

    def answer(found: re.Match[str], *, in_terminal: bool) -> str:
        printed = re.sub(r"[ \t]+$", "", run(found[1], in_terminal=in_terminal), flags=re.MULTILINE)
        return found[0] if plain(printed) == plain(found[2]) else f"$ {found[1]}\n{printed}"

    return _BLOCK.sub(lambda block: _COMMAND.sub(partial(answer, in_terminal=bool(block[1])), block[0]), page)
