from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pexpect
import pytest
from hypothesis import settings

from tests.support.engines import Engine, fresh_account, unmeasured

ROOT = Path(__file__).parent.parent
QUEUES = ("requestQueue", "responseQueue", "imageInbox", "imageOutbox")
#: The tests whose programs are measured for coverage, which slows them by half; others run the same lines.
MEASURED = ("test_menus", "test_numbers_commands", "test_images_commands", "test_long_lists", "test_workers")
#: The same for their workers.
MEASURED_WORKERS = ("test_menus", "test_long_lists")
ATTRIBUTES = json.loads((ROOT / "create-queue.json").read_text())


# Fewer examples than Hypothesis takes by default: python -m bench.engines takes as many as one likes.
settings.register_profile("suite", max_examples=50, deadline=None)
settings.load_profile("suite")


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs under test, also where a shell started these tests with it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each process begin with its share of the longest tests, so that none of them is the last to run."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.path.parent.name == "setup"]
    short = [item for item in items if item.path.parent.name != "setup"]
    share = math.ceil(len(short) / processes)
    items[:] = [
        item
        for number in range(processes)
        for item in (*long[number::processes], *short[number * share : (number + 1) * share])
    ]


def wait_for(condition: Callable[[], Any], seconds: float = 45, what: str = "the condition") -> Any:
    """Return what `condition` returns once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds} s"
        time.sleep(0.04)
    return found


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(name="ministack", folder=tmp_path_factory.mktemp("ministack")).start()
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(name="moto", folder=tmp_path_factory.mktemp("moto")).start()
    yield engine
    engine.stop()


@dataclass(kw_only=True)
class WorkerProcess:
    """A running worker program and its log."""

    process: subprocess.Popen[bytes]
    log_path: Path

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def until_logged(self, text: str, seconds: float = 20) -> None:
        wait_for(lambda: text in self.log, seconds, f"{text!r} in the worker's log")

    def end(self, number: int = signal.SIGTERM, seconds: float = 40) -> int:
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
    measures_workers: bool = False

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.env["AWS_ENDPOINT_URL"],
                region_name=self.env["AWS_DEFAULT_REGION"],
                aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            )
        return self.clients[service]

    @property
    def bucket(self) -> str:
        return f"lab3-{self.env['AWS_ACCESS_KEY_ID']}-us-east-1"

    def url(self, queue: str) -> str:
        return str(self.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])

    def create_queues(self) -> None:
        for name in QUEUES:
            self.client("sqs").create_queue(QueueName=name, Attributes=ATTRIBUTES)

    def create_bucket(self) -> None:
        self.client("s3").create_bucket(Bucket=self.bucket)

    def post(self, queue: str, body: str, **attributes: str) -> str:
        """Send a message by hand and return its id; attribute names are given with _ for -."""
        named = {
            name.replace("_", "-"): {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        sent = self.client("sqs").send_message(QueueUrl=self.url(queue), MessageBody=body, MessageAttributes=named)
        return str(sent["MessageId"])

    def collect(self, queue: str, count: int = 1, seconds: float = 20) -> list[dict[str, Any]]:
        """Receive and delete `count` messages by hand."""
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

        wait_for(receive, seconds, f"{count} messages in {queue}")
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
        seconds: float = 60,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, with no terminal."""
        return subprocess.run(
            [sys.executable, str(ROOT / program), *arguments],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            input=text,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self, program: str, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start a program and leave it running."""
        process = subprocess.Popen(
            [sys.executable, str(ROOT / program), *arguments],
            cwd=self.folder,
            env={**self.env, "PYTHONPATH": str(ROOT), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.stack.callback(_kill, process)
        return process

    def worker(self, program: str, *arguments: str, ready: bool = True, **env: str) -> WorkerProcess:
        """Start a worker; with `ready`, wait until it listens."""
        env = {**self.env, "PYTHONPATH": str(ROOT), **env}
        log_path = self.folder / f"{Path(program).stem}-{len(self.workers)}.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / program), *arguments],
                cwd=self.folder,
                env=env if self.measures_workers else unmeasured(env),
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        self.stack.callback(_kill, process)
        worker = WorkerProcess(process=process, log_path=log_path)
        self.workers.append(worker)
        if ready:
            worker.until_logged("listens on")
        return worker

    def menu(self, program: str, **env: str) -> pexpect.spawn[str]:
        """Open a client's menu in a terminal of its own."""
        child = pexpect.spawn(
            sys.executable,
            [str(ROOT / program)],
            cwd=str(self.folder),
            env={**self.env, "TERM": "dumb", "NO_COLOR": "1", **env},
            encoding="utf-8",
            timeout=20,
            dimensions=(50, 120),
        )
        self.stack.callback(child.close, force=True)
        return child


def _kill(process: subprocess.Popen[Any]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


@contextmanager
def _place(engine: Engine, folder: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        home = folder / "home"
        home.mkdir()
        env = {**engine.environment(fresh_account()), "HOME": str(home)}
        yield Place(env=env, folder=folder, stack=stack)


@pytest.fixture
def bare_place(ministack: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """An account with nothing in it."""
    with _place(ministack, tmp_path) as place:
        if request.path.stem not in MEASURED:
            place.env = unmeasured(place.env)
        place.measures_workers = request.path.stem in MEASURED_WORKERS
        yield place


@pytest.fixture
def place(bare_place: Place) -> Place:
    """An account with the four queues and the bucket."""
    bare_place.create_queues()
    bare_place.create_bucket()
    return bare_place


@pytest.fixture(scope="session")
def _numbers_account(ministack: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with _place(ministack, tmp_path_factory.mktemp("numbers")) as made:
        made.create_queues()
        made.create_bucket()
        made.worker("numbers_worker.py")
        yield made


@pytest.fixture
def served(_numbers_account: Place, tmp_path: Path) -> Iterator[Place]:
    """A numbers worker that others use as well, and an empty folder."""
    with ExitStack() as stack:
        yield replace(_numbers_account, folder=tmp_path, stack=stack)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("COURIER_"):
            monkeypatch.delenv(name)
