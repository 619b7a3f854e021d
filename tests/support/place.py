"""A set-up of its own on a local AWS, and the programs in it, for tests and benches."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
import pexpect
import pytest

from tests.support import quickprograms
from tests.support.gate import Gate
from tests.support.real import needs_emulator
from tests.support.terminal import spawn

ROOT = Path(__file__).parents[2]
QUEUES = ("requestQueue", "responseQueue", "imageInbox", "imageOutbox")
#: How long a program may take to end whose terminal is closed; then it is killed.
END_SECONDS = 10.0
#: What has not come by then will not come. No test that passes comes near it, however busy the machine.
WAIT_SECONDS = float(os.environ.get("TEST_WAIT_SECONDS", "120"))
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user for a moment")
PIPES = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
ATTRIBUTES = json.loads((ROOT / "create-queue.json").read_text())


def without_waits(text: str) -> str:
    """Leave out the lines about a wait of two seconds and more, which depend on how busy the machine is."""
    return re.sub(r"^Still waiting after ([2-9]|\d{2,}) s.*\n", "", text, flags=re.MULTILINE)


def wait_for(condition: Callable[[], Any], seconds: float = WAIT_SECONDS, what: str = "the condition") -> Any:
    """Return what `condition` returns once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s"
        time.sleep(0.04)
    return found


@dataclass(kw_only=True)
class WorkerProcess:
    """A running worker program and its log."""

    process: subprocess.Popen[bytes]
    log_path: Path

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def until_logged(self, text: str, seconds: float = WAIT_SECONDS) -> None:
        wait_for(lambda: text in self.log, seconds, f"{text!r} in the worker's log")

    def end(self, number: int = signal.SIGTERM, seconds: float = WAIT_SECONDS) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


@dataclass(kw_only=True)
class Place:
    """An account of its own on a local AWS, and the programs in it."""

    env: dict[str, str]
    folder: Path
    stack: ExitStack
    workers: list[WorkerProcess] = field(default_factory=list)
    clients: dict[str, Any] = field(default_factory=dict)
    #: What the names of queues begin with, where others use the account, too.
    prefix: str = ""

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.env.get("AWS_ENDPOINT_URL"),
                region_name=self.env["AWS_DEFAULT_REGION"],
                aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
                aws_session_token=self.env.get("AWS_SESSION_TOKEN"),
            )
        return self.clients[service]

    @property
    def bucket(self) -> str:
        return self.env.get("COURIER_BUCKET") or f"lab3-{self.env['AWS_ACCESS_KEY_ID']}-us-east-1"

    def named(self, queue: str) -> str:
        """Return the name that a queue has here."""
        return self.prefix + queue

    def url(self, queue: str) -> str:
        return str(self.client("sqs").get_queue_url(QueueName=self.named(queue))["QueueUrl"])

    def create_queue(self, queue: str, attributes: Mapping[str, str] = MappingProxyType({})) -> None:
        self.client("sqs").create_queue(QueueName=self.named(queue), Attributes=dict(attributes))

    def create_queues(self) -> None:
        for name in QUEUES:
            self.create_queue(name, ATTRIBUTES)

    def create_bucket(self) -> None:
        self.client("s3").create_bucket(Bucket=self.bucket)

    def post(self, queue: str, body: str, **attributes: str) -> str:
        """Send a message manually and return its id; attribute names are given with _ for -."""
        named = {
            name.replace("_", "-"): {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        sent = self.client("sqs").send_message(QueueUrl=self.url(queue), MessageBody=body, MessageAttributes=named)
        return str(sent["MessageId"])

    def collect(self, queue: str, count: int = 1, seconds: float = WAIT_SECONDS) -> list[dict[str, Any]]:
        """Receive and delete `count` messages manually."""
        client, url = self.client("sqs"), self.url(queue)
        found: list[dict[str, Any]] = []

        def receive() -> bool:
            answer = client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(message)
            return len(found) >= count

        try:
            wait_for(receive, seconds, f"{count} messages in {queue}")
        except AssertionError as error:
            raise AssertionError(f"{error}; {len(found)} came, {self.depth(queue)} are there") from None
        return found

    def depth(self, queue: str) -> int:
        # Asked at once: between two calls a delayed message becomes a visible one, and would be in neither.
        return self._count(queue, "", "NotVisible", "Delayed")

    def visible(self, queue: str) -> int:
        return self._count(queue, "")

    def in_flight(self, queue: str) -> int:
        return self._count(queue, "NotVisible")

    def _count(self, queue: str, *states: str) -> int:
        names = [f"ApproximateNumberOfMessages{state}" for state in states]
        found = self.client("sqs").get_queue_attributes(QueueUrl=self.url(queue), AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def run(
        self,
        program: str,
        *arguments: str,
        text: str = "",
        seconds: float = WAIT_SECONDS,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, with no terminal."""
        process = self._popen(program, *arguments, env={**self.env, **(env or {})}, **PIPES, text=True)
        with process:
            try:
                out, err = process.communicate(text, timeout=seconds)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, without_waits(err))

    def start(self, program: str, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start a program and leave it running."""
        env = {**self.env, "PYTHONPATH": str(ROOT), **env}
        process: subprocess.Popen[str] = self._popen(program, *arguments, env=env, **PIPES, text=True)
        self.stack.callback(_kill, process)
        return process

    def gate(self) -> Gate:
        """Open a gate in front of the local AWS."""
        needs_emulator()
        made = Gate(self.env["AWS_ENDPOINT_URL"])
        self.stack.callback(made.close)
        return made

    def worker(self, program: str, *arguments: str, ready: bool = True, **env: str) -> WorkerProcess:
        """Start a worker; with `ready`, wait until it listens."""
        env = {**self.env, "PYTHONPATH": str(ROOT), **env}
        log_path = self.folder / f"{Path(program).stem}-{len(self.workers)}.log"
        with log_path.open("wb") as log:
            process = self._popen(program, *arguments, env=env, stdin=subprocess.DEVNULL, stderr=log)
        self.stack.callback(_kill, process)
        worker = WorkerProcess(process=process, log_path=log_path)
        self.workers.append(worker)
        if ready:
            worker.until_logged("listens on")
        return worker

    def menu(self, program: str, **env: str) -> pexpect.spawn[str]:
        """Open a client's menu in a terminal of its own."""
        child = spawn(
            [sys.executable, str(ROOT / program)],
            cwd=str(self.folder),
            env={**self.env, "TERM": "dumb", "NO_COLOR": "1", **env},
        )
        self.stack.callback(_hang_up, child)
        return child

    def shell(self) -> pexpect.spawn[str]:
        """Open a shell with job control, whose prompt is `$ `."""
        child = spawn(
            ["bash", "--norc", "--noprofile", "-i"],
            cwd=str(self.folder),
            env={**self.env, "TERM": "dumb", "NO_COLOR": "1", "PS1": "$ "},
        )
        self.stack.callback(_hang_up, child)
        return child

    def _popen(self, program: str, *arguments: str, **options: Any) -> subprocess.Popen[Any]:
        return quickprograms.popen([sys.executable, str(ROOT / program), *arguments], cwd=self.folder, **options)


def _hang_up(child: pexpect.spawn[str]) -> None:
    """Close a terminal, and wait for the end of its program: a busy machine needs longer than pexpect waits."""
    if not child.closed and child.isalive():
        child.kill(signal.SIGHUP)
        with suppress(AssertionError):
            wait_for(lambda: not child.isalive(), END_SECONDS)
    child.close(force=True)


def _kill(process: subprocess.Popen[Any]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(WAIT_SECONDS)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Run the body as a user without rights, who can read a folder. Only root can do that."""
    for place in (folder, *folder.parents):
        if not place.stat().st_mode & 0o001:
            place.chmod(place.stat().st_mode | 0o055)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
