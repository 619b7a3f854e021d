"""aws_setup.sh with version 2 of the AWS CLI; the other tests run version 1, which pip installs.

It runs with the first version 2 on PATH, or with the one that AWS_CLI_2 names, as in

    AWS_CLI_2=/opt/aws/bin/aws ./run_tests.sh tests/setup/test_cli_2.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.setup.test_whole_setup import Account
from tests.support.checkout import write_program
from tests.support.engines import Engine

VARIABLE = "AWS_CLI_2"
HOW_TO_GET_IT = f"Install it (Debian: apt-get install awscli), or name it in {VARIABLE}"


def candidates() -> Iterable[str]:
    """Yield what may be a version 2, by its path."""
    if named := os.environ.get(VARIABLE):
        yield named
        return
    # A virtual environment has version 1, and stands before the system's programs.
    folders = [*os.environ["PATH"].split(os.pathsep), "/usr/bin", "/usr/local/bin"]
    yield from dict.fromkeys(found for one in folders if (found := shutil.which("aws", path=one or ".")))


def is_version_2(cli: str) -> bool:
    """Whether a program says that it is a version 2. Version 1 says so on stderr, in its older versions."""
    try:
        said = subprocess.run([cli, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout
    except OSError:
        return False
    return said.startswith("aws-cli/2.")


def find_cli() -> str:
    """Return the path of a version 2; skips the test if there is none."""
    found = next(filter(is_version_2, candidates()), None)
    if found is None:
        pytest.skip(f"There is no AWS CLI of version 2. {HOW_TO_GET_IT}")
    return found


@pytest.fixture
def account(moto: Engine, tmp_path: Path) -> Account:
    cli = find_cli()
    made = Account(moto, tmp_path)
    (tmp_path / "bin" / "aws").symlink_to(cli)
    return made


def test_a_version_2_is_found_behind_a_version_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (
        str(write_program(tmp_path / folder / "aws", f"#!/bin/sh\necho aws-cli/{version}\n").parent)
        for folder, version in (("a", "1.46.0 Python/3.11"), ("b", "2.9.19 Python/3.11"))
    )
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", os.pathsep.join([first, second, "/bin"]))

    assert find_cli() == f"{second}/aws"
    monkeypatch.setenv(VARIABLE, f"{first}/aws")
    with pytest.raises(pytest.skip.Exception, match="apt-get install awscli"):
        find_cli()


@pytest.mark.long
def test_up_again_status_and_down(account: Account) -> None:
    assert "; 13 changes were made" in account.done("up", "--no-ec2")
    assert "; 0 changes were made" in account.done("up", "--no-ec2")
    assert "missing" not in account.done("status", "--no-ec2")
    assert "Everything is removed" in account.done("down", "--yes", "--no-ec2")
    assert "nothing to remove" in account.done("down", "--yes", "--no-ec2")
