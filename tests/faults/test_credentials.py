"""Credentials that really expire, at a local AWS that checks them as AWS does."""

from __future__ import annotations

import io
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from courier.aws import credentials
from courier.aws.credentials import CredentialRefresh
from courier.aws.credentials_file import FileCredentials, read_credentials
from courier.aws.s3 import Bucket
from courier.aws.session import Aws
from courier.errors import CredentialsRejected
from tests.support.engines import REGION, Engine
from tests.support.place import ATTRIBUTES, QUEUES, WAIT_SECONDS, Place, wait_for

ANYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
ANYBODY = ANYTHING.replace('"Action": "*", "Resource": "*"', '"Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"')
FOR_LONG = 3600


@dataclass(kw_only=True)
class Lab:
    """An AWS account whose temporary keys are pasted into a credentials file, as in a classroom."""

    engine: Engine
    path: Path
    role: str
    sts: Any
    notices: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def new_keys(self, seconds: int = FOR_LONG) -> str:
        """Return a block to paste, with keys that live for `seconds`."""
        made = self.sts.assume_role(RoleArn=self.role, RoleSessionName="lab", DurationSeconds=seconds)["Credentials"]
        return (
            f"[default]\naws_access_key_id={made['AccessKeyId']}\n"
            f"aws_secret_access_key={made['SecretAccessKey']}\naws_session_token={made['SessionToken']}\n"
        )

    def paste(self, seconds: int = FOR_LONG) -> None:
        self.path.write_text(self.new_keys(seconds))

    @property
    def keys(self) -> str:
        """The access key id in the file."""
        found = read_credentials(self.path, "default")
        assert isinstance(found, FileCredentials)
        return found.access_key

    def paste_expired_keys(self) -> None:
        """Paste keys that have expired when this returns."""
        self.paste(seconds=1)
        self.until_rejected()

    def until_rejected(self) -> None:
        """Wait until AWS rejects the credentials in the file."""
        client = boto3.Session().client("sqs", config=Config(retries={"total_max_attempts": 1}))

        def rejected() -> bool:
            try:
                client.list_queues()
            except client.exceptions.ClientError as error:
                return bool(error.response["Error"]["Code"] == "ExpiredToken")
            return False

        wait_for(rejected)

    def aws(self, seconds: float | None = 20) -> Aws:
        return Aws(CredentialRefresh(seconds=seconds, tell=self.notices.append, stopped=self.stopped))

    def root(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.engine.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@pytest.fixture(scope="session")
def strict_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, str, Any]]:
    engine = Engine(name="ministack", folder=tmp_path_factory.mktemp("strict"), checks_keys=True).start()
    root: dict[str, Any] = {"endpoint_url": engine.url, "region_name": REGION}
    iam = boto3.client("iam", aws_access_key_id="test", aws_secret_access_key="test", **root)
    role = iam.create_role(RoleName="lab", AssumeRolePolicyDocument=ANYBODY)["Role"]["Arn"]
    iam.put_role_policy(RoleName="lab", PolicyName="all", PolicyDocument=ANYTHING)
    iam.create_user(UserName="student")
    iam.put_user_policy(UserName="student", PolicyName="all", PolicyDocument=ANYTHING)
    key = iam.create_access_key(UserName="student")["AccessKey"]
    sts = boto3.client(
        "sts",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(parameter_validation=False),  # AWS's least duration is 15 minutes
        **root,
    )
    yield engine, role, sts
    engine.stop()


@pytest.fixture
def lab(strict_engine: tuple[Engine, str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    engine, role, sts = strict_engine
    path = tmp_path / "credentials"
    for name, value in engine.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    made = Lab(engine=engine, path=path, role=role, sts=sts)
    yield made
    made.stopped.set()


@pytest.fixture
def bucket_name(lab: Lab) -> str:
    name = f"bucket-{secrets.token_hex(6)}"
    lab.root("s3").create_bucket(Bucket=name)
    return name


def test_keys_that_were_replaced_in_time_are_used_without_a_rejected_call(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "CHECK_SECONDS", 0)
    signed: list[str] = []
    lab.paste()
    aws = lab.aws(seconds=0)
    aws.sqs().meta.events.register("before-send", lambda request, **_: signed.append(str(request.headers)))
    before = lab.keys
    aws.sqs().list_queues()

    lab.paste()
    lab.root("sqs")  # another client's keys are not the worker's
    aws.sqs().list_queues()

    assert len(signed) == 2
    assert before in signed[0]
    assert before != lab.keys
    assert lab.keys in signed[1]
    assert lab.notices == []


@pytest.mark.parametrize("service", ["sqs", "s3", "s3 head", "sts"])
def test_the_very_call_that_was_rejected_goes_on_when_keys_are_pasted(lab: Lab, bucket_name: str, service: str) -> None:
    lab.paste_expired_keys()
    aws = lab.aws()
    calls = {
        "sqs": lambda: aws.sqs().list_queues(),
        "s3": lambda: aws.s3().list_buckets(),
        "s3 head": lambda: aws.s3().head_bucket(Bucket=bucket_name),
        "sts": aws.account_id,
    }

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(calls[service])
        wait_for(lambda: lab.notices)
        assert not call.done()
        lab.paste()
        assert call.result(timeout=WAIT_SECONDS)

    (sentence,) = lab.notices
    assert sentence.startswith(f"AWS rejects the credentials in {lab.path}: ")


def test_newer_keys_that_are_there_already_are_tried_at_once_and_nobody_is_reported(lab: Lab) -> None:
    lab.paste_expired_keys()
    aws = lab.aws(seconds=0)
    aws.sqs()
    with pytest.raises(CredentialsRejected):
        aws.account_id()

    lab.paste()

    assert aws.account_id() == "000000000000"
    assert len(lab.notices) == 1


def test_a_half_written_file_is_waited_out(lab: Lab) -> None:
    lab.paste_expired_keys()
    aws = lab.aws()

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(aws.account_id)
        wait_for(lambda: lab.notices)
        block = lab.new_keys()
        lab.path.write_text(block[:60])
        threading.Event().wait(0.6)
        assert not call.done()
        lab.path.write_text(block)
        assert call.result(timeout=WAIT_SECONDS) == "000000000000"


def test_a_paste_that_cannot_be_used_is_explained_and_a_byte_order_mark_is_read(lab: Lab) -> None:
    lab.paste_expired_keys()
    aws = lab.aws(seconds=60)

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(aws.account_id)
        wait_for(lambda: lab.notices)
        lab.path.write_text(lab.new_keys().replace("[default]", "[lab]"))
        wait_for(lambda: len(lab.notices) == 2)
        lab.path.write_text(lab.new_keys().replace("=", "='").replace("\n", "'\n").replace("]'", "]"))
        wait_for(lambda: len(lab.notices) == 3)
        assert not call.done()
        lab.path.write_bytes(("\ufeff" + lab.new_keys().replace("\n", "\r\n")).encode())
        assert call.result(timeout=WAIT_SECONDS) == "000000000000"

    assert "[lab]" in lab.notices[1]
    assert "quotes" in lab.notices[2]


def test_keys_pasted_below_the_dead_ones_are_taken(lab: Lab) -> None:
    lab.paste_expired_keys()
    aws = lab.aws()

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(aws.account_id)
        wait_for(lambda: lab.notices)
        with lab.path.open("a") as file:
            file.write("\n" + lab.new_keys())
        assert call.result(timeout=WAIT_SECONDS) == "000000000000"

    assert lab.aws(seconds=0).account_id() == "000000000000"  # and a program may start with that file


def test_an_upload_in_parts_outlives_its_keys(lab: Lab, bucket_name: str) -> None:
    lab.paste()
    aws = lab.aws()
    bucket = Bucket(aws, bucket_name, "x/")
    content = secrets.token_bytes(30_000_000)
    begun = threading.Event()

    class Slow(io.BytesIO):
        """A file that pauses after its first part until the keys are dead."""

        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= 10_000_000 and not begun.is_set():
                begun.set()
                lab.paste_expired_keys()
            return super().read(size)

    with ThreadPoolExecutor(1) as pool:
        upload = pool.submit(bucket.store, "big", Slow(content), media_type="image/png")
        wait_for(lambda: lab.notices)
        lab.paste()
        upload.result(timeout=WAIT_SECONDS)

    file = io.BytesIO()
    bucket.fetch("big", file)
    assert file.getvalue() == content


def test_four_threads_wait_together_are_reported_once_and_all_go_on(lab: Lab) -> None:
    lab.paste_expired_keys()
    aws = lab.aws()
    aws.sqs()

    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(lambda: aws.sqs().list_queues()) for _ in range(4)]
        wait_for(lambda: lab.notices)
        lab.paste()
        for call in calls:
            assert call.result(timeout=WAIT_SECONDS)

    assert len(lab.notices) == 1


def test_without_new_keys_a_call_gives_up_in_time_and_with_few_calls(lab: Lab) -> None:
    lab.paste_expired_keys()
    aws = lab.aws(seconds=1)
    sent: list[object] = []
    aws.sqs().meta.events.register("before-send", lambda **_: sent.append(1))

    started = time.monotonic()
    with pytest.raises(CredentialsRejected):
        from courier.aws.sqs import Mailbox

        Mailbox(aws, "x").find()

    assert time.monotonic() - started > 0.9
    assert len(sent) == 1
    assert len(lab.notices) == 1


def test_a_program_that_stops_does_not_wait_for_keys(lab: Lab) -> None:
    lab.paste_expired_keys()
    aws = lab.aws(seconds=None)

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(aws.account_id)
        wait_for(lambda: lab.notices)
        lab.stopped.set()
        with pytest.raises(CredentialsRejected):
            call.result(timeout=WAIT_SECONDS)


def test_a_running_worker_and_a_waiting_client_go_on(lab: Lab, tmp_path: Path) -> None:
    suffix = secrets.token_hex(4)
    names = {
        f"COURIER_{key}": f"{name}{suffix}"
        for key, name in zip(("REQUEST_QUEUE", "RESPONSE_QUEUE"), QUEUES, strict=False)
    }
    for name in names.values():
        lab.root("sqs").create_queue(QueueName=name, Attributes=ATTRIBUTES)
    lab.paste()
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith("COURIER_")},
        **names,
        "PATH": lab.engine.environment()["PATH"],
    }

    with ExitStack() as stack:
        place = Place(env=env, folder=tmp_path, stack=stack)
        worker = place.worker("numbers_worker.py", COURIER_POLL_SECONDS="1")
        first = place.run("numbers_client.py", "send", "1,2", "--json")
        assert json.loads(first.stdout)["sum"] == 3, first.stderr

        lab.paste_expired_keys()
        worker.until_logged("rejects the credentials in")
        client = place.start("numbers_client.py", "send", "3,4", "--json")
        assert client.stderr is not None
        assert "rejects the credentials in" in client.stderr.readline()
        lab.paste()

        out, _ = client.communicate()
        assert json.loads(out)["sum"] == 7
        assert worker.log.count("AWS rejects the credentials") == 1
        assert worker.end() == 0
