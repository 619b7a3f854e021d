"""What aws_setup.sh says when something is in its way, with a stand-in for the AWS CLI."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.setup.test_aws_setup import ACCOUNT, NO_BUCKET, NO_QUEUES, Stub
from tests.support.engines import Engine, fresh_account
from tests.support.place import ROOT, WAIT_SECONDS


@pytest.fixture
def stub(tmp_path: Path, ministack: Engine) -> Stub:
    return Stub(tmp_path, ministack.environment(fresh_account()))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["plan", "--no-ec2"],
        ["plan", "--no-ec2", "--json"],
        ["up", "--no-ec2"],
        ["queues"],
        ["bucket"],
        ["down", "--no-ec2", "--yes"],
        ["sweep"],
        ["cost"],
        ["cost", "--json"],
        ["policy", "client"],
        ["status", "--no-ec2"],
        ["doctor", "--no-ec2", "--json"],
        ["watch", "--once"],
    ],
)
def test_an_output_that_cannot_be_written_is_said_in_one_sentence(stub: Stub, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = stub.run(*arguments, answers={**ACCOUNT, **NO_QUEUES, **NO_BUCKET}, stdout=full)

    assert done.returncode == 2
    assert done.stderr.startswith("aws_setup.sh: ")
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "said", ["Unable to locate credentials. You can configure credentials by running aws configure", "(ExpiredToken)"]
)
def test_verify_without_credentials_says_what_the_other_verbs_say(stub: Stub, said: str) -> None:
    nobody = {"sts get-caller-identity": ["", said, 255]}

    verify, queues = (stub.run(*words, answers=nobody) for words in (["verify", "--yes"], ["queues"]))

    assert (verify.returncode, verify.stdout) == (4, "")
    assert verify.stderr == queues.stderr


def test_verify_without_a_region_says_so(stub: Stub) -> None:
    done = stub.run("verify", "--yes", answers={"configure get": ["", "", 1]}, AWS_DEFAULT_REGION="")

    assert done.returncode == 4
    assert "--region" in done.stderr


def test_a_sweep_that_finds_nothing_says_so(stub: Stub) -> None:
    done = stub.run("sweep", answers={**ACCOUNT, **NO_QUEUES})

    assert (done.returncode, done.stderr) == (0, "")
    assert "no stale reply queues" in done.stdout


def test_calls_to_the_local_aws_have_a_time_limit(stub: Stub) -> None:
    done = stub.run("queues", answers={**ACCOUNT, **NO_QUEUES}, SETUP_LOCAL="/x/.local")

    assert done.returncode == 0, done.stderr
    assert all("--cli-read-timeout" in call and "--cli-connect-timeout" in call for call in stub.calls)


@pytest.mark.parametrize("verb", ["status", "doctor"])
def test_what_is_missing_is_made_with_the_options_that_were_given(ministack: Engine, verb: str) -> None:
    line = [str(ROOT / "aws_setup.sh"), verb, "--no-ec2", "--name", "x"]
    env = ministack.environment(fresh_account()) | {"COURIER_TIMEOUT_SECONDS": "1"}
    done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)

    assert done.returncode == 1
    assert "missing -> ./aws_setup.sh up --no-ec2 --name x" in done.stdout
    assert "up --name" not in done.stdout
