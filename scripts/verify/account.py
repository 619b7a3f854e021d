"""A set-up of its own: names, clients, calls of aws_setup.sh, and workers where there is no instance to run them."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.error import URLError

import boto3
from botocore.exceptions import ClientError

from courier import Requester
from courier.aws.session import Aws
from courier.numbers.application import application
from courier.settings import load_settings
from scripts.verify.verbs import Ended, VerbFailed, run_script

ROOT = Path(__file__).parents[2]
ANSWER_SECONDS = 120
#: The lifetime of the session token that a check lets expire: the shortest that STS gives.
TOKEN_SECONDS = 900
ALIVE = ["pending", "running", "stopping", "stopped"]


@dataclass(kw_only=True)
class Account:
    """The set-up that the checks work on, under a name of its own."""

    name: str
    folder: Path
    region: str
    endpoint: str | None
    options: Sequence[str] = ()
    profile: str | None = None
    uses_ssh: bool = True
    given_key: str = ""
    poll_seconds: int = 3600
    show: Callable[[str], None] = print
    root: Path = ROOT
    tokens: dict[str, Any] = field(default_factory=dict)
    #: Why there is no session token, if there is none.
    no_token: str = ""
    #: Whether the role of `rights` may exist.
    has_role: bool = False
    #: Queues that a check has made, and may not have deleted.
    extra_queues: list[str] = field(default_factory=list)
    _workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def is_real(self) -> bool:
        """Whether this is no emulator."""
        return self.endpoint is None

    @cached_property
    def offers(self) -> Any:  # noqa: ANN401  Needs, which imports this module
        """What this AWS has of what checks need."""
        from scripts.verify.runner import Needs

        if self.is_real:
            return Needs.REAL
        try:
            urllib.request.urlopen(f"{self.endpoint}/moto-api/", timeout=10).close()  # noqa: S310  the user's endpoint
        except (URLError, OSError):
            return Needs.ANY
        return Needs.RECORDS

    @property
    def key(self) -> str:
        """The file of the private key for SSH."""
        return self.given_key or str(self.folder / "key")

    @property
    def queues(self) -> dict[str, str]:
        """The settings that name the queues. No name begins as another set-up's reply queues do."""
        return {
            "COURIER_REQUEST_QUEUE": f"{self.name}-numbers",
            "COURIER_RESPONSE_QUEUE": f"{self.name}-statistics",
            "COURIER_IMAGE_INBOX": f"{self.name}-inbox",
            "COURIER_IMAGE_OUTBOX": f"{self.name}-outbox",
        }

    @cached_property
    def caller(self) -> str:
        """The ARN of the user or role whose credentials these are."""
        return str(self.client("sts").get_caller_identity()["Arn"])

    @property
    def partition(self) -> str:
        """The partition of AWS: aws, aws-cn or aws-us-gov."""
        return self.caller.split(":")[1]

    @property
    def id(self) -> str:
        """The account's id."""
        return self.caller.split(":")[4]

    @cached_property
    def bucket(self) -> str:
        """The bucket's name: account-regional where there are such names."""
        plain = f"{self.name}-{self.id}-{self.region}"
        if self.is_real:
            with contextlib.suppress(ClientError):
                self.client("s3").head_bucket(Bucket=f"{plain}-an")
                return f"{plain}-an"
        return plain

    def adopt(self) -> None:
        """Have this process and what it starts use this set-up."""
        for name in [name for name in os.environ if name.startswith("COURIER_")]:
            del os.environ[name]
        os.environ.update(self.queues)
        os.environ.update(AWS_REGION=self.region, AWS_DEFAULT_REGION=self.region)
        if self.profile:
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
                os.environ.pop(name, None)
            os.environ["AWS_PROFILE"] = self.profile

    def client(self, service: str, region: str | None = None, **keys: str) -> Any:  # noqa: ANN401  boto3's
        """Return a client of boto3, with the user's credentials or with `keys`."""
        return boto3.client(service, region_name=region or self.region, **keys)  # type: ignore[call-overload]

    def setup(self, verb: str, *options: str, root: Path | None = None, **env: str) -> Ended:
        """Run a verb of aws_setup.sh to its end, and show what it prints. Raises: VerbFailed."""
        ended = self.attempt(verb, *options, root=root, env=env)
        if ended.status:
            raise VerbFailed(f"{verb} ended with status {ended.status}: {ended.error}")
        return ended

    def attempt(
        self,
        verb: str,
        *options: str,
        root: Path | None = None,
        is_shown: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run a verb, whatever its exit status. An exception in the meantime ends it."""
        where = [] if self.offers.value else ["--no-ec2"]
        ssh = [] if self.uses_ssh else ["--no-ssh"]
        command = [
            "bash",
            str((root or self.root) / "aws_setup.sh"),
            verb,
            "--name",
            self.name,
            "--region",
            self.region,
        ]
        given = [*command, *where, *ssh, "--key", self.key, *self.options, *options]
        return run_script(given, {**os.environ, **(env or {})}, self.show if is_shown else lambda _line: None)

    def states(self) -> list[dict[str, Any]]:
        """Return the rows of `status --json`, which may end with 1 since something is missing."""
        lines = self.attempt("status", "--json", is_shown=False).text.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def instances(self, *states: str) -> list[dict[str, Any]]:
        """Return this set-up's instances in these states; without one, those that have not been terminated."""
        filters = [
            {"Name": "tag:courier", "Values": [self.name]},
            {"Name": "instance-state-name", "Values": list(states) or ALIVE},
        ]
        found = self.client("ec2").describe_instances(Filters=filters)
        return [one for reservation in found["Reservations"] for one in reservation["Instances"]]

    def start_workers(self) -> None:
        """Start both workers here, where no instance runs them."""
        if self.is_real or self._workers:
            return
        env = {**os.environ, "COURIER_BUCKET": self.bucket, "COURIER_POLL_SECONDS": "1"}
        for program in ("numbers_worker.py", "images_worker.py"):
            log = (self.folder / f"{program}.log").open("ab")
            with log:
                command = [sys.executable, str(ROOT / program)]
                self._workers.append(subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=self.folder))

    def worker_pid(self, application: str) -> int:
        """Return the process of a worker that was started here."""
        return self._workers[("numbers", "images").index(application)].pid

    def stop_workers(self) -> None:
        """End the workers that were started here."""
        for process in self._workers:
            process.terminate()
        for process in self._workers:
            process.wait()
        self._workers.clear()

    def ask(self, text: str = "1, 5, 22", seconds: float = ANSWER_SECONDS) -> float:
        """Send a request to the numbers worker and return the seconds until its response. Raises: CourierError."""
        with Requester(application(load_settings()), timeout=seconds) as requester:
            return requester.request(text).seconds

    def aws(self) -> Aws:
        """Return a connection of courier's."""
        return Aws()

    def run_client(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a client."""
        return subprocess.Popen(
            [sys.executable, str(ROOT / program), *arguments],
            env={**os.environ, "COURIER_BUCKET": self.bucket},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
        )

    def remove_extras(self) -> None:
        """Remove what checks have made beside the set-up: their queues, and the role of `rights`."""
        sqs = self.client("sqs")
        found = sqs.list_queues(QueueNamePrefix=f"{self.name}-check-", MaxResults=100).get("QueueUrls", [])
        for name in {*(url.rpartition("/")[2] for url in found), *self.extra_queues}:
            with contextlib.suppress(sqs.exceptions.QueueDoesNotExist):
                sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])
        if self.has_role:
            iam = self.client("iam")
            with contextlib.suppress(iam.exceptions.NoSuchEntityException):
                iam.delete_role_policy(RoleName=self.role, PolicyName="verify")
            with contextlib.suppress(iam.exceptions.NoSuchEntityException):
                iam.delete_role(RoleName=self.role)

    @property
    def role(self) -> str:
        """The role that checks assume."""
        return f"{self.name}-check"


def new_name() -> str:
    """Return a name for a set-up that nobody has used."""
    return f"verify-{secrets.token_hex(3)}"


def wait_until(condition: Callable[[], Any], seconds: float, what: str, pause: float = 2.0) -> Any:  # noqa: ANN401  the condition's
    """Return what `condition` returns once it is true. Raises: TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(pause)
    return found


def keys_of(credentials: Mapping[str, Any]) -> dict[str, str]:
    """Return what STS gave as arguments of a client."""
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
