"""Local AWS engines for tests and benches: real servers on a free port of 127.0.0.1, each with its own data."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError

BIN = Path(sys.executable).parent
REGION = "us-east-1"
START_SECONDS = 60


def measuring(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what in `env` makes Python programs measure coverage."""
    return {name: value for name, value in env.items() if name.startswith("COVERAGE_")}


def unmeasured(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return `env` without what makes Python programs measure coverage: it slows those that are not ours."""
    return {name: value for name, value in env.items() if name not in measuring(env)}


def path_with_our_programs() -> str:
    """Return PATH, with the folder of this virtual environment's programs on it."""
    path = os.environ["PATH"]
    return path if str(BIN) in path.split(os.pathsep) else f"{BIN}:{path}"


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(kw_only=True)
class Engine:
    """A local AWS that runs until `stop`."""

    name: str
    folder: Path
    port: int = field(default_factory=free_port)
    #: Whether keys are checked, as AWS does; ministack only.
    checks_keys: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Engine:
        """Start the server and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command, extra, health = self._recipe()
        with (self.folder / "engine.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env={**unmeasured(os.environ), **extra}, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_until_it_answers(self.url + health)
        return self

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the server with a signal and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def environment(self, account: str = "test") -> dict[str, str]:
        """Return what points the programs at this engine; an account of twelve digits has data of its own."""
        # COLUMNS is the width of another terminal than that of a program under test.
        foreign = ("AWS_", "COURIER_", "COLUMNS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
            "PATH": path_with_our_programs(),
        }

    def _recipe(self) -> tuple[list[str], dict[str, str], str]:
        if self.name == "moto":
            extra = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
            return [str(BIN / "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)], extra, "/moto-api/"
        if self.name == "strict moto":
            decisions = self.folder / "decisions"
            decisions.touch()
            return [sys.executable, "-m", "tests.support.strictmoto", str(self.port), str(decisions)], {}, "/moto-api/"
        settings = {
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.folder / "s3"),
            "AUTH": "true" if self.checks_keys else "false",
        }
        return [str(BIN / "ministack")], settings, "/_ministack/health"

    def _wait_until_it_answers(self, url: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert self.process is not None
            assert self.process.poll() is None, f"{self.name} ended at once: see {self.folder}/engine.log"
            try:
                urllib.request.urlopen(url, timeout=5).close()
            except (URLError, OSError):
                assert time.monotonic() < deadline, f"{self.name} does not answer: see {self.folder}/engine.log"
                time.sleep(0.05)
            else:
                return


def fresh_account() -> str:
    """Return twelve digits that nobody has used: on ministack, an account of its own."""
    return f"{secrets.randbelow(9 * 10**11) + 10**11}"
