"""aws_setup.sh with version 2 of the AWS CLI; the other tests run version 1, which pip installs.

A start of version 2 costs about a second, and these are some sixty: it runs only where AWS_CLI_2 names one, as in

    AWS_CLI_2=/usr/bin/aws ./run_tests.sh tests/setup/test_cli_2.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.setup.test_whole_setup import Account
from tests.support.engines import Engine

VARIABLE = "AWS_CLI_2"


@pytest.fixture
def account(moto: Engine, tmp_path: Path) -> Account:
    cli = shutil.which(os.environ.get(VARIABLE, ""))
    if cli is None:
        pytest.skip(f"{VARIABLE} names no AWS CLI (Debian's package awscli is version 2)")
    made = Account(moto, tmp_path)
    (tmp_path / "bin" / "aws").symlink_to(cli)
    said = subprocess.run(["aws", "--version"], env=made.env, capture_output=True, text=True, check=True).stdout
    if not said.startswith("aws-cli/2."):
        pytest.skip(f"{VARIABLE} names {said.strip()}, which is not version 2")
    return made


@pytest.mark.long
def test_up_again_status_and_down(account: Account) -> None:
    assert "; 13 changes were made" in account.done("up", "--no-ec2")
    assert "; 0 changes were made" in account.done("up", "--no-ec2")
    assert "missing" not in account.done("status", "--no-ec2")
    assert "Everything is removed" in account.done("down", "--yes", "--no-ec2")
    assert "nothing to remove" in account.done("down", "--yes", "--no-ec2")
